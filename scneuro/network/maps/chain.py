"""Maps one after the other, as one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from .convolution import Conv2d
from .dense import Sparse
from .map import Map, Shape, finite
from .moving import AvgPool2d, Moving, SumPool2d

__all__ = ["chained", "convolution"]


def chained(maps: Map | Sequence[Map], shape: Shape) -> Map:
    """One map that does several, one after the other, on what has a shape.

    Raises
    ------
    TypeError
        What is no map.
    ValueError
        A shape that one of them does not take.
    """
    one = isinstance(maps, Map) or not isinstance(maps, Iterable)
    several: tuple[Map, ...] = (maps,) if one else tuple(maps)  # type: ignore[assignment, arg-type]
    for each in several:
        if not isinstance(each, Map):
            raise TypeError(
                f"a projection is made of maps such as Dense(weights), not {each!r}"[:160]
            )
    if not several:
        raise ValueError("a projection needs a map, such as Dense(weights)")
    if len(several) == 1:
        several[0].shape_out(shape)
        return several[0]
    made = _Chain(several)
    out = made.shape_out(shape)
    if sum(not isinstance(m, Moving) for m in several) < 2:
        return made
    target, source, values = _InTurn(several).synapses(shape)  # a sparse matrix does it all
    size = math.prod(out), math.prod(shape)
    bias = made.biases(shape)
    flat = None if bias is None else bias.reshape(-1)
    sparse = Sparse((values, (target, source)), shape=size, bias=flat)
    return sparse if len(out) == 1 else _Shaped(sparse, out)


def convolution(map_: Map, shape: Shape) -> tuple[tuple[int, int], Conv2d] | None:
    """The pool and the convolution that a map of something of a shape is, if it is one.

    The windows of the pool do not overlap, and leave nothing out but at the end.
    """
    maps = map_.maps if isinstance(map_, _Chain) else (map_,)
    pool = (1, 1)
    for each in maps[:-1]:
        if type(each) not in (SumPool2d, AvgPool2d) or len(shape) != 3:
            return None
        assert isinstance(each, SumPool2d)
        if each.stride != each.kernel or each.padding != ((0, 0), (0, 0)):
            return None
        sizes = [size // by for size, by in zip(shape[1:], pool, strict=True)]
        if (
            any(size % by for size, by in zip(sizes, each.kernel, strict=True))
            and each is not maps[-2]
        ):
            return None
        pool = pool[0] * each.kernel[0], pool[1] * each.kernel[1]
    last = maps[-1]
    if not isinstance(last, Conv2d) or len(shape) not in (2, 3):
        return None
    return pool, last


class _Chain(Map):
    """Maps one after the other, of which one at most has weights of its own."""

    def __init__(self, maps: Sequence[Map]) -> None:
        self.maps = tuple(maps)
        self._main = next((m for m in maps if not isinstance(m, Moving)), None)
        factor = math.prod(float(m.weights[0]) for m in maps if isinstance(m, Moving))
        own = np.ones(1) if self._main is None else self._main.weights
        self.weights = finite(own * factor, "weights")

    @property
    def parts(self) -> tuple[Map, ...]:
        return self.maps

    def shape_out(self, shape: Shape) -> Shape:
        for each in self.maps:
            shape = each.shape_out(shape)
        return shape

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = self.weights if weights is None else weights
        for each in self.maps:
            x = each.move(x) if isinstance(each, Moving) else each.apply(x, weights)
        return x * weights[0] if self._main is None else x

    def biases(self, shape: Shape) -> np.ndarray | None:
        found: np.ndarray | None = None
        for each in self.maps:
            own = each.biases(shape)
            if found is not None:
                found = each.apply(found[None])[0]
            if own is not None:
                found = own if found is None else found + own
            shape = each.shape_out(shape)
        return found

    def __repr__(self) -> str:
        return " > ".join(map(repr, self.maps))


class _InTurn(Map):
    """Maps one after the other, each with its own weights."""

    def __init__(self, maps: Sequence[Map]) -> None:
        self._maps = maps

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        for each in self._maps:
            x = each.apply(x)
        return x


class _Shaped(Map):
    """A map whose output has another shape than a row."""

    def __init__(self, flat: Map, shape: Shape) -> None:
        self._flat, self._shape = flat, shape
        self.weights = flat.weights

    @property
    def parts(self) -> tuple[Map, ...]:
        return (self._flat,)

    def shape_out(self, shape: Shape) -> Shape:
        self._flat.shape_out(shape)
        return self._shape

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return self._flat.apply(x, weights).reshape(len(x), *self._shape)

    def biases(self, shape: Shape) -> np.ndarray | None:
        found = self._flat.biases(shape)
        return None if found is None else found.reshape(self._shape)

    def __repr__(self) -> str:
        return repr(self._flat)
