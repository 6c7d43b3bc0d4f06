// SPDX-License-Identifier: Apache-2.0
// Softmax over scores and the sum of values it weights. Part of kernels.inl.

float softmax(float* s, int n, float scale, float* m) {
    const float top = largest(s, n) * scale;
    *m = top;
    F sum = {};
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        const F p = exp_lanes(load(s + i) * scale - top);
        store(s + i, p);
        sum += p;
    }
    if (i < n) {
        const F p = exp_lanes(load_for_exp(s + i, n - i) * scale - top);
        store(s + i, p, n - i);
        sum += p;
    }
    return sum_lanes(sum);
}

/// Q queries by V vectors of kLanes values each.
template <int Q, int V, class T>
MOR_INLINE void weighted_strip(const float* p, std::ptrdiff_t ldp, const T* v, int d, int entries, float* acc,
                               std::ptrdiff_t lda) {
    F sums[Q][V];
    for (int q = 0; q < Q; ++q) {
        for (int j = 0; j < V; ++j) sums[q][j] = load(acc + q * lda + j * kLanes);
    }
    for (int e = 0; e < entries; ++e) {
        F b[V];
        for (int j = 0; j < V; ++j) b[j] = load(v + std::ptrdiff_t(e) * d + j * kLanes);
        for (int q = 0; q < Q; ++q) {
            const F weight = splat(p[q * ldp + e]);
            for (int j = 0; j < V; ++j) sums[q][j] = fma(weight, b[j], sums[q][j]);
        }
    }
    for (int q = 0; q < Q; ++q) {
        for (int j = 0; j < V; ++j) store(acc + q * lda + j * kLanes, sums[q][j]);
    }
}

template <int Q, class T>
void weighted_queries(const float* p, std::ptrdiff_t ldp, const T* v, int d, int entries, float* acc, std::ptrdiff_t lda) {
    int j = 0;
    for (; j + 4 * kLanes <= d; j += 4 * kLanes) weighted_strip<Q, 4>(p, ldp, v + j, d, entries, acc + j, lda);
    for (; j + kLanes <= d; j += kLanes) weighted_strip<Q, 1>(p, ldp, v + j, d, entries, acc + j, lda);
    if (j == d) return;
    for (int q = 0; q < Q; ++q) {
        F sum = load(acc + q * lda + j, d - j);
        for (int e = 0; e < entries; ++e) sum = fma(splat(p[q * ldp + e]), load(v + std::ptrdiff_t(e) * d + j, d - j), sum);
        store(acc + q * lda + j, sum, d - j);
    }
}

template <class T>
void weighted_sum_of(const float* p, std::ptrdiff_t ldp, int queries, const T* v, int d, int entries, float* acc,
                     std::ptrdiff_t lda) {
    constexpr int kQueries = kProductRows;  // that share a load of values
    int q = 0;
    for (; q + kQueries <= queries; q += kQueries)
        weighted_queries<kQueries>(p + q * ldp, ldp, v, d, entries, acc + q * lda, lda);
    for (; q < queries; ++q) weighted_queries<1>(p + q * ldp, ldp, v, d, entries, acc + q * lda, lda);
}

void weighted_sum(const float* p, std::ptrdiff_t ldp, int queries, const void* v, DType type, int d, int entries,
                  float* acc, std::ptrdiff_t lda) {
    if (type == DType::F32) weighted_sum_of(p, ldp, queries, static_cast<const float*>(v), d, entries, acc, lda);
    if (type == DType::F16) weighted_sum_of(p, ldp, queries, static_cast<const Half*>(v), d, entries, acc, lda);
    if (type == DType::BF16) weighted_sum_of(p, ldp, queries, static_cast<const Bf16*>(v), d, entries, acc, lda);
}
