"""The signed fields of packed structs, as they leave a simulator."""

from __future__ import annotations

import numpy as np

__all__ = ["CHUNK", "unpack", "unpack_chunks"]

#: Bits of a chunk of cxxrtl's.
CHUNK = 32


def unpack(value: int, widths: dict[str, int]) -> dict[str, int]:
    """The signed fields of a packed struct, lowest first."""
    fields = {}
    for name, width in widths.items():
        bits = value & ((1 << width) - 1)
        fields[name] = bits - (1 << width) if bits >> (width - 1) else bits
        value >>= width
    return fields


def unpack_chunks(chunks: np.ndarray, widths: dict[str, int]) -> dict[str, np.ndarray]:
    """The signed fields of packed structs, (T, chunks) of 32 bits, lowest first, as int64."""
    values, place = {}, 0
    for name, width in widths.items():
        low = np.zeros(len(chunks), dtype=np.uint64)
        for chunk in range(place // CHUNK, -(-(place + width) // CHUNK)):
            part, shift = chunks[:, chunk].astype(np.uint64), chunk * CHUNK - place
            low |= part << np.uint64(shift) if shift >= 0 else part >> np.uint64(-shift)
        high = np.uint64(64 - width)
        values[name] = (low << high).astype(np.int64) >> np.int64(64 - width)
        place += width
    return values
