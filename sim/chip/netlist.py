"""The synthesised netlist of a neuron, run against the integer model.

The netlist is taken as it goes to nextpnr; every cell is replaced by its simulation model, and
the result is compiled and driven as the gates are.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import rtlil

from ...boards.devices import DEVICES
from ...boards.families import NO_CLASHES, CellDesign
from ...boards.memory import stored_form
from ...hdl import Form, build
from ...hdl.population import Population as Gates
from ...neuron import Neuron, need_neuron
from ...population import Population, need_population
from ...signals.stimulus import adversarial
from ...tools.toolchain import YOSYS, find_tools, run_yosys
from ...words import quantize
from ..compare.bits import compare_bits
from ..compare.figures import Mismatch
from ..compare.parity import mismatch_of
from ..contracts.contract import Contract
from ..contracts.neuron import NeuronContract
from ..contracts.population import PopulationContract
from .cells import compile_cells

__all__ = [
    "NetlistParity",
    "netlist_library",
    "netlist_parity",
    "population_netlist_parity",
]

_SCRIPT = """\
read_rtlil design.il
{no_clashes}
{synth} -top top -json top.json
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
        With the signature of :class:`scneuro.hdl.Neuron` or :class:`scneuro.hdl.Population`.
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
    yosys = find_tools((YOSYS,))[YOSYS.name].command
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "design.il").write_text(rtlil.convert(hardware, emit_src=False))
        synth = part.synth_for(hardware)
        run_yosys(yosys, _SCRIPT.format(synth=synth, no_clashes=NO_CLASHES), work)
        netlist = part.family.refined(json.loads((work / "top.json").read_text()))
    netlist["modules"] = {"top": netlist["modules"]["top"]}  # models of cells come by themselves
    design = CellDesign({"netlist.json": json.dumps(netlist)}, "read_json netlist.json\n")
    return compile_cells(part.family, design, cache=cache)


def netlist_parity(
    neuron: Neuron,
    device: str,
    *,
    steps: int = 100_000,
    seed: int = 0,
    library: Path | None = None,
    form: Form | None = None,
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
    form : Form, optional
        Of its datapath; as the device's boards have it by default.
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
    gates = None if library else build(neuron, fixed, form or DEVICES[device].form)
    contract = NeuronContract(gates, fixed)
    words = {
        name: quantize(adversarial(steps, seed=seed + k), name).astype(int)
        for k, name in enumerate(fixed.lowered.inputs)
    }
    bits = 1 + 16 + sum(r.width for r in fixed.lowered.registers.values())
    return _compared(contract, words, neuron.name, device, bits, library, progress=progress)


def population_netlist_parity(
    population: Population,
    device: str,
    *,
    steps: int = 1_000,
    stall: int = 1,
    library: Path | None = None,
    progress: bool = True,
) -> NetlistParity:
    """Run a population's netlist on adversarial input, and compare every bit of every neuron.

    Parameters
    ----------
    population : Population
    device : str
        One of :data:`scneuro.boards.devices.DEVICES`.
    steps : int
    stall : int
        Seed of the clocks in which its spikes are not taken.
    library : path, optional
        A compiled netlist, if not the one :func:`netlist_library` makes now.
    progress : bool

    Raises
    ------
    ToolError
        See :func:`netlist_library`.
    """
    need_population(population, "population_netlist_parity()")
    fixed = population.fixed()
    contract = PopulationContract(Gates(fixed, stored_form(fixed, DEVICES[device])), fixed)
    words = {
        name: _words(steps, population.count, k) for k, name in enumerate(fixed.lowered.inputs)
    }
    widths = [r.width for n, r in fixed.lowered.registers.items() if n in population.state_names]
    bits = population.count * (1 + sum(widths))
    name = f"{population.count} {population.name}"
    return _compared(contract, words, name, device, bits, library, progress=progress, stall=stall)


def _compared(
    contract: Contract,
    words: Mapping[str, np.ndarray],
    name: str,
    device: str,
    bits: int,
    library: Path | None,
    **options: Any,
) -> NetlistParity:
    """The same for gates of any kind, of which ``bits`` are compared in a step."""
    begin = time.monotonic()
    library = library or netlist_library(contract.gates, device)
    made = time.monotonic()
    found = compare_bits(contract, words, to_the_end=False, library=library, **options)
    mismatch = mismatch_of(found, words)
    steps = len(next(iter(words.values()))) if mismatch is None else mismatch.step + 1
    seconds = made - begin, time.monotonic() - made
    return NetlistParity(name, device, steps, steps * bits, mismatch, *seconds)


def _words(steps: int, count: int, seed: int) -> np.ndarray:
    """Adversarial words for every neuron, each its own: parts of one long sequence."""
    whole = quantize(adversarial(steps + 37 * count, seed=seed), "input").astype(int)
    return np.stack([whole[37 * k : 37 * k + steps] for k in range(count)], axis=1)
