"""What operations of different clocks share: multipliers, and the read ports of memories.

With an interval of K clocks, what a stage computes is computed in one clock of K. Operations whose
stages are in different ones are never made at once, so that one unit can make them all: it takes
what they are made of by the clock, and has the result in the next one, for one clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..datapath import Node
from .form import Form

__all__ = ["Slots", "Units"]


@dataclass(frozen=True)
class _Kind:
    """Operations that any of some units can make."""

    nodes: tuple[Node, ...]
    units: range


class Units:
    """The operations that share units: multiplications, and tables that lie in one memory.

    Parameters
    ----------
    multiplied : list of Node
        The multiplications that share multipliers.
    looked_up : list of Node
        The tables; those with the same contents are in one memory.
    form : Form
    """

    def __init__(self, multiplied: list[Node], looked_up: list[Node], form: Form) -> None:
        self.interval = form.interval
        self._kinds: list[_Kind] = []
        if multiplied:
            least = -(-len(multiplied) // form.interval)
            count = max(form.multipliers or 0, least)
            self._kinds.append(_Kind(tuple(multiplied), range(count)))
        memories: dict[tuple[int, ...], list[Node]] = {}
        for node in looked_up:
            memories.setdefault(node.meta, []).append(node)
        for nodes in memories.values():
            if len(nodes) > 1:
                first = self._kinds[-1].units.stop if self._kinds else 0
                self._kinds.append(_Kind(tuple(nodes), range(first, first + 1)))
        self._of = {node.index: kind for kind in self._kinds for node in kind.nodes}

    @classmethod
    def of(cls, nodes: list[Node], form: Form, *, shared: bool) -> Units:
        """Those of a datapath, whose multiplications are ``shared`` or not."""
        multiplied = [node for node in nodes if node.op == "mul"]
        looked_up = [node for node in nodes if node.op == "rom"]
        return cls(multiplied if shared else [], looked_up if form.joint else [], form)

    def __contains__(self, index: int) -> bool:
        return index in self._of

    def __bool__(self) -> bool:
        return bool(self._of)

    def units(self, index: int) -> range:
        """The units that can make an operation."""
        return self._of[index].units

    def phase(self, stage: int) -> int:
        """The clock of the interval in which a unit takes what has its result in a stage."""
        return (stage - 1) % self.interval

    def bound(self, stage: Mapping[int, int]) -> dict[int, int]:
        """A unit for each operation: one that takes most of what it is made of already."""
        taken: Counter[tuple[int, int, int]] = Counter()
        busy: set[tuple[int, int]] = set()
        found = {}
        for kind in self._kinds:
            for node in sorted(kind.nodes, key=lambda n: (stage[n.index], n.index)):
                phase = self.phase(stage[node.index])
                free = [unit for unit in kind.units if (phase, unit) not in busy]
                args = [(side, arg.index) for side, arg in enumerate(node.args)]
                has = [(sum(taken[(u, *arg)] > 0 for arg in args), -u) for u in free]
                unit = -max(has)[1]
                taken.update((unit, *arg) for arg in args)
                busy.add((phase, unit))
                found[node.index] = unit
        return found


class Slots:
    """Which clocks of the interval have a unit left."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._used: Counter[tuple[int, int]] = Counter()

    def free(self, index: int, stage: int) -> bool:
        """Whether there is one for an operation that has its result in a stage."""
        units = self._units.units(index)
        return self._used[units.start, self._units.phase(stage)] < len(units)

    def take(self, index: int, stage: int, many: int = 1) -> None:
        """Take one, or give it back: -1."""
        self._used[self._units.units(index).start, self._units.phase(stage)] += many
