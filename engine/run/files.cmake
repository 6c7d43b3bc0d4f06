# SPDX-License-Identifier: Apache-2.0
target_sources(mor_engine PRIVATE
)
