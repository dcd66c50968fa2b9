"""The stage of every operation: as soon as possible, or where values wait least.

An adder, a multiplier or a comparison fills a stage; a LUT's worth of logic joins the stage it
follows. A memory registers its address, and a multiplier that is shared its product, of factors
that are there early in the stage before, as an address is where stages are deep; a clock of the
interval has so many of them. Where states and inputs are stored, a comparison leaves room for a
multiplexer behind it, which saves what it compares another stage; and what a memory gives comes
late in a stage, so that there is a register between it and what fills the next. Where clocks are
too short even for that, states and inputs come from a register behind their memory, and only a
register takes a table's row.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ..datapath import Node
from .form import DEEPEST, Form
from .units import Slots, Units

__all__ = ["FREE", "Stages", "soonest", "waiting_least"]

#: Operations that are only wires.
FREE = ("const", "input", "move", "known", "shl", "shr", "low")
_COST = {
    "add": 1.0,
    "scale": 1.0,
    "mul": 1.0,
    "ge": 1.0,
    "mux": 0.3,
    "clamp": 0.3,
    "and": 0.2,
    "or": 0.2,
    "rom": 0.5,
}
_STORED_COST = _COST | {"ge": 0.7, "input": 0.5}
_SHORT_COST = _STORED_COST | {"input": 0.0, "rom": 1.0}
_DEEP_COST = _STORED_COST | {"add": 0.7, "scale": 0.7, "ge": 0.4, "input": 0.3, "rom": 0.3}
_EARLY = 0.5  # of a stage: what :func:`_is_early` takes is there by then
_LONG = 1  # registers that a memory is worth more than
_SWEEPS = 8


def _costs(form: Form) -> dict[str, float]:
    if not form.stored:
        return _COST
    return {0: _SHORT_COST, DEEPEST: _DEEP_COST}.get(form.deep, _STORED_COST)


def soonest(
    nodes: list[Node], form: Form, units: Units, at_once: Collection[int] = ()
) -> dict[int, int]:
    """Each operation's stage, as soon as possible.

    What is shared goes to those first that most follows.

    Parameters
    ----------
    nodes : list of Node
        Arguments first.
    form : Form
    units : Units
    at_once : collection of int
        Nodes, by index, that are made in one stage whatever they take.
    """
    costs = _costs(form)
    stage: dict[int, int] = {}
    ready: dict[int, float] = {}
    slots = Slots(units)
    for node in _most_urgent(nodes, units, costs):
        at = max((stage[a.index] for a in node.args), default=form.first)
        if _is_early(node, form, units):
            late = any(stage[a.index] == at and ready[a.index] > _EARLY for a in node.args)
            at += late
        if node.index in units:
            at += 1
            while not slots.free(node.index, at):
                at += 1
            slots.take(node.index, at)
            stage[node.index] = at
            ready[node.index] = costs["rom"] if node.op == "rom" else 0.0
            continue
        begin = max((ready[a.index] for a in node.args if stage[a.index] == at), default=0.0)
        cost = costs.get(node.op, 0.0)
        # a memory registers its address, and an adder that is late begins the next stage
        late = begin + cost > 1.0 and begin > 0 and node.index not in at_once
        if node.op == "rom" or late:
            at, begin = at + 1, 0.0
        stage[node.index] = at
        ready[node.index] = begin + cost
    return stage


def _is_early(node: Node, form: Form, units: Units) -> bool:
    """Whether what an operation takes is to be there early in the stage before."""
    return node.index in units or (node.op == "rom" and form.stored and form.deep == DEEPEST)


def _most_urgent(nodes: list[Node], units: Units, costs: Mapping[str, float]) -> Iterable[Node]:
    """The nodes, arguments first, and before others what most has to follow."""
    if not units:
        return nodes
    follows: dict[int, float] = {}
    users: dict[int, list[Node]] = {}
    for node in reversed(nodes):
        own = 2.0 if node.index in units or node.op == "rom" else costs.get(node.op, 0.0)
        after = (follows[user.index] for user in users.get(node.index, ()))
        follows[node.index] = own + max(after, default=0.0)
        for arg in {a.index: a for a in node.args}.values():
            users.setdefault(arg.index, []).append(node)
    left = {node.index: len({a.index for a in node.args}) for node in nodes}
    by_index = {node.index: node for node in nodes}
    heap = [(-follows[i], i) for i, count in left.items() if not count]
    heapq.heapify(heap)
    order = []
    while heap:
        node = by_index[heapq.heappop(heap)[1]]
        order.append(node)
        for user in users.get(node.index, ()):
            left[user.index] -= 1
            if not left[user.index]:
                heapq.heappush(heap, (-follows[user.index], user.index))
    return order


@dataclass(frozen=True)
class Stages:
    """Where everything is made of a datapath whose states and inputs are stored.

    Attributes
    ----------
    stage : dict of int to int
        By node; of an input, when it is read.
    at : dict of str to int
        When each output is written.
    begins : dict of int to tuple of int
        When a value comes from a memory.
    """

    stage: dict[int, int]
    at: dict[str, int]
    begins: dict[int, tuple[int, ...]]


def waiting_least(
    nodes: list[Node],
    outputs: Mapping[str, Node],
    soon: Mapping[int, int],
    form: Form,
    units: Units,
    together: Iterable[Collection[str]] = (),
) -> Stages:
    """The stages in which the fewest bits wait.

    No operation is later than the longest chain of them takes. One after the other goes to where
    fewest bits of what it takes and makes wait, until none moves.

    Parameters
    ----------
    nodes : list of Node
        Arguments first.
    outputs : mapping of str to Node
    soon : mapping of int to int
        Their stages as soon as possible.
    form : Form
    units : Units
    together : iterable of collections of str
        Inputs, by name, that come at the same time.
    """
    placing = _Placing(nodes, outputs, soon, form, units)
    placing.settle()
    return placing.result(together)


class _Placing:
    def __init__(
        self,
        nodes: list[Node],
        outputs: Mapping[str, Node],
        soon: Mapping[int, int],
        form: Form,
        units: Units,
    ) -> None:
        self.form, self.nodes, self.costs = form, nodes, _costs(form)
        self.first = form.first
        self.units, self.slots = units, Slots(units)
        self.made = [node for node in nodes if node.op not in FREE]
        self.last = max((soon[node.index] for node in self.made), default=0)
        self.sources = {node.index: _sources(node) for node in self.made}
        self.users: dict[int, list[Node]] = {}
        self.wide: dict[int, int] = {}  # bits of a value that anything takes
        for node in self.made:
            for source, width in self.sources[node.index]:
                self.users.setdefault(source.index, []).append(node)
                self.wide[source.index] = max(self.wide.get(source.index, 0), width)
        self.outputs = outputs
        self.written: dict[int, list[str]] = {}
        for name, node in outputs.items():
            source, width = _through(node)
            if source.op not in FREE:
                self.written.setdefault(source.index, []).append(name)
                self.wide[source.index] = max(self.wide.get(source.index, 0), width)
        self.stage: dict[int, int] = {}
        self.by_stage: dict[int, set[int]] = {}
        self.node = {node.index: node for node in nodes}
        self.order = {node.index: k for k, node in enumerate(self.made)}
        for node in self.made:
            self._put(node, soon[node.index])
        for node in reversed(self.made):  # as late as can be, to begin with
            for stage in range(self.last, self.stage[node.index], -1):
                if self._fits(node, stage):
                    break

    def _put(self, node: Node, stage: int) -> None:
        before = self.stage.get(node.index)
        if before is not None:
            self.by_stage[before].discard(node.index)
        if node.index in self.units:
            if before is not None:
                self.slots.take(node.index, before, -1)
            self.slots.take(node.index, stage)
        self.stage[node.index] = stage
        self.by_stage.setdefault(stage, set()).add(node.index)

    def _fits(self, node: Node, stage: int) -> bool:
        """Move a node to a stage if it can be made there, and what takes it where it is."""
        before = self.stage[node.index]
        for source, _ in self.sources[node.index]:
            if self.stage.get(source.index, self.first) > self._takes(node, source, stage):
                return False
        if not self.first <= stage <= self.last:
            return False
        for user in self.users.get(node.index, ()):
            if self._takes(user, node) < stage:
                return False
        if node.index in self.units:
            elsewhere = self.units.phase(stage) != self.units.phase(before)
            if elsewhere and not self.slots.free(node.index, stage):
                return False
        self._put(node, stage)
        early = _is_early(node, self.form, self.units)
        if self._in_time(stage) and not (early and not self._in_time(stage - 1)):
            return True
        self._put(node, before)
        return False

    def _in_time(self, stage: int) -> bool:
        """Whether what a stage makes one after the other fits into it.

        A sum of what is read comes a stage after it.
        """
        ready: dict[int, float] = {}
        for index in sorted(self.by_stage.get(stage, ()), key=self.order.__getitem__):
            node, begin = self.node[index], 0.0
            if not self._registers(node):
                begin = max((ready.get(s.index, 0.0) for s, _ in self.sources[index]), default=0.0)
            product = node.op == "mul" and index in self.units
            cost = 0.0 if product else self.costs.get(node.op, 0.0)
            if begin > 0 and begin + cost > 1.0:
                return False
            ready[index] = begin + cost
        behind = self.by_stage.get(stage + 1, ())
        early = [i for i in behind if _is_early(self.node[i], self.form, self.units)]
        factors = (source.index for index in early for source, _ in self.sources[index])
        return all(ready.get(factor, 0.0) <= _EARLY for factor in factors)

    def _registers(self, node: Node) -> bool:
        """Whether it takes what a stage before has, and is in a register at once."""
        return node.op == "rom" or node.index in self.units

    def _takes(self, user: Node, source: Node, stage: int | None = None) -> int:
        """The stage in which a value must be there for what is made of it, in its stage or another.

        A memory's row, and a sum of what comes from one, take it a stage before.
        """
        stage = self.stage[user.index] if stage is None else stage
        return stage - (self._registers(user) or (source.op == "input" and self._fills(user)))

    def _fills(self, node: Node) -> bool:
        """Whether a stage has no time for a memory and what a node makes of what it gives."""
        return self.costs["input"] + self.costs.get(node.op, 0.0) > 1.0

    def _uses(self, index: int) -> list[int]:
        """The stages in which a value is taken, or written."""
        users = self.users.get(index, ())
        at = [self.stage[user.index] - self._registers(user) for user in users]
        if index in self.written:
            at.append(self._written_at(index))
        return at

    def _read(self, index: int) -> int:
        """The stage in which an input is read: when it is wanted first."""
        node, users = self.node[index], self.users.get(index, ())
        at = [self._takes(user, node) for user in users]
        if index in self.written:
            at.append(self._written_at(index))
        return min(at, default=self.first)

    def _written_at(self, index: int) -> int:
        """An output is written from the register behind what makes it."""
        return self.stage[index] + 1

    def _waits(self, index: int) -> int:
        """The bits that wait of a value, but for the register behind what makes it."""
        uses = self._uses(index)
        if not uses:
            return 0
        node = self.node[index]
        if node.op in FREE:  # an input
            clocks = max(uses) - self._read(index)
        else:
            clocks = max(uses) - self.stage[index] - (node.op != "rom" or self.first)
        if index in self.units:  # a clock later, another result is there
            clocks += self.form.interval * (max(uses) > self.stage[index])
        return max(0, clocks) // self.form.interval * self.wide[index]

    def settle(self) -> None:
        """Move one operation after the other to where the fewest bits wait."""
        for _ in range(_SWEEPS):
            moved = False
            for node in reversed(self.made):
                moved |= self._move(node)
            if not moved:
                break

    def _move(self, node: Node) -> bool:
        about = {node.index, *(s.index for s, _ in self.sources[node.index] if s.op != "const")}
        start = self.stage[node.index]
        best = start, sum(map(self._waits, about))
        for step in (1, -1):
            stage = start + step
            while self._fits(node, stage):
                bits = sum(map(self._waits, about))
                if bits < best[1]:
                    best = stage, bits
                stage += step
            self._put(node, start)
        self._put(node, best[0])
        return best[0] != start

    def result(self, together: Iterable[Collection[str]]) -> Stages:
        stage = dict(self.stage)
        begins: dict[int, tuple[int, ...]] = {}
        for node in self.nodes:
            if node.op == "input":
                group = next((g for g in together if node.meta in g), (node.meta,))
                near = [n.index for n in self.nodes if n.op == "input" and n.meta in group]
                stage[node.index] = min(self._read(i) for i in near)
                self.wide.setdefault(node.index, node.width)
                begins[node.index] = (stage[node.index],)
            elif node.op in FREE:
                stage[node.index] = max((stage[a.index] for a in node.args), default=self.first)
        read = {n.meta: stage[n.index] for n in self.nodes if n.op == "input"}
        at = {}
        for name, node in self.outputs.items():
            source, _ = _through(node)
            made = source.index in self.stage
            there = self._written_at(source.index) if made else stage[source.index]
            at[name] = max(there, read.get(name, 0))  # not before the state before it is read
            every = self.form.interval
            asked = read.get(name, 0) - 1 - self.form.first
            if self.form.single and name in read and (at[name] - asked) % every == 0:
                at[name] += 1  # the memory is read in that clock
        self._long(stage, begins)
        return Stages(stage, at, begins)

    def _long(self, stage: Mapping[int, int], begins: dict[int, tuple[int, ...]]) -> None:
        """Let what waits long wait in memories, as far as there are any."""
        if self.form.interval > 1:
            return
        found = []
        for index, width in self.wide.items():
            if self.node[index].op == "const":
                continue
            start = stage[index] + (self.node[index].op not in (*FREE, "rom"))
            # of a memory, too, it comes late
            late = {self.stage[u.index] for u in self.users.get(index, ()) if self._fills(u)}
            uses = {s - (s in late) for s in self._uses(index) if s > start}
            wanted = sorted({start, *uses})
            for begin, end in pairwise(wanted):
                rams = -(-width // 16)
                # but for a register behind the memory, and one behind a table
                row = begin == start and self.node[index].op == "rom"
                clocks = end - begin - self.form.first * (1 + row)
                if clocks > _LONG:
                    found.append((clocks * width / rams, index, end, rams))
        left = self.form.rams
        for _, index, end, rams in sorted(found, key=lambda f: (-f[0], f[1], f[2])):
            if rams <= left:
                left -= rams
                begins[index] = tuple(sorted({*begins.get(index, ()), end}))


def _through(node: Node) -> tuple[Node, int]:
    """What a node is wires of, and how many bits of it they are at most."""
    width = node.width
    while node.op in FREE and node.args:
        node = node.args[0]
        width = min(width, node.width)
    return node, width


def _sources(node: Node) -> list[tuple[Node, int]]:
    """What an operation takes, wires left out."""
    return [(source, w) for source, w in map(_through, node.args) if source.op != "const"]
