"""What a neuron itself costs on a device, without the UART and timers of a board design."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from amaranth.back import rtlil

from ..hdl import Neuron as Gates
from ..neuron import Neuron, need_neuron
from ..tools.toolchain import find_tools, run_tool, run_yosys
from .devices import DEVICES
from .families import NO_CLASHES
from .placement import read_placement

__all__ = ["DEVICES", "measure_area"]


def measure_area(neuron: Neuron, device: str, *, seed: int = 1) -> dict[str, Any]:
    """Synthesise, place and route a neuron alone, its streams on pins, for a 100 MHz clock.

    Parameters
    ----------
    neuron : Neuron
    device : str
        One of :data:`DEVICES`.
    seed : int
        Of placement.

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
    synthesis, place, _ = part.family.tools
    tools = find_tools((synthesis, place))
    gates = Gates(neuron.fixed(), part.form)
    ports = [gates.i.payload.as_value(), gates.i.valid, gates.i.ready]
    ports += [gates.o.payload.as_value(), gates.o.valid, gates.o.ready]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "top.il").write_text(rtlil.convert(gates, ports=ports, emit_src=False))
        script = f"read_rtlil top.il\n{NO_CLASHES}\n{part.synth} -top top -json top.json\n"
        run_yosys(tools[synthesis.name].command, script, work)
        place_command = [
            tools[place.name].command,
            *part.place,
            "--json",
            "top.json",
            "--freq",
            "100",
        ]
        place_command += ["--seed", str(seed), "--report", "report.json", "--timing-allow-fail"]
        run_tool([*place_command, "-q"], work)
        fmax, cells = read_placement(work / "report.json", part.family)
    return {"fmax_mhz": fmax, "used": {n: count["used"] for n, count in cells.items()}}
