"""A design of a device's own cells, as a compiled library: each cell by its simulation model."""

from __future__ import annotations

from pathlib import Path

from ...boards.families import CellDesign, Family
from ..engines.compiled import compile_design

__all__ = ["compile_cells"]

_FLAT = "hierarchy -check -top top\nproc\nflatten\nopt_expr\nopt_clean\n"


def compile_cells(family: Family, design: CellDesign, *, cache: Path | None = None) -> Path:
    """Compile a design of cells.

    Parameters
    ----------
    family : Family
        Whose cells they are.
    design : CellDesign
    cache : path, optional
        As for :func:`scneuro.sim.engines.compiled.compile_design`.

    Raises
    ------
    ToolError
        If yosys or a C++ compiler is missing, or fails; also if there is a cell without a model.
    """
    files = {**design.files, **family.model_files()}
    script = design.read + family.models + design.over + _FLAT
    return compile_design(files, script, optimize="-O1", many=True, cache=cache)
