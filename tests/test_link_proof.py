"""What holds for ever of the link's line, frames and processor, and that faults are caught."""

import pytest
from amaranth import Signal
from checks import faults, nightly
from claims import broken, names
from faults.text import rewritten

from scneuro.hdl.link.frames import Frames
from scneuro.hdl.link.line import Line
from scneuro.hdl.link.processor import Flag, Processor, Program
from scneuro.sim.proof import invariants
from scneuro.sim.proof.invariants import check


def test_the_claims_of_the_frames_are_proved():
    results = check(invariants.frames(Frames()))
    assert names(results) == ["asked", "anew", "placed", "request", "reply", "ends"]
    assert all(r.ok for r in results), "\n".join(map(str, results))


_WHOLE = "(check == 0) & ~bad & (at[4:].any() | (at[3] & at[1:3].any()))"
FAULTS = [
    # behind a frame that is damaged, the next code is looked for where its last one led
    ("at.eq(at.init), code.eq(code.init)", "at.eq(at.init)", "anew"),
    # a frame is whole though it has no header
    ("(at[4:].any() | (at[3] & at[1:3].any()))", "at[1:].any()", "asked"),
    # whatever its check is
    (_WHOLE, "at[1:].any()", "asked"),
    # a code is written as it is
    ("self.i.payload & (~is_code).replicate(8)", "self.i.payload", "placed"),
    # something is written when nothing comes
    ("write.en.eq(puts | stuffs)", "write.en.eq(1)", "placed"),
    # what comes is sent back
    ("self.i.ready.eq(1),", "self.i.ready.eq(1), self.o.valid.eq(self.i.valid),", "ends"),
]


@pytest.mark.parametrize(("old", "new", "claim"), faults(FAULTS, lambda fault: fault == FAULTS[0]))
def test_a_fault_of_the_gates_breaks_a_claim(old, new, claim):
    results = check(invariants.frames(rewritten(Frames, old, new)()))
    assert claim in broken(results), "\n".join(map(str, results))


LATE = [
    # what is too long is written over its beginning
    ("with m.If(at == 0xFF):", "with m.If(0):"),
    # a request is one byte too short
    ("length.eq(at - ~code)", "length.eq(at + code)"),
    # the check of a reply is left out
    ("appends.eq(1), puts.eq(1)", "puts.eq(1)"),
    # a reply has no end
    ("length & (~ends).replicate(8)", "length"),
    # a byte is sent before it has been read
    ("self.o.valid.eq(there)", "self.o.valid.eq(1)"),
    # the byte behind one is not the next one
    (
        "with m.If(self.next):\n                    m.d.sync += at.eq(at + 1)",
        "with m.If(self.next):\n                    m.d.sync += at.eq(at + 2)",
    ),
]


@pytest.mark.parametrize(
    ("old", "new"), faults(LATE, lambda fault: fault == LATE[0], kept=lambda _: False)
)
def test_a_fault_that_shows_only_behind_a_whole_frame_is_not_proved(old, new):
    """No counterexample from the start is looked for: that takes a frame, which takes long."""
    harness = invariants.frames(rewritten(Frames, old, new)())
    harness.search = 1
    assert not any(r.ok for r in check(harness))


CLOCKS = 4  # of a bit


def test_the_claims_of_the_line_are_proved():
    results = check(invariants.line(Line(CLOCKS), CLOCKS))
    assert names(results) == ["line", "ready", "byte", "idle"]
    assert all(r.ok for r in results), "\n".join(map(str, results))


OF_THE_LINE = [
    # a bit is sent for a clock less
    ("timer.eq(clocks - 2)", "timer.eq(clocks - 3)", "line", True, 0),
    # there is no stop bit
    ("Mux(begins[0], 10, 9)", "9", "ready", True, 0),
    # the highest bit is the first one
    ("Cat(Const(0, 1), self.i.payload)", "Cat(Const(0, 1), self.i.payload[::-1])", "line", True, 0),
    # what is sent comes out, too
    ("now & last & ~sends & rx & ~broken", "now & last & rx & ~broken", "byte", True, 0),
    # a byte comes out as long as its stop bit lasts
    ("now & last & ~sends & rx & ~broken", "last & ~sends & rx & ~broken", "byte", False, 9),
    # one without a stop bit comes out when the line is high
    ("now & last & ~sends & rx & ~broken", "now & last & ~sends & rx", "byte", False, 42),
    # or it waits for one for ever
    (
        "with m.If(~last | sends | rx):",
        "with m.If(~last | sends | (rx & ~broken)):",
        "ready",
        False,
        42,
    ),
    # bits are looked at where they begin
    ("first = clocks + clocks // 2 - 2", "first = clocks - 2", "byte", False, 9),
    # a byte begins in the midst of another one
    ("hears.eq(self.i.ready | (last & sends))", "hears.eq(1)", "byte", False, 9),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "claim", "sends", "low"),
    nightly(OF_THE_LINE, lambda fault: fault in OF_THE_LINE[:2]),
)
def test_a_fault_of_the_line_breaks_a_claim(old, new, claim, sends, low):
    """Where bytes are sent or none is, and the line is low for so many clocks, and then high."""
    harness = invariants.line(rewritten(Line, old, new)(CLOCKS), CLOCKS)
    dut, clock = harness.blocks["dut"], Signal(8)
    harness.m.d.sync += clock.eq(clock + 1)
    harness.assume((dut.rx == (clock >= low)) & (dut.i.valid == sends) & (dut.i.payload == 0x35))
    results = check(harness)
    assert claim in broken(results), "\n".join(map(str, results))


def asking(kind=Processor):
    """The claims of a processor that asks to write a row, over and over."""
    program = Program({}, {})
    program.wait(Flag.REACHED, writes=True)
    return invariants.processor(kind(program.linked(), [0] * 16))


def test_the_claims_of_the_processor_are_proved():
    results = check(asking())
    assert names(results) == ["asks"]
    assert all(r.ok for r in results), "\n".join(map(str, results))


def test_a_row_that_is_asked_for_as_the_next_instruction_comes_breaks_a_claim():
    old, new = "waits[Flag.REACHED] & ~use &", "waits[Flag.REACHED] &"
    assert "asks" in broken(check(asking(rewritten(Processor, old, new))))
