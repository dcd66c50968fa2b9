"""The synthesised netlist of a neuron, run against the integer model.

yosys' netlist is taken as it goes to nextpnr; every cell is replaced by its simulation model, and
the result is compiled and driven as the gates are.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from ...boards.devices import AFTER_READ, DEVICES
from ...boards.families import CellDesign
from ...hdl import build
from ...neuron import Neuron, need_neuron
from ...signals.stimulus import adversarial
from ...words import quantize
from ..compare.figures import Mismatch
from ..compare.parity import bit_parity
from ..engines.compiled import compiled_stretches
from .cells import compile_cells

__all__ = ["NetlistParity", "netlist_library", "netlist_parity"]

_SCRIPT = """\
read_rtlil design.il
{after_read}
{synth} -top top
select -clear
select top
write_rtlil -selected netlist.il
design -reset
read_rtlil netlist.il
"""


@dataclass(frozen=True)
class NetlistParity:
    """A netlist against the integer model.

    Attributes
    ----------
    neuron, device : str
    steps : int
        Steps that were compared.
    bits : int
        Bits that were compared: spike, output word and registers of every step.
    mismatch : Mismatch or None
        The first step that differs.
    compile_seconds, seconds : float
        To synthesise and compile (nothing if that was done before), and to run both.
    """

    neuron: str
    device: str
    steps: int
    bits: int
    mismatch: Mismatch | None
    compile_seconds: float
    seconds: float

    @property
    def ok(self) -> bool:
        return self.mismatch is None

    def figures(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    def __str__(self) -> str:
        verdict = "0 differing bits" if self.ok else f"DIFFERS: {self.mismatch}"
        return (
            f"{self.neuron}, netlist for {self.device}: {self.steps:,} steps, {self.bits:,} bits, "
            f"{verdict} ({self.compile_seconds:.0f} s to make, {self.seconds:.0f} s to run)"
        )


def netlist_library(hardware: Any, device: str, *, cache: Path | None = None) -> Path:
    """A neuron's hardware, synthesised for a device and compiled cell by cell.

    Parameters
    ----------
    hardware : Component
        With the signature of :class:`scneuro.hdl.Neuron`.
    device : str
        One of :data:`scneuro.boards.devices.DEVICES`.
    cache : path, optional
        As for :func:`scneuro.sim.engines.compiled.compile_design`.

    Raises
    ------
    ToolError
        If yosys or a C++ compiler is missing, or fails; also if the netlist has a cell without a
        model.
    """
    part = DEVICES[device]
    files = {"design.il": rtlil.convert(hardware, emit_src=False)}
    design = CellDesign(files, _SCRIPT.format(after_read=AFTER_READ, synth=part.synth))
    return compile_cells(part.family, design, cache=cache)


def netlist_parity(
    neuron: Neuron,
    device: str,
    *,
    steps: int = 100_000,
    seed: int = 0,
    library: Path | None = None,
    progress: bool = True,
) -> NetlistParity:
    """Run a neuron's netlist freely on adversarial input, and compare every bit of every step.

    Parameters
    ----------
    neuron : Neuron
    device : str
        One of :data:`scneuro.boards.devices.DEVICES`.
    steps : int
    seed : int
        Of the input.
    library : path, optional
        A compiled netlist, if not the one :func:`netlist_library` makes now.
    progress : bool

    Raises
    ------
    ToolError
        See :func:`netlist_library`.
    """
    need_neuron(neuron, "netlist_parity()")
    fixed = neuron.fixed()
    begin = time.monotonic()
    if library is None:
        library = netlist_library(build(neuron, fixed, DEVICES[device].form), device)
    made = time.monotonic()
    words = {
        name: quantize(adversarial(steps, seed=seed + k), name).astype(int)
        for k, name in enumerate(fixed.lowered.inputs)
    }
    gates = compiled_stretches(None, fixed, words, library=library)
    _, mismatch = bit_parity(fixed, words, gates, progress)
    bits = 1 + 16 + sum(r.width for r in fixed.lowered.registers.values())
    compared = steps if mismatch is None else mismatch.step + 1
    return NetlistParity(
        neuron.name,
        device,
        compared,
        compared * bits,
        mismatch,
        made - begin,
        time.monotonic() - made,
    )
