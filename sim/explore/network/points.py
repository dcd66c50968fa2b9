"""The points of a network's search: weights a clock, bits of a weight, budgets."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

from ....network import FixedNetwork, Network, need_network
from ....network.network import Layer
from ....network.plan import LANES
from ....population import Population
from ..points import check_space

__all__ = ["NetworkPoint", "NetworkSpace"]

_MOST_LANES = 64
_BITS = range(2, 17)


@dataclass(frozen=True)
class NetworkPoint:
    """One way to make a network.

    Attributes
    ----------
    lanes : int
        Weights that are added in a clock.
    bits : int or None
        Of every weight, their binary points chosen anew; None is each projection's own.
    budget : float or None
        What one step of a state may be off by, in LSB; None is each neuron's own.
    """

    #: What its integers depend on, by the names in :attr:`precision`.
    decides: ClassVar[tuple[str, ...]] = ("bits", "budget")
    #: Whether its clocks depend on what it is given.
    counted: ClassVar[bool] = True

    lanes: int = LANES
    bits: int | None = None
    budget: float | None = None

    @property
    def precision(self) -> tuple[int | None, float | None]:
        """What its integers depend on."""
        return self.bits, self.budget

    @property
    def alike(self) -> NetworkPoint:
        """The plainest point that has the same integers."""
        return NetworkPoint(bits=self.bits, budget=self.budget)

    @property
    def options(self) -> dict[str, Any]:
        """Of its build."""
        return {"lanes": self.lanes}

    def target(self, network: Network) -> Network:
        """What is built: a copy with these bits and this budget."""
        projections = list(network.projections)
        if self.bits is not None:
            projections = [
                replace(p, bits=p.map.bits or self.bits, point=None) for p in projections
            ]
        layers = dict(network.layers)
        if self.budget is not None:
            layers = {n: _within(layer, self.budget) for n, layer in layers.items()}
        return replace(
            network,
            inputs=dict(network.inputs),
            layers=layers,
            projections=projections,
            _outputs=dict(network._outputs),
        )

    def fixed(self, network: Network) -> FixedNetwork:
        """The integers of all its populations.

        Raises
        ------
        LoweringError
        """
        return self.target(network).fixed()


def _within(layer: Layer, budget: float) -> Layer:
    """The same, its neurons with another budget."""
    population = layer.population
    neuron = copy.copy(population.neuron)
    neuron.budget = budget
    made = Population(
        neuron, population.count, parameters=population.parameters, init=population.init
    )
    return replace(layer, population=made)


@dataclass(frozen=True)
class NetworkSpace:
    """What is to be tried of a network: every combination of these.

    Attributes
    ----------
    lanes : tuple of int
        Weights that are added in a clock.
    bits : tuple of (int or None)
        Of every weight; None is each projection's own.
    budgets : tuple of (float or None)
        LSB; None is each neuron's own.
    seeds : tuple of int
        Of placement.
    """

    lanes: tuple[int, ...] = (4, 8, 16)
    bits: tuple[int | None, ...] = (None,)
    budgets: tuple[float | None, ...] = (None,)
    seeds: tuple[int, ...] = (1, 2)

    def points(self, network: Network) -> tuple[NetworkPoint, ...]:
        """All of them, each once, in order.

        Raises
        ------
        ValueError, TypeError
            A value that makes no sense, such as three lanes; what is no network.
        """
        need_network(network, "NetworkSpace.points()")
        check_space(vars(self), self.budgets, self.seeds)
        for lanes in self.lanes:
            if not 1 <= lanes <= _MOST_LANES or lanes & (lanes - 1):
                raise ValueError(f"lanes must be a power of two from 1 to 64, not {lanes}")
        for bits in self.bits:
            if bits is not None and bits not in _BITS:
                raise ValueError(f"bits must be {_BITS[0]} to {_BITS[-1]}, not {bits}")
        axes: list[tuple[Any, ...]] = [self.lanes, self.bits, self.budgets]
        return tuple(dict.fromkeys(NetworkPoint(*values) for values in product(*axes)))
