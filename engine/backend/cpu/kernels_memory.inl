// SPDX-License-Identifier: Apache-2.0
// Loads and stores of whole vectors and of their first n lanes, for the three storage types. Part of kernels.inl.

struct Half {
    unsigned short bits;
};
struct Bf16 {
    unsigned short bits;
};

MOR_INLINE F splat(float f) { return F{} + f; }

template <class Vector>
MOR_INLINE Vector load_bits(const void* p) {
    Vector v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

MOR_INLINE F widen_bf16(S bits) { return (F)(__builtin_convertvector(bits, U) << 16); }

MOR_INLINE S narrow_bf16(F f) {
    const U u = (U)f;
    const U rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    const U nan = (u >> 16) | 0x40u;
    return __builtin_convertvector((u & 0x7fffffffu) > 0x7f800000u ? nan : rounded, S);
}

MOR_INLINE F from_bits(const float*, F f) { return f; }
MOR_INLINE F from_bits(const Half*, S s) { return widen_f16(s); }
MOR_INLINE F from_bits(const Bf16*, S s) { return widen_bf16(s); }
MOR_INLINE F to_bits(const float*, F f) { return f; }
MOR_INLINE S to_bits(const Half*, F f) { return narrow_f16(f); }
MOR_INLINE S to_bits(const Bf16*, F f) { return narrow_bf16(f); }

template <class T>
struct Bits {
    typedef S Type;
};
template <>
struct Bits<float> {
    typedef F Type;
};

template <class T>
MOR_INLINE F load(const T* p) {
    return from_bits(p, load_bits<typename Bits<T>::Type>(p));
}

/// The first n lanes; the others are zero.
template <class T>
MOR_INLINE F load(const T* p, int n) {
    T lanes[kLanes] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    return load(lanes);
}

template <class T>
MOR_INLINE void store(T* p, F f) {
    const typename Bits<T>::Type bits = to_bits(p, f);
    __builtin_memcpy(p, &bits, sizeof bits);
}

template <class T>
MOR_INLINE void store(T* p, F f, int n) {
    T lanes[kLanes];
    store(lanes, f);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
}

MOR_INLINE float sum_lanes(F a) {
    float sums[4];
    sum4(a, F{}, F{}, F{}, sums);
    return sums[0];
}

template <class T>
void widen_from(const T* source, std::ptrdiff_t count, float* target) {
    std::ptrdiff_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(target + i, load(source + i));
    if (i < count) store(target + i, load(source + i, int(count - i)), int(count - i));
}

void widen(const void* source, DType type, std::ptrdiff_t count, float* target) {
    if (type == DType::F32) __builtin_memcpy(target, source, std::size_t(count) * sizeof(float));
    if (type == DType::F16) widen_from(static_cast<const Half*>(source), count, target);
    if (type == DType::BF16) widen_from(static_cast<const Bf16*>(source), count, target);
}

template <class T>
void narrow_to(const float* source, std::ptrdiff_t count, T* target) {
    std::ptrdiff_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(target + i, load(source + i));
    if (i < count) store(target + i, load(source + i, int(count - i)), int(count - i));
}

void narrow(const float* source, DType type, std::ptrdiff_t count, void* target) {
    if (type == DType::F32) __builtin_memcpy(target, source, std::size_t(count) * sizeof(float));
    if (type == DType::F16) narrow_to(source, count, static_cast<Half*>(target));
    if (type == DType::BF16) narrow_to(source, count, static_cast<Bf16*>(target));
}

void round_to_bf16(const float* x, std::ptrdiff_t count, float* y) {
    std::ptrdiff_t i = 0;
    for (; i + kLanes <= count; i += kLanes) store(y + i, widen_bf16(narrow_bf16(load(x + i))));
    if (i < count) store(y + i, widen_bf16(narrow_bf16(load(x + i, int(count - i)))), int(count - i));
}
