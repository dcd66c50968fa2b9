"""A population within a network: its inputs are fetched, its spikes are looked at."""

from typing import Any

import numpy as np
from amaranth import Module, Mux, ResetInserter, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...compiler.pipeline.cells import Cell
from ...compiler.pipeline.form import Form
from ...network.plan import AHEAD
from ...population import FixedPopulation
from ..population import Population, plain
from ..step import Step

__all__ = ["AHEAD", "Core"]

_WORD = Shape(16, signed=True)


class Core(Population):
    """A population whose inputs are sums that something else keeps.

    Parameters
    ----------
    population : FixedPopulation
    form : Form, optional
    order : ndarray of int, shape (count,), optional
        The neurons in the order of their rows; else their own.
    linked : bool
        Whether its states are read and written from outside, between steps.

    Members
    -------
    tick, ready, done, written
        As of :class:`~scneuro.hdl.population.Population`.
    fetch : Out
        By input, whether a row is wanted and which.
    words : In
        By input, what was fetched, ``AHEAD`` + 1 clocks later, for as long as an update takes.
    restart : In(1)
        Give every neuron its initial states; ``ready`` is there again when it is done.
    look, place : In, where it is linked
        Whether a row of all registers is read, and which; or is written, as ``write`` says.
    write, given : In, where it is linked
        By register, whether it is written, and what: in the lowest bits.
    found : Out, where it is linked
        By register, what was read, a clock after ``look``.

    Raises
    ------
    ScneuroError
        As :class:`~scneuro.hdl.population.Population`.
    """

    fetch: data.View
    words: data.View
    restart: Signal
    look: Signal
    place: Signal
    write: data.View
    given: Signal
    found: data.View
    _ahead = AHEAD

    def __init__(
        self,
        population: FixedPopulation,
        form: Form | None = None,
        order: np.ndarray | None = None,
        *,
        linked: bool = False,
    ) -> None:
        self._linked = linked
        self._order = np.arange(population.count) if order is None else order
        super().__init__(population, form)

    def _ports(self) -> dict[str, Any]:
        lowered, lanes = self._fixed.lowered, self._lanes
        rows = max(1, (-(-self._fixed.count // lanes) - 1).bit_length())
        fetch = data.StructLayout({"valid": 1, "row": rows})
        words = data.ArrayLayout(_WORD, lanes)
        return {
            "fetch": Out(data.StructLayout(dict.fromkeys(lowered.inputs, fetch))),
            "words": In(data.StructLayout(dict.fromkeys(lowered.inputs, words))),
            "restart": In(1),
            **(self._linked_ports(rows) if self._linked else {}),
        }

    def _linked_ports(self, rows: int) -> dict[str, Any]:
        shapes = self.stored
        return {
            "look": In(1),
            "place": In(rows),
            "write": In(data.StructLayout(dict.fromkeys(shapes, 1))),
            "given": In(max((shape.width for shape in shapes.values()), default=1)),
            "found": Out(data.StructLayout(shapes)),
        }

    @property
    def stored(self) -> dict[str, Shape]:
        """What its memories hold a row, by register."""
        registers = self._fixed.lowered.registers
        return {
            name: Shape(cell.node.width, signed=cell.node.signed)
            for name, cell in self.pipeline.reads.items()
            if name in registers
        }

    @property
    def apart(self) -> list[str]:
        """The states in which neurons start differently, which a memory gives them again."""
        written = self.pipeline.schedule.at
        return [n for n in self._fixed.apart if n in self.stored and n in written]

    def elaborate(self, platform: object) -> Module:
        m = super().elaborate(platform)
        if self._linked:
            m.d.comb += [self.found[name].eq(lanes[0]) for name, lanes in self._kept.items()]
        return m

    def _written(self) -> data.StructLayout:
        """Besides, the words of the inputs that were fetched."""
        shown = super()._written()
        rows = shown["spike"].shape["row"].width
        words = data.StructLayout(
            {"valid": 1, "row": rows, "values": data.ArrayLayout(_WORD, self._lanes)}
        )
        found = {n: f.shape for n, f in shown}
        return data.StructLayout(found | dict.fromkeys(self._fixed.lowered.inputs, words))

    def _initial(self, name: str) -> np.ndarray:
        values: np.ndarray = super()._initial(name)[self._order]
        return values

    @property
    def fixed(self) -> FixedPopulation:
        """The integers of its neurons."""
        return self._fixed

    @property
    def _sweeps(self) -> bool:
        return True

    def _sweep(self, m: Module) -> None:
        super()._sweep(m)
        with m.If(self.restart):
            m.d.sync += self._sweeping.eq(1)
        self._begins: dict[str, Value] = {}  # what the row that is swept starts with
        following = Signal.like(self._swept, name="swept_next")
        ends = ~self._sweeping | (self._swept == self.rows - 1)
        m.d.comb += following.eq(Mux(ends, 0, self._swept + 1))
        for name in self.apart:
            init = self._initial(name).tolist()
            memory = Memory(shape=self.stored[name], depth=self.rows, init=init)
            m.submodules[f"begins_{plain(name)}"] = memory
            read = memory.read_port()
            m.d.comb += read.addr.eq(following)
            self._begins[name] = read.data

    def _reads(self, stage: int) -> tuple[Value, Value]:
        at, row = super()._reads(stage)
        if not self._linked:
            return at, row
        return at | self.look, Mux(self.look, self.place, row)

    def _besides(self, cell: Cell, initial: int) -> Any:
        sweeps = super()._besides(cell, self._begins.get(cell.node.meta, initial))
        if not self._linked:
            return sweeps
        writes, value = self.write[cell.node.meta], self.given[: cell.node.width]
        if sweeps is None:
            return writes, self.place, value
        now, row, start = sweeps
        return now | writes, Mux(now, row, self.place), Mux(now, start, value)

    def _spikes(self, m: Module, steps: list[Step]) -> Value:
        """Show the spikes of every row; there is always room for them."""
        self._fired(m, steps)
        return Signal(init=1, name="room")

    def _inputs(self, m: Module, steps: list[Step]) -> None:
        for name in self._fixed.lowered.inputs:
            if (cell := self.pipeline.reads.get(name)) is None:
                continue
            stage = cell.stage - 1 - self._ahead
            m.d.comb += [
                self.fetch[name].valid.eq(self._live.at(stage)),
                self.fetch[name].row.eq(self._live.row(stage)),
            ]
            view = self.written[name]
            m.d.comb += [
                view.valid.eq(self._live.at(cell.stage)),
                view.row.eq(self._live.row(cell.stage)),
                view.values.eq(self.words[name]),
            ]
            for lane, step in enumerate(steps):
                m.d.comb += step.ports[cell.name].eq(self.words[name][lane])

    def _noise(self, m: Module, steps: list[Step]) -> None:
        inner = Module()
        super()._noise(inner, steps)
        m.submodules.noises = ResetInserter({"sync": self.restart})(inner)
