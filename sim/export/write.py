"""From a neuron, a population or a network to a folder of Verilog."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ... import __version__
from ...given import whole
from ...hdl import Form
from ...hdl.flat import CLOCK, Port, plain
from ...network import Network
from ...neuron import Neuron, need_neuron
from ...population import Population
from ...tools.files import writable_folder, write_all
from .designs import Design, design_of
from .testbench import testbench
from .verilog import KEYWORDS, verilog

__all__ = ["Export", "export_verilog"]

_STEPS = 100


@dataclass(frozen=True)
class Export:
    """What was written.

    Attributes
    ----------
    name : str
        Of the module.
    says : str
        What it is.
    folder : str
    files : tuple of str
        In the folder.
    ports : tuple of Port
        Of the module.
    steps, values : int
        Time steps of the testbench's vectors, and values that it compares.
    """

    name: str
    says: str
    folder: str
    files: tuple[str, ...]
    ports: tuple[Port, ...]
    steps: int
    values: int

    def figures(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    def __str__(self) -> str:
        n = self.name
        memories = sum(re.fullmatch(rf"{n}-\d+\.mem", file) is not None for file in self.files)
        beside = f", {memories} memory file{'s' * (memories > 1)}" * bool(memories)
        compared = f"{self.steps:,} steps, {self.values:,} values of the integers"
        run = f"iverilog -o {n}_tb {n}.v {n}_tb.v && vvp {n}_tb"
        return "\n".join(
            [
                f"{self.says}, as Verilog-2001 in {self.folder}",
                f"  module     {n}.v, {len(self.ports)} ports{beside}",
                f"  ports      {n}_ports.txt, {n}_ports.json",
                f"  testbench  {n}_tb.v: {compared}",
                f"  run it     cd {shlex.quote(self.folder)} && {run}",
            ]
        )


def export_verilog(
    target: Neuron | Population | Network,
    folder: Path | str,
    *,
    stimulus: Any = None,
    steps: int = _STEPS,
    lanes: int | None = None,
    form: Form | None = None,
) -> Export:
    """Write a design as plain Verilog-2001, with memory files, a testbench and a list of its ports.

    Parameters
    ----------
    target : Neuron, Population or Network
    folder : path
        Gets ``NAME.v``, ``NAME-1.mem`` and so on, ``NAME_ports.txt``, ``NAME_ports.json``, and
        ``NAME_tb.v`` with its vectors. All of them are written or none.
    stimulus : optional
        As :func:`~scneuro.sim.parity`, :func:`~scneuro.sim.population_parity` or
        :func:`~scneuro.sim.network_parity` takes it; what drives the vectors. By default
        typical currents of a neuron, then what breaks careless hardware.
    steps : int
        Of the vectors, where there is no stimulus.
    lanes : int, optional
        Weights that a network adds in a clock.
    form : Form, optional
        Of a single neuron.

    Raises
    ------
    ValueError, TypeError, ScneuroError
        As they do.
    ToolError
        If yosys is missing or fails.
    FileTrouble
        The files cannot be written.
    """
    if not isinstance(target, Population | Network):
        need_neuron(target, "export_verilog()")
    steps = whole("steps", steps)
    folder = writable_folder(folder)
    name = _called(target)
    made = design_of(target, stimulus, steps=steps, lanes=lanes, form=form)
    ports = (*CLOCK, *made.top.ports.values())
    files = verilog(made.top, name, f"{made.says}. Written by scneuro {__version__}.")
    memories = list(files)[1:]
    files[f"{name}_ports.txt"] = _listed(name, made, ports, memories)
    listed = {"module": name, "says": made.says, "ports": [asdict(p) for p in ports]}
    files[f"{name}_ports.json"] = json.dumps(listed, indent=2) + "\n"
    files[f"{name}_tb.v"] = testbench(
        name,
        f"Gives {name} {made.steps:,} steps, and compares what comes out with scneuro's integers.",
        tuple(made.top.ports.values()),
        made.given,
        made.watched,
        tick=made.tick,
        patience=made.patience,
    )
    tables = [made.given, *(watch.table for watch in made.watched)]
    files |= {f"{name}_{table.name}.mem": table.text() for table in tables}
    write_all(folder, {file: text.encode() for file, text in files.items()})
    for old in folder.glob(f"{name}-*.mem"):  # of another time, with more memories
        if old.name not in files:
            old.unlink()
    values = sum(int(t.values.size if t.known is None else t.known.sum()) for t in tables[1:])
    return Export(name, made.says, str(folder), tuple(files), ports, made.steps, values)


def _called(target: Neuron | Population | Network) -> str:
    """The module's name."""
    parts = [target.name]
    if not isinstance(target, Network):
        neuron = target.neuron if isinstance(target, Population) else target
        parts += [neuron.spec.preset] if neuron.spec.preset else []
    if isinstance(target, Population):
        parts.append(f"x{target.count}")
        parts += [f"{target.lanes}lanes"] * (target.lanes > 1)
        parts += [f"every{target.interval}"] * (target.interval > 1)
    name = plain("_".join(parts)).lower()
    return f"scneuro_{name}" if name in KEYWORDS or not name[0].isalpha() else name


def _listed(name: str, made: Design, ports: Sequence[Port], memories: Sequence[str]) -> str:
    """The ports as a text to read."""
    rows = [("port", "way", "bits", "number", "is")]
    for port in ports:
        form = "signed, " if port.signed else "unsigned, "
        form += f"{port.fraction} fraction bits" + f", {port.unit}" * bool(port.unit)
        form = "" if port.fraction is None else form
        rows.append((port.name, port.direction, str(port.width), form, port.says))
    wide = [max(len(row[k]) for row in rows) for k in range(4)]
    listed = ["  ".join([*map(str.ljust, row, wide), row[4]]).rstrip() for row in rows]
    beside = ""
    if memories:
        last = f" to {memories[-1]}" * (len(memories) > 1)
        beside = f" Its memories are filled from {memories[0]}{last}, which tools look for where "
        beside += "they are run."
    meaning = "A number is its bits, divided by 2 to the power of its fraction bits."
    return "\n".join(
        [
            f"{name}: {made.says}",
            "",
            *textwrap.wrap(made.use + beside, 100),
            "",
            *listed,
            "",
            meaning,
            "",
        ]
    )
