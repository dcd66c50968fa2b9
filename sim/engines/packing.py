"""The fields of packed structs, as they enter and leave a simulator."""

from __future__ import annotations

import numpy as np

__all__ = ["CHUNK", "chunked", "packed", "unpack", "unpack_chunks", "valid_bits"]

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


def packed(parts: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """Fields, lowest first, as chunks along a further axis."""
    place, shape = 0, parts[0][0].shape
    total = sum(width for _, width in parts)
    whole = np.zeros((*shape, -(-total // CHUNK)), dtype=np.uint32)
    for values, width in parts:
        bits = values.astype(np.int64) & ((1 << width) - 1)
        chunk, shift = divmod(place, CHUNK)
        whole[..., chunk] |= ((bits << shift) & 0xFFFFFFFF).astype(np.uint32)
        if shift + width > CHUNK:
            whole[..., chunk + 1] |= (bits >> (CHUNK - shift)).astype(np.uint32)
        place += width
    return whole


def valid_bits(fields: dict[str, int]) -> np.ndarray:
    """The bits of a packed struct that say that some of it is there, uint32 of shape (chunks,).

    Those are all of the fields called ``valid``, or ``... valid``.
    """
    parts = [(np.array([-int(n.split()[-1] == "valid")]), width) for n, width in fields.items()]
    (mask,) = packed(parts)
    found: np.ndarray = mask
    return found


def chunked(values: list[int], chunks: int) -> np.ndarray:
    """Packed structs, (T, chunks) of 32 bits, lowest first."""
    rows = [[(value >> (CHUNK * k)) & 0xFFFFFFFF for k in range(chunks)] for value in values]
    return np.array(rows, dtype=np.uint32).reshape(len(rows), chunks)
