// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace mor {

/// Every failure the engine reports. what() is one sentence for a person; where it concerns input it names the
/// file, the field, what was expected and what was found.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A device that cannot be used: missing, too old, out of memory or failed. what() says which, and what to do.
class DeviceError : public Error {
public:
    using Error::Error;
};

/// The sentence used for everything wrong in a file: "FILE: FIELD: expected EXPECTED, got GOT".
inline Error bad_input(const std::string& file, const std::string& field, const std::string& expected,
                       const std::string& got) {
    return Error(file + ": " + field + ": expected " + expected + ", got " + got);
}

}  // namespace mor
