"""Ion channels: the parts a Hodgkin-Huxley neuron is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

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
    alpha: Callable[[Any], Any]
    beta: Callable[[Any], Any]

    @classmethod
    def relaxing(
        cls, name: str, power: int, steady: Callable[[Any], Any], tau: Callable[[Any], Any]
    ) -> Gate:
        """The gate given by its steady state and its time constant (ms)."""
        return cls(name, power, lambda V: steady(V) / tau(V), lambda V: (1 - steady(V)) / tau(V))

    def steady(self, V: Any) -> Any:
        """Its value at rest, 0 to 1."""
        return self.alpha(V) / (self.alpha(V) + self.beta(V))

    def step(self, x: Any, V: Any, dt: float) -> Any:
        """``x`` after ``dt`` ms at V: the exact solution (exponential Euler)."""
        moved = -np.expm1(-dt * (self.alpha(V) + self.beta(V)))
        return x + (self.steady(V) - x) * moved


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
