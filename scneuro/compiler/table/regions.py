"""Regions: segments as wide as each part of the domain allows."""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

from .segments import Aim, Segments, in_one_memory, lines
from .table import Region

__all__ = ["in_regions"]

_REGIONS = 24
_IN_BLOCK = 5  # log2 of the segments tried in a block before it is split

#: The first address of equal segments, and log2 of their width.
Piece: TypeAlias = tuple[int, int]


def in_regions(aim: Aim) -> Segments | None:
    """The segments that meet the budget; None if they are too many.

    A row counts in the fractions of the widest segments; if it gets too wide, these are narrowed.
    """
    first, last = aim.domain
    for widest in range((last - first).bit_length(), 0, -2):
        pieces = _pieces(aim, first, last, widest)
        if pieces is None:
            return None
        found = _joined(aim, pieces, last)
        if found is not None:
            return found
    return None


def _pieces(aim: Aim, first: int, last: int, widest: int) -> list[Piece] | None:
    """Equal segments, block by block; None if they are too many.

    Every block that some equal segments do not fit is halved, so that segments get narrower
    towards where the function bends.
    """
    size = (last - first).bit_length()
    stack = [(block, size) for block in range(last >> size, (first >> size) - 1, -1)]
    pieces: list[Piece] = []
    rows = 0
    while stack:
        block, size = stack.pop()
        begin, end = max(block << size, first), min(((block + 1) << size) - 1, last)
        if begin > end:
            continue
        for shift in range(min(size, widest), max(size - _IN_BLOCK, 0) - 1, -1):
            if lines(aim, begin, end, shift, shift) is not None:
                rows += (end >> shift) - (begin >> shift) + 1
                pieces.append((begin, shift))
                break
        else:
            if size == 0:
                return None
            stack += [(2 * block + 1, size - 1), (2 * block, size - 1)]
        if rows + len(stack) > aim.most:
            return None
    merged = [pieces[0]]
    for begin, shift in pieces[1:]:
        if shift != merged[-1][1]:
            merged.append((begin, shift))
    merged = _fewer(merged, last)
    return None if sum(_rows_of(merged, last)) > aim.most else merged


def _joined(aim: Aim, pieces: list[Piece], last: int) -> Segments | None:
    """The segments of all pieces in one memory; None if its rows would be too wide."""
    widest = max(shift for _, shift in pieces)
    regions, made, row = [], [], 0
    for (begin, shift), end in zip(pieces, _ends(pieces, last), strict=True):
        found = lines(aim, begin, end, shift, widest)
        if found is None:
            return None
        regions.append(Region(begin, shift, row))
        made.append(found)
        row += len(found.starts)
    return in_one_memory(aim, regions, made, last)


def _ends(pieces: list[Piece], last: int) -> list[int]:
    """The last address of each piece."""
    return [*(begin - 1 for begin, _ in pieces[1:]), last]


def _rows_of(pieces: list[Piece], last: int) -> list[int]:
    """The segments of each piece."""
    return [
        (end >> shift) - (begin >> shift) + 1
        for (begin, shift), end in zip(pieces, _ends(pieces, last), strict=True)
    ]


def _fewer(pieces: list[Piece], last: int) -> list[Piece]:
    """No more pieces than regions: the neighbours that cost the fewest rows become one."""
    pieces = list(pieces)
    while len(pieces) > _REGIONS:
        rows = _rows_of(pieces, last)
        costs = []
        for k, ((_, one), (_, other)) in enumerate(pairwise(pieces)):
            finest = min(one, other)
            merged = (rows[k] << (one - finest)) + (rows[k + 1] << (other - finest))
            costs.append((merged - rows[k] - rows[k + 1], k, finest))
        _, k, finest = min(costs)
        pieces[k : k + 2] = [(pieces[k][0], finest)]
    return pieces
