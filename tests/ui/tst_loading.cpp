// SPDX-License-Identifier: GPL-3.0-or-later
// Loads that can be watched and ended, by the engine's own means and through the feed.
#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <vector>

#include "feed/feed.hpp"
#include "mor/error.hpp"

using namespace mor::ui;

namespace {

const QString kModel = QStringLiteral(MOR_TEST_DATA "/reference/mor_expert_mc");
const QString kTrained = QStringLiteral(MOR_MODELS_DIR "/prose-expert-r3");
constexpr int kPatience = 60000;  ///< ms; sanitizers are slow

}  // namespace

class LoadingTest : public QObject {
    Q_OBJECT

private slots:
    void theEngineIsWatched();
    void theEngineStops();
    void loadingTellsHowFarItIs();
    void loadingCanBeCancelled();
    void anotherLoadCancelsTheFirst();
};

void LoadingTest::theEngineIsWatched() {
    std::vector<double> shares;
    const auto note = [&](double share) { shares.push_back(share); };
    const auto model = mor::Model::load(kTrained.toStdString(), {.threads = 1}, {.progress = note, .stop = {}});
    QVERIFY(std::is_sorted(shares.begin(), shares.end()));
    QVERIFY(shares.front() > 0);
    QCOMPARE(shares.back(), 1.0);  // every tensor of the file was read
}

void LoadingTest::theEngineStops() {
    std::stop_source stop;
    int told = 0;
    const auto halfWay = [&](double share) {
        ++told;
        if (share > 0.5) stop.request_stop();
    };
    QVERIFY_EXCEPTION_THROWN(
        mor::Model::load(kTrained.toStdString(), {.threads = 1}, {.progress = halfWay, .stop = stop.get_token()}),
        mor::Error);
    QVERIFY(told > 1);
}

void LoadingTest::loadingTellsHowFarItIs() {
    Feed feed(std::filesystem::path{});
    QList<double> shares;
    connect(&feed, &Feed::loadAdvanced, &feed, [&](double share) { shares.append(share); });
    feed.load(kTrained.toStdString(), {.threads = 1});
    QTRY_COMPARE_WITH_TIMEOUT(feed.state(), EngineState::Ready, kPatience);
    QVERIFY(shares.size() > 3 && shares.size() <= 50);
    QVERIFY(std::is_sorted(shares.begin(), shares.end()));
    QVERIFY(shares.front() > 0 && shares.back() > 0.9 && shares.back() <= 1);
}

void LoadingTest::loadingCanBeCancelled() {
    Feed feed(std::filesystem::path{});
    QSignalSpy failed(&feed, &Feed::loadFailed), finished(&feed, &Feed::finished);
    feed.load(kModel.toStdString(), {.threads = 1});
    QTRY_COMPARE_WITH_TIMEOUT(feed.state(), EngineState::Ready, kPatience);
    // On a busy machine the load may be over before this thread goes on: then again.
    QSignalSpy loaded(&feed, &Feed::modelLoaded);
    for (int attempt = 1; attempt <= 50 && failed.isEmpty(); ++attempt) {
        feed.load(kTrained.toStdString(), {.threads = 1});
        feed.cancelLoad();
        QVERIFY(QTest::qWaitFor([&] { return failed.size() + loaded.size() == attempt; }, kPatience));
    }
    QCOMPARE(failed.size(), 1);
    QCOMPARE(failed[0][0].toString(), QString());  // nothing went wrong
    QTRY_COMPARE_WITH_TIMEOUT(feed.state(), EngineState::Ready, kPatience);
    RunRequest request;
    request.settings.prompt = {1, 2};
    request.settings.max_tokens = 3;
    feed.generate(request);  // the model before is still there
    QVERIFY(QTest::qWaitFor([&] { return finished.size() == 1; }, kPatience));
}

void LoadingTest::anotherLoadCancelsTheFirst() {
    Feed feed(std::filesystem::path{});
    QSignalSpy loaded(&feed, &Feed::modelLoaded), failed(&feed, &Feed::loadFailed);
    feed.load(kTrained.toStdString(), {.threads = 1});
    feed.load(kModel.toStdString(), {.threads = 1});
    QVERIFY(QTest::qWaitFor([&] { return loaded.size() + failed.size() == 2; }, kPatience));
    QVERIFY(!loaded.isEmpty());  // the first one too, where it was quick
    QCOMPARE(loaded.back()[0].value<mor::ModelInfo>().directory.filename().string(), std::string("mor_expert_mc"));
}

QTEST_MAIN(LoadingTest)
#include "tst_loading.moc"
