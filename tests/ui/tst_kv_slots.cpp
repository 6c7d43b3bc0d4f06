// SPDX-License-Identifier: GPL-3.0-or-later
// The slot map and the bytes on screen against the engine's allocator, on a real run of the bundled model.
#include <QTest>

#include "models/kv_slots.hpp"
#include "models/trace_model.hpp"
#include "mor/model.hpp"
#include "mor/session.hpp"
#include "mor/tokenizer.hpp"
#include "mor/trace.hpp"

using namespace mor::ui;

class KvSlotsTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void mapEqualsTheAllocator_data();
    void mapEqualsTheAllocator();

private:
    std::shared_ptr<const mor::Model> model_;
};

void KvSlotsTest::initTestCase() { model_ = mor::Model::load(MOR_MODELS_DIR "/prose-expert-r3", {.threads = 2}); }

void KvSlotsTest::mapEqualsTheAllocator_data() {
    QTest::addColumn<mor::KvPolicy>("policy");
    QTest::addColumn<int>("blockEntries");
    QTest::newRow("recursion-wise, blocks of 16") << mor::KvPolicy::RecursionWise << 16;
    QTest::newRow("recursion-wise, blocks of 1") << mor::KvPolicy::RecursionWise << 1;
    QTest::newRow("shared, blocks of 16") << mor::KvPolicy::RecursiveSharing << 16;
}

void KvSlotsTest::mapEqualsTheAllocator() {
    QFETCH(mor::KvPolicy, policy);
    QFETCH(int, blockEntries);
    mor::KvSettings kv;
    kv.policy = policy;
    kv.block_entries = blockEntries;
    mor::Request request;
    for (int i = 0; i < 20; ++i) request.prompt.push_back(300 + 37 * i);
    request.max_tokens = 30;
    request.ignore_eos = true;

    mor::Session session(model_, kv);
    mor::Trace trace;
    trace.header = mor::make_header(model_->info(), request, kv, {});
    for (auto& token : session.prefill(request)) trace.tokens.push_back(token.record);
    while (auto token = session.step()) trace.tokens.push_back(token->record);
    TraceModel shown;
    shown.load(trace);

    const auto report = session.kv();
    const int last = shown.tokenCount() - 1;
    const auto held = kvHeld(shown, last);
    const int recursions = shown.recursions();
    QCOMPARE(recursions, 3);
    for (int r = 0; r < recursions; ++r) {
        const auto index = static_cast<std::size_t>(r + 1);
        QCOMPARE(held[index].entries, report.recursion_tokens[static_cast<std::size_t>(r)]);
        QCOMPARE(held[index].bytes, report.use.used[index]);
        QCOMPARE(held[index].reserved, report.use.reserved[index]);
    }
    QCOMPARE(held[0].bytes, report.use.used[0]);
    QCOMPARE(held[0].entries, shown.tokenCount());

    // And every moment on the way: bytes are entries times the bytes of one.
    const auto& llama = trace.header.config.llama;
    const std::int64_t entry = std::int64_t{2} * llama.num_key_value_heads * llama.head_dim * sizeof(float);
    const int layersPerRecursion = (llama.num_hidden_layers - 2) / recursions;
    for (int token = 0; token <= last; ++token) {
        const auto then = kvHeld(shown, token);
        for (int r = 0; r < recursions; ++r)
            QCOMPARE(then[static_cast<std::size_t>(r + 1)].bytes,
                     then[static_cast<std::size_t>(r + 1)].entries * entry * layersPerRecursion);
        QCOMPARE(then[0].bytes, (token + 1) * entry * 2);
    }
}

QTEST_GUILESS_MAIN(KvSlotsTest)
#include "tst_kv_slots.moc"
