// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "commands.hpp"
#include "format.hpp"
#include "mor/devices.hpp"
#include "mor/error.hpp"
#include "setting_options.hpp"

namespace mor::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
    std::filesystem::path model;
    int prompt_tokens = 128;
    int decode_tokens = 64;
    int batch = 8;
    RoutingSettings routing;
    DeviceSettings device;
    KvSettings kv;
    bool json = false;
};

bool read_options(Arguments arguments, BenchOptions& o) {
    OptionTable table("morscope-cli bench",
                      "Measures prefill and decoding of B requests one after another, then of the same B together.");
    const auto count = [&table](const char* name, const char* letter, const char* help, int lowest, int highest,
                                int& target) {
        table.option(name, letter, help, [=, &target](const std::string& text) {
            target = static_cast<int>(read_integer(name, text, lowest, highest));
        });
    };
    add_model_argument(table, o.model);
    count("--prompt-tokens", "N", "prompt tokens of each request (128)", 1, 1 << 20, o.prompt_tokens);
    count("--decode-tokens", "N", "tokens decoded by each request, greedy, past any EOS (64)", 1, 1 << 20, o.decode_tokens);
    count("--batch", "B", "number of requests (8)", 1, 1024, o.batch);
    table.flag("--json", "print one JSON object", o.json);
    add_routing_options(table, o.routing, o.kv);
    add_device_options(table, o.device, o.kv);
    return table.parse(arguments);
}

/// Token ids that look like nothing in particular: a fixed linear congruential sequence inside the vocabulary.
class TokenSequence {
public:
    explicit TokenSequence(int vocabulary) : vocabulary_(static_cast<std::uint64_t>(vocabulary)) {}

    std::vector<int> take(int count) {
        std::vector<int> ids(static_cast<std::size_t>(count));
        for (int& id : ids) {
            state_ = state_ * 6364136223846793005u + 1442695040888963407u;
            id = static_cast<int>((state_ >> 33) % vocabulary_);
        }
        return ids;
    }

private:
    std::uint64_t vocabulary_;
    std::uint64_t state_ = 1;
};

/// Time and work of some requests, prefill and decoding apart.
struct Measurement {
    double prefill_seconds = 0;
    double decode_seconds = 0;
    std::int64_t prefill_tokens = 0;
    std::int64_t decode_tokens = 0;
    std::int64_t depth_sum = 0;
    std::int64_t decoded_depth_sum = 0;  ///< of the decode_tokens
    std::int64_t decoded_kv_bytes = 0;   ///< that they read

    void operator+=(const Measurement& other) {
        prefill_seconds += other.prefill_seconds;
        decode_seconds += other.decode_seconds;
        prefill_tokens += other.prefill_tokens;
        decode_tokens += other.decode_tokens;
        depth_sum += other.depth_sum;
        decoded_depth_sum += other.decoded_depth_sum;
        decoded_kv_bytes += other.decoded_kv_bytes;
    }
    double prefill_rate() const { return static_cast<double>(prefill_tokens) / prefill_seconds; }
    double decode_rate() const { return static_cast<double>(decode_tokens) / decode_seconds; }
    double mean_depth() const {
        return static_cast<double>(depth_sum) / static_cast<double>(prefill_tokens + decode_tokens);
    }
    double per_decoded(std::int64_t sum) const {
        return static_cast<double>(sum) / static_cast<double>(std::max<std::int64_t>(decode_tokens, 1));
    }
};

/// Bytes of K and V that a token read: what was stored up to itself, in the layers outside the recursions and in each
/// recursion that it took. Under KV sharing all of them read what recursion 0 stored.
std::int64_t kv_bytes_read(const TokenRecord& record, KvPolicy policy) {
    std::int64_t bytes = record.kv.used.at(0);
    for (std::size_t r = 0; r < static_cast<std::size_t>(record.depth); ++r)
        bytes += record.kv.used.at(policy == KvPolicy::RecursiveSharing ? 1 : r + 1);
    return bytes;
}

/// Runs the requests together, all prompts first. Decoding begins where the last prompt ends; tokens that faster
/// requests decoded before that moment count with the prefill's time and are left out of the decoding rate.
Measurement run_together(const std::shared_ptr<const Model>& model, const std::vector<Request>& requests, KvSettings kv) {
    kv.max_requests = static_cast<int>(requests.size());
    const KvPolicy policy = kv.policy.value_or(model->config().mor.kv_policy);
    Scheduler scheduler(model, kv);
    std::int64_t prompts_left = 0;
    for (const Request& request : requests) {
        prompts_left += static_cast<std::int64_t>(request.prompt.size());
        scheduler.submit(request);
    }
    Measurement m;
    m.prefill_tokens = prompts_left;
    const Clock::time_point begin = Clock::now();
    Clock::time_point prompts_read = begin;
    while (!scheduler.idle()) {
        const Events events = scheduler.advance();
        const bool reading = prompts_left > 0;
        for (const FinishedToken& token : events.tokens) {
            m.depth_sum += token.record.depth;
            if (token.record.prompt) --prompts_left;
            if (token.record.prompt || reading) continue;
            ++m.decode_tokens;
            m.decoded_depth_sum += token.record.depth;
            m.decoded_kv_bytes += kv_bytes_read(token.record, policy);
        }
        if (reading && prompts_left == 0) prompts_read = Clock::now();
    }
    m.prefill_seconds = std::chrono::duration<double>(prompts_read - begin).count();
    m.decode_seconds = std::chrono::duration<double>(Clock::now() - prompts_read).count();
    return m;
}

struct BenchResult {
    Measurement alone;                      ///< one request after another
    Measurement together;                   ///< the same requests in one scheduler
    std::vector<OperationTime> operations;  ///< of one further request, by the device's own events; CUDA only
    double weight_bytes = 0;                ///< that one decoded token reads, at their mean depth; computed
    double kv_bytes = 0;                    ///< that one decoded token reads, the mean; from the records
    double roofline = 0;                    ///< tokens/s if reading them were all there is; 0 where unknown
};

/// Bytes of weights that a decoded token reads when it takes `depth` recursions: layers, norms and head.
double weight_bytes_per_token(const ModelInfo& info, double depth) {
    const LlamaConfig& c = info.config.llama;
    const double hidden = c.hidden_size, heads = double{1} * c.num_attention_heads * c.head_dim,
                 kv = double{1} * c.num_key_value_heads * c.head_dim;
    const double layer = hidden * (2 * heads + 2 * kv + 3.0 * c.intermediate_size) + 2 * hidden;
    const bool recurs = info.config.mor.num_recursion > 0;
    double outside = 0, inside = 0;
    for (const SegmentInfo& s : info.segments) (s.recursion < 0 ? outside : inside) += static_cast<double>(s.layers.size());
    const bool routed = info.config.mor.routing != Routing::None;
    const double share = recurs && routed ? depth / info.config.mor.num_recursion : 1;
    return ((outside + inside * share) * layer + hidden * (c.vocab_size + 1.0)) * bytes_of(info.weight_type);
}

BenchResult measure(const std::shared_ptr<const Model>& model, const BenchOptions& o) {
    TokenSequence sequence(model->config().llama.vocab_size);
    std::vector<Request> requests(static_cast<std::size_t>(o.batch));
    for (Request& request : requests) {
        request.prompt = sequence.take(o.prompt_tokens);
        request.max_tokens = o.decode_tokens;
        request.ignore_eos = true;
        request.routing = o.routing;
        request.alternatives = 0;
    }
    // Warm-up: pages in the weights, starts the threads, has libraries load their kernels for one request and for many.
    run_together(model, {requests.front()}, o.kv);
    std::vector<Request> brief = requests;
    for (Request& request : brief) request.max_tokens = 1;
    run_together(model, brief, o.kv);
    BenchResult result;
    for (const Request& request : requests) result.alone += run_together(model, {request}, o.kv);
    result.together = run_together(model, requests, o.kv);
    measure_operations(*model, true);
    run_together(model, {requests.front()}, o.kv);
    result.operations = take_operation_times(*model);
    measure_operations(*model, false);
    result.weight_bytes = weight_bytes_per_token(model->info(), result.alone.per_decoded(result.alone.decoded_depth_sum));
    result.kv_bytes = result.alone.per_decoded(result.alone.decoded_kv_bytes);
    result.roofline = memory_bandwidth(*model) / (result.weight_bytes + result.kv_bytes);
    return result;
}

nlohmann::ordered_json operations_json(const std::vector<OperationTime>& operations) {
    auto list = nlohmann::ordered_json::array();
    for (const OperationTime& t : operations)
        list.push_back({{"operation", t.operation}, {"calls", t.calls}, {"milliseconds", t.milliseconds}});
    return list;
}

/// What the device says about its own time, and how near decoding is to reading weights and K/V at full bandwidth.
std::string device_text(const BenchResult& r) {
    if (r.operations.empty()) return {};
    double sum = 0;
    for (const OperationTime& t : r.operations) sum += t.milliseconds;
    std::vector<std::vector<std::string>> rows{{"operation", "calls", "ms on the device", "share"}};
    for (const OperationTime& t : r.operations)
        rows.push_back({t.operation, grouped(t.calls), fixed(t.milliseconds, 3), fixed(t.milliseconds / sum, 2)});
    std::string text = "\nOne request, by the device's events:\n" + table_text(rows);
    if (r.roofline > 0)
        text += "\nA decoded token reads " + bytes_text(static_cast<std::int64_t>(r.weight_bytes)) + " of weights and " +
                bytes_text(static_cast<std::int64_t>(r.kv_bytes)) + " of K/V (computed): at most " + fixed(r.roofline, 0) +
                " tokens/s at full bandwidth, of which " + fixed(r.alone.decode_rate() / r.roofline, 3) + " were reached\n";
    return text;
}

std::string result_json(const BenchOptions& o, const ModelInfo& info, const BenchResult& r) {
    return nlohmann::ordered_json{{"model", info.name},
                                  {"device", info.device},
                                  {"prompt_tokens", o.prompt_tokens},
                                  {"decode_tokens", o.decode_tokens},
                                  {"batch", o.batch},
                                  {"prefill_tokens_per_second", r.alone.prefill_rate()},
                                  {"decode_tokens_per_second", r.alone.decode_rate()},
                                  {"batched_prefill_tokens_per_second", r.together.prefill_rate()},
                                  {"batched_decode_tokens_per_second", r.together.decode_rate()},
                                  {"prefill_ratio", r.together.prefill_rate() / r.alone.prefill_rate()},
                                  {"decode_ratio", r.together.decode_rate() / r.alone.decode_rate()},
                                  {"mean_depth", r.alone.mean_depth()},
                                  {"batched_mean_depth", r.together.mean_depth()},
                                  {"weight_bytes_per_token", r.weight_bytes},
                                  {"kv_bytes_per_token", r.kv_bytes},
                                  {"roofline_tokens_per_second", r.roofline},
                                  {"roofline_fraction", r.roofline > 0 ? r.alone.decode_rate() / r.roofline : 0.0},
                                  {"operations", operations_json(r.operations)}}
        .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string result_text(const BenchOptions& o, const ModelInfo& info, const BenchResult& r) {
    const std::string requests = std::to_string(o.batch) + " requests";
    const auto row = [](const char* name, double alone, double together) {
        return std::vector<std::string>{name, fixed(alone, 1), fixed(together, 1), fixed(together / alone, 2)};
    };
    return info.name + " on " + info.device + "\n" + requests + " of " + std::to_string(o.prompt_tokens) + " prompt + " +
           std::to_string(o.decode_tokens) + " decoded tokens, greedy, mean depth " + fixed(r.alone.mean_depth(), 2) +
           "\n\n" +
           table_text({{"tokens/s", "one after another", "together", "ratio"},
                       row("prefill", r.alone.prefill_rate(), r.together.prefill_rate()),
                       row("decode", r.alone.decode_rate(), r.together.decode_rate())}) +
           device_text(r);
}

}  // namespace

int bench(Arguments arguments) {
    BenchOptions o;
    if (!read_options(arguments, o)) return 0;
    const auto model = Model::load(o.model, o.device);
    const int context = model->config().llama.max_position_embeddings;
    if (o.prompt_tokens + o.decode_tokens > context)
        throw bad_input(model->info().directory.string(), "--prompt-tokens and --decode-tokens",
                        "at most the context of " + std::to_string(context) + " tokens together",
                        std::to_string(o.prompt_tokens + o.decode_tokens));
    const BenchResult result = measure(model, o);
    std::cout << (o.json ? result_json(o, model->info(), result) + "\n" : result_text(o, model->info(), result));
    return 0;
}

}  // namespace mor::cli
