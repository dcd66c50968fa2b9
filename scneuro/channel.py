"""Ion channels: the parts a Hodgkin-Huxley neuron is made of."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pickle import PicklingError
from typing import Any

import numpy as np

from .tools.places import Place

__all__ = ["Channel", "Gate", "linoid"]


def linoid(x: Any) -> Any:
    """x / (1 - exp(-x)), which is 1 at 0: the voltage dependence of many rates."""
    x = np.maximum(x, -500.0)  # beyond, it is 0 to all digits, and exp(-x) overflows
    near = np.abs(x) < 1e-4
    return np.where(near, 1 + x / 2, x / -np.expm1(-np.where(near, 1.0, x)))


@dataclass(frozen=True)
class Gate:
    """A gating variable: dx/dt = alpha(V) (1 - x) - beta(V) x.

    Parameters
    ----------
    name : str
        Of the state it becomes.
    power : int
        Its exponent in the conductance.
    alpha, beta : callable
        Opening and closing rate, 1/ms, of V in mV; plain NumPy.
    """

    name: str
    power: int
    alpha: Callable[[Any], Any] = field(repr=False)
    beta: Callable[[Any], Any] = field(repr=False)

    @classmethod
    def relaxing(
        cls, name: str, power: int, steady: Callable[[Any], Any], tau: Callable[[Any], Any]
    ) -> Gate:
        """The gate given by its steady state and its time constant (ms)."""
        return cls(name, power, lambda V: steady(V) / tau(V), lambda V: (1 - steady(V)) / tau(V))

    def steady(self, V: Any) -> Any:
        """Its value at rest, 0 to 1."""
        return self.alpha(V) / (self.alpha(V) + self.beta(V))

    def __reduce__(self) -> tuple[Any, ...]:
        rates = self.alpha, self.beta
        if all("<" not in getattr(rate, "__qualname__", "<") for rate in rates):
            return _gate, (self.name, self.power, *map(Place.of, rates))
        return _kept_gate, _where_kept(self)

    def __copy__(self) -> Gate:
        return self  # it never changes

    def __deepcopy__(self, memo: dict[int, Any]) -> Gate:
        return self

    def step(self, x: Any, V: Any, dt: float) -> Any:
        """``x`` after ``dt`` ms at V: the exact solution (exponential Euler)."""
        alpha, beta = self.alpha(V), self.beta(V)
        moved = -np.expm1(-dt * (alpha + beta))
        return x + (alpha / (alpha + beta) - x) * moved


@dataclass(frozen=True)
class Channel:
    """An ion channel: its current density is g x (product of gate**power) x (V - E).

    Parameters
    ----------
    name : str
    g : float
        Maximal conductance, mS/cm2.
    E : float
        Reversal potential, mV.
    gates : tuple of Gate
        None for a leak.
    """

    name: str
    g: float
    E: float
    gates: tuple[Gate, ...] = ()

    def __post_init__(self) -> None:
        if not (np.isfinite(self.g) and np.isfinite(self.E) and self.g >= 0):
            raise ValueError(
                f"channel {self.name}: g = {self.g} must be at least 0, and E = {self.E} finite"
            )

    def but(self, **changes: Any) -> Channel:
        """The same channel with, for example, another ``g`` or ``E``."""
        return replace(self, **changes)

    def current(self, V: Any, gates: dict[str, Any]) -> Any:
        """The current density out of the cell, uA/cm2."""
        open_ = self.g
        for gate in self.gates:
            open_ = open_ * gates[gate.name] ** gate.power
        return open_ * (V - self.E)


# -- to another process and back ------------------------------------------------------------------
def _gate(name: str, power: int, alpha: Place, beta: Place) -> Gate:
    return Gate(name, power, alpha.find(), beta.find())


def _where_kept(gate: Gate) -> tuple[Place, int]:
    """A module's variable that has a gate, and which of its gates it is.

    Rates are lambdas more often than not, which no other process could find by their names.
    """
    own = getattr(gate.alpha, "__module__", "")
    for module in (own, *sys.modules):
        for name, value in list(getattr(sys.modules.get(module), "__dict__", {}).items()):
            if isinstance(value, Gate | Channel) and gate in (kept := _gates(value)):
                return Place.in_module(module, name), kept.index(gate)
    raise PicklingError(
        f"gate {gate.name} has rates without a name and is kept in no module's variable, so no "
        "other process finds it: give it or its channel one, at the top level of a file"
    )


def _kept_gate(place: Place, index: int) -> Gate:
    return _gates(place.find())[index]


def _gates(value: Gate | Channel) -> tuple[Gate, ...]:
    return (value,) if isinstance(value, Gate) else value.gates
