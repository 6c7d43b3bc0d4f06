// SPDX-License-Identifier: Apache-2.0
#include <QtTest>

#include <array>
#include <fstream>
#include <sstream>

#include "cuda_emulation/settings.hpp"
#include "engine/cuda_operations.hpp"
#include "mor/analysis.hpp"

using namespace mor;
using namespace cuda_test;

/// The tables of tests/data/roofline, explained in docs/gpu.md: what a token of SmolLM-135M costs on an H100. Bytes and
/// operations follow from shapes, launches are counted on the emulated device, times from the figures below. Nothing
/// here was measured.
namespace {

constexpr double kBandwidth = 3.35e12;  ///< bytes per second, H100 SXM
constexpr double kLaunch = 4e-6;        ///< seconds from one short kernel to the next in a stream: 3 to 5 µs
constexpr double kWait = 10e-6;         ///< seconds until the host has a few bytes and has gone on

constexpr std::int64_t kHidden = 576, kFfn = 1536, kHeads = 9, kKvHeads = 3, kHeadDim = 64, kVocab = 49152, kLayers = 30;
constexpr std::int64_t kEntries = 1024;  ///< visible to the token
constexpr std::int64_t kFloat = 4, kHalf = 2;
constexpr std::int64_t kQ = kHeads * kHeadDim, kKv = 2 * kKvHeads * kHeadDim, kEntry = kKv * kHalf;
constexpr std::int64_t kLayerWeights = kHidden * (kQ + kKv + kQ + 3 * kFfn) * kHalf,
                       kHeadWeights = kVocab * kHidden * kHalf;

/// One operation, for one row.
struct Cost {
    const char* name;
    int times;           ///< per token
    std::int64_t bytes;  ///< weights, K/V and activations, each once
    std::int64_t flops;  ///< as count_flops() counts them
    std::int64_t launches;
};

/// What launches of the operations are for one row, in the order of costs().
using Launches = std::array<std::int64_t, 9>;

std::vector<Cost> costs(const Launches& launches) {
    const std::int64_t row = kHidden * kFloat, q = kQ * kFloat, h = kFfn * kFloat, logits = kVocab * kFloat;
    std::vector<Cost> all{
        {"embed, gather, combine", 1, kHidden * kHalf + 5 * row, 0, 0},
        {"attn_in", kLayers, kHidden * (kQ + kKv) * kHalf + 2 * row + q + kEntry + kHeadDim * kFloat,
         2 * kHidden * (kQ + kKv), 0},
        {"attention", kLayers, kEntries * kEntry + 2 * q, 4 * kQ * kEntries, 0},
        {"linear_add (out)", kLayers, kHidden * kQ * kHalf + q + 2 * row, 2 * kHidden * kQ, 0},
        {"ffn_in", kLayers, 2 * kFfn * kHidden * kHalf + 2 * row + h, 4 * kFfn * kHidden, 0},
        {"linear_add (down)", kLayers, kFfn * kHidden * kHalf + h + 2 * row, 2 * kFfn * kHidden, 0},
        {"head", 1, kHeadWeights + 2 * row + logits, 2 * kVocab * kHidden, 0},
        {"pick", 1, logits, 0, 0},
    };
    for (std::size_t i = 0; i < all.size(); ++i) all[i].launches = launches[i];
    return all;
}

std::string fixed(double value, int digits) { return QString::number(value, 'f', digits).toStdString(); }
std::string whole(double value) { return fixed(value, 0); }
std::string megabytes(double bytes) { return fixed(bytes / 1e6, 2); }
std::string microseconds(double seconds) { return fixed(seconds * 1e6, 1); }

/// A line of a CSV file (RFC 4180, without line end).
std::string line(const std::vector<std::string>& cells) {
    std::string text;
    for (const std::string& cell : cells) {
        if (!text.empty()) text += ',';
        text += cell.find(',') == std::string::npos ? cell : '"' + cell + '"';
    }
    return text;
}

std::vector<std::string> table_of_operations(const std::vector<Cost>& all) {
    std::vector<std::string> lines{"operation,times,launches,bytes,FLOPs,MB a token,µs of reading,µs of launching"};
    Cost sum{"one token", 1, 0, 0, 0};
    const auto add = [&](const Cost& c, std::int64_t times) {
        const double bytes = double(times * c.bytes), launches = double(times * c.launches);
        lines.push_back(line({c.name, times == 1 ? "1" : std::to_string(times), whole(double(c.launches)),
                              whole(double(c.bytes)), whole(double(c.flops)), megabytes(bytes),
                              microseconds(bytes / kBandwidth), whole(launches * kLaunch * 1e6)}));
    };
    for (const Cost& c : all) {
        add(c, c.times);
        sum.bytes += c.times * c.bytes;
        sum.flops += c.times * c.flops;
        sum.launches += c.times * c.launches;
    }
    add(sum, 1);
    return lines;
}

/// A way to run 30 layers, or fewer, for some rows at a time.
struct Way {
    const char* name;
    double rows;              ///< tokens that share the weights
    double block;             ///< layers stored
    double layers;            ///< layers read and run per token
    double entries;           ///< K/V entries read per token, summed over layers
    double launches_outside;  ///< of `layers`
    double waits;
};

/// Weights and K/V only: activations stay in the L2 cache.
std::string line_of(const Way& w, std::int64_t per_layer) {
    const double read = w.layers * kLayerWeights + kHeadWeights, kv = w.rows * w.entries * kEntry;
    const double launches = w.layers * double(per_layer) + w.launches_outside;
    const double bandwidth = (read + kv) / kBandwidth, launching = launches * kLaunch + w.waits * kWait;
    return line({w.name, fixed((w.block * kLayerWeights + kHeadWeights) / 1e6, 0), fixed(read / 1e6, 0), fixed(kv / 1e6, 1),
                 fixed(launches, 0), fixed(w.waits, 1), microseconds(bandwidth), fixed(launching * 1e6, 0),
                 whole(w.rows / bandwidth), whole(w.rows / launching)});
}

}  // namespace

class TestRoofline : public QObject {
    Q_OBJECT

private:
    static Launches count_launches();
    static void same_as_file(const char* name, const std::vector<std::string>& lines);

private slots:
    void operations();
    void ways();
    void operations_agree_with_the_engine();
};

/// Runs every operation for one row with the real shapes, told that the device is an H100.
Launches TestRoofline::count_launches() {
    TestDevice device;
    DeviceInfo h100 = device.info();
    h100.multiprocessors = 132;
    Context made = device.context();
    Context c{made.stream, made.blas, h100, made.workspace, made.compute};
    const auto matrix = [&](std::int64_t out, std::int64_t in) {
        return device.put(std::vector<std::byte>(static_cast<std::size_t>(out * in * kHalf)));
    };
    const auto floats = [&](std::int64_t count) {
        return device.put(std::vector<float>(static_cast<std::size_t>(count), 1));
    };
    const auto of = [](const DeviceArray<std::byte>& bytes, std::int64_t out, std::int64_t in) {
        return DeviceMatrix{bytes.data(), DType::BF16, static_cast<int>(out), static_cast<int>(in)};
    };
    const auto qkv = matrix(kQ + kKv, kHidden), out = matrix(kHidden, kQ), gate_up = matrix(2 * kFfn, kHidden),
               down = matrix(kHidden, kFfn), head = matrix(kVocab, kHidden), cache = matrix(kEntries, kKv);
    const auto x = floats(kHidden), y = floats(kHidden), q = floats(kQ), a = floats(kQ), h = floats(kFfn),
               norm = floats(kHidden), rope = floats(kEntries * kHeadDim / 2), logits = floats(kVocab), sums = floats(1);
    const auto row = device.put(std::vector<int>{0});
    const auto table = device.put(std::vector<std::byte*>{cache.data()});
    const auto places = device.put(std::vector<DeviceKvRow>{{table.data(), kEntries - 1, kEntries, kEntries - 1, 0}});
    const auto best = device.put(std::vector<DevicePick>(5));
    const DeviceKv kv{places.data(), nullptr, 0, 1, kEntries, 1};
    const AttentionShape shape{kHeads, kKvHeads, kHeadDim, DType::BF16, kEntries, rope.data(), rope.data()};

    Launches launches{};
    std::size_t operation = 0;
    const auto count = [&](auto&& run) {
        device.get(row);  // waits
        const auto before = cuda_emulation::statistics().launches;
        run();
        device.get(row);
        launches[operation++] = static_cast<std::int64_t>(cuda_emulation::statistics().launches - before);
    };
    count([&] {
        cuda::embed(c, of(head, kVocab, kHidden), row.data(), row.data(), 1, x.data());
        cuda::gather(c, x.data(), row.data(), 1, kHidden, y.data());
        cuda::combine(c, y.data(), row.data(), nullptr, 1, kHidden, x.data());
    });
    count([&] { cuda::attn_in(c, shape, of(qkv, kQ + kKv, kHidden), norm.data(), 1e-5f, x.data(), kv, 1, 0, q.data()); });
    count([&] { cuda::attention(c, shape, q.data(), kv, a.data()); });
    count([&] { cuda::linear_add(c, of(out, kHidden, kQ), a.data(), 1, x.data()); });
    count([&] { cuda::ffn_in(c, of(gate_up, 2 * kFfn, kHidden), norm.data(), 1e-5f, x.data(), 1, h.data()); });
    count([&] { cuda::linear_add(c, of(down, kHidden, kFfn), h.data(), 1, x.data()); });
    count([&] { cuda::linear(c, of(head, kVocab, kHidden), norm.data(), 1e-5f, x.data(), row.data(), 1, logits.data()); });
    count([&] { cuda::pick(c, logits.data(), 1, kVocab, 5, nullptr, {best.data(), sums.data(), nullptr}); });
    count([&] {
        const DeviceRouter linear{{}, of(head, 1, kHidden)};
        cuda::router(c, linear, x.data(), row.data(), 1, 1, sums.data());
    });
    return launches;
}

void TestRoofline::same_as_file(const char* name, const std::vector<std::string>& lines) {
    std::string computed;
    for (const std::string& l : lines) computed += l + "\n";
    std::ifstream file(std::string(MOR_TEST_DATA "/roofline/") + name);
    std::stringstream stored;
    stored << file.rdbuf();
    if (stored.str() != computed) std::printf("%s should be:\n%s", name, computed.c_str());
    QVERIFY2(stored.str() == computed, name);
}

void TestRoofline::operations() { same_as_file("operations.csv", table_of_operations(costs(count_launches()))); }

/// How sharing, routing and batching change the sums. Under expert choice with capacities 1, 2/3 and 1/3 a token has depth
/// 2 on average; recursion r holds that share of the entries, and that share of the tokens reads them. Every offered
/// recursion costs a router and a wait, and a gather and a combine where it is taken.
void TestRoofline::ways() {
    const Launches launches = count_launches();
    std::int64_t per_layer = 0;
    for (std::size_t i = 1; i <= 5; ++i) per_layer += launches[i];
    const double outside = double(launches[0] + launches[6] + launches[7]), routing = double(launches[8]);
    const double offered = 1 + 1 + 2.0 / 3, depth = 2, entries = 10 * kEntries * (1 + 4.0 / 9 + 1.0 / 9);
    same_as_file(
        "ways.csv",
        {
            "model,MB stored,MB of weights read,MB of K/V read,launches,waits,µs of reading,µs of launching and waiting,"
            "tokens/s by reading,tokens/s by launching",
            line_of({"vanilla", 1, kLayers, kLayers, double(kLayers * kEntries), outside, 1}, per_layer),
            line_of({"vanilla, 8 sequences", 8, kLayers, kLayers, double(kLayers * kEntries), outside, 1}, per_layer),
            line_of({"R = 3, every token to depth 3", 1, 10, kLayers, double(kLayers * kEntries),
                     outside + 2 * 2 + 3 * routing, 4},
                    per_layer),
            line_of({"R = 3, mean depth 2", 1, 10, 10 * depth, entries, outside + 2 * (depth - 1) + offered * routing,
                     1 + offered},
                    per_layer),
        });
}

void TestRoofline::operations_agree_with_the_engine() {
    ModelConfig config;
    LlamaConfig& c = config.llama;
    c.hidden_size = kHidden;
    c.intermediate_size = kFfn;
    c.num_hidden_layers = kLayers;
    c.num_attention_heads = kHeads;
    c.num_key_value_heads = kKvHeads;
    c.head_dim = kHeadDim;
    c.vocab_size = kVocab;
    std::int64_t sum = 0;
    for (const Cost& cost : costs({})) sum += cost.times * cost.flops;
    const FlopCount count = count_flops(config, KvPolicy::RecursionWise, kEntries - 1, {}, {}, true, 0);
    QCOMPARE(sum, count.spent);
}

QTEST_APPLESS_MAIN(TestRoofline)
#include "tst_roofline.moc"
