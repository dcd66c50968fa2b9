"""The packed bitstream, turned back into logic and run through its pins.

How, its family knows (:meth:`scneuro.boards.families.Family.read_back`). What comes of it is
compiled and runs on the board's clock; bytes go in at the UART's pin, frames come out at
it, and each is compared with the integer model.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.lib.io import DifferentialPort
from tqdm import tqdm

from ...boards.build import Build, finished_build
from ...boards.table import Board
from ...errors import ScneuroError
from ...fixed import FixedNeuron
from ...hdl.link.samples import FrameReader, Sample
from ...hdl.uart import divisor, levels
from ...neuron import Neuron, need_neuron
from ..board import expected_samples
from ..engines.compiled import Compiled
from .cells import compile_cells

__all__ = ["BitstreamParity", "bitstream_parity", "bitstream_samples"]

_BITS = 8 + 16 + 16  # spikes, V and I of a frame
_BYTE = 0x6E


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
    need_neuron(neuron, "bitstream_parity()")
    begin = time.monotonic()
    family = board.part.family
    found = family.read_back(board, partial(finished_build, neuron, progress=progress))
    library = compile_cells(family, found.design)
    build = found.build
    made = time.monotonic()
    frames = -(-steps // build.plan.every)
    samples, clocks = bitstream_samples(library, board, build, frames, progress=progress)
    assert isinstance(build.fixed, FixedNeuron)
    expected = expected_samples(build.fixed, build.plan, [s.i for s in samples])
    seen = sorted({s.i for s in samples})
    difference = ""
    if strange := [word for word in seen if word not in build.plan.currents]:
        difference = f"a current of {strange[0] / 256:g} that was never asked for"
    for number, (got, wanted) in enumerate(zip(samples, expected, strict=True)):
        if got != wanted:
            difference = f"frame {number} is {got}, not {wanted}"
            break
    content = (build.folder / f"top{board.suffix}").read_bytes()
    return BitstreamParity(
        neuron.name,
        board.name,
        found.what,
        hashlib.sha256(content).hexdigest(),
        len(samples) * build.plan.every,
        clocks,
        len(samples) * _BITS,
        len(seen),
        difference,
        made - begin,
        time.monotonic() - made,
    )


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
    pin = platform.request(platform.default_clk, dir="-")
    clock = f"{platform.default_clk}_0__{'p' if isinstance(pin, DifferentialPort) else 'io'}"
    rx, tx = "uart_0__rx__io", "uart_0__tx__io"
    chip.set(rx, 1)
    if board.button is not None:
        port = platform.request(*board.button, dir="-")
        chip.set(f"{'_'.join(map(str, board.button))}__io", int(port.invert[0]))  # not pressed
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
