// SPDX-License-Identifier: GPL-3.0-or-later
// The feed: what it hands over, in which order, and that it can be paused, stepped, stopped and destroyed at any time.
#include <QElapsedTimer>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

#include "feed/feed.hpp"
#include "mor/trace.hpp"

using namespace mor::ui;

namespace {

const QString kModel = QStringLiteral(MOR_TEST_DATA "/reference/mor_expert_mc");
const QString kTrained = QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3");
constexpr int kPatience = 60000;     ///< ms; sanitizers are slow
constexpr int kStopPatience = 2000;  ///< generous: the promise is 200 ms on an idle machine

/// Notes everything a feed says, in order.
struct Listener {
    explicit Listener(Feed& feed) {
        QObject::connect(&feed, &Feed::started, &feed, [this](const mor::TraceHeader& h) {
            events.append("started");
            header = h;
            tokens.clear();
            passes.clear();
        });
        QObject::connect(&feed, &Feed::batch, &feed, [this](const auto& t, const auto& p) {
            events.append("batch");
            tokens.insert(tokens.end(), t.begin(), t.end());
            passes.insert(passes.end(), p.begin(), p.end());
        });
        QObject::connect(&feed, &Feed::finished, &feed, [this](mor::Finish f) {
            events.append("finished");
            finishes.append(f);
        });
        QObject::connect(&feed, &Feed::failed, &feed, [this](const QString& s) { failures.append(s); });
        QObject::connect(&feed, &Feed::warned, &feed, [this](const QString& s) { warnings.append(s); });
        QObject::connect(&feed, &Feed::loadFailed, &feed, [this](const QString& s) { failures.append(s); });
        QObject::connect(&feed, &Feed::stateChanged, &feed, [this](EngineState s) { states.append(s); });
    }
    int decoded() const {
        return static_cast<int>(std::count_if(tokens.begin(), tokens.end(), [](const auto& t) { return !t.prompt; }));
    }

    QStringList events, failures, warnings;
    QList<mor::Finish> finishes;
    QList<EngineState> states;
    mor::TraceHeader header;
    std::vector<mor::TokenRecord> tokens;
    std::vector<mor::PassRecord> passes;
};

RunRequest idsRequest(std::vector<int> ids, int maxTokens) {
    RunRequest request;
    request.settings.prompt = std::move(ids);
    request.settings.max_tokens = maxTokens;
    request.settings.ignore_eos = true;
    return request;
}

RunRequest textRequest(const QString& text, int maxTokens) {
    RunRequest request = idsRequest({}, maxTokens);
    request.text = text;
    return request;
}

/// A feed without autosave and what it said.
struct Fixture {
    explicit Fixture(const QString& model, std::filesystem::path autosave = {}) : feed(std::move(autosave)), heard(feed) {
        mor::DeviceSettings device;
        device.threads = 1;
        if (!model.isEmpty()) feed.load(model.toStdString(), device);
    }
    bool waitFor(EngineState state) {
        return QTest::qWaitFor([&] { return feed.state() == state; }, kPatience);
    }
    Feed feed;
    Listener heard;
};

/// Times differ from run to run; everything else must not.
std::string withoutTime(mor::TokenRecord record) {
    record.time_ms = 0;
    return mor::to_json(record);
}

}  // namespace

class FeedTest : public QObject {
    Q_OBJECT

private slots:
    void loads();
    void runsToTheEnd();
    void bringsWhatTheSchedulerComputes();
    void encodesText();
    void stepsToken();
    void stepsRecursion();
    void goesOnAfterTheLimit();
    void pausesAndResumes();
    void stopsSoon();
    void startsAnewWhileRunning();
    void isDestroyedWhileRunning();
    void isDestroyedWhileLoading();
    void survivesErrors_data();
    void survivesErrors();
    void keepsTheModelWhenLoadingFails();
    void recordsTheRun();
    void runsOnWithoutDisk();
    void queueHoldsTheProducer();
    void queueKeepsTheOrder();
};

void FeedTest::loads() {
    Feed feed(std::filesystem::path{});
    QSignalSpy loaded(&feed, &Feed::modelLoaded);
    QCOMPARE(feed.state(), EngineState::NoModel);
    feed.load(kModel.toStdString(), {});
    QTRY_COMPARE_WITH_TIMEOUT(feed.state(), EngineState::Ready, kPatience);
    QCOMPARE(loaded.size(), 1);
    QCOMPARE(loaded[0][0].value<mor::ModelInfo>().config.mor.num_recursion, 3);
    QCOMPARE(loaded[0][1].toBool(), false);
}

void FeedTest::runsToTheEnd() {
    Fixture f(kModel);
    f.feed.generate(idsRequest({1, 2, 3, 4}, 20));
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.finishes.isEmpty(); }, kPatience));
    QCOMPARE(f.heard.finishes, QList{mor::Finish::MaxTokens});
    QCOMPARE(f.heard.events.front(), "started");
    QCOMPARE(f.heard.events.back(), "finished");
    QCOMPARE(f.heard.header.prompt_tokens, 4);
    QCOMPARE(f.heard.tokens.size(), std::size_t{24});
    for (std::size_t i = 0; i < f.heard.tokens.size(); ++i) QCOMPARE(f.heard.tokens[i].position, static_cast<int>(i));
    QVERIFY(f.waitFor(EngineState::Ready));
    const QList<EngineState> expected{EngineState::Loading, EngineState::Ready, EngineState::Running, EngineState::Ready};
    QCOMPARE(f.heard.states, expected);
}

void FeedTest::bringsWhatTheSchedulerComputes() {
    Fixture f(kModel);
    const RunRequest request = idsRequest({10, 20, 30}, 30);
    f.feed.generate(request);
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.finishes.isEmpty(); }, kPatience));
    mor::Scheduler scheduler(mor::Model::load(kModel.toStdString(), {.threads = 1}));
    scheduler.submit(request.settings);
    std::vector<std::string> expected;
    while (!scheduler.idle())
        for (const auto& token : scheduler.advance().tokens) expected.push_back(withoutTime(token.record));
    QCOMPARE(f.heard.tokens.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) QCOMPARE(withoutTime(f.heard.tokens[i]), expected[i]);
}

void FeedTest::encodesText() {
    Fixture f(kTrained);
    f.feed.generate(textRequest("In the beginning", 3));
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.finishes.isEmpty(); }, kPatience));
    QCOMPARE(f.heard.header.prompt, std::string("In the beginning"));
    std::string text;
    for (const auto& token : f.heard.tokens) text += token.text;
    QVERIFY2(QString::fromStdString(text).trimmed().startsWith("In the beginning"), text.c_str());
}

void FeedTest::stepsToken() {
    Fixture f(kModel);
    f.feed.generate(idsRequest({1, 2, 3}, 10), Pace::Token);
    QVERIFY(f.waitFor(EngineState::Paused));
    QCOMPARE(f.heard.tokens.size(), std::size_t{3});  // the prompt
    for (int step = 1; step <= 3; ++step) {
        f.heard.states.clear();
        f.feed.stepToken();
        QVERIFY(QTest::qWaitFor([&] { return f.heard.states.contains(EngineState::Paused); }, kPatience));
        QCOMPARE(f.heard.decoded(), step);
    }
    f.feed.resume();
    QVERIFY(f.waitFor(EngineState::Ready));
    QCOMPARE(f.heard.decoded(), 10);
}

void FeedTest::stepsRecursion() {
    Fixture f(kModel);
    f.feed.generate(idsRequest({1, 2, 3}, 2), Pace::Recursion);
    QVERIFY(f.waitFor(EngineState::Paused));
    for (std::size_t passes = 1; passes < 6; ++passes) {
        QCOMPARE(f.heard.passes.size(), passes);
        f.heard.states.clear();
        f.feed.stepRecursion();
        QVERIFY(QTest::qWaitFor([&] { return f.heard.states.contains(EngineState::Paused); }, kPatience));
    }
}

void FeedTest::goesOnAfterTheLimit() {
    Fixture f(kModel);
    f.feed.generate(idsRequest({1, 2, 3}, 2));
    QVERIFY(QTest::qWaitFor([&] { return f.feed.canExtend(); }, kPatience));
    f.feed.stepToken();
    QVERIFY(QTest::qWaitFor([&] { return f.heard.finishes.size() == 2; }, kPatience));
    QCOMPARE(f.heard.decoded(), 3);
    QCOMPARE(f.heard.events.count("started"), 1);
    QCOMPARE(f.heard.tokens.back().position, 5);
}

void FeedTest::pausesAndResumes() {
    Fixture f(kTrained);
    f.feed.generate(textRequest("And it came to pass", 300));
    QVERIFY(QTest::qWaitFor([&] { return f.heard.decoded() > 3; }, kPatience));
    f.feed.pause();
    QVERIFY(f.waitFor(EngineState::Paused));
    const auto passes = f.heard.passes.size();
    QTest::qWait(150);
    QCOMPARE(f.heard.passes.size(), passes);  // nothing is computed while paused
    f.feed.resume();
    QVERIFY(QTest::qWaitFor([&] { return f.heard.passes.size() > passes; }, kPatience));
    f.feed.stop();
    QVERIFY(f.waitFor(EngineState::Ready));
}

void FeedTest::stopsSoon() {
    Fixture f(kTrained);
    QString prompt;  // long enough to be read in several chunks
    for (int i = 0; i < 60; ++i) prompt += "and the king went ";
    f.feed.generate(textRequest(prompt, 200));
    QVERIFY(f.waitFor(EngineState::Running));
    QElapsedTimer clock;
    clock.start();
    f.feed.stop();
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.finishes.isEmpty(); }, kPatience));
    const qint64 taken = clock.elapsed();
    qInfo() << "stop answered after" << taken << "ms";
    QVERIFY2(taken < kStopPatience, qPrintable(QString::number(taken)));
    QCOMPARE(f.heard.finishes, QList{mor::Finish::Cancelled});
    QCOMPARE(f.feed.state(), EngineState::Ready);
    QVERIFY(f.heard.decoded() < 200);
}

void FeedTest::startsAnewWhileRunning() {
    Fixture f(kTrained);
    f.feed.generate(textRequest("And", 400));
    QVERIFY(QTest::qWaitFor([&] { return f.heard.decoded() > 0; }, kPatience));
    f.feed.generate(textRequest("The king said", 3));
    QVERIFY(QTest::qWaitFor([&] { return f.heard.finishes.size() == 2; }, kPatience));
    QCOMPARE(f.heard.finishes, (QList{mor::Finish::Cancelled, mor::Finish::MaxTokens}));
    QCOMPARE(f.heard.events.count("started"), 2);
    QCOMPARE(f.heard.decoded(), 3);  // nothing of the first run after the second one's header
    QCOMPARE(f.heard.tokens.front().position, 0);
}

void FeedTest::isDestroyedWhileRunning() {
    for (int i = 0; i < 3; ++i) {
        auto f = std::make_unique<Fixture>(kTrained);
        f->feed.generate(textRequest("And it came to pass", 500));
        QVERIFY(QTest::qWaitFor([&] { return f->heard.passes.size() > static_cast<std::size_t>(i); }, kPatience));
        QElapsedTimer clock;
        clock.start();
        f.reset();
        QVERIFY(clock.elapsed() < kStopPatience);
    }
}

void FeedTest::isDestroyedWhileLoading() {
    QElapsedTimer clock;
    clock.start();
    for (int i = 0; i < 5; ++i) {
        Feed feed(std::filesystem::path{});
        feed.load(kTrained.toStdString(), {.threads = 1});
        feed.generate(textRequest("never", 10));
        QTest::qWait(2 * i);
    }
    QVERIFY(clock.elapsed() < kPatience);
}

void FeedTest::survivesErrors_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QList<int>>("ids");
    QTest::addColumn<QString>("part");
    QTest::newRow("no model") << QString() << "x" << QList<int>{} << "No model";
    QTest::newRow("empty prompt") << kModel << "" << QList<int>{} << "prompt";
    QTest::newRow("text without tokenizer") << kModel << "some text" << QList<int>{} << "no tokenizer";
    QTest::newRow("outside the vocabulary") << kModel << "" << QList<int>{1, 4000} << "4000";
    QTest::newRow("too long") << kModel << "" << QList<int>(300, 1) << "256";
}

void FeedTest::survivesErrors() {
    QFETCH(QString, model);
    QFETCH(QString, text);
    QFETCH(QList<int>, ids);
    QFETCH(QString, part);
    Fixture f(model);
    RunRequest request = textRequest(text, 4);
    request.settings.prompt.assign(ids.begin(), ids.end());
    f.feed.generate(request);
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.failures.isEmpty(); }, kPatience));
    QVERIFY2(f.heard.failures.front().contains(part), qPrintable(f.heard.failures.front()));
    QVERIFY(f.heard.tokens.empty());
    if (model.isEmpty()) return;
    f.feed.generate(idsRequest({1, 2}, 2));  // and the next run is a good one
    QVERIFY(QTest::qWaitFor([&] { return f.heard.tokens.size() == 4; }, kPatience));
}

void FeedTest::keepsTheModelWhenLoadingFails() {
    Fixture f(kModel);
    QVERIFY(f.waitFor(EngineState::Ready));
    f.feed.load("/nonexistent/model", {});
    QVERIFY(QTest::qWaitFor([&] { return f.heard.failures.size() == 1; }, kPatience));
    QVERIFY(f.waitFor(EngineState::Ready));
    f.feed.generate(idsRequest({1}, 1));
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.finishes.isEmpty(); }, kPatience));
}

void FeedTest::recordsTheRun() {
    QTemporaryDir folder;
    const auto file = std::filesystem::path(folder.path().toStdString()) / "deep" / "last.mortrace";
    Fixture f(kModel, file);
    f.feed.generate(idsRequest({1, 2, 3}, 6));
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.finishes.isEmpty(); }, kPatience));
    const mor::Trace trace = mor::read_trace(file);
    QVERIFY(!trace.torn);
    QCOMPARE(trace.tokens.size(), f.heard.tokens.size());
    QCOMPARE(trace.passes.size(), f.heard.passes.size());
    for (std::size_t i = 0; i < trace.tokens.size(); ++i)
        QCOMPARE(mor::to_json(trace.tokens[i]), mor::to_json(f.heard.tokens[i]));
    QVERIFY(f.heard.warnings.isEmpty());
}

void FeedTest::runsOnWithoutDisk() {
    Fixture f(kModel, "/dev/full");
    f.feed.generate(idsRequest({1, 2, 3}, 6));
    QVERIFY(QTest::qWaitFor([&] { return !f.heard.finishes.isEmpty(); }, kPatience));
    QCOMPARE(f.heard.tokens.size(), std::size_t{9});
    QCOMPARE(f.heard.warnings.size(), 1);
}

void FeedTest::queueHoldsTheProducer() {
    RecordQueue queue;
    std::size_t pushed = 0;
    bool room = true;
    while (room && pushed < 2 * RecordQueue::kCapacity) {
        mor::Events events;
        events.tokens.resize(3);
        room = queue.push(std::move(events));
        ++pushed;
    }
    QVERIFY(!room);
    QCOMPARE(pushed, RecordQueue::kCapacity / 4);  // three tokens and a pass each
    const auto drained = queue.drain();
    QVERIFY(drained.producer_waits);
    QCOMPARE(drained.news.size(), std::size_t{1});
    QCOMPARE(std::get<Records>(drained.news[0]).tokens.size(), 3 * pushed);
    QVERIFY(queue.push(mor::Events{}));
    QVERIFY(!queue.drain().producer_waits);
}

void FeedTest::queueKeepsTheOrder() {
    RecordQueue queue;
    queue.push(RunBegun{});
    queue.push(mor::Events{});
    queue.push(mor::Events{});
    queue.push(RunFinished{mor::Finish::Cancelled});
    queue.push(EngineState::Ready);
    queue.push(mor::Events{});
    const auto news = queue.drain().news;
    QCOMPARE(news.size(), std::size_t{5});
    QVERIFY(std::holds_alternative<RunBegun>(news[0]));
    QCOMPARE(std::get<Records>(news[1]).passes.size(), std::size_t{2});
    QVERIFY(std::get<RunFinished>(news[2]).finish == mor::Finish::Cancelled);
    QVERIFY(std::get<EngineState>(news[3]) == EngineState::Ready);
    QCOMPARE(std::get<Records>(news[4]).passes.size(), std::size_t{1});
    QVERIFY(queue.drain().news.empty());
}

QTEST_GUILESS_MAIN(FeedTest)
#include "tst_feed.moc"
