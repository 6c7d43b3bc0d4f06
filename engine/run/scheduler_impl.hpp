// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/parts.hpp"
#include "mor/session.hpp"
#include "run/forward.hpp"
#include "run/sequence.hpp"

namespace mor {

/// Of those rows that need them: logits [n, V] in backend memory, and what the backend found in them.
struct HeadRows {
    const float* logits = nullptr;
    std::vector<Pick> picks;
};

struct Scheduler::Impl {
    Impl(std::shared_ptr<const Model>, const KvSettings&);

    Sequence& at(int request);  ///< throws Error for one that is not known

    // scheduler.cpp: which rows go into the next pass
    void admit();
    bool start_chunk(Sequence&);
    std::vector<Chunk*> select();
    void drop_chunk(Sequence&);
    void give_memory_back();

    // finished_tokens.cpp: what becomes of rows that have been through
    void finish_chunk(Sequence&, Events&);
    void read_head(Sequence&, std::vector<FinishedToken>&);
    HeadRows head_rows(Sequence&, std::span<const Row> rows, bool newest);
    void read_exits(Chunk&, std::vector<FinishedToken>&);
    FinishedToken make_token(Sequence&, Row&, bool head) const;
    void decide_next(Sequence&, TokenRecord&);
    void choose_next(Sequence&);
    void end(Sequence&, Finish);
    bool needs_head(const Sequence&, const Row&) const;
    std::vector<Alternative> alternatives(const Pick&, int most) const;
    std::string label(int token) const;

    std::shared_ptr<const Model> model;
    const Model::Parts& parts;
    Plan plan;
    std::vector<int> weights;  ///< [segments] equal numbers may share a pass
    KvPool pool;
    ForwardPass forward;
    std::map<int, std::unique_ptr<Sequence>> sequences;
    int next_id = 0;
    std::int64_t passes = 0;
};

}  // namespace mor
