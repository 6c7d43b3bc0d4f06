# SPDX-License-Identifier: Apache-2.0
"""Writes bf16 tensors as safetensors with numpy alone, so that an import needs no PyTorch."""
import json
from pathlib import Path

import numpy as np


def to_bf16(values: np.ndarray) -> np.ndarray:
    """The upper halves of float32 numbers as uint16, rounded to nearest, ties to even. Finite numbers only."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    return ((bits + (0x7FFF + (bits >> 16 & 1))) >> 16).astype(np.uint16)


def write_bf16(path: Path, tensors: dict[str, np.ndarray]) -> int:
    """`tensors`: bit patterns from to_bf16. Returns the number of bytes written; the file appears when it is whole."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, bits in tensors.items():
        header[name] = {"dtype": "BF16", "shape": list(bits.shape), "data_offsets": [offset, offset + bits.nbytes]}
        offset += bits.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for bits in tensors.values():
            out.write(np.ascontiguousarray(bits, dtype="<u2").data)
    part.replace(path)
    return 8 + len(text) + offset
