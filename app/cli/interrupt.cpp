// SPDX-License-Identifier: Apache-2.0
#include "interrupt.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

namespace mor::cli {

namespace {

constexpr int kInterruptedExit = 130;  ///< what shells report for a program ended by Ctrl-C

sigset_t watched_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

}  // namespace

Interrupt::Interrupt() {
    const sigset_t set = watched_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    waiter_ = std::thread([this] { wait(); });
}

Interrupt::~Interrupt() {
    leaving_ = true;
    pthread_kill(waiter_.native_handle(), SIGTERM);  // only this thread takes it, to see `leaving_`
    waiter_.join();
    const sigset_t set = watched_signals();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void Interrupt::wait() {
    const sigset_t set = watched_signals();
    int signal = 0;
    while (sigwait(&set, &signal) == 0) {
        if (leaving_) return;
        if (!source_.request_stop()) _exit(kInterruptedExit);
    }
}

}  // namespace mor::cli
