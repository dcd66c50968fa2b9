"""What the words of stochastic weights are compared with."""

from amaranth import Array, Cat, Const, Module, ResetInserter, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...network.plan import Plan
from ..stochastic.sources import Sources

__all__ = ["SMALL", "Draws", "draw_bits"]

#: Sources up to which the numbers of their registers are made of logic.
SMALL = 64


def draw_bits(plan: Plan) -> int:
    """Of what is drawn: as many as a word has, which no register is wider than, and one below."""
    return 1 + max(stochastic.levels.bit_length() for stochastic in plan.draws)


class Draws(wiring.Component):
    """The registers of stochastic projections, and which one is that of a spike.

    Parameters
    ----------
    plan : Plan

    Members
    -------
    first : In
        Place of the first source in ``plan.registers``.
    index : In
        Number of the source of a spike.
    take : In(1)
        There is one.
    draw : Out
        From the clock after ``take`` on, what that source draws: a word w of its weights counts
        where 2 w + 1 is more.
    step : In(1)
        All registers go on to the next time step.
    restart : In(1)
        All registers begin again.
    """

    first: Signal
    index: Signal
    take: Signal
    draw: Signal
    step: Signal
    restart: Signal

    def __init__(self, plan: Plan, index_bits: int) -> None:
        self._plan = plan
        self._sources = [Sources(stochastic) for stochastic in plan.draws]
        super().__init__(
            {
                "first": In(range(len(plan.registers))),
                "index": In(index_bits),
                "take": In(1),
                "draw": Out(draw_bits(plan)),
                "step": In(1),
                "restart": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m, plan = Module(), self._plan
        for k, sources in enumerate(self._sources):
            m.submodules[f"sources_{k}"] = ResetInserter({"sync": self.restart})(sources)
            m.d.comb += sources.en.eq(self.step)
        registers = plan.registers.tolist()
        m.submodules.registers = memory = Memory(
            shape=range(max(2, len(self.drawn))),
            depth=len(registers),
            init=registers,
            attrs={"rom_style": "block"} if len(registers) > SMALL else {},
        )
        read = memory.read_port()
        m.d.comb += [
            read.addr.eq(self.first + self.index),
            read.en.eq(self.take),
            self.draw.eq(Array(self.drawn)[read.data]),
        ]
        return m

    @property
    def drawn(self) -> list[Value]:
        """What each register draws in this time step, of ``draws`` in order."""
        found: list[Value] = []
        for sources in self._sources:
            for source, states in zip(sources.sources, sources.states, strict=True):
                # a counter draws its number; a shift register, which is never 0, one less
                found.append(Cat(Const(source.kind != "lfsr", 1), states[0][::-1]))
        return found
