# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
    model/load.cpp
    model/model.cpp
    model/plan.cpp
)
