"""A design of a device's own cells, as a compiled library: each cell by its simulation model.

yosys ships the vendors' models of most cells; ``ecp5_cells.v`` has those that are missing.
"""

from __future__ import annotations

from pathlib import Path

from ..engines.compiled import compile_design

__all__ = ["compile_cells"]

_ECP5_CELLS = Path(__file__).with_name("ecp5_cells.v")
_MODELS = {
    "ice40": "read_verilog -defer +/ice40/cells_sim.v\n",
    "ecp5": "read_verilog -defer -overwrite +/ecp5/cells_sim.v cells.v\n",
}
_FLAT = "hierarchy -check -top top\nproc\nflatten\nopt_expr\nopt_clean\n"


def compile_cells(
    family: str, files: dict[str, str], read: str, *, over: str = "", cache: Path | None = None
) -> Path:
    """Compile a design of cells.

    Parameters
    ----------
    family : {"ice40", "ecp5"}
    files : dict of str to str
        What yosys is to read, by file name.
    read : str
        Commands that leave the design, whose top is ``top``, as nothing but cells.
    over : str
        Commands that read other models over the usual ones.
    cache : path, optional
        As for :func:`scneuro.sim.engines.compiled.compile_design`.

    Raises
    ------
    ToolError
        If yosys or a C++ compiler is missing, or fails; also if there is a cell without a model.
    """
    if family == "ecp5":
        files = {**files, "cells.v": _ECP5_CELLS.read_text(encoding="utf-8")}
    script = read + _MODELS[family] + over + _FLAT
    return compile_design(files, script, optimize="-O1", cache=cache)
