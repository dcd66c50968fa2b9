"""What is claimed of the blocks that are the same for all neurons, but for the UART."""

from __future__ import annotations

from amaranth import Cat, Const, Mux, Signal, Value

from ....hdl import LFSR
from ....hdl.link.samples import FRAME_BYTES, SYNC, FrameWriter
from ....stochastic import LFSR as Sequence
from .harness import Harness, implies

__all__ = ["frame_writer", "lfsr"]


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
        implies(h.begun, state == Mux(h.was(dut.en), h.was(following), h.was(state))),
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
        implies(busy, o.payload == byte),
    )
    h.claim(
        "result",
        "a byte stays as it is until it is taken",
        implies(h.was(o.valid & ~o.ready), o.valid & (o.payload == h.was(o.payload))),
    )
    rest, left, unit = h.register("rest"), h.register("left"), h.part("dut", "crc")
    h.know(left == Mux(busy, FRAME_BYTES - index, 0), implies(busy, unit.crc == ~crc))
    for k in range(FRAME_BYTES - 1):
        h.know(implies(busy & (index == k), rest == body[8 * k :]))
    return h


def _crc(crc: Value, byte: Value) -> Value:
    """CRC-8/AUTOSAR, a bit at a time: x**8 + x**5 + x**3 + x**2 + x + 1."""
    bits = [crc[k] for k in range(8)]
    for k in reversed(range(8)):
        high = bits[7] ^ byte[k]
        shifted = [Const(0, 1), *bits[:7]]
        bits = [old ^ high if 0x2F >> j & 1 else old for j, old in enumerate(shifted)]
    return Cat(bits)
