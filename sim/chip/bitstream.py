"""The packed bitstream, turned back into logic and run through its pins.

iCE40: Project IceStorm's ``iceunpack`` and ``icebox_vlog`` read the very bits that go to the flash
and write them as Verilog: LUTs, carries, flip-flops, block RAMs, wires. ECP5: Project Trellis
unpacks a bitstream into settings of tiles, but no open tool turns those back into logic; so the
netlist is taken as nextpnr writes it after routing, of a build with the same bytes.

Either is compiled and runs on the board's clock; bytes go in at the UART's pin, frames come out at
it, and each is compared with the integer model.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ...boards.build import Build, finished_build
from ...boards.table import Board
from ...errors import ScneuroError
from ...hdl.link import FrameReader, Sample
from ...hdl.uart import divisor, levels
from ...neuron import Neuron
from ...tools.toolchain import find_tools, run_tool
from ..board import expected_samples
from ..engines.compiled import Compiled
from .cells import compile_cells

__all__ = ["BitstreamParity", "bitstream_parity", "bitstream_samples"]

_ROUTED = Path(__file__).with_name("ecp5_routed.v")
_READ_ROUTED = "read_json routed.json\nsetattr -unset hdlname w:*\n"  # a pin's name is its wire's
_BITS = 8 + 16 + 16  # spikes, V and I of a frame
_BYTE = 0x6E
_COMB = {"A", "B", "C", "D", "M", "FCI", "F1", "FXA", "FXB", "F", "FCO", "OFX"}


@dataclass(frozen=True)
class BitstreamParity:
    """A bitstream against the integer model, through its pins.

    Attributes
    ----------
    neuron, board : str
    what : str
        What was run.
    sha256 : str
        Of the bitstream.
    steps, clocks : int
        Time steps that were compared, and clocks that were simulated.
    bits : int
        Bits that were compared: spikes, V and I of every frame.
    currents : int
        How many currents were selected by bytes on the UART.
    difference : str
        Empty, or the first frame that is not the model's.
    compile_seconds, seconds : float
        To unpack and compile, and to run.
    """

    neuron: str
    board: str
    what: str
    sha256: str
    steps: int
    clocks: int
    bits: int
    currents: int
    difference: str
    compile_seconds: float
    seconds: float

    @property
    def ok(self) -> bool:
        return not self.difference

    def figures(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    def __str__(self) -> str:
        verdict = self.difference or "0 differing bits"
        return (
            f"{self.neuron} on {self.board}, {self.what}: {self.steps:,} steps through the pins, "
            f"{self.bits:,} bits, {self.currents} currents, {verdict} "
            f"({self.compile_seconds:.0f} s to make, {self.seconds:.0f} s to run)"
        )


def bitstream_parity(
    neuron: Neuron, board: Board, *, steps: int = 10_000, progress: bool = True
) -> BitstreamParity:
    """Build a bitstream, turn it back into logic, and compare what its UART sends with the model.

    Parameters
    ----------
    neuron : Neuron
    board : Board
        A UP5K is built without DSP cells for this, as ``icebox_vlog`` cannot read them back.
    steps : int
        Time steps; the currents change that often that each has its turn.
    progress : bool

    Raises
    ------
    ToolError
        A tool is missing: yosys, nextpnr, a C++ compiler, for iCE40 ``icebox_vlog``.
    """
    begin = time.monotonic()
    turned_back = _ice40 if "icepack" in board.tools else _ecp5
    build, library, what = turned_back(neuron, board, progress)
    made = time.monotonic()
    frames = -(-steps // build.plan.every)
    samples, clocks = bitstream_samples(library, board, build, frames, progress=progress)
    expected = expected_samples(build.fixed, build.plan, [s.i for s in samples])
    seen = sorted({s.i for s in samples})
    difference = ""
    if strange := [word for word in seen if word not in build.plan.currents]:
        difference = f"a current of {strange[0] / 256:g} that was never asked for"
    for number, (found, wanted) in enumerate(zip(samples, expected, strict=True)):
        if found != wanted:
            difference = f"frame {number} is {found}, not {wanted}"
            break
    content = (build.folder / f"top{board.suffix}").read_bytes()
    return BitstreamParity(
        neuron.name,
        board.name,
        what,
        hashlib.sha256(content).hexdigest(),
        len(samples) * build.plan.every,
        clocks,
        len(samples) * _BITS,
        len(seen),
        difference,
        made - begin,
        time.monotonic() - made,
    )


# -- back to logic ---------------------------------------------------------------------------------
def _ice40(neuron: Neuron, board: Board, progress: bool) -> tuple[Build, Path, str]:
    tools = find_tools(("iceunpack", "icebox_vlog"))
    build = finished_build(neuron, replace(board, dsp=0, synth=""), progress=progress)
    folder = build.folder
    text = run_tool([tools["iceunpack"].command, "top.bin"], folder)
    unpacked = folder / "unpacked.asc"
    unpacked.write_text(text)
    chip = run_tool(
        [tools["icebox_vlog"].command, "-s", "-n", "top", "-p", "top.pcf", unpacked.name], folder
    )
    library = compile_cells("ice40", {"chip.v": chip}, "read_verilog chip.v\n")
    return build, library, "bitstream unpacked"


def _ecp5(neuron: Neuron, board: Board, progress: bool) -> tuple[Build, Path, str]:
    routed = finished_build(neuron, board, options="--write routed.json", progress=progress)
    build = finished_build(neuron, board, progress=progress)
    bits = [(b.folder / f"top{board.suffix}").read_bytes() for b in (routed, build)]
    if bits[0] != bits[1]:
        raise ScneuroError("two builds of the same design made other bytes")
    files = {
        "routed.json": json.dumps(_joined(json.loads((routed.folder / "routed.json").read_text()))),
        "routed.v": _ROUTED.read_text(encoding="utf-8"),
    }
    over = "read_verilog -defer -overwrite routed.v\n"
    return build, compile_cells("ecp5", files, _READ_ROUTED, over=over), "routed netlist"


def _tie(cell: dict[str, Any]) -> None:
    """Connect what the multiplexers before a DSP's or a RAM's pins make constant."""
    wires, ways, parameters = cell["connections"], cell["port_directions"], cell["parameters"]
    for port in [port for port in wires if f"{port}MUX" in parameters]:
        choice = parameters.pop(f"{port}MUX").strip()
        if not wires[port]:
            wires[port] = [{"0": "0", "1": "1", "INV": "0"}.get(choice, "1")]
        elif choice != port:
            raise ScneuroError(f"{cell['type']} has {port} by way of {choice}, which has no model")
    for port in [port for port in wires if port.startswith(("SR", "RO")) and not wires[port]]:
        del wires[port], ways[port]  # chains of DSPs


def _joined(design: dict[str, Any]) -> dict[str, Any]:
    """nextpnr's netlist with a level on every input, as the device has one.

    What is not connected reads 1 in an ECP5, and that is what nextpnr counts on; only a set/reset
    is off where it is not used, and a carry chain begins with 0.
    """
    for module in design["modules"].values():
        for cell in module["cells"].values():
            kind, wires, ways = cell["type"], cell["connections"], cell["port_directions"]
            if kind in ("MULT18X18D", "DP16KD"):
                _tie(cell)
            if kind == "TRELLIS_COMB":
                cell["parameters"]["IS_Z1"] = f"{int(bool(wires.get('FXA'))):032b}"
                for unused in set(wires) - _COMB:
                    if wires[unused]:
                        raise ScneuroError(f"a LUT's {unused} is used, which has no model")
                    del wires[unused], ways[unused]
            elif kind == "TRELLIS_IO":
                pad = "from_pad" if cell["parameters"]["DIR"] == "INPUT" else "to_pad"
                wires[pad], ways[pad] = wires.pop("B"), "input" if pad == "from_pad" else "output"
                del ways["B"]
            for port, way in ways.items():
                if way == "input" and not wires.get(port):
                    wires[port] = ["0" if port.startswith(("LSR", "RST", "FCI")) else "1"]
        cells = module["cells"]
        module["cells"] = {n: c for n, c in cells.items() if c["type"] != "GSR"}
    return design


# -- through the pins ------------------------------------------------------------------------------
class _Listener:
    """A UART receiver for a line that is sampled once per clock."""

    def __init__(self, clocks: int) -> None:
        self._clocks, self._reader = clocks, FrameReader()
        self._line = np.ones(1, dtype=np.uint8)
        self.samples: list[Sample] = []

    def hear(self, more: np.ndarray) -> None:
        """Go on with the line's next levels."""
        line, at, clocks = np.concatenate([self._line, more]), 0, self._clocks
        received = bytearray()
        while True:
            falls = np.flatnonzero(line[at:] == 0)[:1]
            if not len(falls):
                at = len(line)
                break
            start = at + int(falls[0])
            middle = start + clocks // 2 + clocks * np.arange(10)
            if middle[-1] >= len(line):
                at = start
                break
            bits = line[middle]
            if bits[0] == 0 and bits[9] == 1:
                received.append(int(np.packbits(bits[1:9], bitorder="little")[0]))
            at = int(middle[-1])
        self._line = line[at:]
        self.samples.extend(self._reader.feed(bytes(received)))
        if self._reader.bad or self._reader.lost:
            raise ScneuroError(
                f"{self._reader.bad} bytes outside frames and {self._reader.lost} frames lost "
                f"after {len(self.samples)} good ones"
            )


def bitstream_samples(
    library: Path, board: Board, build: Build, frames: int, *, progress: bool = True
) -> tuple[list[Sample], int]:
    """Run a compiled board design; its first frames, and the clocks that took.

    A byte goes to its UART whenever it is time for the next of its currents.

    Raises
    ------
    ScneuroError
        The pins are silent, or say what is no frame.
    """
    chip, clocks = Compiled(library), divisor(build.plan.clock_hz, build.plan.baud)
    platform = board.make_platform()
    clock = f"{platform.default_clk}_0__io"
    rx, tx = "uart_0__rx__io", "uart_0__tx__io"
    chip.set(rx, 1)
    if board.button is not None:
        resource, number = board.button
        port = platform.request(resource, number, dir="-")
        chip.set(f"{resource}_{number}__io", int(port.invert[0]))  # not pressed
    listener, total = _Listener(clocks), 0
    frame = build.plan.every * build.plan.tick_clocks
    turn = -(-frames // len(build.plan.currents))

    def run(count: int) -> None:
        nonlocal total
        listener.hear(chip.watch(tx, count, clock=clock))
        total += count

    bar = tqdm(
        total=frames,
        desc=f"{build.fixed.name}: bitstream",
        unit="frame",
        delay=2,
        leave=False,
        disable=None if progress else True,
    )
    with bar:
        selected = 0
        while len(listener.samples) < frames:
            before = len(listener.samples)
            run(min(100, turn) * frame)
            bar.update(len(listener.samples) - before)
            if total > 1000 * frame and not listener.samples:
                raise ScneuroError(f"no frame in {total:,} clocks at {tx}")
            if len(listener.samples) // turn > selected:
                selected += 1
                for bit in levels(_BYTE):
                    chip.set(rx, bit)
                    run(clocks)
    return listener.samples[:frames], total
