// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/json.hpp"
#include "io/json_writer.hpp"
#include "mor/trace.hpp"

/// The .mortrace format, version 1: JSON Lines in UTF-8, one record a line, appended and flushed pass by pass.
///
/// Line 1 is the header, every other line a record; "type" says which. Readers skip types and keys they do not know,
/// so that later versions may add records (settings changed during a run, for instance) without a new version number.
///
///     {"type":"header","version":1,"engine_version":"0.1.0","model_name":"...","model_hash":"16 digits",
///      "config":{...},                  as config.json has it, the keys of LlamaConfig only
///      "mor":{...},                     as mor.json has it; absent for vanilla
///      "prompt":"...","prompt_tokens":5,"max_tokens":64,
///      "sampling":{"temperature":0,"top_k":0,"top_p":1,"seed":1},
///      "routing":{"rule":"threshold","threshold":0.5,"head":"model","fixed_depth":2,"forced_depth":[[POSITION,DEPTH],...]},
///      "kv_policy":"recursion-wise","kv_type":"f32","device":"..."}
///     {"type":"token","request":0,"position":0,"token":17,"piece":" the","label":" the","prompt":true,"depth":2,
///      "recursions":[{"outcome":"take","logit":0.3,"aux":0.1,"score":0.57,"gate":0.06,"margin":0.3},...],   one per
///      recursion "kv":{"used":[...],"reserved":[...],"vanilla":512},                    bytes; outside, then one per
///      recursion "flops":1000,"flops_vanilla":2000,"logprob":-1.5, "top":[{"token":17,"piece":"
///      the","logprob":-1.5},...],"exits":[{"recursion":0,"top":[...]},...], "time_ms":12.5,"finish":"eos"}
///     {"type":"pass","segment":1,"rows":[{"request":0,"position":0,"recursion":0,"outcome":"take","logit":0.3,...},...],
///      "computed_rows":1,"waiting":0,"running":1,"milliseconds":0.4,"kv_blocks_in_use":3,"kv_blocks_total":64}
///
/// Numbers that were never evaluated (NaN) are left out; infinities are the strings "inf" and "-inf". Empty lists,
/// "prompt":false, "finish":"none", "recursion":-1 and "outcome":"not-offered" are left out too.
///
/// Positions of one request ascend and stay below the context; token ids stay below vocab_size; depths, recursions and
/// lists by recursion fit num_recursion. A last line without a line break is torn where it is no JSON, and dropped.
namespace mor {

void write_json(JsonWriter&, const TokenRecord&);
void write_json(JsonWriter&, const PassRecord&);

TraceHeader read_header(const Field&);
TokenRecord read_token(const Field&, const ModelConfig&);
PassRecord read_pass(const Field&, const ModelConfig&);

}  // namespace mor
