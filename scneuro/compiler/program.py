"""What every front end yields and every back end takes: ports with types, and one step of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..declare import Input, State
from ..stochastic import Noise
from .graph import Expr

__all__ = ["Program"]


@dataclass(frozen=True)
class Program:
    """A neuron before any number format.

    Its variables are its ports, by kind and name. A graph calls a state and an input by their names
    and a noise by its own; the draws that a noise is made of are ports of the datapath alone
    (``noise.0``), so that no name of the source can be one of theirs.

    Attributes
    ----------
    name : str
        For messages.
    states : mapping of str to State
        What it keeps: unit, word, range, guard bits and budget of each.
    initial : mapping of str to float
    starts : mapping of str to (float, float)
        Where the initial values of several neurons lie, where they differ.
    inputs : mapping of str to Input
    noises : mapping of str to Noise
    spike : Expr
        A condition.
    following : mapping of str to Expr
        The next value of every state.
    """

    name: str
    states: Mapping[str, State]
    initial: Mapping[str, float]
    inputs: Mapping[str, Input]
    noises: Mapping[str, Noise]
    spike: Expr
    following: Mapping[str, Expr]
    starts: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def roots(self) -> tuple[Expr, ...]:
        """The spike flag, then the next value of every state."""
        return self.spike, *self.following.values()
