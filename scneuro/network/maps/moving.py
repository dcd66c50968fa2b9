"""Maps that move and add up: pools, and another shape."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .convolution import Conv2d, padding_of, pair
from .map import Map, Shape, finite, text

__all__ = ["AvgPool2d", "Flatten", "Moving", "SumPool2d"]


class Moving(Map):
    """A map that moves and adds up, times one number."""

    def __init__(self, factor: float) -> None:
        self.weights = finite([factor], type(self).__name__)

    def move(self, x: np.ndarray) -> np.ndarray:
        """The map without its number."""
        raise NotImplementedError

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        found: np.ndarray = self.move(x) * (self.weights if weights is None else weights)[0]
        return found


class SumPool2d(Moving):
    """Sums over windows of (channels, height, width), channel by channel.

    Parameters
    ----------
    kernel : int or (int, int)
    stride : int or (int, int), optional
        By default the kernel.
    padding : int or (int, int)
    """

    def __init__(self, kernel: Any, *, stride: Any = None, padding: Any = 0) -> None:
        name = type(self).__name__
        self.kernel = pair(kernel, f"{name}: kernel", 1)
        self.stride = self.kernel if stride is None else pair(stride, f"{name}: stride", 1)
        self.padding = padding_of(padding, name, (0, 0), self.stride)
        super().__init__(self._factor)

    @property
    def _factor(self) -> float:
        return 1.0

    def shape_out(self, shape: Shape) -> Shape:
        if len(shape) != 3:
            raise ValueError(
                f"{type(self).__name__} takes (channels, height, width), not {text(shape)}"
            )
        return self._convolution(shape[0]).shape_out(shape)

    def _convolution(self, channels: int) -> Conv2d:
        ones = np.ones((channels, 1, *self.kernel))
        padding = tuple(before for before, _ in self.padding)
        return Conv2d(ones, stride=self.stride, padding=padding, groups=channels)

    def move(self, x: np.ndarray) -> np.ndarray:
        return self._convolution(x.shape[1]).apply(x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({text(self.kernel)})"


class AvgPool2d(SumPool2d):
    """Means over windows of (channels, height, width); what is padded counts as 0."""

    @property
    def _factor(self) -> float:
        return 1 / math.prod(self.kernel)


class Flatten(Moving):
    """All in one row, or some dimensions in one.

    Parameters
    ----------
    first, last : int
        The dimensions that become one, counted from 0.
    """

    def __init__(self, first: int = 0, last: int = -1) -> None:
        self.first, self.last = first, last
        super().__init__(1.0)

    def shape_out(self, shape: Shape) -> Shape:
        first, last = (x + len(shape) * (x < 0) for x in (self.first, self.last))
        if not 0 <= first <= last < len(shape):
            raise ValueError(f"Flatten({self.first}, {self.last}) does not fit {text(shape)}")
        return (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])

    def move(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), *self.shape_out(x.shape[1:]))

    def __repr__(self) -> str:
        return "Flatten()"
