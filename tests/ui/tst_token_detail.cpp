// SPDX-License-Identifier: GPL-3.0-or-later
#include <QLocale>
#include <QSignalSpy>
#include <QTest>
#include <algorithm>
#include <cmath>

#include "ui/stage.hpp"

using namespace mor::ui;
using namespace mor::test;

class TokenDetailTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale(QLocale::English)); }
    void rowsEqualTheToken();
    void comparesTwoPins();
    void catchesUpWithTheNewestToken();
    void neverShowsWhatIsGone();
    void barsWhereThereIsRoom();
    void exitsLeaveRoomForAlternatives_data();
    void exitsLeaveRoomForAlternatives();
};

void TokenDetailTest::rowsEqualTheToken() {
    Stage stage;
    for (int token = 0; token < 47; ++token) {
        const auto& record = stage.model.token(token);
        stage.selection.setHovered(token);
        QCOMPARE(stage.detail.shownToken(), token);
        QCOMPARE(stage.detail.caption(), QStringLiteral("depth %1 of 3").arg(record.depth));
        for (const auto& row : stage.detail.rows(token)) {
            const auto& decision = record.recursions[static_cast<std::size_t>(row.recursion)];
            QCOMPARE(row.score, scoreText(decision.score));
            QCOMPARE(row.gate, scoreText(decision.gate));
            QCOMPARE(row.margin, scoreText(decision.margin));
            QCOMPARE(row.share, row.offered ? static_cast<double>(decision.score) : 0.0);
            QCOMPARE(row.colour, stage.heatmap.cellAt(token, row.recursion).colour);
        }
        QCOMPARE(alternativesOf(stage.model, token).size(), static_cast<qsizetype>(record.top.size()));
    }
}

void TokenDetailTest::comparesTwoPins() {
    Stage stage;
    QSignalSpy titled(&stage.detail, &TokenDetailView::titleChanged);
    stage.selection.togglePin(29);
    QCOMPARE(stage.detail.title(), QStringLiteral("Token 29 · “had”"));
    stage.selection.togglePin(1);
    QCOMPARE(stage.detail.title(), QStringLiteral("Token 1 · “king” against 29 · “had”"));
    QCOMPARE(titled.count(), 2);
    const auto &king = stage.model.token(1), &had = stage.model.token(29);
    QVERIFY(stage.detail.difference().startsWith(QStringLiteral("depth %1 against %2").arg(king.depth).arg(had.depth)));
    const auto compared = grabbed(stage.detail);
    stage.selection.togglePin(29);
    QVERIFY(compared != grabbed(stage.detail));
}

/// Titles of a card and its content belong to the same token at any moment.
void TokenDetailTest::catchesUpWithTheNewestToken() {
    auto trace = syntheticTrace({.tokens = 60});
    const std::vector<mor::TokenRecord> late(trace.tokens.begin() + 40, trace.tokens.end());
    trace.tokens.resize(40);
    Stage stage(trace);
    const auto agrees = [&] {
        return stage.detail.title().startsWith(QStringLiteral("Token %1 ").arg(stage.detail.shownToken()));
    };
    QCOMPARE(stage.detail.shownToken(), 39);
    QSignalSpy titled(&stage.detail, &TokenDetailView::titleChanged);
    for (const auto& token : late) {
        stage.model.append({token}, {});
        QVERIFY(agrees());
    }
    QVERIFY(titled.count() < 20);
    QTRY_COMPARE(stage.detail.shownToken(), 59);
    QVERIFY(agrees());
    QCOMPARE(titled.last().first().toString(), stage.detail.title());
    stage.selection.setHovered(7);  // what the reader does is answered at once
    QCOMPARE(stage.detail.shownToken(), 7);
    QVERIFY(agrees());
}

void TokenDetailTest::neverShowsWhatIsGone() {
    Stage stage({.tokens = 60});
    QCOMPARE(stage.detail.shownToken(), 59);
    stage.model.load(syntheticTrace({.tokens = 20}));
    QCOMPARE(stage.detail.shownToken(), 19);
    stage.model.clear();
    QCOMPARE(stage.detail.shownToken(), -1);
    QCOMPARE(stage.detail.title(), QStringLiteral("Token"));
    QVERIFY(!grabbed(stage.detail).isNull());
}

/// How long the bars of the words are, read from the picture: the exits in their depths' colours, then the alternatives.
void TokenDetailTest::barsWhereThereIsRoom() {
    auto trace = syntheticTrace({.tokens = 8});
    auto& token = trace.tokens.back();
    token.top = {{1, "one", std::log(0.5)}, {2, "two", std::log(0.25)}};
    token.exits = {{0, {{3, "three", std::log(0.75)}}}, {1, {{4, "four", std::log(0.125)}}}};
    Stage stage(trace);
    stage.detail.resize(1000, 600);
    const QImage picture = grabbed(stage.detail);
    const auto longest = [&](const QColor& colour, int left, int right) {  // pixels below the recursions
        int most = 0;
        for (int y = 150; y < picture.height(); ++y) {
            int run = 0;
            for (int x = left; x < right; ++x) {
                run = picture.pixelColor(x, y) == colour ? run + 1 : 0;
                most = std::max(most, run);
            }
        }
        return most;
    };
    const Theme theme;
    const double pitch = (1000 + 28) / 3.0, track = pitch - 28 - 88 - 44;
    QVERIFY(std::abs(longest(theme.depth(1, 3), 0, 330) - 0.75 * track) <= 2);
    QVERIFY(std::abs(longest(theme.depth(2, 3), 340, 680) - 0.125 * track) <= 2);
    QVERIFY(std::abs(longest(theme.frame().neutral, 680, 1000) - 0.5 * track) <= 3);
}

void TokenDetailTest::exitsLeaveRoomForAlternatives_data() {
    QTest::addColumn<int>("recursions");
    QTest::addColumn<QSize>("size");
    for (const int recursions : {2, 3, 4}) {  // as in a window of 1440 x 900 and of 1280 x 800
        QTest::addRow("%d, 1440 x 900", recursions) << recursions << QSize(460, 171);
        QTest::addRow("%d, 1280 x 800", recursions) << recursions << QSize(406, 166);
    }
}

void TokenDetailTest::exitsLeaveRoomForAlternatives() {
    QFETCH(int, recursions);
    QFETCH(QSize, size);
    auto trace = syntheticTrace({.tokens = 20, .recursions = recursions});
    auto& token = trace.tokens.back();
    token.depth = recursions;
    token.exits.clear();
    token.top = {{1, "one", std::log(0.5f)}, {2, "two", std::log(0.25f)}, {3, "three", std::log(0.1f)}};
    for (int r = 0; r < recursions; ++r)
        token.exits.push_back(
            {r, {{4, "four", std::log(0.75f)}, {5, "five", std::log(0.1f)}, {6, "six", std::log(0.05f)}}});
    Stage stage(trace);
    const auto texts = writtenIn(stage.detail, size);
    for (const char* word : {"one", "two"}) QVERIFY2(!texts.filter(QStringLiteral("“%1”").arg(word)).isEmpty(), word);
    for (int r = 0; r < recursions; ++r)
        QVERIFY2(!texts.filter(QStringLiteral("after %1:  “four” 0.75").arg(r + 1)).isEmpty(), qPrintable(texts.join('|')));
    for (const auto& text : texts) QVERIFY2(!text.contains(QChar(0x2026)), qPrintable(text));  // nothing is cut
}

QTEST_MAIN(TokenDetailTest)
#include "tst_token_detail.moc"
