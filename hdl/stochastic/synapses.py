"""Products of streams, counted."""

from typing import Any

from amaranth import Cat, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...stochastic.projection import Stochastic
from .gates import less, popcount, product
from .sources import Sources

__all__ = ["Synapses"]

_LOGIC = 16  # rows of which a LUT is a bit of them all


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
            shape=self._word * projection.n_inputs * self._lanes,
            depth=self.rows,
            init=self._rows(),
            attrs={"rom_style": "block"} if self.rows > _LOGIC else {},
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
        most: int = self._projection.n_inputs * self._projection.per_step
        return most

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
                    bit.eq(less(source, state, self.words[i], mirrored=False)),
                    weight.eq(less(source, state, word, mirrored=True)),
                ]
                found.append(product(bit, weight, bipolar=projection.bipolar))
        return found
