"""The points of a search: every way to make a neuron that is to be tried."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

from ...declare import MOST_GUARD
from ...fixed import FixedNeuron
from ...neuron import Neuron
from ...population import Population

__all__ = ["Point", "Space", "check_space"]


@dataclass(frozen=True)
class Point:
    """One way to make a neuron.

    Attributes
    ----------
    neurons : int or None
        Of a population that shares a datapath; None is a single neuron with its own.
    lanes, interval : int
        Of the population.
    budget : float or None
        What one step of a state may be off by, in LSB; None is the neuron's own.
    guard : int or None
        Guard bits of every state; None are those of the rule.
    """

    #: What its integers depend on, by the names in :attr:`precision`.
    decides: ClassVar[tuple[str, ...]] = ("budget", "guard")
    #: Whether its clocks depend on what it is given.
    counted: ClassVar[bool] = False

    neurons: int | None = None
    lanes: int = 1
    interval: int = 1
    budget: float | None = None
    guard: int | None = None

    @property
    def precision(self) -> tuple[float | None, int | None]:
        """What its integers depend on."""
        return self.budget, self.guard

    @property
    def alike(self) -> Point:
        """The plainest point that has the same integers."""
        return Point(budget=self.budget, guard=self.guard)

    @property
    def options(self) -> dict[str, Any]:
        """Of its build."""
        return {"guard": self.guard}

    def fixed(self, neuron: Neuron) -> FixedNeuron:
        """The integers of one neuron.

        Raises
        ------
        LoweringError
        """
        return self.one(neuron).fixed(guard=self.guard)

    def one(self, neuron: Neuron) -> Neuron:
        """The neuron, with this budget."""
        neuron = copy.copy(neuron)
        if self.budget is not None:
            neuron.budget = self.budget
        return neuron

    def target(self, neuron: Neuron) -> Neuron | Population:
        """What is built.

        Raises
        ------
        ValueError
            Lanes or an interval that make no sense.
        """
        one = self.one(neuron)
        if self.neurons is None:
            return one
        return Population(one, self.neurons, lanes=self.lanes, interval=self.interval)


@dataclass(frozen=True)
class Space:
    """What is to be tried: every combination of these.

    Attributes
    ----------
    neurons : tuple of int
        Sizes of populations; empty for a single neuron.
    lanes, intervals : tuple of int
        Of populations: datapaths side by side, and clocks from one neuron to the next.
    budgets : tuple of (float or None)
        LSB; None is the neuron's own.
    guards : tuple of (int or None)
        Guard bits of every state; None are those of the rule.
    seeds : tuple of int
        Of placement.
    """

    neurons: tuple[int, ...] = ()
    lanes: tuple[int, ...] = (1,)
    intervals: tuple[int, ...] = (1,)
    budgets: tuple[float | None, ...] = (None,)
    guards: tuple[int | None, ...] = (None,)
    seeds: tuple[int, ...] = (1,)

    @classmethod
    def usual(cls, neurons: Iterable[int] = ()) -> Space:
        """A small one: budgets of a single neuron, or forms of a population."""
        sizes = tuple(neurons)
        if sizes:
            return cls(sizes, lanes=(1, 2), intervals=(1, 2, 4), seeds=(1, 2))
        return cls(budgets=(4.0, 1.0, 0.25), seeds=(1, 2))

    def points(self, neuron: Neuron) -> tuple[Point, ...]:
        """All of them, each once, in order.

        Raises
        ------
        ValueError
            A value that makes no sense, such as three lanes, or lanes of a single neuron.
        """
        if not isinstance(neuron, Neuron):
            raise TypeError(f"a Space is of neurons, not of {neuron!r}"[:160])
        self._check()
        single: tuple[int | None, ...] = (None,)
        axes: list[tuple[Any, ...]] = [self.neurons or single, self.lanes, self.intervals]
        axes += [self.budgets, self.guards]
        points = tuple(dict.fromkeys(Point(*values) for values in product(*axes)))
        for form in dict.fromkeys(Point(p.neurons, p.lanes, p.interval) for p in points):
            form.target(neuron)
        return points

    def _check(self) -> None:
        check_space(vars(self), self.budgets, self.seeds, empty=("neurons",))
        if not self.neurons and (set(self.lanes) | set(self.intervals)) != {1}:
            raise ValueError(
                "lanes and intervals are of a population: say of how many with --neurons N"
            )
        for guard in self.guards:
            if guard is not None and not 0 <= guard <= MOST_GUARD:
                raise ValueError(f"guards must be 0 to {MOST_GUARD} bits, not {guard}")


def check_space(
    values: dict[str, Any],
    budgets: Iterable[float | None],
    seeds: Iterable[int],
    *,
    empty: Sequence[str] = (),
) -> None:
    """Refuse what makes no sense for anything that is explored.

    Parameters
    ----------
    values : dict of str to tuple
        All of a space, by name; each has something, but those of ``empty``.
    budgets, seeds
        Of these.

    Raises
    ------
    ValueError
    """
    for name, each in values.items():
        if not each and name not in empty:
            raise ValueError(f"{name}: name at least one")
    for budget in budgets:
        if budget is not None and not 0 < budget < float("inf"):
            raise ValueError(f"budgets must be positive numbers of LSB, not {budget:g}")
    for seed in seeds:
        if not 0 <= seed < 1 << 31:
            raise ValueError(f"seeds must be 0 to {(1 << 31) - 1}, not {seed}")
