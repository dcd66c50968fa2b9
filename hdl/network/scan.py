"""Every spike in a memory of spikes, one after the other."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Scan"]

_BITS = 16


class Scan(wiring.Component):
    """Reads words of 16 spikes and gives the number of each, the lowest first.

    Parameters
    ----------
    address_bits, count_bits : int
        Of a word in the memory, and of how many are read.

    Members
    -------
    start : In(1)
        Begin at ``base``, for ``words`` words; both stay until ``busy`` has gone.
    address : Out, enable : Out(1)
        For a memory whose ``word`` is there in the next clock, and stays where it is not enabled.
    word : In(16)
    index : Out, valid : Out(1), ready : In(1)
        The number of a spike, counted from the first bit of the first word.
    busy : Out(1)
        From the clock after ``start`` on, until the last spike was taken.
    """

    start: Signal
    base: Signal
    words: Signal
    address: Signal
    enable: Signal
    word: Signal
    index: Signal
    valid: Signal
    ready: Signal
    busy: Signal

    def __init__(self, address_bits: int, count_bits: int) -> None:
        super().__init__(
            {
                "start": In(1),
                "base": In(address_bits),
                "words": In(count_bits),
                "address": Out(address_bits),
                "enable": Out(1),
                "word": In(_BITS),
                "index": Out(count_bits + 4),
                "valid": Out(1),
                "ready": In(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        running, waiting = Signal(), Signal()
        asked = Signal.like(self.words)  # words that the memory was asked for
        here, number = Signal(), Signal.like(self.words)  # the one that it gives
        rest, of = Signal(_BITS), Signal.like(self.words)  # spikes of the word before, and which
        none = Signal(init=1)  # of them are left
        left, low = Signal(_BITS), Signal(4)
        take, move = Signal(), Signal()
        m.d.comb += [
            left.eq(rest & (rest - 1)),
            take.eq(~none & (~self.valid | self.ready)),
            move.eq(none & here),
            self.enable.eq(running & (asked != self.words) & (~here | move)),
            self.address.eq(self.base + asked),
        ]
        for k in reversed(range(_BITS)):
            with m.If(rest[k]):
                m.d.comb += low.eq(k)
        with m.If(self.ready):
            m.d.sync += self.valid.eq(0)
        with m.If(take):
            m.d.sync += [
                self.valid.eq(1),
                self.index.eq(Cat(low, of)),
                rest.eq(left),
                none.eq(left == 0),
            ]
        with m.If(move):
            m.d.sync += [rest.eq(self.word), none.eq(self.word == 0), of.eq(number), here.eq(0)]
        with m.If(self.enable):
            m.d.sync += [here.eq(1), number.eq(asked), asked.eq(asked + 1)]
        m.d.comb += [
            waiting.eq((asked != self.words) | here | ~none | self.valid),
            self.busy.eq(running & waiting),
        ]
        with m.If(self.start):
            m.d.sync += [running.eq(1), asked.eq(0)]
        with m.Elif(~waiting):
            m.d.sync += running.eq(0)
        return m
