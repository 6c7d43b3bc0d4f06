// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>

#include "cuda_emulation/runtime.hpp"
#include "cuda_emulation/sanitizers.hpp"

namespace cuda_emulation {

/// Work in a stream: something to run, or to wait until another stream has run its first `count` pieces of work.
struct Work {
    std::function<void()> run;
    std::shared_ptr<Stream> other;
    std::uint64_t count = 0;
    std::unique_ptr<std::uint64_t> tag;  ///< under ThreadSanitizer: what the host did before it put this in
};

/// Under ThreadSanitizer a stream's work is a thread of its own: it comes after what the host did before it put the work
/// in, and the host comes after it only when it waits. Elsewhere this does nothing.
class StreamRole {
public:
    StreamRole();
    ~StreamRole();
    StreamRole(const StreamRole&) = delete;
    StreamRole& operator=(const StreamRole&) = delete;
    template <class Action>
    void play(Action action) {
        void* host = enter();
        action();
        leave(host);
    }

private:
    void* enter();
    void leave(void* host);
    void* fibre_ = nullptr;
};

struct Stream : std::enable_shared_from_this<Stream> {
    unsigned flags = 0;
    Where where;
    std::deque<Work> work;
    std::uint64_t enqueued = 0, done = 0;
    StreamRole role;
    std::uint64_t tag = 0;
};

struct Event {
    bool timing = true;
    Where where;
    std::shared_ptr<Stream> stream;  ///< null: never recorded
    std::uint64_t position = 0;      ///< pieces of work in the stream up to the record
    std::shared_ptr<double> time;    ///< seconds, once the record ran
    std::unique_ptr<std::uint64_t> tag = std::make_unique<std::uint64_t>(0);
};

/// The default stream for null; null for a handle that is none, after saying so.
Stream* checked(cudaStream_t);

/// Puts work behind what is there; runs some of it at once in the modes Eager and Random.
void enqueue(Stream&, std::function<void()>);

/// Runs the stream until `count` pieces of work are done.
void run_until(Stream&, std::uint64_t count);
/// Waits for everything in the stream, for the host.
void finish(Stream&);
void finish_streams();
void forget_streams();
void report_stream_leaks();

}  // namespace cuda_emulation
