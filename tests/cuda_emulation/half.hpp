// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "cuda_emulation/types.hpp"

/// __half and __nv_bfloat16 with round-to-nearest-even conversions, written independently of the engine's own so that a
/// mistake in one is seen by the other.
namespace cuda_emulation {

constexpr float float_of_half(std::uint16_t bits) {
    const std::uint32_t sign = std::uint32_t(bits & 0x8000u) << 16;
    const std::uint32_t magnitude = std::uint32_t(bits & 0x7fffu) << 13;
    if (magnitude >= 0x0f800000u) return std::bit_cast<float>(sign | magnitude | 0x7f800000u);  // infinity, NaN
    // The exponent's bias goes from 15 to 127; subnormal halves become normal floats in the multiplication.
    const float value = std::bit_cast<float>(magnitude) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}

constexpr std::uint16_t half_of_float(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const auto sign = std::uint16_t(bits >> 16 & 0x8000u);
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return 0x7fff;                          // NaN
    if (magnitude >= 0x477ff000u) return std::uint16_t(sign | 0x7c00u);  // rounds to 65536 or more
    if (magnitude < 0x38800000u) {                                       // below 2^-14: subnormal, steps of 2^-24
        const float steps = std::bit_cast<float>(magnitude) + 0x1p-1f;   // adding 1/2 leaves steps of 2^-24 in the mantissa
        return std::uint16_t(sign | (std::bit_cast<std::uint32_t>(steps) - 0x3f000000u));
    }
    const std::uint32_t rounded = magnitude + 0x0fffu + (magnitude >> 13 & 1u);
    return std::uint16_t(sign | ((rounded - 0x38000000u) >> 13));
}

constexpr float float_of_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

constexpr std::uint16_t bf16_of_float(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fff;
    return std::uint16_t((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace cuda_emulation

struct __half {
    std::uint16_t bits;
    __half() = default;
    explicit constexpr __half(float value) : bits(cuda_emulation::half_of_float(value)) {}
    constexpr operator float() const { return cuda_emulation::float_of_half(bits); }
};

struct __nv_bfloat16 {
    std::uint16_t bits;
    __nv_bfloat16() = default;
    explicit constexpr __nv_bfloat16(float value) : bits(cuda_emulation::bf16_of_float(value)) {}
    constexpr operator float() const { return cuda_emulation::float_of_bf16(bits); }
};

struct alignas(4) __half2 {
    __half x, y;
};
struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;
};
using half = __half;
using half2 = __half2;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

constexpr float __half2float(__half value) { return value; }
constexpr __half __float2half(float value) { return __half(value); }
constexpr __half __float2half_rn(float value) { return __half(value); }
constexpr __half2 __floats2half2_rn(float x, float y) { return {__half(x), __half(y)}; }
constexpr __half2 __float22half2_rn(float2 value) { return {__half(value.x), __half(value.y)}; }
constexpr float2 __half22float2(__half2 value) { return {value.x, value.y}; }
constexpr float __low2float(__half2 value) { return value.x; }
constexpr float __high2float(__half2 value) { return value.y; }
constexpr unsigned short __half_as_ushort(__half value) { return value.bits; }
constexpr __half __ushort_as_half(unsigned short bits) { return std::bit_cast<__half>(bits); }

constexpr float __bfloat162float(__nv_bfloat16 value) { return value; }
constexpr __nv_bfloat16 __float2bfloat16(float value) { return __nv_bfloat16(value); }
constexpr __nv_bfloat16 __float2bfloat16_rn(float value) { return __nv_bfloat16(value); }
constexpr __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {__nv_bfloat16(x), __nv_bfloat16(y)}; }
constexpr __nv_bfloat162 __float22bfloat162_rn(float2 value) { return __floats2bfloat162_rn(value.x, value.y); }
constexpr float2 __bfloat1622float2(__nv_bfloat162 value) { return {value.x, value.y}; }
constexpr float __low2float(__nv_bfloat162 value) { return value.x; }
constexpr float __high2float(__nv_bfloat162 value) { return value.y; }
constexpr unsigned short __bfloat16_as_ushort(__nv_bfloat16 value) { return value.bits; }
constexpr __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) { return std::bit_cast<__nv_bfloat16>(bits); }
