"""What lowering yields: a neuron in integers, and every choice that was made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..stochastic import Noise
from ..words import Word
from .algebra.terms import Condition, Sum
from .bounds.registers import Register
from .datapath import Datapath, Node
from .graph import Expr
from .table import Table

__all__ = ["Coefficient", "Cost", "Decision", "Lowered", "Stop", "dither"]

ROUNDED = 2  # LSBs of a register by which rounding may carry a state


@dataclass(frozen=True)
class Decision:
    """A comparison of the source, the node that decides it, and how near a tie may go astray."""

    expr: Expr
    node: Node
    bound: float


@dataclass(frozen=True)
class Coefficient:
    """What a coefficient multiplies, its exact value, and the value that is used."""

    of: str
    exact: float
    used: float


@dataclass(frozen=True)
class Cost:
    """A term of an update, and how much of a step's error comes from it."""

    of: str
    error: float


@dataclass(frozen=True)
class Stop:
    """What a state would become without its limits; outside these integers they stop it."""

    state: str
    node: Node
    least: int
    most: int


@dataclass(frozen=True)
class Lowered:
    """A neuron in integers.

    Attributes
    ----------
    path : Datapath
        Inputs: registers and input words by name, the draws of every noise, and
        ``dither.<state>`` where rounding is stochastic. Outputs: ``spike`` and the states' next
        registers.
    rounding : str
    registers : dict of str to Register
    inputs : dict of str to str
        The inputs' units by name.
    input_limits : dict of str to (int, int)
        The words at which an input saturates.
    input_words : dict of str to Word
    noises : dict of str to Noise
        The declared noises by name.
    updates : dict of str to Sum
        The canonical form of the states' next values.
    spike : Condition or bool
        That of the spike flag.
    roots : tuple of Expr
        The traced graph: spike, then states.
    words : dict of str to Node
        Every state's word: its register, rounded to nearest.
    tables : tuple of Table
    coefficients : tuple of Coefficient
    decisions : tuple of Decision
    bounds : dict of str to float
        The most one step can differ from float started from the same state, per state.
    budgets : dict of str to float
        What it was allowed to, per state.
    costs : dict of str to tuple of Cost
        Where each state's bound comes from, the largest first.
    share : float or None
        Of their budgets, what the updates were made for; None where the 16-bit rules are enough.
    working : dict of str to (float, float)
        States and inputs that are limited to where the float model works, as it was measured.
    notes : tuple of str
        What a user should know of the choices made.
    """

    path: Datapath
    rounding: str
    registers: dict[str, Register]
    inputs: dict[str, str]
    input_limits: dict[str, tuple[int, int]]
    input_words: dict[str, Word]
    noises: dict[str, Noise]
    updates: dict[str, Sum]
    spike: Condition | bool
    roots: tuple[Expr, ...]
    words: dict[str, Node]
    tables: tuple[Table, ...]
    coefficients: tuple[Coefficient, ...]
    decisions: tuple[Decision, ...]
    bounds: dict[str, float]
    budgets: dict[str, float]
    costs: dict[str, tuple[Cost, ...]]
    share: float | None
    working: dict[str, tuple[float, float]]
    notes: tuple[str, ...]

    @property
    def stops(self) -> list[Stop]:
        """Of the states that their limits may stop: by more than rounding carries them."""
        ends = [(n, node) for n in self.registers if (node := self.path.outputs[n]).op == "clamp"]
        return [
            Stop(name, node.args[0], node.meta[0] - ROUNDED, node.meta[1] + ROUNDED)
            for name, node in ends
        ]

    def real(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What registers and input words stand for: an input beyond its limits stands for these."""
        found = {name: r.to_real(values[name]) for name, r in self.registers.items()}
        for name, (low, high) in self.input_limits.items():
            word = np.clip(np.asarray(values[name]), low, high)
            found[name] = word * self.input_words[name].lsb
        return found

    @property
    def drawn(self) -> tuple[str, ...]:
        """The draws of the declared noises, in order."""
        return tuple(draw for noise in self.noises.values() for draw in noise.draws)

    @property
    def dither(self) -> tuple[str, ...]:
        """The draws that stochastic rounding takes, in the order of the states."""
        return tuple(dither(s) for s in self.registers if dither(s) in self.path.inputs)

    @property
    def noise(self) -> list[str]:
        """All random inputs of the datapath, 16 bits each."""
        return [*self.drawn, *self.dither]


def dither(state: str) -> str:
    """The name of the draw that rounds a state: no variable of a neuron can have it."""
    return f"dither.{state}"
