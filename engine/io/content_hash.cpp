// SPDX-License-Identifier: Apache-2.0
#include "io/content_hash.hpp"

#include <bit>
#include <cstring>

namespace mor {
namespace {

constexpr std::uint64_t kOdd1 = 0x9e3779b185ebca87u;  // large odd numbers with about half of their bits set
constexpr std::uint64_t kOdd2 = 0xc2b2ae3d27d4eb4fu;

std::uint64_t word_at(const std::byte* p) {
    std::uint64_t w;
    std::memcpy(&w, p, sizeof w);
    return w;
}

std::uint64_t step(std::uint64_t lane, std::uint64_t word) { return std::rotl(lane ^ (word * kOdd1), 29) * kOdd2; }

/// Every bit of the input reaches every bit of the output.
std::uint64_t finish(std::uint64_t h) {
    h = (h ^ (h >> 32)) * kOdd1;
    h = (h ^ (h >> 29)) * kOdd2;
    return h ^ (h >> 32);
}

}  // namespace

void ContentHash::add(std::span<const std::byte> bytes) {
    std::uint64_t lanes[4] = {state_, state_ ^ kOdd1, state_ + kOdd2, state_ - kOdd1};
    const std::byte* p = bytes.data();
    std::size_t left = bytes.size();
    for (; left >= 32; p += 32, left -= 32) {
        for (int i = 0; i < 4; ++i) lanes[i] = step(lanes[i], word_at(p + 8 * i));
    }
    for (int i = 0; left > 0; ++i) {  // at most four words, the last one filled with zeros
        const std::size_t n = left < 8 ? left : 8;
        std::uint64_t word = 0;
        std::memcpy(&word, p, n);
        lanes[i] = step(lanes[i], word);
        p += n;
        left -= n;
    }
    std::uint64_t h = step(finish(state_), bytes.size());
    for (const auto lane : lanes) h = step(h, finish(lane));
    state_ = finish(h);
}

void ContentHash::add(const TensorView& tensor) {
    std::string form = std::to_string(static_cast<int>(tensor.dtype));
    for (const auto d : tensor.shape) form += "x" + std::to_string(d);
    add(form);
    add(std::span(tensor.data, static_cast<std::size_t>(tensor.bytes())));
}

std::string hex16(std::uint64_t value) {
    std::string digits(16, '0');
    for (auto it = digits.rbegin(); it != digits.rend(); ++it, value >>= 4) *it = "0123456789abcdef"[value & 15u];
    return digits;
}

bool same_content(const TensorView& a, const TensorView& b) {
    if (a.dtype != b.dtype || a.shape != b.shape) return false;
    return a.data == b.data || std::memcmp(a.data, b.data, static_cast<std::size_t>(a.bytes())) == 0;
}

}  // namespace mor
