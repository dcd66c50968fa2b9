"""The line to a board's flash: SPI, in mode 0."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["BYTE", "FlashLine", "flash_pins"]

#: Clocks from a byte's being asked for to its being done; four of them are a bit.
BYTE = 34
_CHECK = 0x04C11DB7  # CRC-32/MPEG-2


def flash_pins() -> dict[str, wiring.Member]:
    """What a board's design has where it reads a flash; ``cs`` is high where it is selected."""
    return {"cs": Out(1), "sck": Out(1), "copi": Out(1), "cipo": In(1, init=1)}


class FlashLine(wiring.Component):
    """Sends a byte to a flash and receives one, the highest bit first, four clocks a bit.

    What is sent changes as ``sck`` falls, two clocks before it rises. What is received is looked at
    a clock after it has risen, three clocks after the flash could begin to change it.

    Members
    -------
    go : In(1)
        A byte is exchanged, if none is. It may stay until ``done``.
    select : In(1), give : In(8)
        Whether the flash is selected, from then on, and what it is sent. Where it is not, it is a
        pause as long as a byte.
    done : Out(1)
        For a clock, ``BYTE`` clocks after ``go``.
    came : Out(8)
        What was received, from ``done`` on.
    anew : In(1)
        The check begins anew.
    sound : Out(1)
        The check of all that was received since then is 0.
    cs, sck, copi : Out(1), cipo : In(1)
        The pins; ``cs`` is high where the flash is selected.
    """

    go: Signal
    select: Signal
    give: Signal
    done: Signal
    came: Signal
    anew: Signal
    sound: Signal
    cs: Signal
    sck: Signal
    copi: Signal
    cipo: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "go": In(1),
                "select": In(1),
                "give": In(8),
                "done": Out(1),
                "came": Out(8),
                "anew": In(1),
                "sound": Out(1),
                **flash_pins(),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(BYTE))  # counts down to 0
        over, seen = Signal(), Signal()
        check = Signal(32)
        m.d.comb += [
            over.eq((left[:2] == 1) & (left != BYTE - 1)),  # a bit is, at its end
            self.copi.eq(self.came[7]),
            self.sound.eq(check == 0),
        ]
        m.d.sync += [
            seen.eq(self.cipo),
            self.done.eq(left == 1),
            self.sck.eq(left[1] & self.cs),
        ]
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.Elif(self.go & ~self.done):
            m.d.sync += [left.eq(BYTE - 1), self.cs.eq(self.select), self.came.eq(self.give)]
        with m.If(over):
            m.d.sync += [
                self.came.eq(Cat(seen, self.came)),
                check.eq((check << 1) ^ Mux(check[31] ^ seen, _CHECK, 0)),
            ]
        with m.If(self.anew):
            m.d.sync += check.eq((1 << len(check)) - 1)
        return m
