// SPDX-License-Identifier: Apache-2.0
// Attention of many queries over the same entries, the queries side by side in the lanes: scores need no sums across lanes,
// a softmax runs down the entries, and a key or value is read once for all queries. Part of kernels.inl.

constexpr int kStrip = kStripVectors * kLanes;  // queries at once
constexpr int kShared = 4;                      // entries, or elements of a value, that share the reading of queries
constexpr int kStretch = 64;                    // entries whose weights stay in the nearest cache while values are summed

/// scores[e] = scale q . k[e] for E entries, V vectors of queries.
template <int E, int V>
MOR_INLINE void score_entries(const AttendTask& t, const float* k, float* scores) {
    F sums[E][V] = {};
    for (int j = 0; j < t.d; ++j) {
        F q[V];
        for (int v = 0; v < V; ++v) q[v] = load(t.q + std::ptrdiff_t(j) * kStrip + v * kLanes);
        for (int e = 0; e < E; ++e) {
            const F key = splat(k[std::ptrdiff_t(e) * t.d + j]);
            for (int v = 0; v < V; ++v) sums[e][v] = fma(key, q[v], sums[e][v]);
        }
    }
    for (int e = 0; e < E; ++e) {
        for (int v = 0; v < V; ++v) store(scores + e * kStrip + v * kLanes, sums[e][v] * t.scale);
    }
}

/// Turns the scores of one vector of queries into exp(score - largest); what a query does not see becomes 0.
MOR_INLINE void weigh(const AttendTask& t, int at) {
    const I visible = load_bits<I>(t.visible + at);
    const F nothing = splat(-__builtin_inff());
    F top = nothing;
    for (int e = 0; e < t.entries; ++e) {
        float* const row = t.scores + std::ptrdiff_t(e) * kStrip + at;
        const F score = visible > e ? load(row) : nothing;
        store(row, score);
        top = score > top ? score : top;
    }
    top = visible > 0 ? top : F{};
    F sum = {};
    for (int e = 0; e < t.entries; ++e) {
        float* const row = t.scores + std::ptrdiff_t(e) * kStrip + at;
        const F weight = exp_lanes(load(row) - top);
        store(row, weight);
        sum += weight;
    }
    store(t.largest + at, top);
    store(t.sum + at, sum);
}

/// values[j] += sum of weight[e] v[e][j] over `entries` entries, for J elements and V vectors of queries.
template <int J, int V>
MOR_INLINE void sum_values(const AttendTask& t, int begin, int entries, int j, float* values) {
    F sums[J][V];
    for (int i = 0; i < J; ++i) {
        for (int v = 0; v < V; ++v) sums[i][v] = load(values + i * kStrip + v * kLanes);
    }
    for (int e = begin; e < begin + entries; ++e) {
        F weights[V];
        for (int v = 0; v < V; ++v) weights[v] = load(t.scores + std::ptrdiff_t(e) * kStrip + v * kLanes);
        for (int i = 0; i < J; ++i) {
            const F value = splat(t.v[std::ptrdiff_t(e) * t.d + j + i]);
            for (int v = 0; v < V; ++v) sums[i][v] = fma(value, weights[v], sums[i][v]);
        }
    }
    for (int i = 0; i < J; ++i) {
        for (int v = 0; v < V; ++v) store(values + i * kStrip + v * kLanes, sums[i][v]);
    }
}

template <int V>
void attend_vectors(const AttendTask& t) {
    int e = 0;
    for (; e + kShared <= t.entries; e += kShared)
        score_entries<kShared, V>(t, t.k + std::ptrdiff_t(e) * t.d, t.scores + std::ptrdiff_t(e) * kStrip);
    for (; e < t.entries; ++e) score_entries<1, V>(t, t.k + std::ptrdiff_t(e) * t.d, t.scores + std::ptrdiff_t(e) * kStrip);
    for (int v = 0; v < V; ++v) weigh(t, v * kLanes);
    for (std::ptrdiff_t j = 0; j < t.d; ++j) {
        for (int v = 0; v < V; ++v) store(t.values + j * kStrip + v * kLanes, F{});
    }
    for (e = 0; e < t.entries; e += kStretch) {
        const int entries = t.entries - e < kStretch ? t.entries - e : kStretch;
        int j = 0;
        for (; j + kShared <= t.d; j += kShared)
            sum_values<kShared, V>(t, e, entries, j, t.values + std::ptrdiff_t(j) * kStrip);
        for (; j < t.d; ++j) sum_values<1, V>(t, e, entries, j, t.values + std::ptrdiff_t(j) * kStrip);
    }
}

void attend(const AttendTask& t) {
    const int vectors = (t.queries + kLanes - 1) / kLanes;
    if (vectors == 1) attend_vectors<1>(t);
    if (vectors == 2) attend_vectors<2>(t);
    if constexpr (kStripVectors == 4) {
        if (vectors == 3) attend_vectors<3>(t);
        if (vectors == 4) attend_vectors<4>(t);
    }
}
