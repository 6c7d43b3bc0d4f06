// SPDX-License-Identifier: Apache-2.0
#pragma once

/// CUDA's execution model, runtime and cuBLAS on the CPU, for tests: what engine/backend/cuda/gpu_compat.hpp includes in
/// place of the toolkit. docs/gpu.md says what it finds and what it cannot.
#include "cuda_emulation/cublas.hpp"
#include "cuda_emulation/device_functions.hpp"
#include "cuda_emulation/half.hpp"
#include "cuda_emulation/launch.hpp"
#include "cuda_emulation/runtime.hpp"
#include "cuda_emulation/threads.hpp"
#include "cuda_emulation/types.hpp"
