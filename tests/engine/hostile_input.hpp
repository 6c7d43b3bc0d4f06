// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <QByteArray>
#include <QString>
#include <QTemporaryDir>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "mor/error.hpp"

namespace mor::testing {

/// A folder that disappears with the object, and files in it.
class Folder {
public:
    std::filesystem::path path() const { return dir_.path().toStdString(); }

    std::filesystem::path write(const std::string& name, std::string_view content) const {
        const auto file = path() / name;
        std::ofstream(file, std::ios::binary) << content;
        return file;
    }

private:
    QTemporaryDir dir_;
};

inline std::string read_all(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The sentence of the Error that `action` throws; empty when it succeeds. Anything else it throws fails the test.
template <class Action>
std::string error_of(Action&& action) {
    try {
        action();
        return {};
    } catch (const Error& e) {
        return e.what();
    }
}

/// `content` with one to four bits flipped in its first `range` bytes, the same for the same seed.
inline std::string with_flipped_bits(std::string content, std::size_t range, unsigned seed) {
    std::mt19937 random(seed);
    const unsigned flips = 1 + random() % 4;
    for (unsigned i = 0; i < flips; ++i) {
        auto& byte = content[random() % std::min(range, content.size())];
        byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1u << random() % 8));
    }
    return content;
}

}  // namespace mor::testing

/// Fails unless `sentence` is one line that contains `part`.
#define VERIFY_SENTENCE(sentence, part)                                                                       \
    do {                                                                                                      \
        const std::string verified_ = (sentence);                                                             \
        QVERIFY2(verified_.find(part) != verified_.npos, verified_.empty() ? "no error" : verified_.c_str()); \
        QVERIFY2(verified_.find('\n') == verified_.npos, verified_.c_str());                                  \
    } while (false)
