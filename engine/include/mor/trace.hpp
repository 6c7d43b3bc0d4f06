// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mor/config.hpp"
#include "mor/model.hpp"
#include "mor/record.hpp"
#include "mor/session.hpp"
#include "mor/settings.hpp"

namespace mor {

inline constexpr int kTraceVersion = 1;

/// The first line of a trace: what ran.
struct TraceHeader {
    int version = kTraceVersion;
    std::string engine_version;
    std::string model_name;
    std::string model_hash;
    ModelConfig config;
    std::string prompt;  ///< text as typed; empty when ids were given
    int prompt_tokens = 0;
    int max_tokens = 0;
    Sampling sampling;
    RoutingSettings routing;
    KvPolicy kv_policy = KvPolicy::RecursionWise;
    DType kv_type = DType::F32;
    std::string device;
};

/// The header for one request on one model.
TraceHeader make_header(const ModelInfo&, const Request&, const KvSettings&, std::string prompt_text);

/// A run in memory. Replays and live runs fill the same struct.
struct Trace {
    TraceHeader header;
    std::vector<TokenRecord> tokens;  ///< position order
    std::vector<PassRecord> passes;
    bool torn = false;  ///< the file's last line was incomplete and has been dropped
};

/// Appends a run to a .mortrace file, JSON Lines, one record a line, while it is computed. Whatever add() was given is with
/// the operating system when it returns, so that a crash loses at most the line being written. Throws Error when the disk
/// does. One thread at a time.
class TraceWriter {
public:
    TraceWriter(const std::filesystem::path&, const TraceHeader&);
    ~TraceWriter();
    void add(const TokenRecord&);
    void add(const PassRecord&);
    void add(const Events&);

    /// Records that reach the file with the next flush() or add() only.
    void put(const TokenRecord&);
    void put(const PassRecord&);
    void flush();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Writes a whole run: header, passes, tokens. Others see the file that was there before or the whole new one, on the disk
/// when it returns. Throws Error, and leaves the old file, when the disk does. Some 100 MB of JSON a second; reads nothing
/// but its arguments, so any thread may call it.
void write_trace(const std::filesystem::path&, const Trace&);

/// A TraceWriter on a thread of its own: whoever computes only hands records over. They reach the file in order, some
/// milliseconds later; a crash loses at most kDelay and the line being written. Throws Error when the disk does, or has
/// done since the last call; nothing more is written then.
class TraceRecorder {
public:
    static constexpr std::chrono::milliseconds kDelay{5};
    /// Passes waiting to be written at which add() waits, too.
    static constexpr std::size_t kCapacity = 4096;

    TraceRecorder(const std::filesystem::path&, const TraceHeader&);  ///< the header is in the file when it returns
    ~TraceRecorder();                                                 ///< everything added is
    void add(const Events&);
    void flush();  ///< everything added is in the file when it returns

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Reads a whole .mortrace file. A torn last line is dropped; anything else wrong throws Error naming the line.
Trace read_trace(const std::filesystem::path&);

/// The same records as single lines of JSON, without a line break.
std::string to_json(const TraceHeader&);
std::string to_json(const TokenRecord&);
std::string to_json(const PassRecord&);

}  // namespace mor
