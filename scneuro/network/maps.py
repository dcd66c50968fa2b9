"""Linear maps from the neurons of one node of a network to those of another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..given import whole
from ..runner import numbers
from ..words import rounded

__all__ = [
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "Dense",
    "Flatten",
    "Map",
    "Scale",
    "Sparse",
    "SumPool2d",
    "chained",
    "convolution",
]

Shape = tuple[int, ...]


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


_AT_ONCE = 256


def _finite(values: Any, what: str) -> np.ndarray:
    array = np.array(numbers(values, what), dtype=float)
    array.flags.writeable = False
    return array


def _bias(bias: Any, what: str, channels: int) -> np.ndarray | None:
    if bias is None:
        return None
    array = _finite(bias, f"{what}: bias")
    if array.shape != (channels,):
        raise ValueError(f"{what}: bias has shape {array.shape}, not ({channels},)")
    return array


class Dense(Map):
    """Every source to every target.

    Parameters
    ----------
    weights : array of shape (targets, sources)
    bias : array of shape (targets,), optional
    """

    def __init__(self, weights: Any, bias: Any = None) -> None:
        self.weights = _finite(weights, "Dense: weights")
        if self.weights.ndim != 2:
            raise ValueError(
                f"Dense: weights must have shape (targets, sources), not {self.weights.shape}"
            )
        self.bias = _bias(bias, "Dense", len(self.weights))

    def shape_out(self, shape: Shape) -> Shape:
        targets, sources = self.weights.shape
        if math.prod(shape) != sources:
            raise ValueError(f"Dense takes {sources} neurons, not {_text(shape)}")
        return (targets,)

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = self.weights if weights is None else weights
        found: np.ndarray = x.reshape(len(x), -1) @ weights.T.astype(float, copy=False)
        return found


class Sparse(Map):
    """The synapses that there are.

    Parameters
    ----------
    matrix : sparse matrix of SciPy, or (values, (targets, sources)), shape (targets, sources)
    shape : (int, int), optional
        Of the matrix, where it does not say it.
    bias : array of shape (targets,), optional
    """

    def __init__(self, matrix: Any, *, shape: tuple[int, int] | None = None, bias: Any = None):
        if hasattr(matrix, "tocoo"):
            coo = matrix.tocoo()
            values, shape = coo.data, coo.shape
            target, source = coo.coords
        else:
            try:
                values, (target, source) = matrix
            except (TypeError, ValueError):
                raise TypeError(
                    "Sparse takes a sparse matrix of SciPy, or (values, (targets, sources)), not "
                    f"{type(matrix).__name__}"
                ) from None
        values = _finite(values, "Sparse: weights")
        target, source = (np.asarray(x) for x in (target, source))
        if not values.shape == target.shape == source.shape or values.ndim != 1:
            raise ValueError(
                f"Sparse: {values.shape} weights, {target.shape} targets, {source.shape} sources"
            )
        if shape is None:
            raise ValueError("Sparse: give shape=(targets, sources)")
        for name, index, count in (("target", target, shape[0]), ("source", source, shape[1])):
            if index.dtype.kind not in "iu" or np.any((index < 0) | (index >= count)):
                raise ValueError(f"Sparse: a {name} must be a whole number from 0 to {count - 1}")
        self.shape = int(shape[0]), int(shape[1])
        pairs = target.astype(np.int64) + source.astype(np.int64) * self.shape[0]
        order, where = np.unique(pairs, return_inverse=True)
        summed = np.zeros(len(order))
        np.add.at(summed, where, values)  # what is there twice adds up, as in SciPy
        self.source, self.target = np.divmod(order, self.shape[0])
        self.weights = _finite(summed, "Sparse: weights")
        self.bias = _bias(bias, "Sparse", self.shape[0])
        by_target = np.argsort(self.target, kind="stable")
        self._by_target = by_target
        self._begin = np.searchsorted(self.target[by_target], np.arange(self.shape[0]))
        self._some = np.bincount(self.target, minlength=self.shape[0]) > 0

    def shape_out(self, shape: Shape) -> Shape:
        if math.prod(shape) != self.shape[1]:
            raise ValueError(f"Sparse takes {self.shape[1]} neurons, not {_text(shape)}")
        return (self.shape[0],)

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = self.weights if weights is None else weights
        by = self._by_target
        found = np.zeros((len(x), self.shape[0]))
        if len(by):
            products = x.reshape(len(x), -1)[:, self.source[by]] * weights[by]
            found[:, self._some] = np.add.reduceat(products, self._begin[self._some], axis=1)
        return found


class Conv2d(Map):
    """A convolution over (channels, height, width), as deep-learning frameworks define it.

    Parameters
    ----------
    weights : array of shape (channels out, channels in / groups, height, width)
    bias : array of shape (channels out,), optional
    stride, padding, dilation : int or (int, int)
        ``padding`` may be ``"same"`` or ``"valid"``.
    groups : int
    """

    def __init__(
        self,
        weights: Any,
        bias: Any = None,
        *,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> None:
        name = type(self).__name__
        self.weights = _finite(weights, f"{name}: weights")
        if self.weights.ndim != 4 or not self.weights.size:
            raise ValueError(
                f"{name}: weights must have shape (out, in / groups, height, width), not "
                f"{self.weights.shape}"
            )
        self.stride = _pair(stride, f"{name}: stride", 1)
        self.dilation = _pair(dilation, f"{name}: dilation", 1)
        extent = [d * (k - 1) for d, k in zip(self.dilation, self.weights.shape[2:], strict=True)]
        self.padding = _padding(padding, name, extent, self.stride)
        (self.groups,) = {*_pair(groups, f"{name}: groups", 1)}
        if len(self.weights) % self.groups:
            raise ValueError(
                f"{name}: {len(self.weights)} channels out are not a multiple of {self.groups} "
                "groups"
            )
        self.bias = _bias(bias, name, len(self.weights))

    def shape_out(self, shape: Shape) -> Shape:
        wanted = self.weights.shape[1] * self.groups
        if len(shape) != 3 or shape[0] != wanted:
            raise ValueError(
                f"{type(self).__name__} takes ({wanted}, height, width), not {_text(shape)}"
            )
        return (len(self.weights), *self._extents(shape[1:]))

    def _extents(self, sizes: Sequence[int]) -> tuple[int, ...]:
        found = tuple(
            (size + sum(pad) - dilation * (kernel - 1) - 1) // stride + 1
            for size, pad, dilation, kernel, stride in zip(
                sizes, self.padding, self.dilation, self.weights.shape[2:], self.stride, strict=True
            )
        )
        if min(found) < 1:
            raise ValueError(
                f"{type(self).__name__}: a kernel of {_text(self.weights.shape[2:])} does not fit "
                f"{_text(sizes)}"
            )
        return found

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = (self.weights if weights is None else weights).astype(float, copy=False)
        out, per, high, wide = weights.shape
        rows, columns = self._extents(x.shape[2:])
        padded = np.pad(x, ((0, 0), (0, 0), *self.padding))
        padded = padded.reshape(len(x), self.groups, per, *padded.shape[2:])
        kernels = weights.reshape(self.groups, out // self.groups, per, high, wide)
        found = np.zeros((len(x), self.groups, out // self.groups, rows, columns))
        for i in range(high):
            for j in range(wide):
                part = padded[
                    ...,
                    i * self.dilation[0] :: self.stride[0],
                    j * self.dilation[1] :: self.stride[1],
                ][..., :rows, :columns]
                flat = np.ascontiguousarray(part).reshape(*part.shape[:3], -1)
                found += (kernels[..., i, j] @ flat).reshape(found.shape)
        return found.reshape(len(x), out, rows, columns)


class Conv1d(Conv2d):
    """A convolution over (channels, length).

    Parameters
    ----------
    weights : array of shape (channels out, channels in / groups, length)
    bias, stride, padding, dilation, groups
        As of :class:`Conv2d`, each one number.
    """

    def __init__(
        self,
        weights: Any,
        bias: Any = None,
        *,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> None:
        array = _finite(weights, "Conv1d: weights")
        if array.ndim != 3:
            raise ValueError(
                f"Conv1d: weights must have shape (out, in / groups, length), not {array.shape}"
            )
        stride, dilation = (_only(x) for x in (stride, dilation))
        if not isinstance(padding, str):
            padding = (0, _only(padding))
        super().__init__(
            array[:, :, None, :],
            bias,
            stride=(1, stride),
            padding=padding,
            dilation=(1, dilation),
            groups=groups,
        )

    def shape_out(self, shape: Shape) -> Shape:
        if len(shape) != 2:
            raise ValueError(f"Conv1d takes (channels, length), not {_text(shape)}")
        channels, _, length = super().shape_out((shape[0], 1, shape[1]))
        return channels, length

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return super().apply(x[:, :, None, :], weights)[:, :, 0]


class _Moving(Map):
    """A map that moves and adds up, times one number."""

    def __init__(self, factor: float) -> None:
        self.weights = _finite([factor], type(self).__name__)

    def move(self, x: np.ndarray) -> np.ndarray:
        """The map without its number."""
        raise NotImplementedError

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        found: np.ndarray = self.move(x) * (self.weights if weights is None else weights)[0]
        return found


class SumPool2d(_Moving):
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
        self.kernel = _pair(kernel, f"{name}: kernel", 1)
        self.stride = self.kernel if stride is None else _pair(stride, f"{name}: stride", 1)
        self.padding = _padding(padding, name, (0, 0), self.stride)
        super().__init__(self._factor)

    @property
    def _factor(self) -> float:
        return 1.0

    def shape_out(self, shape: Shape) -> Shape:
        if len(shape) != 3:
            raise ValueError(
                f"{type(self).__name__} takes (channels, height, width), not {_text(shape)}"
            )
        return self._convolution(shape[0]).shape_out(shape)

    def _convolution(self, channels: int) -> Conv2d:
        ones = np.ones((channels, 1, *self.kernel))
        padding = tuple(before for before, _ in self.padding)
        return Conv2d(ones, stride=self.stride, padding=padding, groups=channels)

    def move(self, x: np.ndarray) -> np.ndarray:
        return self._convolution(x.shape[1]).apply(x)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_text(self.kernel)})"


class AvgPool2d(SumPool2d):
    """Means over windows of (channels, height, width); what is padded counts as 0."""

    @property
    def _factor(self) -> float:
        return 1 / math.prod(self.kernel)


class Flatten(_Moving):
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
            raise ValueError(f"Flatten({self.first}, {self.last}) does not fit {_text(shape)}")
        return (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :])

    def move(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), *self.shape_out(x.shape[1:]))

    def __repr__(self) -> str:
        return "Flatten()"


class Scale(Map):
    """One to one, times a number, or times one of each neuron.

    Parameters
    ----------
    factor : float, or array of the shape that is mapped
    """

    def __init__(self, factor: Any = 1.0) -> None:
        self.weights = _finite(factor, "Scale: factor")

    def shape_out(self, shape: Shape) -> Shape:
        if self.weights.ndim and self.weights.size != math.prod(shape):
            raise ValueError(f"Scale takes {_text(self.weights.shape)}, not {_text(shape)}")
        return shape

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = self.weights if weights is None else weights
        found: np.ndarray = x * (weights.reshape(x.shape[1:]) if weights.ndim else weights)
        return found


class _InTurn(Map):
    """Maps one after the other, each with its own weights."""

    def __init__(self, maps: Sequence[Map]) -> None:
        self._maps = maps

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        for each in self._maps:
            x = each.apply(x)
        return x


class _Chain(Map):
    """Maps one after the other, of which one at most has weights of its own."""

    def __init__(self, maps: Sequence[Map]) -> None:
        self.maps = tuple(maps)
        self._main = next((m for m in maps if not isinstance(m, _Moving)), None)
        factor = math.prod(float(m.weights[0]) for m in maps if isinstance(m, _Moving))
        own = np.ones(1) if self._main is None else self._main.weights
        self.weights = _finite(own * factor, "weights")

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
            x = each.move(x) if isinstance(each, _Moving) else each.apply(x, weights)
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


def chained(maps: Map | Sequence[Map], shape: Shape) -> Map:
    """One map that does several, one after the other, on what has a shape.

    Raises
    ------
    TypeError
        What is no map.
    ValueError
        A shape that one of them does not take.
    """
    several = (maps,) if isinstance(maps, Map) else tuple(maps)
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
    if sum(not isinstance(m, _Moving) for m in several) < 2:
        return made
    target, source, values = _InTurn(several).synapses(shape)  # a sparse matrix does it all
    size = math.prod(out), math.prod(shape)
    bias = made.biases(shape)
    flat = None if bias is None else bias.reshape(-1)
    sparse = Sparse((values, (target, source)), shape=size, bias=flat)
    return sparse if len(out) == 1 else _Shaped(sparse, out)


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


def _text(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "one neuron"


def _only(value: Any) -> Any:
    return value[0] if np.shape(value) == (1,) else value


def _pair(value: Any, what: str, least: int) -> tuple[int, int]:
    """A whole number, or two, as two."""
    if np.shape(value) not in ((), (1,), (2,)):
        raise TypeError(f"{what} must be a whole number or two, not {value!r}")
    given = (value,) if np.ndim(value) == 0 else tuple(value)
    made = [whole(what, size, least, otherwise=" or two") for size in given]
    return made[0], made[-1]


def _padding(
    padding: Any, name: str, extent: Sequence[int], stride: Sequence[int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Zeros before and after, along height and width; ``extent`` is the kernel's, less one."""
    if isinstance(padding, str) and padding == "same":
        if tuple(stride) != (1, 1):
            raise ValueError(f'{name}: padding="same" needs a stride of 1')
        first, second = ((x // 2, x - x // 2) for x in extent)
        return first, second
    if isinstance(padding, str) and padding != "valid":
        raise ValueError(f'{name}: padding must be a number, "same" or "valid", not {padding!r}')
    first_, second_ = _pair(0 if isinstance(padding, str) else padding, f"{name}: padding", 0)
    return (first_, first_), (second_, second_)
