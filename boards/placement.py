"""Reading nextpnr's own report: the frequency reached, and the cells used under common names."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import ToolError
from .families import Family

__all__ = ["read_placement"]


def read_placement(path: Path, family: Family) -> tuple[float, dict[str, dict[str, int]]]:
    """Fmax in MHz, and the cells ``used`` and ``available``.

    ``logic`` are iCE40's logic cells or ECP5's LUTs; ``flip_flops`` are counted where they are
    cells of their own.

    Raises
    ------
    ToolError
        If the design has no clock.
    """
    report = json.loads(path.read_text())
    if not report["fmax"]:
        raise ToolError("nextpnr reports no clock: the design has no registers")
    cells = report["utilization"]
    used = {
        label: {n: int(cells[kind][n]) for n in ("used", "available")}
        for label, kind in family.cells.items()
        if kind in cells
    }
    return round(min(clock["achieved"] for clock in report["fmax"].values()), 2), used
