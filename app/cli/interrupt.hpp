// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace mor::cli {

/// While it lives, Ctrl-C (SIGINT) or SIGTERM asks for a stop instead of ending the program; a second one ends it at
/// once with exit code 130.
///
/// A thread of its own waits for the signals, so nothing runs in a signal handler. Create it before any other
/// thread: threads inherit the signal mask it sets.
class Interrupt {
public:
    Interrupt();
    ~Interrupt();
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    std::stop_token token() const { return source_.get_token(); }
    bool requested() const { return source_.stop_requested(); }

private:
    void wait();

    std::stop_source source_;
    std::atomic<bool> leaving_{false};
    std::thread waiter_;
};

}  // namespace mor::cli
