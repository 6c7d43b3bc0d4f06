// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <math.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cuda_emulation/half.hpp"
#include "cuda_emulation/types.hpp"

/// The intrinsics of one thread: arithmetic, bits, cached loads and atomics. The fast variants (__expf, ...) are the exact
/// ones here: how far the device's deviate only a device can tell.
using std::max;
using std::min;

inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }
inline float __frsqrt_rn(float x) { return 1.0f / sqrtf(x); }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frcp_rn(float x) { return 1.0f / x; }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fmaf_rn(float x, float y, float z) { return fmaf(x, y, z); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fmul_rn(float x, float y) { return x * y; }

constexpr int __popc(unsigned x) { return std::popcount(x); }
constexpr int __popcll(unsigned long long x) { return std::popcount(x); }
constexpr int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(unsigned(x)) + 1; }
constexpr int __clz(int x) { return std::countl_zero(unsigned(x)); }
constexpr unsigned __umulhi(unsigned x, unsigned y) { return unsigned((std::uint64_t(x) * y) >> 32); }
constexpr unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
constexpr float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
constexpr int __float_as_int(float x) { return std::bit_cast<int>(x); }
constexpr float __int_as_float(int x) { return std::bit_cast<float>(x); }

/// What can be loaded through the read-only cache: numbers and their vectors; there is no __ldg for a pointer or a struct.
template <class T>
concept Loadable =
    std::is_arithmetic_v<T> || std::is_same_v<T, float2> || std::is_same_v<T, float4> || std::is_same_v<T, int2> ||
    std::is_same_v<T, int4> || std::is_same_v<T, uint2> || std::is_same_v<T, uint4> || std::is_same_v<T, double2> ||
    std::is_same_v<T, ushort4> || std::is_same_v<T, __half> || std::is_same_v<T, __half2> ||
    std::is_same_v<T, __nv_bfloat16> || std::is_same_v<T, __nv_bfloat162>;

template <Loadable T>
T __ldg(const T* address) {
    return *address;
}
template <Loadable T>
T __ldcs(const T* address) {
    return *address;
}
template <Loadable T>
T __ldcg(const T* address) {
    return *address;
}
template <class T>
void __stcs(T* address, T value) {
    *address = value;
}

/// Atomics are relaxed as on the device: they order nothing else, so that ThreadSanitizer sees a missing fence.
template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
    return std::atomic_ref<T>(*address).fetch_add(value, std::memory_order_relaxed);
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
    return std::atomic_ref<T>(*address).exchange(value, std::memory_order_relaxed);
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
    std::atomic_ref<T>(*address).compare_exchange_strong(expected, value, std::memory_order_relaxed);
    return expected;
}
template <class T>
T atomicOr(T* address, std::type_identity_t<T> value) {
    return std::atomic_ref<T>(*address).fetch_or(value, std::memory_order_relaxed);
}
template <class T>
T atomicAnd(T* address, std::type_identity_t<T> value) {
    return std::atomic_ref<T>(*address).fetch_and(value, std::memory_order_relaxed);
}

namespace cuda_emulation {

template <class T, class Choose>
T atomic_choose(T* address, T value, Choose better) {
    std::atomic_ref<T> target(*address);
    T old = target.load(std::memory_order_relaxed);
    while (better(value, old) && !target.compare_exchange_weak(old, value, std::memory_order_relaxed)) {
    }
    return old;
}

}  // namespace cuda_emulation

template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
    return cuda_emulation::atomic_choose(address, value, [](T a, T b) { return a > b; });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value) {
    return cuda_emulation::atomic_choose(address, value, [](T a, T b) { return a < b; });
}
