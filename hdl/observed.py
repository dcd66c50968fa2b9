"""A population with the ports of a single neuron: one of its neurons is looked at."""

from typing import Any

from amaranth import Module, Mux, Shape, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from ..population import FixedPopulation
from ..words import WORD_BITS
from .population import Population
from .signature import signature

__all__ = ["Observed"]

_MOST = (1 << (WORD_BITS - 1)) - 1


class Observed(wiring.Component):
    """All neurons of a population on the same inputs; the result is that of one of them.

    Parameters
    ----------
    population : Population
        The hardware.
    fixed : FixedPopulation

    Members
    -------
    i, o, state
        As of :class:`scneuro.hdl.Neuron`; a step of all neurons is one of its steps.
    observed : In
        The number of the neuron whose spike, word and state come out.

    Attributes
    ----------
    population : Population
    form : Form
        Of its datapath.
    step_clocks : int
        Clocks that a step takes at most.
    """

    i: Any
    o: Any
    state: data.View
    observed: Signal

    def __init__(self, population: Population, fixed: FixedPopulation) -> None:
        self.population, self._fixed = population, fixed
        self._lanes = fixed.population.lanes
        self.form = population.form
        rows = population.rows
        settled = population.latency + population.form.interval + 4
        self.step_clocks = rows + settled + rows * population.form.interval + population.latency + 4
        ports = dict(signature(fixed.lowered).members)
        ports["observed"] = In(max(1, (fixed.count - 1).bit_length()))
        super().__init__(wiring.Signature(ports))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.population = inner = self.population
        row = Signal(range(inner.rows))
        fed = Signal()
        waiting = Signal()  # for the step that was started
        m.d.comb += [
            inner.o.ready.eq(1),  # whoever looks at one neuron lets the other spikes go
            inner.i.valid.eq(self.i.valid & ~fed & ~waiting & ~self.o.valid),
            inner.i.payload.row.eq(row),
            inner.tick.eq(fed & ~waiting),
            self.i.ready.eq(waiting & inner.done),
        ]
        for name in self._fixed.lowered.inputs:
            for lane in range(self._lanes):
                m.d.comb += inner.i.payload[name][lane].eq(self.i.payload[name])
        with m.If(inner.i.valid & inner.i.ready):
            m.d.sync += row.eq(row + 1)
            with m.If(row == inner.rows - 1):
                m.d.sync += [row.eq(0), fed.eq(1)]
        with m.If(inner.tick & inner.ready):
            m.d.sync += waiting.eq(1)
        with m.If(self.i.ready):
            m.d.sync += [waiting.eq(0), fed.eq(0), self.o.valid.eq(1)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        self._look(m, inner)
        return m

    def _look(self, m: Module, inner: Population) -> None:
        """Keep what is written of the observed neuron."""
        bits = (self._lanes - 1).bit_length()
        lane, row = self.observed[:bits], self.observed[bits:]
        first = next(iter(self._fixed.lowered.registers))
        for name, register in self._fixed.lowered.registers.items():
            shape = Shape(register.width, signed=True)
            if name in inner.written.shape().members:
                view = inner.written[name]
                value = Signal(shape, init=register.init, name=f"observed_{name}")
                with m.If(view.valid & (view.row == row)):
                    m.d.sync += value.eq(view.values[lane] if bits else view.values[0])
                m.d.comb += self.state[name].eq(value)
            else:  # a parameter, which stays
                m.d.comb += self.state[name].eq(register.init)
        spikes = inner.written.spike
        fired = Signal()
        with m.If(spikes.valid & (spikes.row == row)):
            m.d.sync += fired.eq(spikes.values[lane] if bits else spikes.values[0])
        r = self._fixed.lowered.registers[first]
        whole = Signal(Shape(r.width + 1, signed=True))
        word = Signal(Shape(WORD_BITS + 1, signed=True))
        m.d.comb += [
            whole.eq(self.state[first] + ((1 << r.guard) >> 1)),
            word.eq(whole >> r.guard),
            self.o.payload[first].eq(Mux(word > _MOST, _MOST, word)),
            self.o.payload.spike.eq(fired),
        ]
