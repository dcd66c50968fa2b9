"""A queue in a block RAM."""

from amaranth import Cat, Module, Shape, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

__all__ = ["Queue"]


class Queue(wiring.Component):
    """Words that wait in a block RAM, first in, first out.

    What is written comes out two clocks later at the earliest, or three, and a word a clock from
    there on. The one that is offered is in the output register of the RAM, or in one behind it,
    besides the others.

    Parameters
    ----------
    shape : Shape
        Of a word.
    depth : int
        A power of two.
    margin : int
        A power of two below it.
    kept : bool
        Whether there is a register behind the RAM's own, where clocks are short.

    Members
    -------
    word : In(shape)
    write : In(1)
        Take ``word``. What is written into a full queue is lost, so look at ``room``.
    room : Out(1)
        A clock ago there was room for ``margin`` words; one that was taken then counts.
    o : Out(stream of shape)
    """

    def __init__(self, shape: Shape, depth: int, margin: int = 1, *, kept: bool = False) -> None:
        for name, value in (("depth", depth), ("margin", margin)):
            if value < 1 or value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value}")
        if margin >= depth:
            raise ValueError(f"margin must be less than the depth, {depth}, not {margin}")
        self._depth, self._margin, self._kept = depth, margin, kept
        super().__init__(
            {
                "word": In(shape),
                "write": In(1),
                "room": Out(1),
                "o": Out(stream.Signature(shape)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=self.word.shape(), depth=self._depth, init=[], attrs={"ram_style": "block"}
        )
        write, read = memory.write_port(), memory.read_port()
        level = Signal(range(self._depth))  # in the RAM, but for the one that it gives
        gives, fetch, taken = Signal(name="gives"), Signal(), Signal()
        m.d.comb += [
            fetch.eq((level != 0) & (~gives | taken)),
            write.data.eq(self.word),
            write.en.eq(self.write),
            read.en.eq(fetch),
        ]
        if self._kept:
            m.d.comb += taken.eq(~self.o.valid | self.o.ready)
            kept = Signal(self.word.shape(), reset_less=True)
            m.d.comb += self.o.payload.eq(kept)
            with m.If(taken):
                m.d.sync += [kept.eq(read.data), self.o.valid.eq(gives)]
        else:
            m.d.comb += [
                taken.eq(self.o.ready),
                self.o.payload.eq(read.data),
                self.o.valid.eq(gives),
            ]
        with m.If(self.write):
            m.d.sync += write.addr.eq(write.addr + 1)
        with m.If(fetch):
            m.d.sync += read.addr.eq(read.addr + 1)
        with m.If(self.write ^ fetch):
            one = Cat(1, fetch.replicate(len(level) - 1))  # or -1
            m.d.sync += level.eq(level + one)
        with m.If(fetch | taken):
            m.d.sync += gives.eq(fetch)
        m.d.sync += self.room.eq(~level[self._margin.bit_length() - 1 :].all())
        return m
