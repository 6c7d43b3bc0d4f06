// SPDX-License-Identifier: Apache-2.0
// Stands for cuBLAS on a machine that has none: linked with, then not found.
extern "C" int fake_cublas() { return 0; }
