// SPDX-License-Identifier: Apache-2.0
// Products of a few rows with weights as stored. Part of kernels.inl.

/// R rows by C outputs. Each of the R C sums has one accumulator, so its order of summation is fixed.
template <int R, int C, class T>
MOR_INLINE void product_block(const float* x, std::ptrdiff_t ldx, const T* w, int in, float* y, std::ptrdiff_t ldy,
                              bool add) {
    F sums[R][C] = {};
    int k = 0;
    for (; k + kLanes <= in; k += kLanes) {
        F a[R];
        for (int r = 0; r < R; ++r) a[r] = load(x + r * ldx + k);
        for (int c = 0; c < C; ++c) {
            const F b = load(w + std::ptrdiff_t(c) * in + k);
            // The rows are too short for the hardware to see C streams; the next block's are fetched meanwhile.
            __builtin_prefetch(w + std::ptrdiff_t(c + C) * in + k);
            for (int r = 0; r < R; ++r) sums[r][c] = fma(a[r], b, sums[r][c]);
        }
    }
    if (k < in) {
        for (int c = 0; c < C; ++c) {
            const F b = load(w + std::ptrdiff_t(c) * in + k, in - k);
            for (int r = 0; r < R; ++r) sums[r][c] = fma(load(x + r * ldx + k, in - k), b, sums[r][c]);
        }
    }
    for (int r = 0; r < R; ++r) {
        for (int c = 0; c < C; c += 4) {
            float four[4];
            sum4(sums[r][c], c + 1 < C ? sums[r][c + 1] : F{}, c + 2 < C ? sums[r][c + 2] : F{},
                 c + 3 < C ? sums[r][c + 3] : F{}, four);
            for (int j = 0; j < 4 && c + j < C; ++j) {
                float* target = y + r * ldy + c + j;
                *target = add ? *target + four[j] : four[j];
            }
        }
    }
}

template <int R, class T>
void product_rows(const float* x, std::ptrdiff_t ldx, const T* w, int in, int outs, float* y, std::ptrdiff_t ldy,
                  bool add) {
    constexpr int wide = R == 1 ? 2 * kProductOuts : kProductOuts;
    int o = 0;
    for (; o + wide <= outs; o += wide) product_block<R, wide>(x, ldx, w + std::ptrdiff_t(o) * in, in, y + o, ldy, add);
    for (; o < outs; ++o) product_block<R, 1>(x, ldx, w + std::ptrdiff_t(o) * in, in, y + o, ldy, add);
}

/// The R <= kProductRows rows that are left.
template <int R, class T>
MOR_INLINE void product_rest(const float* x, std::ptrdiff_t ldx, int n, const T* w, int in, int outs, float* y,
                             std::ptrdiff_t ldy, bool add) {
    if (n == R) return product_rows<R>(x, ldx, w, in, outs, y, ldy, add);
    if constexpr (R > 1) product_rest<R - 1>(x, ldx, n, w, in, outs, y, ldy, add);
}

template <class T>
void product_of(const float* x, std::ptrdiff_t ldx, int n, const T* w, int in, int outs, float* y, std::ptrdiff_t ldy,
                bool add) {
    // A few outputs for all rows before the next ones, so that their weights are read from memory once.
    constexpr int kOutsAtOnce = 16;
    for (int o = 0; o < outs; o += kOutsAtOnce) {
        const int some = outs - o < kOutsAtOnce ? outs - o : kOutsAtOnce;
        for (int r = 0; r < n; r += kProductRows) {
            const int rows = n - r < kProductRows ? n - r : kProductRows;
            product_rest<kProductRows>(x + r * ldx, ldx, rows, w + std::ptrdiff_t(o) * in, in, some, y + r * ldy + o, ldy,
                                       add);
        }
    }
}

void product(const float* x, std::ptrdiff_t ldx, int n, const void* w, DType type, int in, int outs, float* y,
             std::ptrdiff_t ldy, bool add) {
    if (type == DType::F32) product_of(x, ldx, n, static_cast<const float*>(w), in, outs, y, ldy, add);
    if (type == DType::F16) product_of(x, ldx, n, static_cast<const Half*>(w), in, outs, y, ldy, add);
    if (type == DType::BF16) product_of(x, ldx, n, static_cast<const Bf16*>(w), in, outs, y, ldy, add);
}
