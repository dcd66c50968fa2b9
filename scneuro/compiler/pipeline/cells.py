"""The pipeline of a datapath as data: every value at every stage, and what it is made of there.

A :class:`~scneuro.hdl.Step` prints it, and a proof is of it; neither decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from ..datapath import Node
from ..lowered import Lowered
from .form import Form
from .schedule import Schedule, schedule
from .stages import FREE

__all__ = ["Cell", "Cells", "Kind", "Pipeline", "distinct", "pipeline", "place"]

Kind: TypeAlias = Literal["port", "wires", "logic", "result", "delay", "row", "product"]

_REGISTERS = ("result", "delay", "row", "product")


@dataclass(frozen=True)
class Cell:
    """The value of a node as one stage sees it.

    Attributes
    ----------
    node : Node
    stage : int
        Clocks after the inputs.
    kind : str
        ``port``: an input as it enters, or a value that waited in a memory. ``wires``: bits of
        what it takes. ``logic``: the node's operation on what it takes, seen in the same clock.
        ``result``: a register behind that operation; if it has ``low`` bits, it is one without
        them, and they are those of what it takes last. ``delay``: a register behind the one value
        that it takes. ``row``: a memory's register, whose address it takes. ``product``: the
        register of a multiplier that is shared, whose factors it takes.
    takes : tuple of int
        The cells it is made of, by their places in the pipeline.
    name : str
        In the hardware; no other cell has it.
    low : int
    inverted : bool
        Whether the register holds the complement of its value.
    unit : int
        Of a ``product``, the multiplier; of a ``row``, the memory, if tables share it: what is
        shared has its value for a clock. Otherwise -1.
    """

    node: Node
    stage: int
    kind: Kind
    takes: tuple[int, ...]
    name: str
    low: int = 0
    inverted: bool = False
    unit: int = -1

    @property
    def is_register(self) -> bool:
        return self.kind in _REGISTERS

    @property
    def shared(self) -> bool:
        """Whether it is of a unit that it shares."""
        return self.unit >= 0

    @property
    def memory(self) -> str:
        """Of a ``row``, the name of its memory."""
        return f"tables_{self.unit}" if self.shared else self.name

    @property
    def signal(self) -> str:
        """The name of the signal that has its value: of a memory, the data of its read port."""
        if self.kind == "product":
            return f"product_{self.unit}"
        return f"{self.memory}__data" if self.kind == "row" else self.name


@dataclass(frozen=True)
class Wait:
    """A value that leaves the datapath for a memory, and enters it again some clocks later.

    Attributes
    ----------
    source, port : int
        The cells it is before, and after.
    clocks : int
    """

    source: int
    port: int
    clocks: int


@dataclass(frozen=True)
class Pipeline:
    """A datapath in hardware.

    Attributes
    ----------
    schedule : Schedule
    cells : tuple of Cell
        What each takes comes before it.
    outputs : dict of str to int
        The cell of the spike flag and of every state's next register, in the stage ``schedule.at``
        it.
    words : dict of str to int
        The cell of every state's word, at once.
    waits : tuple of Wait
        What waits in a memory outside the datapath.
    """

    schedule: Schedule
    cells: tuple[Cell, ...]
    outputs: dict[str, int]
    words: dict[str, int]
    waits: tuple[Wait, ...] = ()

    @property
    def latency(self) -> int:
        return self.schedule.latency

    @property
    def form(self) -> Form:
        return self.schedule.form

    @property
    def registers(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.is_register]

    @property
    def ports(self) -> list[Cell]:
        """What enters, each in its stage."""
        return [cell for cell in self.cells if cell.kind == "port"]

    @property
    def reads(self) -> dict[str, Cell]:
        """What enters of each state, input and draw, by name, and first."""
        again = {wait.port for wait in self.waits}
        ports = [c for k, c in enumerate(self.cells) if c.kind == "port" and k not in again]
        return {str(cell.node.meta): cell for cell in ports}

    def inside(self, wait: Wait) -> int:
        """Clocks that a value waits in its memory, without the register behind it."""
        return wait.clocks - self.form.first

    @property
    def shared(self) -> dict[int, list[Cell]]:
        """What every unit that is shared computes, by unit."""
        found: dict[int, list[Cell]] = {}
        for cell in self.cells:
            if cell.shared:
                found.setdefault(cell.unit, []).append(cell)
        return found

    def enabled_in(self, cell: Cell) -> int:
        """The phase in which a register takes its value, where an update takes several clocks."""
        return (cell.stage - 1) % self.form.interval

    @property
    def memories(self) -> dict[str, Node]:
        """The table in each memory, by the memory's name."""
        return {cell.memory: cell.node for cell in self.cells if cell.kind == "row"}


def pipeline(lowered: Lowered, form: Form) -> Pipeline:
    """The pipeline of a lowered neuron, in a form."""
    return Cells(schedule(lowered, form)).build()


def distinct(lowered: Lowered, forms: Iterable[Form]) -> list[Form]:
    """The forms that make different hardware of a lowered neuron: the first of each."""
    first: dict[Any, Form] = {}
    for form in dict.fromkeys(forms):
        pipe = pipeline(lowered, form)
        cells = tuple(
            (c.stage, c.kind, c.takes, c.name, c.low, c.inverted, c.unit) for c in pipe.cells
        )
        used = [c.node for c in pipe.cells]
        nodes = tuple((n.op, n.meta, n.low, n.high, n.fraction) for n in used)
        first.setdefault((form.interval, cells, nodes, *pipe.outputs.items(), pipe.waits), form)
    return list(first.values())


def place(plan: Schedule, node: Node, stage: int) -> tuple[int, int]:
    """Where ``stage`` finds the value of ``node``: its index, and the stage it is taken from.

    What entered from outside, or is a memory's row where a clock has time for more than that, is
    held for as many clocks as an update takes, and so is every register behind another. Where all
    values are held, any later stage can have the register behind the one that made it. What comes
    from a unit that is shared is there for a clock, and then in a register.
    """
    made = plan.stage[node.index]
    begins = [at for at in plan.begins.get(node.index, ()) if at <= stage]
    start = max(begins, default=made)
    if node.op in FREE and not begins:
        return node.index, min(stage, made + 1) if plan.form.held else stage
    if node.index in plan.units and stage == made:
        return node.index, stage
    kept = node.op == "rom" and node.index not in plan.units and not plan.form.first
    first = start if begins or kept else start + 1
    if plan.form.held:
        return node.index, min(stage, first)
    if stage < first:
        return node.index, stage
    every = plan.form.interval
    return node.index, first + (stage - first) // every * every


def _passed(node: Node) -> tuple[Node, int] | None:
    """The argument whose low bits are those of the sum, and how many of them."""
    if node.op == "add":
        i, j, sign = node.meta
        if 0 < j < node.width:
            return node.args[0], j
        if 0 < i < node.width and sign > 0:
            return node.args[1], i
    return None


def _subtracts(node: Node) -> bool:
    return node.op == "add" and bool(node.meta[2] < 0)


class Cells:
    """Makes a pipeline, from its outputs back to its inputs."""

    def __init__(self, plan: Schedule) -> None:
        self.plan = plan
        self._cells: list[Cell] = []
        self._at: dict[tuple[int, int], int] = {}
        self._names: set[str] = set()

    def build(self) -> Pipeline:
        plan = self.plan
        outputs = {name: self._cell(node, plan.at[name]) for name, node in plan.outputs.items()}
        words = {name: self._cell(node, 0) for name, node in plan.words.items()}
        waits = [
            (node, before, after)
            for node in plan.nodes
            for before, after in self._waited(node)
            if (node.index, after) in self._at
        ]
        found = []
        for node, before, after in waits:
            source, port = self._cell(node, before), self._at[node.index, after]
            found.append(Wait(source, port, after - before))
        if plan.form.stored and plan.form.complements:
            given = {*outputs.values(), *(wait.source for wait in found)}
            for index in self._subtracted(given):
                self._cells[index] = replace(self._cells[index], inverted=True)
        return Pipeline(plan, tuple(self._cells), outputs, words, tuple(found))

    def _subtracted(self, given: set[int]) -> list[int]:
        """The registers behind logic that are only subtracted, if not given to the outside.

        A register behind one is behind logic, too, which inverts for nothing.
        """
        taken, otherwise = set[int](), set(given)
        for index in reversed(range(len(self._cells))):
            cell = self._cells[index]
            if cell.kind == "wires":
                (otherwise if index in otherwise else taken).update(cell.takes)
            elif cell.kind in ("logic", "result") and _subtracts(cell.node):
                otherwise.add(cell.takes[0])
                taken.add(cell.takes[1])
            elif cell.kind != "delay":
                otherwise.update(cell.takes)
        return [
            index
            for index in taken - otherwise
            if (cell := self._cells[index]).kind in ("result", "delay") and cell.node.op != "mul"
        ]

    def _waited(self, node: Node) -> list[tuple[int, int]]:
        """The stages between which a value is in a memory.

        From a table it goes there by way of a register, if a clock has no time for both.
        """
        begins = list(self.plan.begins.get(node.index, ()))
        if node.op != "input" and begins:
            made = self.plan.stage[node.index]
            begins = [made + (node.op != "rom"), *begins]
        late = node.op == "rom" and self.plan.form.deep == 0
        return [(b + (late and b == begins[0]), after) for b, after in pairwise(begins)]

    def seen(self, node: Node, stage: int) -> int:
        """The stage whose value of ``node`` is used at ``stage``: that one."""
        return stage

    def _cell(self, node: Node, stage: int) -> int:
        """The place of the value of ``node`` as ``stage`` sees it.

        What it takes is made first, in a loop: a datapath may be deeper than Python's stack.
        """
        wanted = place(self.plan, node, self.seen(node, stage))
        stack = [(node, wanted[1])]
        while stack:
            node, stage = stack[-1]
            if (node.index, stage) in self._at:
                stack.pop()
                continue
            kind, takes, low = self._made_of(node, stage)
            sources = [place(self.plan, arg, self.seen(arg, at)) for arg, at in takes]
            missing = [
                (arg, key[1])
                for (arg, _), key in zip(takes, sources, strict=True)
                if key not in self._at
            ]
            if missing:
                stack.append(missing[0])
                continue
            self._at[node.index, stage] = len(self._cells)
            places = tuple(self._at[key] for key in sources)
            shares = kind in ("product", "row")
            unit = self.plan.units.get(node.index, -1) if shares else -1
            name = self._name(node, stage)
            self._cells.append(Cell(node, stage, kind, places, name, low, unit=unit))
        return self._at[wanted]

    def _made_of(self, node: Node, stage: int) -> tuple[Kind, list[tuple[Node, int]], int]:
        """What the value of ``node`` at ``stage`` is, what it takes, and its low bits elsewhere.

        It takes nodes at their stages.
        """
        made = self.plan.stage[node.index]
        if stage in self.plan.begins.get(node.index, ()):
            return "port", [], 0
        if node.op == "input":
            return "delay", [(node, stage - 1)], 0
        if node.op in FREE:
            return "wires", [(arg, stage) for arg in node.args], 0
        if node.op == "mul" and node.index in self.plan.units and stage == made:
            return "product", [(arg, stage - 1) for arg in node.args], 0
        if node.op == "rom" and stage == made:
            return "row", [(arg, stage - 1) for arg in node.args], 0
        if stage == made:
            return "logic", [(arg, stage) for arg in node.args], 0
        # a value that only later stages see is never a signal of its own: its register takes the
        # operation, which saves the simulator an event and costs synthesis nothing
        if stage == made + 1 and node.op != "rom" and node.index not in self.plan.units:
            takes = [(arg, made) for arg in node.args]
            if self.plan.form.held and (found := _passed(node)):
                # the low bits that pass an adder by are held already, where they come from
                source, low = found
                return "result", [*takes, (source, self.plan.stage[source.index] + 1)], low
            return "result", takes, 0
        return "delay", [(node, stage - 1)], 0

    def _name(self, node: Node, stage: int) -> str:
        after = stage - self.plan.stage[node.index]
        name = wanted = f"{node.name}_d{after}" if after else node.name
        number = 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name
