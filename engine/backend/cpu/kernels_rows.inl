// SPDX-License-Identifier: Apache-2.0
// Element-wise operations and sums over one row. Part of kernels.inl.

/// exp(x) = 2^n exp(r) with |r| <= ln 2 / 2; a polynomial of degree 7 for exp(r) (Cephes expf), and 2^n in two halves so
/// that subnormal results are rounded only once and overflow gives infinity.
MOR_INLINE F exp_lanes(F x) {
    const F low = splat(-104.0f), high = splat(89.0f);  // exp is 0 and infinity beyond
    x = x < low ? low : x;
    x = x > high ? high : x;
    const F magic = splat(0x1.8p23f);  // adding it rounds to an integer, kept in the low bits
    const F shifted = fma(x, splat(1.44269504088896341f), magic);
    const I n = (I)shifted - (I)magic;
    const F whole = shifted - magic;
    F r = fma(whole, splat(-0.693359375f), x);
    r = fma(whole, splat(2.12194440e-4f), r);
    F p = splat(1.9875691500e-4f);
    p = fma(p, r, splat(1.3981999507e-3f));
    p = fma(p, r, splat(8.3334519073e-3f));
    p = fma(p, r, splat(4.1665795894e-2f));
    p = fma(p, r, splat(1.6666665459e-1f));
    p = fma(p, r, splat(5.0000001201e-1f));
    p = fma(p, r * r, r) + 1.0f;
    const I half = n >> 1;
    return p * (F)((half + 127) << 23) * (F)((n - half + 127) << 23);
}

void exponential(const float* x, int n, float* y) {
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) store(y + i, exp_lanes(load(x + i)));
    if (i < n) store(y + i, exp_lanes(load(x + i, n - i)), n - i);
}

void rms_norm(const float* x, const float* weight, int width, float eps, float* y) {
    F squares = {};
    int i = 0;
    for (; i + kLanes <= width; i += kLanes) squares = fma(load(x + i), load(x + i), squares);
    if (i < width) squares = fma(load(x + i, width - i), load(x + i, width - i), squares);
    const F factor = splat(1.0f / __builtin_sqrtf(sum_lanes(squares) / float(width) + eps));
    for (i = 0; i + kLanes <= width; i += kLanes) store(y + i, load(x + i) * factor * load(weight + i));
    if (i < width) store(y + i, load(x + i, width - i) * factor * load(weight + i, width - i), width - i);
}

void rotate(const float* cos, const float* sin, int half, float* head) {
    int i = 0;
    for (; i + kLanes <= half; i += kLanes) {
        const F a = load(head + i), b = load(head + half + i), c = load(cos + i), s = load(sin + i);
        store(head + i, a * c - b * s);
        store(head + half + i, b * c + a * s);
    }
    for (; i < half; ++i) {
        const float a = head[i], b = head[half + i];
        head[i] = a * cos[i] - b * sin[i];
        head[half + i] = b * cos[i] + a * sin[i];
    }
}

MOR_INLINE F swiglu_lanes(F gate, F up) { return gate / (exp_lanes(-gate) + 1.0f) * up; }

void swiglu(const float* gate, const float* up, int n, float* h) {
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) store(h + i, swiglu_lanes(load(gate + i), load(up + i)));
    if (i < n) store(h + i, swiglu_lanes(load(gate + i, n - i), load(up + i, n - i)), n - i);
}

void add_scaled(const float* y, float factor, int n, float* x) {
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) store(x + i, fma(load(y + i), splat(factor), load(x + i)));
    if (i < n) store(x + i, fma(load(y + i, n - i), splat(factor), load(x + i, n - i)), n - i);
}

float largest(const float* x, int n) {
    F m = splat(x[0]);
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) {
        const F v = load(x + i);
        m = v > m ? v : m;
    }
    float result = largest_lane(m);
    for (; i < n; ++i) result = x[i] > result ? x[i] : result;
    return result;
}

/// Lanes from n on are dropped by giving them minus infinity.
MOR_INLINE F load_for_exp(const float* x, int n) {
    float lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = i < n ? x[i] : -__builtin_inff();
    return load(lanes);
}

float sum_exp(const float* x, int n, float m) {
    F sum = {};
    int i = 0;
    for (; i + kLanes <= n; i += kLanes) sum += exp_lanes(load(x + i) - m);
    if (i < n) sum += exp_lanes(load_for_exp(x + i, n - i) - m);
    return sum_lanes(sum);
}
