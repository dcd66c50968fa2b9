"""The LFSR of :mod:`scneuro.stochastic` as gates."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..stochastic import LFSR as Sequence

__all__ = ["LFSR"]


class LFSR(wiring.Component):
    """Fresh 16-bit draws every clock it is enabled; the sequence of ``scneuro.stochastic.LFSR``.

    Parameters
    ----------
    draws : int
        Draws per clock.
    seed : int

    Members
    -------
    en : In(1)
        Go on to the next draws.
    o : Out(16 * draws)
        The current draws, the first one lowest.
    """

    en: Signal
    o: Signal

    def __init__(self, draws: int = 1, *, seed: int = 1) -> None:
        self._draws = draws
        self._seed = Sequence(seed).state
        super().__init__({"en": In(1), "o": Out(16 * draws)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state = Signal(Sequence.WIDTH, init=self._seed)
        now = state
        fresh = []
        for k in range(self._draws):
            draw = Signal(Sequence.DRAW, name=f"draw_{k}")
            m.d.comb += draw.eq(
                now[: Sequence.DRAW] ^ now[Sequence.TAP : Sequence.TAP + Sequence.DRAW]
            )
            fresh.append(draw)
            now = Cat(now[Sequence.DRAW : Sequence.WIDTH], draw)
        m.d.comb += self.o.eq(Cat(*fresh))
        with m.If(self.en):
            m.d.sync += state.eq(now)
        return m
