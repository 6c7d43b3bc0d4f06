// SPDX-License-Identifier: Apache-2.0
#include "io/json.hpp"
#include "text/tokenizer_json.hpp"

namespace mor {
namespace {

constexpr std::size_t kMostSteps = 8;

/// The steps read so far; nothing may follow ByteLevel, which turns text into the byte alphabet.
struct Reading {
    std::vector<CutStep> steps;
    bool byte_level = false;
};

void read_digits(const Field& step, Reading& reading) {
    refuse_unknown_members(step, {"type", "individual_digits"});
    reading.steps.push_back(flag_of(step, "individual_digits", false) ? CutStep::EachDigit : CutStep::DigitRuns);
}

void read_byte_level(const Field& step, Reading& reading) {
    refuse_unknown_members(step, {"type", "add_prefix_space", "trim_offsets", "use_regex"});
    if (flag_of(step, "add_prefix_space", true)) reading.steps.push_back(CutStep::PrefixBlank);
    if (flag_of(step, "use_regex", true)) reading.steps.push_back(CutStep::Words);
    reading.byte_level = true;
}

void read_split(const Field& step, Reading& reading) {
    refuse_unknown_members(step, {"type", "pattern", "behavior", "invert"});
    const auto regex = step.at("pattern").at("Regex");
    if (regex.text() != kWordPattern) regex.refuse("GPT-2's pattern, the only one of this build");
    if (step.at("behavior").text() != "Isolated") step.at("behavior").refuse("\"Isolated\"");
    // The pattern leaves nothing between its matches, so inverting would not change the pieces; nobody writes it.
    if (flag_of(step, "invert", false)) step.at("invert").refuse("false");
    reading.steps.push_back(CutStep::Words);
}

void read_step(const Field& step, Reading& reading) {
    const Field type = step.at("type");
    if (reading.byte_level) type.refuse("nothing after ByteLevel");
    if (type.text() == "Digits") return read_digits(step, reading);
    if (type.text() == "ByteLevel") return read_byte_level(step, reading);
    if (type.text() == "Split") return read_split(step, reading);
    type.refuse("\"ByteLevel\", \"Digits\", \"Split\" or a \"Sequence\" of them");
}

}  // namespace

std::vector<CutStep> read_pre_tokenizer(const Field& pre_tokenizer) {
    Reading reading;
    if (pre_tokenizer.json().is_object() && pre_tokenizer.at("type").text() == "Sequence") {
        refuse_unknown_members(pre_tokenizer, {"type", "pretokenizers"});
        const Field list = pre_tokenizer.at("pretokenizers");
        if (list.size() > kMostSteps) list.refuse("at most " + std::to_string(kMostSteps) + " steps");
        for (std::size_t i = 0; i < list.size(); ++i) read_step(list.item(i), reading);
    } else {
        read_step(pre_tokenizer, reading);
    }
    if (!reading.byte_level) pre_tokenizer.refuse("ByteLevel at the end", "none");
    return reading.steps;
}

}  // namespace mor
