// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QtTest>

#include <bit>
#include <map>
#include <numeric>

#include "engine/backend_reference.hpp"
#include "engine/backends.hpp"
#include "engine/staged_backend.hpp"

Q_DECLARE_METATYPE(mor::DType)

/// What the tests of row operations have in common: layers and KV blocks with random content, the backends to run on, and
/// the errors seen.
namespace mor::testing {

using reference::Doubles;
using reference::Stored;

inline const std::vector<DType> kTypes{DType::F32, DType::F16, DType::BF16};

inline std::string type_name(DType t) { return t == DType::F32 ? "f32" : t == DType::F16 ? "f16" : "bf16"; }

/// A layer of odd or even sizes with random weights in one type.
struct Layer {
    LayerShape shape;
    LayerWeights weights;
    std::vector<float> attention_norm, ffn_norm, cos, sin;
    Stored qkv, out, gate_up, down;
    std::vector<std::shared_ptr<const Vector>> tables;

    Layer(Backend& backend, LayerShape s, DType type, int context) : shape(s) {
        std::mt19937 random(7);
        const std::size_t h = s.hidden, d = s.head_dim, q = s.heads * d, kv = s.kv_heads * d, f = s.ffn;
        const auto weight = [&](std::size_t rows, std::size_t in) {
            return Stored(reference::random_floats(random, rows * in, 1 / std::sqrt(static_cast<float>(in))), type);
        };
        attention_norm = reference::random_floats(random, h);
        ffn_norm = reference::random_floats(random, h);
        qkv = weight(q + 2 * kv, h);
        out = weight(h, q);
        gate_up = weight(2 * f, h);
        down = weight(h, f);
        for (std::size_t p = 0; p < static_cast<std::size_t>(context); ++p) {
            for (std::size_t j = 0; j < d / 2; ++j) {
                const double angle =
                    static_cast<double>(p) * std::pow(10000.0, -2.0 * static_cast<double>(j) / static_cast<double>(d));
                cos.push_back(static_cast<float>(std::cos(angle)));
                sin.push_back(static_cast<float>(std::sin(angle)));
            }
        }
        tables = {backend.vector(cos), backend.vector(sin)};
        shape.rope_cos = tables[0].get();
        shape.rope_sin = tables[1].get();
        weights.attention_norm = backend.vector(attention_norm);
        weights.ffn_norm = backend.vector(ffn_norm);
        weights.qkv = stacked(backend, qkv, {q, kv, kv}, h);
        weights.out = stacked(backend, out, {h}, q);
        weights.gate_up = stacked(backend, gate_up, {f, f}, h);
        weights.down = stacked(backend, down, {h}, f);
    }

    static std::shared_ptr<const Matrix> stacked(Backend& backend, const Stored& s, const std::vector<std::size_t>& rows,
                                                 std::size_t in) {
        std::vector<TensorView> blocks;
        const std::byte* data = s.data();
        for (const std::size_t r : rows) {
            blocks.push_back({s.dtype, {static_cast<std::int64_t>(r), static_cast<std::int64_t>(in)}, data});
            data += blocks.back().bytes();
        }
        return backend.matrix(blocks);
    }
};

/// Blocks of one sequence for one layer behind `offset` bytes of something else.
struct KvBlocks {
    LayerShape shape;
    std::int64_t offset = 192;
    std::vector<std::vector<std::byte>> storage;
    std::vector<std::byte*> table;

    KvBlocks(const LayerShape& s, int entries) : shape(s) {
        const std::size_t bytes =
            offset + 2 * static_cast<std::size_t>(s.kv_heads) * s.block_entries * s.head_dim * bytes_of(s.kv_type);
        const int count = (entries + s.block_entries - 1) / s.block_entries;
        for (int b = 0; b < count; ++b) storage.emplace_back(bytes + 64, std::byte{0xff});  // NaN in every type
        for (auto& block : storage) table.push_back(block.data());
        std::reverse(table.begin(), table.end());
    }

    std::byte* at(int entry, int head, bool value) const {
        const std::int64_t n = shape.block_entries;
        const std::int64_t row = (value ? shape.kv_heads * n : 0) + head * n + entry % n;
        return table[static_cast<std::size_t>(entry / n)] + offset + row * shape.head_dim * bytes_of(shape.kv_type);
    }
    double read(int entry, int head, bool value, int j) const {
        std::uint32_t bits = 0;
        std::memcpy(&bits, at(entry, head, value) + j * bytes_of(shape.kv_type),
                    static_cast<std::size_t>(bytes_of(shape.kv_type)));
        if (shape.kv_type == DType::F32) return std::bit_cast<float>(bits);
        const auto half = static_cast<std::uint16_t>(bits);
        return shape.kv_type == DType::F16 ? f16_to_f32(half) : bf16_to_f32(half);
    }
    void fill(std::mt19937& random, int entries) {
        for (int e = 0; e < entries; ++e) {
            for (int h = 0; h < 2 * shape.kv_heads; ++h) {
                const Stored s(reference::random_floats(random, static_cast<std::size_t>(shape.head_dim)), shape.kv_type);
                std::memcpy(at(e, h % shape.kv_heads, h >= shape.kv_heads), s.data(), s.bytes.size() - 1);
            }
        }
    }
};

inline LayerShape shape_of(int hidden, int heads, int kv_heads, int head_dim, int ffn, DType kv_type, int block_entries) {
    LayerShape s;
    s.hidden = hidden;
    s.heads = heads;
    s.kv_heads = kv_heads;
    s.head_dim = head_dim;
    s.ffn = ffn;
    s.norm_eps = 1e-5f;
    s.kv_type = kv_type;
    s.block_entries = block_entries;
    return s;
}

inline std::vector<LayerShape> layer_shapes() {
    return {shape_of(33, 3, 1, 10, 37, DType::F32, 16), shape_of(64, 4, 2, 16, 128, DType::F16, 5),
            shape_of(96, 6, 6, 16, 70, DType::BF16, 1), shape_of(192, 3, 1, 64, 300, DType::F32, 32),
            shape_of(1, 1, 1, 2, 1, DType::F16, 7)};
}

inline std::vector<int> iota(int n) {
    std::vector<int> v(static_cast<std::size_t>(n));
    std::iota(v.begin(), v.end(), 0);
    return v;
}

/// `name` as in backend_names(); takes and gives host memory.
inline std::shared_ptr<Backend> host_backend(const std::string& name, int threads = 2, DType compute = DType::F32) {
    auto made = make_backend(settings_of(name, threads, compute));
    return is_cuda(name) ? std::make_shared<StagedBackend>(made) : made;
}

/// The numbers of rows to try: all of them, but on the emulated device only some on each side of where the way changes.
inline std::vector<int> row_counts(const std::string& name, const std::vector<int>& all) {
    if (!is_cuda(name) || exhaustive()) return all;
    std::vector<int> few;
    for (const int n : all)
        if (n == 1 || n == 3 || n == 7 || n == 33) few.push_back(n);
    return few;
}

inline void backend_and_type() {
    QTest::addColumn<std::string>("name");
    QTest::addColumn<DType>("type");
    for (const std::string& name : backend_names())
        for (const DType t : kTypes) QTest::newRow((name + " " + type_name(t)).c_str()) << name << t;
}

inline void backend_column() {
    QTest::addColumn<std::string>("name");
    for (const std::string& name : backend_names()) QTest::newRow(name.c_str()) << name;
}

/// The largest error of each operation, by backend and type.
class ErrorTable {
public:
    /// Notes an error and compares it with a bound.
    void check(const std::string& operation, const std::string& name, DType type, double error, double bound) {
        double& worst = errors_[operation][name + " " + type_name(type)];
        worst = std::max(worst, error);
        QVERIFY2(error <= bound,
                 qPrintable(QString("%1: error %2, allowed %3").arg(operation.c_str()).arg(error).arg(bound)));
    }

    void print() const {
        std::printf("largest error relative to the largest value\n");
        for (const auto& [operation, by_case] : errors_)
            for (const auto& [name, error] : by_case)
                std::printf("  %-26s %-14s %.2e\n", operation.c_str(), name.c_str(), error);
    }

    /// Every operation must have run on every backend: a case that got lost is a failure.
    void require(const std::vector<std::string>& operations) const {
        for (const std::string& operation : operations)
            for (const std::string& name : backend_names()) {
                const auto found = errors_.find(operation);
                const bool ran =
                    found != errors_.end() && std::any_of(found->second.begin(), found->second.end(),
                                                          [&](const auto& e) { return e.first.starts_with(name + " "); });
                QVERIFY2(ran, qPrintable(QString("%1 did not run on %2").arg(operation.c_str(), name.c_str())));
            }
    }

private:
    std::map<std::string, std::map<std::string, double>> errors_;  ///< operation -> "backend type" -> largest
};

}  // namespace mor::testing
