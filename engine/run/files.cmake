# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    run/compare_rules.cpp
    run/dump.cpp
    run/exits.cpp
    run/finisher.cpp
    run/flops.cpp
    run/forward.cpp
    run/head_reader.cpp
    run/kv_cache.cpp
    run/next_logits.cpp
    run/pass_rows.cpp
    run/pass_selection.cpp
    run/perplexity.cpp
    run/request_checks.cpp
    run/routing.cpp
    run/row_pool.cpp
    run/row_router.cpp
    run/sampler.cpp
    run/scheduler.cpp
    run/session.cpp
    run/token_maker.cpp
)
