"""The gates of a Step, as they are printed, and as yosys writes them for a solver."""

from __future__ import annotations

import tempfile
from pathlib import Path

from amaranth.back import rtlil

from ...hdl import Step
from ...tools.toolchain import find_tools, run_yosys

__all__ = ["as_smt2", "elaborated"]

_SCRIPT = """read_rtlil top.il
hierarchy -top top
proc -norom
flatten
memory_collect
memory_nordff
dffunmap
opt_clean
write_smt2 -wires top.smt2
"""


def elaborated(step: Step) -> str:
    """The RTLIL of a Step."""
    return str(rtlil.convert(step, emit_src=False))


def as_smt2(text: str) -> str:
    """Elaborated RTL as SMT-LIB, by yosys."""
    yosys = find_tools(("yosys",))["yosys"].command
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "top.il").write_text(text)
        run_yosys(yosys, _SCRIPT, work)
        return (work / "top.smt2").read_text()
