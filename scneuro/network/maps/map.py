"""What a linear map is, and what those of all kinds share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...runner import numbers
from ...words import rounded

__all__ = ["Map", "Shape", "bias_of", "finite", "text"]

Shape = tuple[int, ...]

_AT_ONCE = 256  # sources whose synapses are looked for


class Map:
    """A linear map, and what it adds.

    What it maps is an array of shape (..., *shape), in C order; the shape is that of the node it
    comes from, where the map does not say it.

    Attributes
    ----------
    weights : ndarray of float
        The numbers it has, each once, however often it is used.
    bias : ndarray or None
        What each neuron is given besides, in every step: shape of the output, or that of its
        channels.
    bits : int or None
        Of a weight in integers, where the map says it.
    """

    weights: np.ndarray
    bias: np.ndarray | None = None
    bits: int | None = None

    @property
    def parts(self) -> tuple[Map, ...]:
        """The maps that it does one after the other, of which it is made."""
        return (self,)

    def shape_out(self, shape: Shape) -> Shape:
        """The shape of what it makes of ``shape``.

        Raises
        ------
        ValueError
            If it does not take that.
        """
        raise NotImplementedError

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """The map of an array (batch, *shape), with other ``weights`` if they are given.

        In float64, which is exact where weights and what is mapped are integers.
        """
        raise NotImplementedError

    def at(self, step: int) -> Map:
        """The map of what arrives in a step, counted from the start."""
        return self

    def integers(self, point: int) -> np.ndarray:
        """The weights in integers, of so many fraction bits, to the nearest."""
        return rounded(self.weights, point).astype(np.int64)

    def limits(self, bits: int) -> tuple[int, int]:
        """The least and the greatest integer that a weight may be."""
        return -(1 << (bits - 1)), (1 << (bits - 1)) - 1

    @property
    def content(self) -> tuple[Any, ...]:
        """What it is, besides its weights and biases."""
        return ()

    def biases(self, shape: Shape) -> np.ndarray | None:
        """What each neuron of the output is given in every step, in the shape of the output."""
        if self.bias is None:
            return None
        out = self.shape_out(shape)
        channels = self.bias.reshape(*self.bias.shape, *(1,) * (len(out) - self.bias.ndim))
        return np.broadcast_to(channels, out)

    def synapses(
        self, shape: Shape, weights: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every synapse whose weight is not 0: its target, its source and that weight, (S,) each.

        Sorted by source, then by target.
        """
        count = math.prod(shape)
        parts = []
        for begin in range(0, count, _AT_ONCE):
            end = min(begin + _AT_ONCE, count)
            ones = np.zeros((end - begin, count))
            ones[np.arange(end - begin), np.arange(begin, end)] = 1
            found = self.apply(ones.reshape(-1, *shape), weights).reshape(end - begin, -1)
            source, target = np.nonzero(found)
            parts.append((target, source + begin, found[source, target]))
        target, source, values = (np.concatenate(x) for x in zip(*parts, strict=True))
        return target, source, values

    def largest(self, shape: Shape, weights: np.ndarray) -> int:
        """The most that the sum of one neuron can be, by absolute value, of zeros and ones."""
        ones = np.ones((1, *shape))
        above = self.apply(ones, np.maximum(weights, 0)).max(initial=0)
        below = self.apply(ones, np.minimum(weights, 0)).min(initial=0)
        return int(max(above, -below))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'x'.join(map(str, self.weights.shape))})"


def finite(values: Any, what: str) -> np.ndarray:
    array = np.array(numbers(values, what), dtype=float)
    array.flags.writeable = False
    return array


def bias_of(bias: Any, what: str, channels: int) -> np.ndarray | None:
    if bias is None:
        return None
    array = finite(bias, f"{what}: bias")
    if array.shape != (channels,):
        raise ValueError(f"{what}: bias has shape {array.shape}, not ({channels},)")
    return array


def text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one neuron"
