"""Whether a design fits its device, by the cells that are known so far."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import DoesNotFit
from .table import BOARDS, Board

__all__ = ["counted", "does_not_fit", "few", "in_words", "packed", "synthesized", "too_many"]

_NAMED = 3  # boards
_CALLED = {"logic": "logic cells", "flip_flops": "flip-flops", "dsp": "DSPs", "ram": "RAMs"}


def synthesized(stat: Path, board: Board) -> dict[str, dict[str, int]]:
    """Cells ``used``, at least, and ``available``, by what yosys counts after synthesis."""
    text = stat.read_text()
    cells = json.loads(text[text.index("{") :])["design"]["num_cells_by_type"]
    part = board.part
    available = {"logic": part.logic, "dsp": part.dsps, "ram": part.rams}
    return {
        kind: {"used": used, "available": available[kind]}
        for kind, used in part.family.least(cells).items()
    }


def packed(log: Path, board: Board) -> dict[str, dict[str, int]]:
    """The same by nextpnr's log, where it came so far as to count them."""
    if not log.is_file():
        return {}
    names = {cell: kind for kind, cell in board.part.family.cells.items()}
    rows = re.findall(r"Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", log.read_text(errors="replace"))
    return {
        names[cell]: {"used": int(used), "available": int(most)}
        for cell, used, most in rows
        if cell in names
    }


def too_many(cells: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether more are used than there are."""
    return any(count["used"] > count["available"] for count in cells.values())


def in_words(cells: Mapping[str, Mapping[str, int]]) -> str:
    """Such as ``4,072 of 5,280 logic cells, 8 of 8 DSPs``; what there is none of is left out."""
    return ", ".join(
        f"{count['used']:,} of {count['available']:,} {_CALLED[kind]}"
        for kind, count in cells.items()
        if count["used"]
    )


def does_not_fit(
    neuron: str, board: Board, cells: Mapping[str, Mapping[str, int]], least: str = ""
) -> DoesNotFit:
    """The refusal, with the numbers and what would fit."""
    holding = [b.name for b in BOARDS.values() if b != board and _holds(b, cells)]
    larger = f"{few(holding)} would hold it; " if holding else ""
    return DoesNotFit(
        f"{neuron} does not fit {board.title} ({board.device}): it takes {least}{in_words(cells)}",
        f"{larger}a larger --budget makes smaller hardware, and so do narrower State(range=...)",
    )


def counted(count: int, what: str) -> str:
    """So many of something."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def few(names: Sequence[str]) -> str:
    """Some of many names, and how many there are besides."""
    named, more = list(names[:_NAMED]), len(names[_NAMED:])
    if more:
        named.append(f"{more} more")
    first, last = ", ".join(named[:-1]), "".join(named[-1:])
    return " and ".join(filter(None, (first, last)))


def _holds(board: Board, cells: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether another board surely has room, whatever its family makes of the design."""
    part = board.part
    available = {"logic": part.logic // 2, "dsp": part.dsps, "ram": part.rams}
    return all(count["used"] <= available.get(kind, count["used"]) for kind, count in cells.items())
