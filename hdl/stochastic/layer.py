"""A layer of neurons behind stochastic synapses."""

from itertools import pairwise
from typing import Any

import numpy as np
from amaranth import Module, Mux, Shape, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...compiler.pipeline.form import Form
from ...stochastic.layers import FixedSCDenseLayer
from ..population import Population
from .synapses import Synapses

__all__ = ["Layer"]

_QUIET = 16  # clocks without a spike after which none is under way


class Layer(wiring.Component):
    """A layer: words of inputs in, spike counts of neurons out.

    When the words of all inputs have come, the neurons run for the bits of a stream, and then their
    spikes leave, neuron after neuron. Sources and neurons go on where they were.

    Parameters
    ----------
    layer : FixedSCDenseLayer
    form : Form, optional
        Of the population's datapath.

    Members
    -------
    i : In(stream of words)
        Of the inputs, the first one first; see ``Stochastic.input_words``.
    o : Out(stream of counts)
        Spikes of each neuron.
    counted : Out(valid, row and counts)
        The products of a row that were 1, for those who look on.
    written : Out(:func:`~scneuro.hdl.population.written_layout`)
        What is written of the neurons' states, too.
    """

    i: Any
    o: Any
    counted: data.View
    written: data.View

    def __init__(self, layer: FixedSCDenseLayer, form: Form | None = None) -> None:
        if not isinstance(layer, FixedSCDenseLayer):
            raise TypeError(
                "hdl.stochastic.Layer takes the integers of a layer, such as layer.fixed(), not "
                f"{type(layer).__name__}"
            )
        self._layer, fixed = layer, layer.population
        projection = layer.projection
        self.population = Population(fixed, form)
        self.form = self.population.form
        self._synapses = Synapses(projection, fixed.population.lanes)
        self.rows = self.population.rows
        counts = self._synapses.o.payload.shape().members
        counted = data.StructLayout({"valid": 1, **counts})
        super().__init__(
            {
                "i": In(stream.Signature(projection.levels.bit_length())),
                "o": Out(stream.Signature(projection.steps.bit_length())),
                "counted": Out(counted),
                "written": Out(self.population.written.shape()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.synapses = self._synapses
        m.submodules.population = self.population
        running, finished = self._control(m)
        self._currents(m)
        self._spikes(m, running, finished)
        return m

    def _control(self, m: Module) -> tuple[Signal, Signal]:
        """Take the words, and let so many steps begin; whether it runs, and all steps are over."""
        projection, synapses = self._layer.projection, self._synapses
        words = synapses.words
        running, finished = Signal(), Signal()
        taken = Signal(range(projection.n_inputs))
        begun, over = (Signal(range(projection.steps + 1), name=n) for n in ("begun", "over"))
        kept = [Signal(len(self.i.payload), name=f"x_{k}") for k in range(projection.n_inputs)]
        m.d.comb += [
            self.i.ready.eq(~running),
            synapses.run.eq(running & (begun != projection.steps)),
            finished.eq(over == projection.steps),
            *(words[k].eq(word) for k, word in enumerate(kept)),
        ]
        with m.If(self.i.valid & self.i.ready):  # the first word goes through all of them
            m.d.sync += [kept[-1].eq(self.i.payload), taken.eq(taken + 1)]
            m.d.sync += [here.eq(behind) for here, behind in pairwise(kept)]
            with m.If(taken == projection.n_inputs - 1):
                m.d.sync += [running.eq(1), taken.eq(0), begun.eq(0), over.eq(0)]
        with m.If(synapses.ends):
            m.d.sync += begun.eq(begun + 1)
        with m.If(self.population.done):
            m.d.sync += over.eq(over + 1)
        return running, finished

    def _currents(self, m: Module) -> None:
        """Look up each count's current, and give it to its row; a step begins after the last."""
        projection, population = self._layer.projection, self.population
        counts = self._synapses.o
        most = projection.n_inputs * projection.per_step
        table = projection.currents(np.arange(most + 1)).tolist()
        m.submodules.currents = memory = Memory(
            shape=Shape(16, signed=True), depth=most + 1, init=table
        )
        given, ticking, accepted = Signal(), Signal(), Signal()
        row = Signal.like(counts.payload.row)
        m.d.comb += [
            counts.ready.eq(~given | accepted),
            population.i.valid.eq(given & ~ticking),
            population.i.payload.row.eq(row),
            population.tick.eq(ticking),
            accepted.eq(population.i.valid & population.i.ready),
            self.counted.valid.eq(counts.valid & counts.ready),
            self.counted.row.eq(counts.payload.row),
            self.counted.counts.eq(counts.payload.counts),
        ]
        with m.If(counts.ready):
            m.d.sync += [given.eq(counts.valid), row.eq(counts.payload.row)]
        with m.If(accepted & (row == self.rows - 1)):
            m.d.sync += ticking.eq(1)
        with m.Elif(population.ready):
            m.d.sync += ticking.eq(0)
        words = population.i.payload[self._layer.input]
        for lane in range(len(counts.payload.counts)):
            read = memory.read_port()
            m.d.comb += [
                read.addr.eq(counts.payload.counts[lane]),
                read.en.eq(counts.ready),
                words[lane].eq(read.data),
            ]

    def _spikes(self, m: Module, running: Signal, finished: Signal) -> None:
        """Count the spikes of each neuron, and send the counts when all have come."""
        population, count = self.population, self._layer.n_neurons
        m.submodules.spikes = memory = Memory(shape=len(self.o.payload), depth=count, init=[])
        read, write = memory.read_port(), memory.write_port()
        spike, counts, sends = population.o, Signal(), Signal()
        quiet, neuron = Signal(range(_QUIET)), Signal(range(max(2, count)))
        fired = Signal.like(spike.payload.neuron)
        m.d.comb += [
            self.written.eq(population.written),
            spike.ready.eq(~counts & ~sends),
            read.addr.eq(Mux(sends, neuron, spike.payload.neuron)),
            write.addr.eq(Mux(sends, neuron, fired)),
            write.data.eq(Mux(sends, 0, read.data + 1)),
            write.en.eq(counts | (self.o.valid & self.o.ready)),
            self.o.payload.eq(read.data),
        ]
        m.d.sync += [
            counts.eq(spike.valid & spike.ready),
            fired.eq(spike.payload.neuron),
            quiet.eq(Mux(running & finished & ~spike.valid, quiet + 1, 0)),
        ]
        with m.If(sends):
            m.d.sync += self.o.valid.eq(~self.o.valid | ~self.o.ready)
            with m.If(self.o.valid & self.o.ready):
                m.d.sync += neuron.eq(neuron + 1)
                with m.If(neuron == count - 1):
                    m.d.sync += [neuron.eq(0), sends.eq(0), running.eq(0), self.o.valid.eq(0)]
        with m.Elif(running & (quiet == _QUIET - 1)):
            m.d.sync += sends.eq(1)
