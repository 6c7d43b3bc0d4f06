// SPDX-License-Identifier: Apache-2.0
// What a run on the device costs besides arithmetic, on the emulated device linked into the test: nothing waits but, once
// for each, routing points and picks; logits stay on the device unless the sampler needs them all; lists travel only when
// they changed; every byte is accounted for; and running out of memory ends a request, not the program.
#include <QtTest>

#include <filesystem>
#include <set>

#include "backend/cuda/cuda_backend.hpp"
#include "backend/cuda/device.hpp"
#include "cuda_emulation/settings.hpp"
#include "engine/counting_backend.hpp"
#include "model/parts.hpp"
#include "mor/error.hpp"
#include "mor/session.hpp"

using namespace mor;

namespace {

std::filesystem::path reference(const char* name) { return std::filesystem::path(MOR_TEST_DATA) / "reference" / name; }

std::vector<int> some_tokens(int n) {
    std::vector<int> ids(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) ids[static_cast<std::size_t>(i)] = (i * 37 + 11) % 128;
    return ids;
}

std::size_t free_memory() {
    std::size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    return free;
}

/// Notes what each allocation takes from the device.
class AllocationLog final : public CountingBackend {
public:
    explicit AllocationLog(std::shared_ptr<Backend> inner) : CountingBackend(std::move(inner)) {}

    std::shared_ptr<std::byte> allocate(std::size_t bytes) override {
        const std::size_t before = free_memory();
        auto memory = CountingBackend::allocate(bytes);
        taken.emplace_back(bytes, before - free_memory());
        return memory;
    }
    std::vector<std::pair<std::size_t, std::size_t>> taken;  ///< bytes asked for, bytes gone
};

std::shared_ptr<Backend> device() { return std::make_shared<cuda::CudaBackend>(DeviceSettings{.device = "cuda"}); }

struct Spent {
    std::uint64_t waits = 0, implicit = 0, copies = 0, bytes_to_host = 0;
    int routing_points = 0;  ///< recursions to which the token was offered
    bool new_block = false;
};

/// Decodes tokens one by one and notes what each took.
std::vector<Spent> decode(Session& session, int block_entries) {
    std::vector<Spent> all;
    for (auto before = cuda_emulation::statistics(); auto token = session.step(); before = cuda_emulation::statistics()) {
        const auto after = cuda_emulation::statistics();
        Spent s{after.waits - before.waits, after.implicit_waits - before.implicit_waits, after.copies - before.copies,
                after.bytes_to_host - before.bytes_to_host};
        for (const Decision& d : token->record.recursions) s.routing_points += d.outcome != Outcome::NotOffered;
        s.new_block = token->record.position % block_entries == 0;
        all.push_back(s);
    }
    return all;
}

}  // namespace

class CudaRun : public QObject {
    Q_OBJECT

private slots:
    void cleanup() {
        for (const std::string& fault : cuda_emulation::take_faults()) QFAIL(fault.c_str());
        cuda_emulation::settings().memory = std::size_t(8) << 30;
    }

    void only_results_are_waited_for_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"vanilla", "rec_middle_cycle", "mor_expert_mc", "mor_expert_mc_auxrouter",
                                 "mor_expert_mc_kvshare", "mor_token_mc_softmax"})
            QTest::newRow(name) << name;
    }
    void only_results_are_waited_for() {
        QFETCH(QString, name);
        constexpr int kBlock = 8;
        const auto model = load_model(reference(qPrintable(name)), device());
        const bool token_choice = model->config().mor.routing == Routing::TokenChoice;
        Session session(model, {.block_entries = kBlock});
        session.prefill({.prompt = some_tokens(20), .max_tokens = 24, .ignore_eos = true});
        const auto spent = decode(session, kBlock);
        QCOMPARE(spent.size(), std::size_t{24});
        for (const Spent& s : spent) {
            QCOMPARE(s.implicit, std::uint64_t{0});
            // Once at each routing point, whatever the number of routers, and then for the picks.
            const int points = token_choice ? 1 : s.routing_points;
            QCOMPARE(s.waits, static_cast<std::uint64_t>(points + 1));
        }
    }

    /// Requests at different recursions share a pass, and its one wait for routers; those that finish share one for picks.
    void a_pass_waits_once_for_all_its_routers() {
        const auto model = load_model(reference("mor_expert_mc_kvshare"), device());
        Scheduler scheduler(model, {.block_entries = 8, .max_requests = 4});
        for (int i = 0; i < 4; ++i)
            scheduler.submit({.prompt = some_tokens(3 + 4 * i), .max_tokens = 6, .ignore_eos = true, .prefill_chunk = 4});
        int mixed = 0, routed = 0;
        while (!scheduler.idle()) {
            const auto before = cuda_emulation::statistics().waits;
            const Events events = scheduler.advance();
            std::set<int> recursions;
            for (const PassRow& row : events.pass.rows) recursions.insert(row.recursion);
            if (recursions.size() > 1) ++mixed;
            const auto waits = cuda_emulation::statistics().waits - before;
            QVERIFY(waits <= 1 + std::uint64_t{!events.tokens.empty()});
            routed += waits == 1 && events.tokens.empty();
        }
        QVERIFY(routed > 10);
        QVERIFY2(mixed > 3, qPrintable(QString::number(mixed)));
    }

    void requests_in_step_cost_what_one_costs_data() {
        QTest::addColumn<QString>("name");
        for (const char* name :
             {"vanilla", "mor_expert_mc", "mor_expert_mc_auxrouter", "mor_expert_cycle", "mor_token_mc_softmax"})
            QTest::newRow(name) << name;
    }
    /// Launches and waits for a token of all requests, up to eight, whose products are for the price of one.
    void requests_in_step_cost_what_one_costs() {
        QFETCH(QString, name);
        const auto model = load_model(reference(qPrintable(name)), device());
        std::pair<std::uint64_t, std::uint64_t> of_one;
        for (const int requests : {1, 2, 8}) {
            Scheduler scheduler(model, {.block_entries = 64, .max_requests = requests});
            Request request{.prompt = some_tokens(9), .max_tokens = 9, .ignore_eos = true, .alternatives = 3};
            if (model->config().mor.routing != Routing::None) request.routing.fixed_depth = 2;
            for (int i = 0; i < requests; ++i) {
                request.sampling = {.temperature = i % 2 ? 0.8f : 0.0f, .top_k = 20};
                scheduler.submit(request);
            }
            const auto finish = [&](std::size_t tokens) {
                while (tokens > 0) tokens -= scheduler.advance().tokens.size();
            };
            const auto n = static_cast<std::size_t>(requests);
            finish(n * 10);  // the prompts and the first token: memory is there, kernels are known
            const auto before = cuda_emulation::statistics();
            finish(n * 8);
            const auto after = cuda_emulation::statistics();
            const std::pair spent{after.launches - before.launches, after.waits - before.waits};
            if (requests == 1) of_one = spent;
            QCOMPARE(spent, of_one);
            QVERIFY(scheduler.idle());
        }
    }

    void only_what_is_needed_travels_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("scores");  // floats read at each routing point
        QTest::addColumn<float>("temperature");
        QTest::addColumn<int>("top_k");
        QTest::addColumn<int>("listed");  // tokens found on the device; 0: all logits travel
        QTest::newRow("vanilla, greedy") << "vanilla" << 0 << 0.0f << 0 << 5;
        QTest::newRow("mor_expert_mc, greedy") << "mor_expert_mc" << 1 << 0.0f << 0 << 5;
        QTest::newRow("mor_expert_mc_auxrouter, greedy") << "mor_expert_mc_auxrouter" << 2 << 0.0f << 0 << 5;
        QTest::newRow("vanilla, top-k") << "vanilla" << 0 << 0.8f << 40 << 40;
        QTest::newRow("vanilla, everything") << "vanilla" << 0 << 0.8f << 0 << 0;
    }
    /// No number below depends on the vocabulary, unless the sampler asks for all logits.
    void only_what_is_needed_travels() {
        QFETCH(QString, name);
        QFETCH(int, scores);
        QFETCH(float, temperature);
        QFETCH(int, top_k);
        QFETCH(int, listed);
        const auto model = load_model(reference(qPrintable(name)), device());
        const std::uint64_t row = sizeof(float) * static_cast<std::uint64_t>(model->config().llama.vocab_size);
        Session session(model, {.block_entries = 8});
        session.prefill({.prompt = some_tokens(20),
                         .max_tokens = 12,
                         .ignore_eos = true,
                         .sampling = {.temperature = temperature, .top_k = top_k}});
        for (const Spent& s : decode(session, 8)) {
            const std::uint64_t picks = 4 + 8 * static_cast<std::uint64_t>(listed ? listed : 5);
            const std::uint64_t routers = 4 * static_cast<std::uint64_t>(scores * s.routing_points);
            QCOMPARE(s.bytes_to_host, picks + routers + (listed ? 0 : row));
        }
        QCOMPARE(session.last_logits().size_bytes(), row);
    }

    /// The last logits are copied when somebody asks, once, and are those of a run that keeps them all.
    void the_last_logits_are_fetched_when_asked_for() {
        const auto model = load_model(reference("mor_expert_mc"), device());
        const Request request{.prompt = some_tokens(12), .max_tokens = 4, .ignore_eos = true};
        Request keeping = request;
        keeping.keep_tensors = true;
        Session lazy(model), whole(model);
        lazy.prefill(request);
        whole.prefill(keeping);  // computes the head of all rows at once, which rounds differently
        for (int i = 0; i < 4; ++i) {
            lazy.step();
            const auto kept = whole.step()->logits;
            const auto before = cuda_emulation::statistics().bytes_to_host;
            const auto last = lazy.last_logits();
            QCOMPARE(last.size(), kept.size());
            QVERIFY(std::equal(last.begin(), last.end(), kept.begin()));
            QCOMPARE(cuda_emulation::statistics().bytes_to_host - before, std::uint64_t{last.size_bytes()});
            lazy.last_logits();
            QCOMPARE(cuda_emulation::statistics().bytes_to_host - before, std::uint64_t{last.size_bytes()});
        }
        QVERIFY(lazy.finished());
    }

    /// All layers of a segment share the rows; a block table travels when a block was added and not before.
    void lists_travel_only_when_they_changed() {
        constexpr int kBlock = 8;
        const auto model = load_model(reference("vanilla"), device());
        Session session(model, {.block_entries = kBlock});
        session.prefill({.prompt = some_tokens(20), .max_tokens = 40, .ignore_eos = true});
        for (const Spent& s : decode(session, kBlock)) {
            // To the device: the row, and a table with a new block. From it: the picks.
            QCOMPARE(s.copies, std::uint64_t(2 + s.new_block));
        }
    }

    /// An operation's first list may fill a section of the ring and its second begin the next; what is staged later waits
    /// for the operation all the same.
    void lists_of_an_operation_may_lie_in_two_sections() {
        constexpr std::size_t kSection = std::size_t{1} << 20, kInts = 64;
        const auto stream = std::make_shared<cuda::DeviceStream>(cuda::choose_device());
        cuda::StagingRing ring(stream);
        cuda::Readback readback(stream);
        const auto target = stream->allocate(kInts * sizeof(int));
        const std::vector<std::byte> filler(kSection - kInts * sizeof(int));
        ring.put(std::span<const std::byte>(filler));
        const std::vector<int> first(kInts, 1), second(kInts, 2), later(kSection / 8 / sizeof(int), 3);
        const int* const staged = ring.put(std::span<const int>(first));
        ring.put(std::span<const int>(second));
        cuda::check(cudaMemcpyAsync(target.get(), staged, kInts * sizeof(int), cudaMemcpyHostToDevice, stream->stream()),
                    "copy");  // as a kernel that reads both
        for (int i = 0; i < 5 * 8; ++i) ring.put(std::span<const int>(later));
        std::vector<int> got(kInts);
        readback.download(target.get(), kInts * sizeof(int), got.data());
        QCOMPARE(got, first);
    }

    void every_byte_of_the_cache_is_accounted_for_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("type");
        for (const char* name : {"vanilla", "mor_expert_mc", "mor_expert_mc_kvshare", "rec_cycle"})
            for (const DType type : {DType::F32, DType::F16, DType::BF16})
                QTest::addRow("%s/%s", name, name_of(type)) << QString(name) << int(type);
    }
    void every_byte_of_the_cache_is_accounted_for() {
        QFETCH(QString, name);
        QFETCH(int, type);
        constexpr int kBlock = 16, kPrompt = 64;
        const auto log = std::make_shared<AllocationLog>(device());
        const auto model = load_model(reference(qPrintable(name)), log);
        const KvSettings settings{.type = static_cast<DType>(type), .block_entries = kBlock, .capacity_tokens = kPrompt};
        Scheduler scheduler(model, settings);
        RoutingSettings routing;  // everybody goes through everything, so that all blocks are in use
        if (model->config().mor.routing != Routing::None) routing.fixed_depth = model->config().mor.num_recursion;
        log->taken.clear();
        const int id = scheduler.submit({.prompt = some_tokens(kPrompt), .max_tokens = 0, .routing = routing});
        scheduler.advance();  // the chunk's blocks are taken first, one slab for each group
        const auto taken = log->taken;
        while (!scheduler.idle()) scheduler.advance();
        const KvReport kv = scheduler.kv(id);
        std::int64_t reserved = 0, used = 0, device_bytes = 0;
        for (const auto bytes : kv.use.reserved) reserved += bytes;
        for (const auto bytes : kv.use.used) used += bytes;
        QCOMPARE(used, reserved);  // every block is full
        std::set<int> groups(kv.slot_blocks.begin(), kv.slot_blocks.end());
        QCOMPARE(groups, std::set<int>{kPrompt / kBlock});
        for (const auto& [asked, gone] : taken) {
            QCOMPARE(gone, (asked + 255) / 256 * 256);  // the pool's granularity, nothing besides
            if (device_bytes < reserved) device_bytes += static_cast<std::int64_t>(asked);
        }
        QCOMPARE(device_bytes, reserved);
    }

    void out_of_memory_ends_the_request_and_nothing_else() {
        const std::size_t before = free_memory();
        {
            const auto model = load_model(reference("mor_expert_mc"), device());
            // What the model and a short text take, and a little more: too little for a long text.
            cuda_emulation::settings().memory = (std::size_t(8) << 30) - free_memory() + (std::size_t{700} << 10);
            Session session(model);
            QString sentence;
            try {
                session.prefill({.prompt = some_tokens(250), .max_tokens = 1, .prefill_chunk = 250});
            } catch (const DeviceError& error) {
                sentence = error.what();
            }
            qInfo("%s", qPrintable(sentence));
            for (const char* word : {"out of memory", "asked for", "free", "shorter text"})
                QVERIFY2(sentence.contains(word), qPrintable(sentence));
            QVERIFY(session.finished());
            const auto tokens = session.prefill({.prompt = some_tokens(9), .max_tokens = 3, .ignore_eos = true});
            QCOMPARE(tokens.size(), std::size_t{9});
            int decoded = 0;
            while (session.step()) ++decoded;
            QCOMPARE(decoded, 3);
        }
        cuda_emulation::settings().memory = std::size_t(8) << 30;
        QCOMPARE(free_memory(), before);
    }

    void a_model_that_does_not_fit_leaves_nothing_behind() {
        const std::size_t before = free_memory();
        cuda_emulation::settings().memory = (std::size_t(8) << 30) - before + (std::size_t{5} << 20);
        QVERIFY_EXCEPTION_THROWN(load_model(reference("mor_expert_mc"), device()), DeviceError);
        cuda_emulation::settings().memory = std::size_t(8) << 30;
        QCOMPARE(free_memory(), before);
    }

    void models_share_a_device() {
        const std::size_t before = free_memory();
        {
            const auto a = load_model(reference("mor_expert_mc"), device()), b = load_model(reference("vanilla"), device());
            Session first(a), second(b);
            for (Session* s : {&first, &second, &first}) {
                s->prefill({.prompt = some_tokens(5), .max_tokens = 2, .ignore_eos = true});
                while (s->step()) {
                }
            }
        }
        QCOMPARE(free_memory(), before);
    }
};

QTEST_GUILESS_MAIN(CudaRun)
#include "tst_cuda_run.moc"
