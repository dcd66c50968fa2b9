"""Multipliers that operations of different clocks share.

With an interval of K clocks, what a stage computes is computed in one clock of K. Multiplications
whose stages are in different ones are never made at once, so that one multiplier can make them all:
it takes its factors by the clock, and has the product in the next one, for one clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..datapath import Node
from .form import Form

__all__ = ["Slots", "Units"]


class Units:
    """The multiplications that share multipliers, and how many of these there are.

    Parameters
    ----------
    shared : list of Node
    count : int
        Multipliers.
    interval : int
    """

    def __init__(self, shared: list[Node], count: int, interval: int) -> None:
        self.shared = {node.index: node for node in shared}
        self.count, self.interval = count, interval

    @classmethod
    def of(cls, nodes: list[Node], form: Form) -> Units:
        """All multiplications of some nodes, in the form's multipliers, or in some of logic."""
        found = [node for node in nodes if node.op == "mul"]
        least = -(-len(found) // form.interval)
        return cls(found, max(form.multipliers or 0, least), form.interval)

    def __contains__(self, index: int) -> bool:
        return index in self.shared

    def phase(self, stage: int) -> int:
        """The clock of the interval in which a multiplier takes what it has in a stage."""
        return (stage - 1) % self.interval

    def bound(self, stage: Mapping[int, int]) -> dict[int, int]:
        """A multiplier for each multiplication: one that takes most of its factors already."""
        taken: list[Counter[tuple[int, int]]] = [Counter() for _ in range(self.count)]
        busy: set[tuple[int, int]] = set()
        found = {}
        for index in sorted(self.shared, key=lambda i: (stage[i], i)):
            factors = [(side, arg.index) for side, arg in enumerate(self.shared[index].args)]
            phase = self.phase(stage[index])
            free = [unit for unit in range(self.count) if (phase, unit) not in busy]
            unit = max(free, key=lambda u: (sum(taken[u][f] > 0 for f in factors), -u))
            taken[unit].update(factors)
            busy.add((phase, unit))
            found[index] = unit
        return found


class Slots:
    """Which clocks of the interval have a multiplier left."""

    def __init__(self, units: Units) -> None:
        self.phase, self._most = units.phase, units.count
        self._used: Counter[int] = Counter()

    def free(self, stage: int) -> bool:
        return self._used[self.phase(stage)] < self._most

    def take(self, stage: int, many: int = 1) -> None:
        """Take one for what has its product in a stage, or give it back: -1."""
        self._used[self.phase(stage)] += many
