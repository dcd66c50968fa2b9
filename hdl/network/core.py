"""A population within a network: its inputs are fetched, its spikes are looked at."""

from typing import Any

import numpy as np
from amaranth import Module, ResetInserter, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from ...compiler.pipeline.form import Form
from ...errors import ScneuroError
from ...network.plan import AHEAD
from ...population import FixedPopulation
from ..population import Population
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

    Raises
    ------
    ScneuroError
        Neurons that start differently, which nothing gives their initial states again.
    """

    fetch: data.View
    words: data.View
    restart: Signal
    _ahead = AHEAD

    def __init__(
        self,
        population: FixedPopulation,
        form: Form | None = None,
        order: np.ndarray | None = None,
    ) -> None:
        self._order = np.arange(population.count) if order is None else order
        if not population.is_uniform:
            raise ScneuroError(
                f"{population.name}: neurons that start differently cannot be started again",
                "leave out init",
            )
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
        }

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
