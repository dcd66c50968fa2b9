"""Convolutions over one and two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...given import whole
from .map import Map, Shape, bias_of, finite, text

__all__ = ["Conv1d", "Conv2d", "padding_of", "pair"]


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
        self.weights = finite(weights, f"{name}: weights")
        if self.weights.ndim != 4 or not self.weights.size:
            raise ValueError(
                f"{name}: weights must have shape (out, in / groups, height, width), not "
                f"{self.weights.shape}"
            )
        self.stride = pair(stride, f"{name}: stride", 1)
        self.dilation = pair(dilation, f"{name}: dilation", 1)
        extent = [d * (k - 1) for d, k in zip(self.dilation, self.weights.shape[2:], strict=True)]
        self.padding = padding_of(padding, name, extent, self.stride)
        (self.groups,) = {*pair(groups, f"{name}: groups", 1)}
        if len(self.weights) % self.groups:
            raise ValueError(
                f"{name}: {len(self.weights)} channels out are not a multiple of {self.groups} "
                "groups"
            )
        self.bias = bias_of(bias, name, len(self.weights))

    def shape_out(self, shape: Shape) -> Shape:
        wanted = self.weights.shape[1] * self.groups
        if len(shape) != 3 or shape[0] != wanted:
            raise ValueError(
                f"{type(self).__name__} takes ({wanted}, height, width), not {text(shape)}"
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
                f"{type(self).__name__}: a kernel of {text(self.weights.shape[2:])} does not fit "
                f"{text(sizes)}"
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
        array = finite(weights, "Conv1d: weights")
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
            raise ValueError(f"Conv1d takes (channels, length), not {text(shape)}")
        channels, _, length = super().shape_out((shape[0], 1, shape[1]))
        return channels, length

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        return super().apply(x[:, :, None, :], weights)[:, :, 0]


def _only(value: Any) -> Any:
    return value[0] if np.shape(value) == (1,) else value


def pair(value: Any, what: str, least: int) -> tuple[int, int]:
    """A whole number, or two, as two."""
    if np.shape(value) not in ((), (1,), (2,)):
        raise TypeError(f"{what} must be a whole number or two, not {value!r}")
    given = (value,) if np.ndim(value) == 0 else tuple(value)
    made = [whole(what, size, least, otherwise=" or two") for size in given]
    return made[0], made[-1]


def padding_of(
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
    first_, second_ = pair(0 if isinstance(padding, str) else padding, f"{name}: padding", 0)
    return (first_, first_), (second_, second_)
