"""What a neuron or a population costs on a device, without the UART and timers of a board."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth import Cat, Elaboratable, Module, Signal, Value
from amaranth.back import rtlil
from amaranth.lib.memory import Memory

from ..errors import ToolError
from ..hdl import Form, generated
from ..hdl.network import Network as Net
from ..hdl.population import Population as Many
from ..hdl.stochastic import Layer
from ..network import Network
from ..network.plan import LANES
from ..neuron import Neuron, need_neuron
from ..population import Population
from ..stochastic.layers import SCDenseLayer
from ..tools.toolchain import find_tools, run_tool, run_yosys
from .devices import DEVICES, Device
from .families import NO_CLASHES
from .memory import network_form, stored_form
from .placement import read_placement

__all__ = [
    "DEVICES",
    "Area",
    "least_cells",
    "limits",
    "measure_area",
    "measure_gates",
    "measure_layer",
    "measure_network",
    "measure_population",
]

_PATIENCE = 1200  # s for a placement: on some designs nextpnr goes round for ever
_PINS = 24  # that the words of inputs come in by: a small package has few


@dataclass(frozen=True)
class Area:
    """What a design takes, and how fast it is.

    Attributes
    ----------
    used : dict of str to int
        ``logic``, ``flip_flops``, ``dsp`` and ``ram`` cells, with the first seed.
    fmax_mhz : tuple of float
        By seed of placement.
    path : str
        Where the slowest path begins and ends, with the first seed.
    """

    used: dict[str, int]
    fmax_mhz: tuple[float, ...]
    path: str

    @property
    def best(self) -> float:
        return max(self.fmax_mhz)

    @property
    def median(self) -> float:
        return statistics.median(self.fmax_mhz)


def measure_area(
    neuron: Neuron, device: str, *, seed: int = 1, form: Form | None = None
) -> dict[str, Any]:
    """Synthesise, place and route a neuron alone, its streams on pins, for a 100 MHz clock.

    Parameters
    ----------
    neuron : Neuron
    device : str
        One of :data:`DEVICES`.
    seed : int
        Of placement.
    form : Form, optional
        Of its datapath, which is held; as the device's boards have it by default.

    Returns
    -------
    dict
        ``fmax_mhz``, and ``used``: ``logic``, ``flip_flops``, ``dsp`` and ``ram`` cells.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    need_neuron(neuron, "measure_area()")
    part = DEVICES[device]
    gates = generated(neuron.fixed(), form or part.form)
    ports = [gates.i.payload.as_value(), gates.i.valid, gates.i.ready]
    ports += [gates.o.payload.as_value(), gates.o.valid, gates.o.ready]
    found = _measured(gates, ports, part, [seed])
    return {"fmax_mhz": found.best, "used": found.used}


def measure_population(population: Population, device: str, *, seeds: Iterable[int] = (1,)) -> Area:
    """The same of a population: its streams on pins, those of what leaves it folded into one.

    Where the words of its inputs are wider than 24 bits, some share a pin.

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the device has no room for it.
    """
    part = DEVICES[device]
    top = _OnPins(population, part)
    return _measured(top, top.ports, part, seeds, top.gates)


def least_cells(population: Population, device: str) -> dict[str, int]:
    """What it takes at least, by what yosys counts: ``logic``, ``dsp`` and ``ram`` cells.

    Raises
    ------
    ToolError
        If yosys is missing or fails.
    """
    part = DEVICES[device]
    top = _OnPins(population, part)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _synthesize(top, top.ports, part, work, top.gates)
        text = (work / "stat.json").read_text()
    cells = json.loads(text[text.index("{") :])["design"]["num_cells_by_type"]
    return part.family.least(cells)


def measure_layer(layer: SCDenseLayer, device: str, *, seeds: Iterable[int] = (1,)) -> Area:
    """The same of a layer of stochastic computing: its words and spike counts on pins.

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the device has no room for it.
    """
    part = DEVICES[device]
    fixed = layer.fixed()
    gates = Layer(fixed, stored_form(fixed.population, part))
    ports = [gates.i.payload, gates.i.valid, gates.i.ready]
    ports += [gates.o.payload, gates.o.valid, gates.o.ready]
    return _measured(gates, ports, part, seeds, gates)


def measure_gates(
    gates: Any, ports: list[Value], device: str, *, seeds: Iterable[int] = (1,)
) -> Area:
    """The same of any hardware, with some of its signals on pins.

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the device has no room for it.
    """
    return _measured(gates, ports, DEVICES[device], seeds)


def limits(device: str, *, width: int = 24, seeds: Iterable[int] = (1,)) -> dict[str, Area]:
    """What the device could do: an adder between registers, a multiplier, a memory."""
    part = DEVICES[device]
    found = {}
    for what in ("adder", "multiplier", "memory"):
        if what == "multiplier" and not part.dsps:
            continue
        bare = _Bare(what, width)
        found[what] = _measured(bare, [bare.i, bare.o], part, seeds)
    return found


class _OnPins(Elaboratable):
    """A population as a device has it, what leaves it folded into one register."""

    def __init__(self, population: Population, part: Device) -> None:
        fixed = population.fixed()
        self.gates = gates = Many(fixed, stored_form(fixed, part))
        self._width = len(gates.i.payload.as_value())
        self.pins, self.left = Signal(min(self._width, _PINS)), Signal()
        self.ports = [self.pins, self.left, gates.i.valid, gates.i.ready, gates.tick, gates.ready]
        self.ports += [gates.done, gates.o.valid, gates.o.ready]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.population = gates = self.gates
        bits = [self.pins[k % len(self.pins)] for k in range(self._width)]
        for k, bit in enumerate(bits):
            m.d.comb += gates.i.payload.as_value()[k].eq(bit)
        m.d.sync += self.left.eq(gates.o.payload.as_value().xor())
        return m


class _Bare(Elaboratable):
    """A single part between registers that are filled and emptied a bit a clock."""

    def __init__(self, what: str, width: int) -> None:
        self._what, self._width = what, width
        self.i, self.o = Signal(), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = 16 if self._what == "multiplier" else self._width
        a, b, result = Signal(width), Signal(width), Signal(2 * width)
        m.d.sync += [Cat(a, b).eq(Cat(self.i, a, b)), self.o.eq(result.xor())]
        if self._what == "adder":
            m.d.sync += result.eq(a + b)
        elif self._what == "multiplier":
            m.d.sync += result.eq(a.as_signed() * b.as_signed())
        else:
            m.submodules.memory = memory = Memory(shape=width, depth=256, init=[])
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [write.addr.eq(a), write.data.eq(b), write.en.eq(a[-1])]
            m.d.comb += read.addr.eq(b)
            m.d.sync += result.eq(read.data)
        return m


def _measured(
    top: Any, ports: list[Value], part: Device, seeds: Iterable[int], gates: Any = None
) -> Area:
    """Synthesise a design, with some hardware in it, once, and place it with every seed."""
    place = part.family.tools[1]
    tools = find_tools((place,))
    frequencies: list[float] = []
    used: dict[str, int] = {}
    path = ""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _synthesize(top, ports, part, work, gates)
        for seed in seeds:
            command = [tools[place.name].command, *part.place, "--json", "top.json"]
            command += ["--freq", "100", "--seed", str(seed), "--report", "report.json"]
            run_tool([*command, "--timing-allow-fail", "-q"], work, _PATIENCE)
            fmax, cells = read_placement(work / "report.json", part.family)
            frequencies.append(fmax)
            if not used:
                used = {name: count["used"] for name, count in cells.items()}
                path = _slowest(work / "report.json")
    if not frequencies:
        raise ToolError("nothing was placed: give a seed")
    return Area(used, tuple(frequencies), path)


def _synthesize(top: Any, ports: list[Value], part: Device, work: Path, gates: Any) -> None:
    """Leave ``top.json`` in a folder, and in ``stat.json`` the cells."""
    (work / "top.il").write_text(rtlil.convert(top, ports=ports, emit_src=False))
    script = f"read_rtlil top.il\n{NO_CLASHES}\n{part.synth_for(gates)} -top top -json top.json\n"
    yosys = find_tools((part.family.tools[0],))[part.family.tools[0].name].command
    run_yosys(yosys, script + "tee -q -o stat.json stat -json\n", work)
    part.family.refine(work / "top.json")


def _slowest(report: Path) -> str:
    """Where nextpnr's slowest path begins and ends."""
    paths = json.loads(report.read_text()).get("critical_paths") or []
    clocked = [p["path"] for p in paths if p["path"] and _is_clocked(p)]
    if not clocked:
        return ""
    path = max(clocked, key=lambda steps: sum(step["delay"] for step in steps))
    return f"{_named(path[0]['from'])} to {_named(path[-1]['to'])}"


def _is_clocked(path: dict[str, Any]) -> bool:
    """Whether it goes from a register to a register, and not to a pin."""
    return all(path[end].startswith("posedge") for end in ("from", "to"))


def _named(pin: dict[str, Any]) -> str:
    """A cell by the signal it was named after."""
    name: str = pin["cell"].split("_SB_")[0].split("_TRELLIS")[0].split("_LUT4")[0]
    return f"{name} {pin['port']}".removeprefix("population.")


def measure_network(
    network: Network,
    device: str,
    *,
    lanes: int = LANES,
    loaded: bool = False,
    seeds: Iterable[int] = (1,),
) -> Area:
    """The same of a network: its streams on pins, its weights in block RAM or loaded.

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the device has no room for it.
    """
    part = DEVICES[device]
    top = _NetworkOnPins(Net(network.fixed(), lanes, network_form(part), loaded=loaded))
    return _measured(top, top.ports, part, seeds, top.gates)


class _NetworkOnPins(Elaboratable):
    """A network whose words come in by a few pins, those that leave folded into one."""

    def __init__(self, gates: Net) -> None:
        self.gates = gates
        self._pins, self._left = Signal(8), Signal()
        self.ports = [self._pins, self._left, gates.i.valid, gates.i.ready, gates.o.valid]
        self.ports += [gates.o.ready, gates.tick, gates.done]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.network = gates = self.gates
        kept = Signal(16)
        m.d.sync += [kept.eq(Cat(self._pins, kept)), self._left.eq(gates.o.payload.xor())]
        m.d.comb += gates.i.payload.eq(kept)
        return m
