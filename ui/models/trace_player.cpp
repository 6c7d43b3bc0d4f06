// SPDX-License-Identifier: GPL-3.0-or-later
#include "models/trace_player.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "models/trace_model.hpp"

namespace mor::ui {
namespace {

/// Faster moments than this are shown several at a time.
constexpr int kShortest = 33;  // ms

}  // namespace

TracePlayer::TracePlayer(TraceModel* model, QObject* parent) : QObject(parent), model_(model) {
    timer_.setSingleShot(true);
    connect(&timer_, &QTimer::timeout, this, &TracePlayer::tick);
}

void TracePlayer::restart(const mor::TraceHeader& header) {
    timer_.stop();
    whole_ = {};
    whole_.header = header;
    moments_ = {{}};
    moment_ = 0;
}

void TracePlayer::begin(const mor::TraceHeader& header) {
    restart(header);
    model_->begin(header);
    setPlaying(true);
    emit moved();
}

void TracePlayer::load(mor::Trace trace) {
    restart(trace.header);
    whole_ = std::move(trace);
    addMoments(0, 0);
    moment_ = end();
    model_->load(whole_);
    setPlaying(false);
    emit moved();
}

void TracePlayer::append(const std::vector<mor::TokenRecord>& tokens, const std::vector<mor::PassRecord>& passes) {
    const auto firstToken = whole_.tokens.size(), firstPass = whole_.passes.size();
    whole_.tokens.insert(whole_.tokens.end(), tokens.begin(), tokens.end());
    whole_.passes.insert(whole_.passes.end(), passes.begin(), passes.end());
    addMoments(firstToken, firstPass);
    if (playing_) advance();
    emit moved();
}

/// A token is complete after the last pass it took part in. Records come in whole batches, so that pass is in the same one.
void TracePlayer::addMoments(std::size_t firstToken, std::size_t firstPass) {
    std::unordered_map<int, std::size_t> last;  // position -> pass
    for (auto pass = firstPass; pass < whole_.passes.size(); ++pass)
        for (const auto& row : whole_.passes[pass].rows) last[row.position] = pass;
    auto token = firstToken;
    for (auto pass = firstPass; pass < whole_.passes.size(); ++pass) {
        const auto done = [&](const mor::TokenRecord& record) {
            const auto found = last.find(record.position);
            return found != last.end() && found->second <= pass;
        };
        while (token < whole_.tokens.size() && done(whole_.tokens[token])) ++token;
        moments_.push_back({static_cast<int>(token), static_cast<int>(pass) + 1});
    }
    // Traces without passes, or tokens that no pass names: one moment each.
    while (token < whole_.tokens.size())
        moments_.push_back({static_cast<int>(++token), static_cast<int>(whole_.passes.size())});
}

int TracePlayer::momentOf(int token) const {
    const auto found = std::partition_point(moments_.begin(), moments_.end(),
                                            [token](const Moment& moment) { return moment.tokens <= token; });
    return std::min(static_cast<int>(found - moments_.begin()), end());
}

void TracePlayer::show(int moment) {
    const auto [tokens, passes] = moments_[static_cast<std::size_t>(moment)];
    if (moment > moment_) {
        const auto [fromTokens, fromPasses] = moments_[static_cast<std::size_t>(moment_)];
        model_->append({whole_.tokens.begin() + fromTokens, whole_.tokens.begin() + tokens},
                       {whole_.passes.begin() + fromPasses, whole_.passes.begin() + passes});
    } else if (moment < moment_) {
        model_->rewind(tokens, passes);
    }
    moment_ = moment;
}

void TracePlayer::seek(int moment) {
    const int wanted = std::clamp(moment, 0, end());
    if (wanted == moment_) return;
    show(wanted);
    if (playing_ && speed_ == 0) setPlaying(isAtEnd());  // what is looked at does not run away
    emit moved();
}

void TracePlayer::stepTokens(int count) {
    setPlaying(false);
    const int tokens = tokensAt(moment_);
    // Under way to a token, one step back is that token's beginning.
    const bool between = moment_ > 0 && tokensAt(moment_ - 1) == tokens;
    const int wanted = tokens + count + (count < 0 && between ? 1 : 0);
    seek(wanted <= 0 ? 0 : momentOf(wanted - 1));
}

void TracePlayer::stepPasses(int count) {
    setPlaying(false);
    seek(moment_ + count);
}

void TracePlayer::play() {
    if (isAtEnd() && end() > 0 && tokensAt(moment_) > 0) {
        const auto& last = whole_.tokens.back();
        if (last.finish != mor::Finish::None) show(0);
    }
    setPlaying(true);
    advance();
    emit moved();
}

void TracePlayer::pause() { setPlaying(false); }

void TracePlayer::follow() {
    setPlaying(true);
    advance();
    emit moved();
}

void TracePlayer::setPlaying(bool playing) {
    if (!playing) timer_.stop();
    if (playing == playing_) return;
    playing_ = playing;
    emit playingChanged(playing);
}

void TracePlayer::setSpeed(double tokensPerSecond) {
    speed_ = std::isfinite(tokensPerSecond) ? std::max(0.0, tokensPerSecond) : 0;
    timer_.stop();
    if (playing_) advance();
    emit moved();
}

void TracePlayer::setBreakpoints(const TokenConditions& conditions) { breakpoints_ = conditions; }

int TracePlayer::breakpointBetween(int tokens, int end) const {
    return findMatch(breakpoints_, whole_, std::max(tokens, whole_.header.prompt_tokens) - 1, 1, end);
}

int TracePlayer::delay() const {
    const int token = tokensAt(moment_);
    const int next = momentOf(token), before = token > 0 ? momentOf(token - 1) : 0;
    return static_cast<int>(1000 / speed_ / std::max(1, next - before));
}

void TracePlayer::advance() {
    if (isAtEnd() || timer_.isActive()) return;
    if (speed_ > 0) return timer_.start(std::max(delay(), kShortest));
    const int found = breakpointBetween(tokensAt(moment_), tokensAt(end()));
    show(found < 0 ? end() : momentOf(found));
    if (found >= 0) {
        setPlaying(false);
        emit stopped(found, matchOf(breakpoints_, whole_, found));
    } else if (!whole_.tokens.empty() && whole_.tokens.back().finish != mor::Finish::None) {
        setPlaying(false);
    }
}

void TracePlayer::tick() {
    // Where moments are shorter than a picture lasts, a picture shows several.
    const int steps = std::max(1, delay() > 0 ? kShortest / delay() : end());
    const int before = tokensAt(moment_);
    const int wanted = std::min(end(), moment_ + steps);
    const int found = breakpointBetween(before, tokensAt(wanted));
    show(found < 0 ? wanted : momentOf(found));
    if (found >= 0) {
        setPlaying(false);
        emit stopped(found, matchOf(breakpoints_, whole_, found));
    } else if (isAtEnd() && !whole_.tokens.empty() && whole_.tokens.back().finish != mor::Finish::None) {
        setPlaying(false);
    } else {
        advance();
    }
    emit moved();
}

}  // namespace mor::ui
