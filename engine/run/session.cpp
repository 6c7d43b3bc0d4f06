// SPDX-License-Identifier: Apache-2.0
#include "mor/session.hpp"

#include "mor/error.hpp"

namespace mor {

Session::Session(std::shared_ptr<const Model> model, const KvSettings& settings) : scheduler_(std::move(model), settings) {}

Session::~Session() = default;

std::vector<FinishedToken> Session::prefill(Request request, std::stop_token stop) {
    const std::size_t prompt = request.prompt.size();
    if (request_) scheduler_.release(*request_);
    request_.reset();
    request_ = scheduler_.submit(std::move(request));
    std::vector<FinishedToken> finished;
    while (finished.size() < prompt && scheduler_.running(*request_)) {
        if (stop.stop_requested()) {
            cancel();
            break;
        }
        for (auto& token : scheduler_.advance().tokens) finished.push_back(std::move(token));
    }
    return finished;
}

std::optional<FinishedToken> Session::step(std::stop_token stop) {
    while (!finished()) {
        if (stop.stop_requested()) {
            cancel();
            break;
        }
        auto tokens = scheduler_.advance().tokens;
        if (!tokens.empty()) return std::move(tokens.front());  // a decoded token travels alone
    }
    return std::nullopt;
}

bool Session::finished() const { return !request_ || !scheduler_.running(*request_); }

void Session::cancel() {
    if (request_) scheduler_.cancel(*request_);
}

KvReport Session::kv() const {
    if (!request_) throw Error("no text has been started");
    return scheduler_.kv(*request_);
}

std::span<const float> Session::last_logits() const {
    return request_ ? scheduler_.last_logits(*request_) : std::span<const float>{};
}

}  // namespace mor
