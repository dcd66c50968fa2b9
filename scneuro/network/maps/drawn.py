"""A projection by stochastic computing, within a network: the weights of a spike are drawn."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ...stochastic.projection import Stochastic
from ...words import nearest
from .map import Map, Shape

__all__ = ["Drawn"]

_FINER = 8  # fraction bits of what a product adds, below those of the input, at most
_AT_ONCE = 1 << 18  # draws
_KEPT = 4  # stretches of steps


class Drawn(Map):
    """What a :class:`scneuro.Stochastic` is between the nodes of a network.

    A spike is the stream of its source: 1 in the step in which it arrives, else 0. Where it
    arrives, it adds all or nothing: ``gain / inputs`` if its source draws a number below the
    weight's word in that step. These are the draws that make streams of inputs elsewhere: of a
    counter, van der Corput's. In every step the sources go on by one; a reset takes them back to
    the start. What one source draws is for all its weights, and for all its spikes in a step.

    Parameters
    ----------
    stochastic : Stochastic
        Unipolar, of one bit a step: no spike is nothing, not -1.

    Attributes
    ----------
    weights : ndarray of float, shape (targets, sources)
        What the words of its weights stand for, 0 to 1.
    bits : int
        Of a word, which has no sign.
    amount : float
        What a product that is 1 adds.

    Raises
    ------
    ValueError
    """

    bits: int

    def __init__(self, stochastic: Stochastic) -> None:
        if stochastic.bipolar:
            raise ValueError(
                "Stochastic: in a network weights are 0 to 1, as no spike adds nothing; give what "
                "inhibits a projection of its own, with a negative gain"
            )
        if stochastic.per_step != 1:
            raise ValueError(
                f"Stochastic: in a network a step is a bit of each stream: per_step must be 1, not "
                f"{stochastic.per_step}"
            )
        self.stochastic = stochastic
        self.weights = stochastic.weights
        self.bits = stochastic.levels.bit_length()
        self.amount = stochastic.gain / stochastic.n_inputs

    def shape_out(self, shape: Shape) -> Shape:
        if math.prod(shape) != self.stochastic.n_inputs:
            sources = "x".join(map(str, shape))
            raise ValueError(f"Stochastic takes {self.stochastic.n_inputs} inputs, not {sources}")
        return (self.stochastic.n_neurons,)

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """What it would be without drawing."""
        weights = self.weights if weights is None else weights
        found: np.ndarray = x.reshape(len(x), -1) @ weights.T.astype(float, copy=False)
        return found

    def at(self, step: int) -> Map:
        return _Step(self, self.draws(step))

    def draws(self, step: int) -> np.ndarray:
        """The numbers that the words of weights are compared with in a step, shape (sources,)."""
        count = max(1, _AT_ONCE // self.stochastic.n_inputs)
        found: np.ndarray = _stretch(self.stochastic, step // count, count)[step % count]
        return found

    def point(self, own: int) -> int:
        """Fraction bits of ``amount``, for an input that has ``own``: as many as it needs."""
        amount = nearest(self.amount, own + _FINER)
        zeros = (amount & -amount).bit_length() - 1 if amount else 0
        return own + _FINER - min(zeros, _FINER)

    def integers(self, point: int) -> np.ndarray:
        return self.stochastic.words

    def limits(self, bits: int) -> tuple[int, int]:
        return 0, self.stochastic.levels

    def largest(self, shape: Shape, weights: np.ndarray) -> int:
        return int(np.count_nonzero(weights, axis=1).max())

    @property
    def content(self) -> tuple[Any, ...]:
        return (self.amount, *((s.bits, s.kind, s.place) for s in self.stochastic.sources))

    def __repr__(self) -> str:
        made = self.stochastic
        return f"Stochastic({made.n_neurons}x{made.n_inputs}, {made.kind} of {made.bits} bits)"


@lru_cache(maxsize=_KEPT)
def _stretch(stochastic: Stochastic, number: int, count: int) -> np.ndarray:
    """The draws of so many steps, (count, sources)."""
    return stochastic.draws(number * count, count)[:, 0]


class _Step(Map):
    """What spikes add in one step: in integers, how many products are 1."""

    def __init__(self, of: Drawn, draws: np.ndarray) -> None:
        self._of, self._below = of, draws

    def shape_out(self, shape: Shape) -> Shape:
        return self._of.shape_out(shape)

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        words = self._of.stochastic.words if weights is None else weights
        ones = (self._below < words).astype(float)
        counts: np.ndarray = x.reshape(len(x), -1) @ ones.T
        return counts * self._of.amount if weights is None else counts
