// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "mor/tokenizer.hpp"

namespace mor {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer) : tokenizer_(std::move(tokenizer)) {}

std::string StreamDecoder::push(int id) {
    pending_ += tokenizer_->bytes(id, first_);
    // Control tokens such as BOS add nothing, so the text still begins after them.
    if (first_) first_ = tokenizer_->bytes(id, false).empty();
    const auto visible = complete_utf8_prefix(pending_);
    std::string text = repair_utf8(std::string_view(pending_).substr(0, visible));
    pending_.erase(0, visible);
    return text;
}

std::string StreamDecoder::flush() { return repair_utf8(std::exchange(pending_, {})); }

}  // namespace mor
