"""The sources of :mod:`scneuro.stochastic` as gates."""

from typing import Any

from amaranth import Cat, Const, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...stochastic.linear import power
from ...stochastic.projection import Stochastic
from ...stochastic.sources import TAPS, step_of

__all__ = ["Sources"]


class Sources(wiring.Component):
    """The registers of a projection's sources: shift registers, or a counter that they share.

    Parameters
    ----------
    projection : Stochastic

    Members
    -------
    en : In(1)
        Go on to the bits of the next step.
    states : Out(array of as many registers as bits a step, for each different source)
        The states of a step's bits, as ``scneuro.stochastic.Source.states``.
    """

    en: Signal
    states: Any

    def __init__(self, projection: Stochastic) -> None:
        self.sources = list(dict.fromkeys(projection.sources))
        self._together = projection.per_step
        bits = data.ArrayLayout(self.sources[0].bits, self._together)
        super().__init__({"en": In(1), "states": Out(data.ArrayLayout(bits, len(self.sources)))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        if self.sources[0].kind == "lfsr":
            self._shift(m)
        else:
            self._count(m)
        return m

    def _shift(self, m: Module) -> None:
        for k, source in enumerate(self.sources):
            first = int(source.states(0, 1)[0])
            state = Signal(source.bits, init=first, name=f"source_{k}")
            following = state
            for b in range(self._together):
                m.d.comb += self.states[k][b].eq(following)
                before, following = following, Signal(source.bits, name=f"source_{k}_{b + 1}")
                m.d.comb += following.eq(_shifted(before))
            with m.If(self.en):
                m.d.sync += state.eq(following)

    def _count(self, m: Module) -> None:
        bits, low = self.sources[0].bits, self._together.bit_length() - 1
        counter = Signal(bits - low)
        with m.If(self.en):
            m.d.sync += counter.eq(counter + 1)
        for k, source in enumerate(self.sources):
            columns = power(step_of(bits), source.place)
            for b in range(self._together):
                now = Cat(Const(b, low), counter)
                for row in range(bits):
                    taken = [now[bit] for bit in range(bits) if columns[bit] >> row & 1]
                    m.d.comb += self.states[k][b][row].eq(Cat(*taken).xor())


def _shifted(state: Value) -> Value:
    """A step of a maximal shift register."""
    bits = len(state)
    return Cat(state[1:], Cat(*(state[bits - tap] for tap in TAPS[bits])).xor())
