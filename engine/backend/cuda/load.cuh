// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "backend/cuda/gpu_compat.hpp"
#include "mor/types.hpp"

/// Elements of weights and K/V: float, __half and __nv_bfloat16. Arithmetic is in float32 whatever is stored.
namespace mor::cuda {

__device__ __forceinline__ float to_float(float v) { return v; }
__device__ __forceinline__ float to_float(__half v) { return __half2float(v); }
__device__ __forceinline__ float to_float(__nv_bfloat16 v) { return __bfloat162float(v); }

/// Rounds to nearest, ties to even.
template <class T>
__device__ __forceinline__ T from_float(float v) {
    if constexpr (sizeof(T) == sizeof(float)) {
        return v;
    } else if constexpr (std::is_same_v<T, __half>) {
        return __float2half_rn(v);
    } else {
        return __float2bfloat16_rn(v);
    }
}

/// The same for a type known at run time.
__device__ __forceinline__ void store_as(DType type, std::byte* base, std::int64_t index, float v) {
    if (type == DType::F32) {
        reinterpret_cast<float*>(base)[index] = v;
    } else if (type == DType::F16) {
        reinterpret_cast<__half*>(base)[index] = __float2half_rn(v);
    } else {
        reinterpret_cast<__nv_bfloat16*>(base)[index] = __float2bfloat16_rn(v);
    }
}

template <class T>
inline constexpr int kPerVector = 16 / static_cast<int>(sizeof(T));  ///< elements in a 16-byte load

/// E elements as they are loaded: 16 bytes at a 16-byte boundary, or one element anywhere.
template <class T, int E>
struct Packed {
    static_assert(E == kPerVector<T>);
    uint4 bits;

    __device__ __forceinline__ void load(const T* address) { bits = __ldg(reinterpret_cast<const uint4*>(address)); }
    __device__ __forceinline__ void unpack(float (&values)[E]) const {
        const unsigned words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            if constexpr (E == 4) {
                values[i] = __uint_as_float(words[i]);
            } else if constexpr (std::is_same_v<T, __half>) {
                __half2 pair;
                memcpy(&pair, &words[i], sizeof(pair));
                const float2 wide = __half22float2(pair);
                values[2 * i] = wide.x;
                values[2 * i + 1] = wide.y;
            } else {
                values[2 * i] = __uint_as_float(words[i] << 16);
                values[2 * i + 1] = __uint_as_float(words[i] & 0xffff0000u);
            }
        }
    }
};
template <class T>
struct Packed<T, 1> {
    T element;

    __device__ __forceinline__ void load(const T* address) { element = *address; }
    __device__ __forceinline__ void unpack(float (&values)[1]) const { values[0] = to_float(element); }
};

/// Stores S = 4 consecutive values at once (target 4 elements aligned), or one.
template <int S>
__device__ __forceinline__ void store_floats(float* target, const float (&values)[S]) {
    if constexpr (S == 4) {
        *reinterpret_cast<float4*>(target) = make_float4(values[0], values[1], values[2], values[3]);
    } else {
        *target = values[0];
    }
}

template <int S>
__device__ __forceinline__ void store_floats(__nv_bfloat16* target, const float (&values)[S]) {
    if constexpr (S == 4) {
        const __nv_bfloat162 low = __floats2bfloat162_rn(values[0], values[1]);
        const __nv_bfloat162 high = __floats2bfloat162_rn(values[2], values[3]);
        uint2 bits;
        memcpy(&bits.x, &low, sizeof(low));
        memcpy(&bits.y, &high, sizeof(high));
        *reinterpret_cast<uint2*>(target) = bits;
    } else {
        *target = __float2bfloat16_rn(values[0]);
    }
}

/// Whether 16-byte accesses at this address are allowed.
inline bool aligned16(const void* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

template <class T>
struct ElementType {
    using type = T;
};

/// Calls f(ElementType<T>()) with the C++ type of a DType.
template <class F>
void with_element(DType type, F&& f) {
    if (type == DType::F32) return f(ElementType<float>());
    if (type == DType::F16) return f(ElementType<__half>());
    return f(ElementType<__nv_bfloat16>());
}

}  // namespace mor::cuda
