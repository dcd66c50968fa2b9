"""Stochastic computing as gates: sources, products, counts, and a layer of neurons behind them."""

from itertools import pairwise
from typing import Any

import numpy as np
from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..compiler.pipeline.form import Form
from ..stochastic.layers import FixedSCDenseLayer
from ..stochastic.linear import power
from ..stochastic.projection import Stochastic
from ..stochastic.sources import TAPS, Source, step_of
from .population import Population, rows_of, written_layout

__all__ = ["Layer", "Sources", "Synapses", "popcount"]

_QUIET = 16  # clocks without a spike after which none is under way


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
            now: Value = state
            for b in range(self._together):
                m.d.comb += self.states[k][b].eq(now)
                now = _shifted(now)
            with m.If(self.en):
                m.d.sync += state.eq(now)

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


def _less(source: Source, state: Value, word: Value, *, mirrored: bool) -> Value:
    """Whether the draw of a state is less than a word: the bit of a stream."""
    number = state if mirrored else state[::-1]
    return number <= word if source.kind == "lfsr" else number < word


def popcount(m: Module, bits: list[Value], name: str) -> Value:
    """How many bits are 1: full adders, three bits of a weight to a sum and a carry."""
    columns: list[list[Value]] = [list(bits)]
    for weight, column in enumerate(columns):
        while len(column) > 1:
            taken, column[:3] = column[:3], []
            total = Signal(2, name=f"{name}_{weight}_{len(column)}")
            if len(taken) == 3:
                a, b, c = taken
                m.d.comb += total.eq(Cat(a ^ b ^ c, (a & b) | (a & c) | (b & c)))
            else:
                m.d.comb += total.eq(Cat(taken[0] ^ taken[1], taken[0] & taken[1]))
            column.append(total[0])
            if weight + 1 == len(columns):
                columns.append([])
            columns[weight + 1].append(total[1])
    return Cat(*(column[0] for column in columns))


class Synapses(wiring.Component):
    """The products of inputs and weights, counted, a row of neurons a clock.

    Every clock a row's weights are read; in the next they are compared with the mirrored draws of
    the step, and the products with the inputs' bits are made, which are counted in the one after
    that. The sources go on after the last row of a step.

    Parameters
    ----------
    projection : Stochastic
    lanes : int
        Neurons of a row.

    Members
    -------
    words : In(array of words)
        Of the inputs.
    run : In(1)
        Take another row.
    ends : Out(1)
        The last row of a step is taken in this clock.
    o : Out(stream of row and counts)
    """

    words: Any
    run: Signal
    ends: Signal
    o: Any

    def __init__(self, projection: Stochastic, lanes: int = 1) -> None:
        self._projection, self._lanes = projection, lanes
        self.rows = -(-projection.n_neurons // lanes)
        self._row = Shape(max(1, (self.rows - 1).bit_length()))
        most = projection.n_inputs * projection.per_step
        counts = data.ArrayLayout(most.bit_length(), lanes)
        self._word = projection.levels.bit_length()
        super().__init__(
            {
                "words": In(data.ArrayLayout(self._word, projection.n_inputs)),
                "run": In(1),
                "ends": Out(1),
                "o": Out(stream.Signature(data.StructLayout({"row": self._row, "counts": counts}))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        projection = self._projection
        m.submodules.sources = sources = Sources(projection)
        m.submodules.weights = memory = Memory(
            shape=self._word * projection.n_inputs * self._lanes, depth=self.rows, init=self._rows()
        )
        read = memory.read_port()
        flow, row, last = Signal(), Signal(self._row), self.rows - 1
        row_read, row_made = Signal(self._row), Signal(self._row)
        is_read, is_made = Signal(), Signal()
        made = [Signal(self._most, name=f"products_{lane}") for lane in range(self._lanes)]
        m.d.comb += [
            flow.eq(~self.o.valid | self.o.ready),
            read.addr.eq(row),
            read.en.eq(flow),
            self.ends.eq(self.run & flow & (row == last)),
            sources.en.eq(flow & is_read & (row_read == last)),
        ]
        with m.If(flow):
            m.d.sync += [
                is_read.eq(self.run),
                row_read.eq(row),
                is_made.eq(is_read),
                row_made.eq(row_read),
                self.o.valid.eq(is_made),
                self.o.payload.row.eq(row_made),
            ]
            with m.If(self.run):
                m.d.sync += row.eq(Mux(row == last, 0, row + 1))
        for lane, ones in enumerate(made):
            products = Cat(*self._products(m, sources, read.data, lane))
            count = popcount(m, list(ones), f"sum_{lane}")
            with m.If(flow):
                m.d.sync += [ones.eq(products), self.o.payload.counts[lane].eq(count)]
        return m

    @property
    def _most(self) -> int:
        return self._projection.n_inputs * self._projection.per_step

    def _rows(self) -> list[int]:
        """The weights of each row, neuron after neuron, input after input."""
        packed = []
        for row in range(self.rows):
            whole = 0
            neurons = self._projection.words[row * self._lanes : (row + 1) * self._lanes]
            for k, word in enumerate(neurons.ravel().tolist()):
                whole |= word << (k * self._word)
            packed.append(whole)
        return packed

    def _products(self, m: Module, sources: Sources, weights: Value, lane: int) -> list[Value]:
        projection = self._projection
        found = []
        for b in range(projection.per_step):
            for i, source in enumerate(projection.sources):
                state = sources.states[sources.sources.index(source)][b]
                word = weights.word_select(lane * projection.n_inputs + i, self._word)
                bit, weight = Signal(name=f"x_{lane}_{b}_{i}"), Signal(name=f"w_{lane}_{b}_{i}")
                m.d.comb += [
                    bit.eq(_less(source, state, self.words[i], mirrored=False)),
                    weight.eq(_less(source, state, word, mirrored=True)),
                ]
                found.append(~(bit ^ weight) if projection.bipolar else bit & weight)
        return found


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
        self.rows = rows_of(fixed)
        counts = self._synapses.o.payload.shape().members
        counted = data.StructLayout({"valid": 1, **counts})
        super().__init__(
            {
                "i": In(stream.Signature(projection.levels.bit_length())),
                "o": Out(stream.Signature(projection.steps.bit_length())),
                "counted": Out(counted),
                "written": Out(written_layout(fixed, self.population._steps[0])),
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
            quiet.eq(Mux(finished & ~spike.valid, quiet + 1, 0)),
        ]
        with m.If(sends):
            m.d.sync += self.o.valid.eq(~self.o.valid | ~self.o.ready)
            with m.If(self.o.valid & self.o.ready):
                m.d.sync += neuron.eq(neuron + 1)
                with m.If(neuron == count - 1):
                    m.d.sync += [neuron.eq(0), sends.eq(0), running.eq(0), self.o.valid.eq(0)]
        with m.Elif(running & finished & (quiet == _QUIET - 1)):
            m.d.sync += sends.eq(1)
