"""Faults of the gates: of an operation, of a stage, of what is around the datapath."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from amaranth import Const, Module

from scneuro.compiler.datapath import Node
from scneuro.compiler.lowered import Lowered
from scneuro.compiler.pipeline.cells import Cell, Cells, Pipeline
from scneuro.compiler.pipeline.schedule import Schedule, schedule
from scneuro.hdl import LFSR, Step
from scneuro.hdl.step import _fitted
from scneuro.stochastic import LFSR as Sequence

from .nodes import Change, fields_of


class FaultyStep(Step):
    """A Step in which one node of the datapath does something else once it is elaborated.

    ``change`` is an operator of :data:`~faults.nodes.CHANGES`, or a function from the node to the
    fields that are others.
    """

    def __init__(self, lowered: Lowered, index: int, change: Change, **options: Any) -> None:
        super().__init__(lowered, **options)
        self._index = index
        self._change = change

    def elaborate(self, platform: object) -> Module:
        node = next(n for n in nodes_of(self) if n.index == self._index)
        changes = fields_of(self._change, node)
        before = {name: getattr(node, name) for name in changes}
        try:
            for name, value in changes.items():
                setattr(node, name, value)
            return super().elaborate(platform)
        finally:
            for name, value in before.items():
                setattr(node, name, value)


class ShiftedStep(Step):
    """A Step in which one value is taken from a stage too early, or too late."""

    def __init__(self, lowered: Lowered, index: int, by: int, **options: Any) -> None:
        self._index, self._by = index, by
        super().__init__(lowered, **options)

    def _pipeline(self, lowered: Lowered) -> Pipeline:
        return _Shifted(schedule(lowered, self.form), self._index, self._by).build()


class _Shifted(Cells):
    def __init__(self, plan: Schedule, index: int, by: int) -> None:
        super().__init__(plan)
        self._index, self._by = index, by

    def seen(self, node: Node, stage: int) -> int:
        made = self.plan.stage[node.index]
        if node.index == self._index and stage + self._by >= made < stage:
            return stage + self._by
        return stage


class DrawsSwapped(Step):
    """A Step that takes its first draw for the last one, and the last for the first."""

    def _port(self, node: Node) -> Any:
        draws = self.lowered.noise
        if node.meta in (draws[0], draws[-1]):
            at = len(draws) - 1 - draws.index(node.meta)
            return _fitted(self.noise.word_select(at, 16), self.noise.word_select(at, 16).shape())
        return super()._port(node)


class HastyStep(Step):
    """A held Step that claims to be ready a clock before it is."""

    def __init__(self, lowered: Lowered, **options: Any) -> None:
        super().__init__(lowered, **options)
        self._true, self.latency = self.latency, self.latency - 1

    def elaborate(self, platform: object) -> Module:
        self.latency = self._true
        try:
            return super().elaborate(platform)
        finally:
            self.latency = self._true - 1


class WrongTap(LFSR):
    """An LFSR of another recurrence."""

    def elaborate(self, platform: object) -> Module:
        with patch.object(Sequence, "TAP", 12):
            return super().elaborate(platform)


class StuckLFSR(LFSR):
    """An LFSR that goes on whether it is enabled or not."""

    def elaborate(self, platform: object) -> Module:
        enable, self.en = self.en, Const(1)
        try:
            return super().elaborate(platform)
        finally:
            self.en = enable


class BusyStep(Step):
    """A Step in which a shared multiplier is also given the factors of another one's product."""

    def _pipeline(self, lowered: Lowered) -> Pipeline:
        sound = super()._pipeline(lowered)
        first, *others = (c for c in sound.cells if c.kind == "product")
        clock = sound.enabled_in(first)
        other = next(c for c in others if sound.enabled_in(c) == clock and c.unit != first.unit)
        busy = replace(other, unit=first.unit)
        cells = tuple(busy if cell is other else cell for cell in sound.cells)
        return replace(sound, cells=cells)


class WrongClockStep(Step):
    """A Step in which a unit that is shared takes what one result is made of a clock too late."""

    def elaborate(self, platform: object) -> Module:
        late = next(c for c in self.pipeline.cells if c.shared)
        sound = Pipeline.enabled_in

        def enabled_in(pipeline: Pipeline, cell: Cell) -> int:
            return (sound(pipeline, cell) + (cell is late)) % pipeline.form.interval

        with patch.object(Pipeline, "enabled_in", enabled_in):
            return super().elaborate(platform)


def nodes_of(step: Step) -> list[Node]:
    """The nodes that a Step is made of, arguments first."""

    return step.pipeline.schedule.nodes
