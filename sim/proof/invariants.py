"""What holds for ever around the datapath: handshakes, registers, LFSR, UART, frames, resets.

:func:`~scneuro.sim.proof.prove` shows what the datapath computes. Here it is shown, by induction
over the clocks, that the hardware around it does not lose, double or disturb what it computes.
Each block is put next to a plain specification of it, a *monitor*, with assertions that the two
agree; yosys makes the formulas, SymbiYosys and z3 decide them. A proof by induction covers every
reachable state, at any time.

The datapath's ``next`` and ``spike`` are cut off and may be anything at any time, so what is shown
of a neuron's registers holds whatever they are given.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from amaranth import Array, Cat, ClockDomain, Const, Module, Mux, Signal, Value
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, Fragment
from amaranth.lib.wiring import In
from bitwuzla import Bitwuzla, Kind, Options, Result, TermManager
from tqdm import tqdm

from ...errors import ToolError
from ...fixed import FixedNeuron
from ...hdl import LFSR, Neuron
from ...hdl.link import FRAME_BYTES, SYNC, FrameWriter
from ...hdl.uart import UARTReceiver, UARTTransmitter
from ...stochastic import LFSR as Sequence
from ...tools.toolchain import find_tools
from ...words import nearest
from .bits import Integer, bitvectors

__all__ = [
    "Harness",
    "Invariant",
    "check",
    "frame_writer",
    "lfsr",
    "loopback",
    "neuron",
    "prove_invariants",
    "receiver",
    "resets",
    "transmitter",
]

_DIVISORS = (4, 12, 25)  # the least there is, and those of the boards
_DRAWS = (1, 3)
_TIMEOUT = 300
_SOLVER = "z3"
_TOOLS = {
    "YOSYS": "yosys",
    "SMTBMC": "yosys-smtbmc",
    "WITNESS": "yosys-witness",
}
_TIE = "tie"
_PASSED, _FAILED, _UNKNOWN = 0, 2, 4
_CLOCKS_SHOWN = 12


@dataclass(frozen=True)
class Invariant:
    """What holds at every clock, or for every step.

    Attributes
    ----------
    name : str
        The block and the claim.
    statement : str
        The claim in words.
    ok : bool
    seconds : float
        What it took; claims of one block are proved together.
    how : str
        How it was proved, or why it was not.
    counterexample : str
        The clocks that lead to where it fails, as a table.
    """

    name: str
    statement: str
    ok: bool
    seconds: float
    how: str
    counterexample: str = ""

    def __str__(self) -> str:
        verdict = "proved" if self.ok else "FAILS "
        return f"{verdict}  {self.name}: {self.statement} ({self.how}, {self.seconds:.1f} s)"


class Harness:
    """Blocks, a monitor next to them, and what is claimed of them.

    Parameters
    ----------
    name : str
    blocks : component
        By name. Inputs that nothing drives may be anything, at any clock.
    cut : iterable of str
        Wires, as ``block.submodule/wire``, that may be anything at any clock.
    start : iterable of str
        Blocks whose registers may start with any value.
    depth : int
        Clocks of the induction.
    search : int
        Clocks from the start in which a counterexample is looked for.

    Attributes
    ----------
    m : Module
        For the monitor.
    claims : dict of str to str
        Statements by name.
    """

    def __init__(
        self,
        name: str,
        *,
        cut: Iterable[str] = (),
        start: Iterable[str] = (),
        depth: int = 1,
        search: int = 64,
        **blocks: Any,
    ) -> None:
        self.name, self.depth, self.search = name, depth, search
        self.m = Module()
        self.m.domains.sync = self._clock = ClockDomain("sync", reset_less=True)
        self.claims: dict[str, str] = {}
        self.blocks = blocks
        self._fragments = {block: Fragment.get(dut, None) for block, dut in blocks.items()}
        self._cut, self._start = tuple(cut), tuple(start)
        self._driven: list[Signal] = []
        self.begun = self.was(Const(1))

    def part(self, block: str, name: str) -> Any:
        """A submodule of a block."""
        module = self._fragments[block].origins[-1]  # what elaborate() returned
        return getattr(module.submodules, name)

    def parts(self, block: str, names: Iterable[str]) -> list[Any]:
        return [self.part(block, name) for name in names]

    def register(self, name: str, block: str = "dut") -> Signal:
        """A register of a block, or of its submodule ``block.name``, that is none of its ports."""
        block, *inner = block.split(".")
        fragment = self._fragments[block]
        for wanted in inner:
            fragment = next(f for f, part, _ in fragment.subfragments if part == wanted)
        statements = fragment.statements["sync"]
        found = {s.name: s for statement in statements for s in statement._lhs_signals()}
        return found[name]

    def wire(self, driven: Any, driver: Any) -> None:
        """Drive an input of a block."""
        self.m.d.comb += driven.eq(driver)
        self._driven.append(driven)

    def was(self, value: Any, *, init: int = 0) -> Signal:
        """The value a clock ago; at first ``init``."""
        value = Value.cast(value)
        before = Signal(value.shape(), init=init, name=f"was_{getattr(value, 'name', 'it')}")
        self.m.d.sync += before.eq(value)
        return before

    def claim(self, name: str, statement: str, *conditions: Any) -> None:
        """Claim that the conditions hold at every clock."""
        self.claims[name] = statement
        self.m.d.comb += [Assert(condition, name) for condition in conditions]

    def know(self, *conditions: Any) -> None:
        """State what ties the monitor to the registers; the induction needs it."""
        self.m.d.comb += [Assert(condition, _TIE) for condition in conditions]

    def assume(self, condition: Any) -> None:
        self.m.d.comb += Assume(condition)

    def rtlil(self) -> str:
        """The design, its assertions named after the claims."""
        top = Fragment.get(self.m, None)
        ports = [self._clock.clk]
        for block, dut in self.blocks.items():
            top.add_subfragment(self._fragments[block], block)
            for _, member, value in dut.signature.flatten(dut):
                signal = Value.cast(value)
                if member.flow == In and not any(signal is driven for driven in self._driven):
                    ports.append(signal)
        text = rtlil.convert(top, ports=ports, name="top", emit_src=False)
        numbers = iter(range(1, text.count("cell $check") + 1))
        return re.sub(
            r'cell \$check \S+(\n\s+parameter \\FORMAT "(\w+)")',
            lambda found: rf"cell $check \{found[2]}__{next(numbers)}{found[1]}",
            text,
        )

    def task(self, mode: str) -> str:
        """What SymbiYosys is to do: ``prove``, or look for a counterexample, ``bmc``."""
        script = ["read_rtlil top.il", "hierarchy -top top"]
        script += [f"cutpoint top.{wire}" for wire in self._cut]
        script += [f"setattr -unset init top.{block}/w:*" for block in self._start]
        script += ["opt_clean", "proc -norom", "flatten", "opt_clean", "chformal -lower"]
        if mode == "bmc":  # the claims alone: what ties registers to the monitor breaks earlier
            script.append(f"delete top/{_TIE}__*")
        depth = self.depth if mode == "prove" else self.search
        sections = {
            "options": [f"mode {mode}", f"depth {depth}"],
            "engines": [f"smtbmc {_SOLVER}"],
            "script": [*script, "prep -top top"],
            "files": ["top.il"],
        }
        return "".join(f"[{name}]\n" + "\n".join(of) + "\n\n" for name, of in sections.items())


def _implies(condition: Any, conclusion: Any) -> Value:
    return ~Value.cast(condition).bool() | Value.cast(conclusion).bool()


def _same(a: Any, b: Any) -> Value:
    return Value.cast(a) == Value.cast(b)


# -- a neuron --------------------------------------------------------------------------------------
def neuron(dut: Neuron, fixed: FixedNeuron) -> Harness:
    """The claims of a neuron's registers and streams."""
    lowered = fixed.lowered
    cut = ("dut.step/next", "dut.step/spike")
    h = Harness(fixed.name, dut=dut, cut=cut, search=2 * dut.latency + 4)
    m, i, o, step = h.m, dut.i, dut.o, h.part("dut", "step")
    count, last = h.register("count"), dut.latency - 1
    accepted, taken = Signal(), Signal()
    m.d.comb += [accepted.eq(i.valid & i.ready), taken.eq(o.valid & o.ready)]

    given = h.was(i.payload)
    h.assume(_implies(h.was(i.valid & ~i.ready), i.valid & _same(i.payload, given)))
    result, state = h.was(o.payload), h.was(dut.state)
    h.claim(
        "result",
        "a result stays as it is, and so do the state registers, until it is taken",
        _implies(h.was(o.valid & ~o.ready), o.valid & _same(o.payload, result)),
        _implies(h.was(o.valid & ~o.ready), _same(dut.state, state)),
    )
    owed = Signal(4)
    m.d.sync += owed.eq(owed + accepted - taken)
    h.claim(
        "once",
        "every input has exactly one result: none is lost, doubled or overwritten",
        _implies(i.ready, i.valid),
        owed == o.valid,
    )
    waited = Signal(range(last + 1))
    with m.If(accepted | ~i.valid):
        m.d.sync += waited.eq(0)
    with m.Elif(waited != last):
        m.d.sync += waited.eq(waited + 1)
    h.claim(
        "latency",
        f"an input is accepted {last} clocks after it came, or as soon as there is room for its "
        "result, which is there a clock later",
        i.ready == (i.valid & (waited == last) & (~o.valid | o.ready)),
        _implies(h.was(accepted), o.valid),
        count <= last,
    )
    h.know(count == waited, _implies(count != 0, h.was(i.valid & ~i.ready)))

    reads = Cat(i.payload, dut.state, step.noise if lowered.noise else Const(0, 0))
    still = Signal()
    age, before = Signal(range(step.latency + 1)), Signal(range(step.latency + 1))
    m.d.comb += still.eq(h.begun & h.was(i.valid) & i.valid & (reads == h.was(reads)))
    m.d.comb += age.eq(Mux(still, Mux(before == step.latency, before, before + 1), 0))
    m.d.sync += before.eq(age)
    h.claim(
        "still",
        f"all that the datapath reads has not changed for its {step.latency} clocks when an "
        "input is accepted",
        _implies(i.ready, age == step.latency),
    )
    h.know(before <= step.latency, _implies(i.valid, age >= count))

    first = next(iter(lowered.registers))
    h.claim(
        "registers_take",
        "the state registers take the datapath's next state, and the result its spike, exactly "
        "when an input is accepted",
        _implies(h.was(accepted), _same(dut.state, h.was(step.next))),
        _implies(h.was(accepted), _same(o.payload.spike, h.was(step.spike))),
        _implies(h.begun & ~h.was(accepted), _same(dut.state, state)),
        _same(step.state, dut.state),
        _same(step.inputs, i.payload),
        _same(o.payload[first], step.words[first]),
    )
    names = [n for n, draws in (("noise", lowered.drawn), ("dither", lowered.dither)) if draws]
    if names:
        generators = h.parts("dut", names)
        h.claim(
            "draws",
            "every accepted input takes one set of draws, and no LFSR is ever all zeros",
            *(generator.en == accepted for generator in generators),
            step.noise == Cat(generator.o for generator in generators),
            *(h.register("state", f"dut.{name}") != 0 for name in names),
        )
    h.assume(_implies(accepted, _within(step.next, fixed)))
    h.claim(
        "range",
        "the registers never leave the intervals that the next state keeps to",
        _within(dut.state, fixed),
    )
    return h


def _within(view: Any, fixed: FixedNeuron) -> Value:
    registers = fixed.lowered.registers.values()
    inside = [(view[r.name] >= r.low) & (view[r.name] <= r.high) for r in registers]
    return Cat(inside).all()


# -- blocks that are the same for all neurons ------------------------------------------------------
def lfsr(dut: LFSR, draws: int) -> Harness:
    """The claims of an LFSR, from every seed."""
    h = Harness(f"LFSR of {draws}", dut=dut, start=("dut",), search=4)
    state = h.register("state")
    h.assume(h.begun | (state != 0))
    bits = list(state)
    while len(bits) < Sequence.WIDTH + Sequence.DRAW * draws:
        n = len(bits) - Sequence.WIDTH
        bits.append(bits[n + Sequence.TAP] ^ bits[n])
    following = Cat(bits[-Sequence.WIDTH :])
    h.claim("nonzero", "it never reaches the state of all zeros, from any seed", state != 0)
    h.claim(
        "recurrence",
        "its bits are s[n+31] = s[n+13] ^ s[n], 16 a draw, and it goes on only when enabled",
        dut.o == Cat(bits[Sequence.WIDTH :]),
        _implies(h.begun, state == Mux(h.was(dut.en), h.was(following), h.was(state))),
    )
    return h


class _Sending:
    """The line of a transmitter: which bit of which byte, and for how long."""

    def __init__(self, h: Harness, dut: UARTTransmitter, clocks: int) -> None:
        m = h.m
        self.busy, self.byte = Signal(), Signal(8)
        self.bit, self.phase = Signal(range(10)), Signal(range(clocks))
        with m.If(~self.busy):
            with m.If(dut.i.valid & dut.i.ready):
                m.d.sync += [self.busy.eq(1), self.bit.eq(0), self.phase.eq(0)]
                m.d.sync += self.byte.eq(dut.i.payload)
        with m.Elif(self.phase != clocks - 1):
            m.d.sync += self.phase.eq(self.phase + 1)
        with m.Else():
            m.d.sync += [self.phase.eq(0), self.bit.eq(self.bit + 1)]
            with m.If(self.bit == 9):
                m.d.sync += self.busy.eq(0)
        line = Cat(Const(0, 1), self.byte, Const(1, 1)).bit_select(self.bit, 1) | ~self.busy
        h.claim(
            "ready",
            f"it accepts a byte whenever it sends none, and sends one for {10 * clocks} clocks",
            dut.i.ready == ~self.busy,
        )
        h.claim(
            "line",
            "the line is high, or a byte's start bit, its bits from the lowest and its stop bit",
            dut.tx == h.was(line, init=1),
        )


def _tie_transmitter(h: Harness, sending: _Sending, clocks: int, block: str) -> None:
    left, timer, frame = (h.register(n, block) for n in ("left", "timer", "frame"))
    busy, bit, phase = sending.busy, sending.bit, sending.phase
    rest = Cat(Const(0, 1), sending.byte, Const(0x3FF, 10)) >> bit
    h.know(
        _implies(busy, (bit <= 9) & (phase <= clocks - 1)),
        left == Mux(busy, 10 - bit, 0),
        _implies(busy, timer == clocks - 1 - phase),
        _implies(busy, frame == rest[:9]),
    )


def transmitter(dut: UARTTransmitter, clocks: int) -> Harness:
    """The claims of a transmitter."""
    h = Harness(f"UARTTransmitter({clocks})", dut=dut, search=12 * clocks)
    _tie_transmitter(h, _Sending(h, dut, clocks), clocks, "dut")
    return h


class _Receiving:
    """A receiver's view of its line: ``t`` clocks after a start edge, and the bits so far."""

    def __init__(self, h: Harness, dut: UARTReceiver, clocks: int) -> None:
        m = h.m
        self.first = clocks + clocks // 2
        self.stop = self.first + 8 * clocks
        self.line = h.was(h.was(dut.rx, init=1), init=1)
        self.t, self.bits = Signal(range(self.stop + 1)), Signal(8)
        self.broken = Signal()
        self.ends = Signal()
        m.d.comb += self.ends.eq((self.t == self.stop) & self.line)
        with m.If(self.t == 0):
            m.d.sync += [self.t.eq(~self.line), self.broken.eq(0)]
        with m.Elif(self.t != self.stop):
            m.d.sync += self.t.eq(self.t + 1)
        with m.Elif(self.line):
            m.d.sync += self.t.eq(0)
        with m.Else():
            m.d.sync += self.broken.eq(1)
        for j in range(8):
            with m.If(self.t == self.first + j * clocks):
                m.d.sync += self.bits[j].eq(self.line)


def _tie_receiver(h: Harness, seen: _Receiving, clocks: int, block: str) -> None:
    left, timer, frame, broken = (
        h.register(n, block) for n in ("left", "timer", "frame", "broken")
    )
    t = seen.t
    h.know((left == 0) == (t == 0), t <= seen.stop, _implies(broken, t == seen.stop))
    h.know(_implies(t != 0, broken == seen.broken), _implies(seen.broken, broken | (t == 0)))
    for n in range(9):  # bits received
        until = seen.first + n * clocks
        waits = (t != 0) & (left == 9 - n)
        h.know(_implies(waits, (t <= until) & (timer == until - t)))
        h.know(_implies(waits & (n > 0), t > until - clocks))
        if n:
            h.know(_implies(waits, frame[8 - n :] == seen.bits[:n]))
    h.know(left <= 9)


def receiver(dut: UARTReceiver, clocks: int) -> Harness:
    """The claims of a receiver, whatever its line does."""
    h = Harness(f"UARTReceiver({clocks})", dut=dut, depth=3, search=24 * clocks)
    seen = _Receiving(h, dut, clocks)
    _tie_receiver(h, seen, clocks, "dut")
    left, o = h.register("left"), dut.o
    h.claim(
        "idle",
        f"it waits for a start edge again {seen.stop + 1} clocks after one, or, if the line is low "
        "then, as soon as it is high",
        (left == 0) == (seen.t == 0),
        _implies(h.was(seen.ends), left == 0),
    )
    good = h.was(seen.ends & ~seen.broken)
    h.claim(
        "byte",
        "a byte comes out when its stop bit is high, made of the line's values in the middle of "
        "its bits, and at no other time",
        _implies(good, o.valid & (o.payload == h.was(seen.bits))),
        _implies(~good & ~h.was(o.valid & ~o.ready), ~o.valid),
    )
    h.claim(
        "result",
        "a byte stays as it is until it is taken, or until another one ends",
        _implies(h.was(o.valid & ~o.ready & ~seen.ends), o.valid & (o.payload == h.was(o.payload))),
    )
    return h


def loopback(sender: UARTTransmitter, dut: UARTReceiver, clocks: int) -> Harness:
    """The claims of a transmitter and a receiver at the ends of a line."""
    h = Harness(f"UART loopback({clocks})", sender=sender, dut=dut, depth=4, search=12 * clocks)
    h.wire(dut.rx, sender.tx)
    sending, seen = _Sending(h, sender, clocks), _Receiving(h, dut, clocks)
    _tie_transmitter(h, sending, clocks, "sender")
    _tie_receiver(h, seen, clocks, "dut")
    busy, byte, at = sending.busy, sending.byte, Signal(range(10 * clocks))
    starts = Array(range(0, 16 * clocks, clocks))
    h.m.d.comb += at.eq(starts[sending.bit] + sending.phase)
    for _ in range(3):  # the line's register, and the two of the receiver's synchronizer
        busy, byte, at = h.was(busy), h.was(byte), h.was(at)
    active = busy & (at != 0) & (at <= seen.stop)
    h.know(seen.t == Mux(active, at, 0), ~seen.broken)
    for j in range(8):
        h.know(_implies(seen.t > seen.first + j * clocks, seen.bits[j] == byte[j]))
    end = h.was(busy & (at == seen.stop))
    h.claim(
        "loopback",
        "every byte that is sent is received, once, whatever came before",
        _implies(end, dut.o.valid & (dut.o.payload == h.was(byte))),
        _implies(~end & ~h.was(dut.o.valid & ~dut.o.ready), ~dut.o.valid),
    )
    return h


def frame_writer(dut: FrameWriter) -> Harness:
    """The claims of the writer of frames."""
    h = Harness("FrameWriter", dut=dut, search=2 * FRAME_BYTES + 4)
    m, i, o = h.m, dut.i, dut.o
    busy, index, body, crc = Signal(), Signal(range(FRAME_BYTES)), Signal(56), Signal(8)
    byte, check = Signal(8), Signal(8)
    m.d.comb += [check.eq(_crc(crc, o.payload)), byte.eq(~crc)]
    with m.If(index != FRAME_BYTES - 1):
        m.d.comb += byte.eq(body.word_select(index, 8))
    with m.If(i.valid & i.ready):
        sample = [i.payload.sequence, i.payload.spikes, i.payload.v, i.payload.i]
        m.d.sync += [busy.eq(1), index.eq(0), crc.eq(0xFF), body.eq(Cat(Const(SYNC, 8), *sample))]
    with m.Elif(o.valid & o.ready):
        m.d.sync += [index.eq(index + 1), crc.eq(check)]
        with m.If(index == FRAME_BYTES - 1):
            m.d.sync += busy.eq(0)
    h.claim(
        "frame",
        "every sample becomes the eight bytes of its frame, the last one its CRC, and a sample is "
        "accepted whenever none is being sent",
        i.ready == ~busy,
        o.valid == busy,
        _implies(busy, o.payload == byte),
    )
    h.claim(
        "result",
        "a byte stays as it is until it is taken",
        _implies(h.was(o.valid & ~o.ready), o.valid & (o.payload == h.was(o.payload))),
    )
    rest, left, unit = h.register("rest"), h.register("left"), h.part("dut", "crc")
    h.know(left == Mux(busy, FRAME_BYTES - index, 0), _implies(busy, unit.crc == ~crc))
    for k in range(FRAME_BYTES - 1):
        h.know(_implies(busy & (index == k), rest == body[8 * k :]))
    return h


def _crc(crc: Value, byte: Value) -> Value:
    """CRC-8/AUTOSAR, a bit at a time: x**8 + x**5 + x**3 + x**2 + x + 1."""
    bits = [crc[k] for k in range(8)]
    for k in reversed(range(8)):
        high = bits[7] ^ byte[k]
        shifted = [Const(0, 1), *bits[:7]]
        bits = [old ^ high if 0x2F >> j & 1 else old for j, old in enumerate(shifted)]
    return Cat(bits)


# -- the solver ------------------------------------------------------------------------------------
def _environment() -> dict[str, str]:
    """Where SymbiYosys finds its tools."""
    tools = find_tools((*_TOOLS.values(), "sby"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    if shutil.which(_SOLVER, path=path) is None:
        raise ToolError(
            f"no {_SOLVER}: looked for {_SOLVER} on PATH",
            'pip install "scneuro[proof]" brings it, from PyPI',
        )
    named = {variable: tools[name].command for variable, name in _TOOLS.items()}
    return {**os.environ, **named, "PATH": path, "SBY": tools["sby"].command}


def check(harness: Harness) -> list[Invariant]:
    """Prove the claims of a harness by induction.

    Raises
    ------
    ToolError
        If a tool is missing, or fails.
    """
    environment = _environment()
    begin = time.monotonic()
    how, trace, failed = f"{harness.depth}-induction by z3", "", set[str]()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "top.il").write_text(harness.rtlil())
        ok, _ = _run(harness, "prove", environment, folder)
        if not ok:
            _, log = _run(harness, "bmc", environment, folder)
            failed = set(re.findall(r"Assert failed in top: (\w+?)__\d+", log))
            trace = _table(Path(folder) / "bmc" / "engine_0" / "trace.vcd")
            how = f"not inductive; {', '.join(sorted(failed)) or 'nothing'} broken"
            how += f" within {harness.search} clocks of the start"
    seconds = time.monotonic() - begin
    return [
        Invariant(
            f"{harness.name}, {name}", statement, ok, seconds, how, trace if name in failed else ""
        )
        for name, statement in harness.claims.items()
    ]


def _run(harness: Harness, mode: str, environment: dict[str, str], folder: str) -> tuple[bool, str]:
    """Whether SymbiYosys passes a harness, and what it said."""
    Path(folder, f"{mode}.sby").write_text(harness.task(mode))
    try:
        done = subprocess.run(
            [environment["SBY"], "-f", "-d", mode, f"{mode}.sby"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{harness.name}: z3 needs more than {_TIMEOUT} s") from None
    log = done.stdout + done.stderr
    if done.returncode not in (_PASSED, _FAILED, _UNKNOWN):
        tail = " | ".join(log.strip().splitlines()[-4:])
        raise ToolError(f"SymbiYosys failed on {harness.name}: {tail}")
    return done.returncode == _PASSED, log


def _table(path: Path) -> str:
    """The last clocks of a trace, in hexadecimal, a line for each signal."""
    if not path.exists():
        return ""
    names: dict[str, str] = {}
    rows: dict[int, dict[str, int]] = {}
    depth, values = 0, dict[str, int]()
    for line in path.read_text().splitlines():
        match line.split():
            case ["$scope", *_]:
                depth += 1
            case ["$upscope", *_]:
                depth -= 1
            case ["$var", _, _, code, name, *_] if depth <= 1 and re.fullmatch(
                r"(?!was_|smt_)[a-z]\w*", name
            ):
                names[code] = name
            case [stamp] if stamp.startswith("#"):
                rows[int(stamp[1:])] = values = dict(values)
            case [value, code] if value[0] == "b" and code in names:
                values[code] = int(value[1:].replace("x", "0"), 2)
            case [value] if value[0] in "01" and value[1:] in names:
                values[value[1:]] = int(value[0])
    clocks = [rows[stamp] for stamp in sorted(rows)][::2][-_CLOCKS_SHOWN:]
    return "\n".join(
        f"{name:24s} " + " ".join(f"{clock.get(code, 0):>6x}" for clock in clocks)
        for code, name in sorted(names.items(), key=lambda item: item[1])
    )


# -- resets ----------------------------------------------------------------------------------------
def resets(fixed: FixedNeuron) -> list[Invariant]:
    """After a spike, the states that ``update()`` then sets to a constant hold it.

    Proved of the lowered datapath, for all registers, inputs and draws, by bitwuzla; that the gates
    compute the datapath is what :func:`~scneuro.sim.proof.prove` shows. The rows of a table are
    any.
    """
    lowered, results = fixed.lowered, []
    spike, *updates = lowered.roots
    for register, update in zip(lowered.registers.values(), updates, strict=True):
        if update.op != "where" or update.args[0] is not spike or update.args[1].op != "const":
            continue
        begin = time.monotonic()
        value = float(update.args[1].value)
        wanted = min(max(nearest(value, register.fraction), register.low), register.high)
        terms = TermManager()

        def row(node: Any, _: Integer, terms: TermManager = terms) -> Integer:
            return Integer(terms, terms.mk_const(terms.mk_bv_sort(node.width + 1), node.name))

        path = lowered.path
        given = {
            name: Integer(terms, terms.mk_const(terms.mk_bv_sort(node.width + 1), name))
            for name, node in path.inputs.items()
        }
        outputs = {name: path.outputs[name] for name in ("spike", register.name)}
        made = path.evaluator(outputs, bitvectors(terms, row))(given)
        solver = Bitwuzla(terms, Options())
        for name, node in path.inputs.items():
            solver.assert_formula(given[name] >= node.low)
            solver.assert_formula(terms.mk_term(Kind.NOT, [given[name] >= node.high + 1]))
        solver.assert_formula(made["spike"])
        possible = solver.check_sat() == Result.SAT
        same = made[register.name].equals(wanted)
        solver.assert_formula(terms.mk_term(Kind.NOT, [same]))
        held = solver.check_sat() == Result.UNSAT
        results.append(
            Invariant(
                f"{fixed.name}, reset of {register.name}",
                f"after a spike {register.name} is {value:g}, the register {wanted}",
                possible and held,
                time.monotonic() - begin,
                "bitwuzla" if possible else "there is no spike",
            )
        )
    return results


# -- all of it -------------------------------------------------------------------------------------
@cache
def _checked(block: Callable[..., Harness], *arguments: int) -> tuple[Invariant, ...]:
    """The claims of a block that is the same for every neuron, proved once."""
    made = [part(*arguments) for part in _PARTS[block]]
    return tuple(check(block(*made, *arguments)))


_PARTS: dict[Callable[..., Harness], tuple[Callable[..., Any], ...]] = {
    lfsr: (LFSR,),
    transmitter: (UARTTransmitter,),
    receiver: (UARTReceiver,),
    loopback: (UARTTransmitter, UARTReceiver),
    frame_writer: (FrameWriter,),
}
_COMMON = [
    *((lfsr, draws) for draws in _DRAWS),
    *((block, clocks) for block in (transmitter, receiver, loopback) for clocks in _DIVISORS),
    (frame_writer,),
]


def prove_invariants(
    fixed: FixedNeuron, *, dsp: bool | int = True, progress: bool = True
) -> list[Invariant]:
    """Prove what holds for ever of a neuron's hardware, outside its datapath.

    Parameters
    ----------
    fixed : FixedNeuron
    dsp : bool or int
        The form of the datapath, which decides its latency.
    progress : bool

    Raises
    ------
    ToolError
        If yosys, SymbiYosys or z3 is missing, or fails.
    """
    results = resets(fixed)
    bar = tqdm(
        [(neuron,), *_COMMON],
        desc=f"{fixed.name}: invariants",
        delay=2,
        leave=False,
        disable=None if progress else True,
    )
    for block, *arguments in bar:
        if block is neuron:
            results += check(neuron(Neuron(fixed, dsp=dsp), fixed))
        else:
            results += _checked(block, *arguments)
    return results
