"""Where a population's neurons lie, and convolutions as loops over rows of weights and of sums."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .maps import Conv2d, Shape, convolution

if TYPE_CHECKING:
    from .fixed import Synapses
    from .network import Network, Projection

__all__ = ["Grid", "Loop", "Places", "grid", "looped", "places"]


@dataclass(frozen=True)
class Places:
    """Where a population's neurons lie in rows of sums.

    Attributes
    ----------
    order : ndarray of int, shape (count,)
        The neurons as they come in hardware: channel by channel at each place of a convolution.
    group : int
        How many neurons are at a place; all of them elsewhere.
    lanes : int
    """

    order: np.ndarray
    group: int
    lanes: int

    @property
    def of_group(self) -> int:
        """Rows of a place."""
        return -(-self.group // self.lanes)

    @property
    def rows(self) -> int:
        return len(self.order) // self.group * self.of_group

    @property
    def moved(self) -> bool:
        """Whether neurons come in another order than their own."""
        return bool(np.any(self.order != np.arange(len(self.order))))

    @property
    def row(self) -> np.ndarray:
        """The row of each neuron, in their own order."""
        place, within = np.divmod(np.arange(len(self.order)), self.group)
        return self._own(place * self.of_group + within // self.lanes)

    @property
    def lane(self) -> np.ndarray:
        """The lane of each neuron, in their own order."""
        return self._own(np.arange(len(self.order)) % self.group % self.lanes)

    def _own(self, values: np.ndarray) -> np.ndarray:
        found = np.empty_like(values)
        found[self.order] = values
        return found


@dataclass(frozen=True)
class Loop:
    """How a spike goes through rows: some, then again a step further across, then down.

    Attributes
    ----------
    rows : int
        One after the other.
    across, down : tuple of (int, int)
        How far the first row of weights, and that of sums, lies from the one before.
    most : int
        Rows of a spike, at most.
    """

    rows: int
    across: tuple[int, int]
    down: tuple[int, int]
    most: int


@dataclass(frozen=True)
class Grid:
    """A convolution as loops.

    Attributes
    ----------
    loop : Loop
    weights : ndarray of int64, shape (rows, lanes)
    sources : ndarray of int64, shape (sources, 4)
        Of each: its first rows of weights and sums, and how many steps across and down it has, or
        none.
    """

    loop: Loop
    weights: np.ndarray
    sources: np.ndarray


def looped(network: Network, projection: Projection) -> tuple[tuple[int, int], Conv2d] | None:
    """The pool and the convolution that a projection is, if it is one."""
    source = network.nodes[projection.source]
    return convolution(projection.map, source.shape)


def places(network: Network, name: str, lanes: int, *, ordered: bool) -> Places:
    """Where a population's neurons lie.

    Parameters
    ----------
    ordered : bool
        Their own order must stay.
    """
    layer = network.layers[name]
    own = np.arange(layer.count)
    shapes = {
        _three(p.map.shape_out(network.nodes[p.source].shape))
        for p in network.into(name)
        if looped(network, p)
    }
    if ordered or len(shapes) != 1:
        return Places(own, layer.count, lanes)
    (shape,) = shapes
    return Places(own.reshape(shape).transpose(1, 2, 0).reshape(-1), shape[0], lanes)


def grid(network: Network, synapses: Synapses, at: Places) -> Grid | None:
    """A projection as loops over rows of its target; None if it is no convolution onto them."""
    p = synapses.projection
    found = looped(network, p)
    source = network.nodes[p.source]
    if found is None:
        return None
    pool, conv = found
    channels, high, wide = _three(source.shape)
    outs, rows, columns = _three(p.map.shape_out(source.shape))
    if at.group != outs:
        return None
    weights = np.asarray(synapses.weights).reshape(conv.weights.shape)
    per, kernel_high, kernel_wide = conv.weights.shape[1:]
    in_group = outs // conv.groups
    first = [g * in_group // at.lanes for g in range(conv.groups)]
    last = [((g + 1) * in_group - 1) // at.lanes for g in range(conv.groups)]
    each = max(b - a for a, b in zip(first, last, strict=True)) + 1
    table = np.zeros((channels, kernel_high, kernel_wide, each, at.lanes), dtype=np.int64)
    for c in range(channels):
        g = c // per
        k = np.arange(g * in_group, (g + 1) * in_group)
        table[c, :, :, k // at.lanes - first[g], k % at.lanes] = weights[k, c % per]
    down = _ways(high, pool[0], conv, 0, rows)
    across = _ways(wide, pool[1], conv, 1, columns)
    by = [_pace(conv, axis) for axis in range(2)]
    pitch = kernel_wide * each, columns * at.of_group
    sources = np.zeros((channels, high, wide, 4), dtype=np.int64)
    for y, (i, oy, ny) in enumerate(down):
        for x, (j, ox, nx) in enumerate(across):
            if not ny or not nx:
                continue
            for c in range(channels):
                sources[c, y, x] = (
                    c * kernel_high * pitch[0] + i * pitch[0] + j * each,
                    oy * pitch[1] + ox * at.of_group + first[c // per],
                    nx,
                    ny,
                )
    loop = Loop(
        each,
        (by[1][0] * each, -by[1][1] * at.of_group),
        (by[0][0] * pitch[0], -by[0][1] * pitch[1]),
        max(n for _, _, n in across) * max(n for _, _, n in down) * each,
    )
    return Grid(loop, table.reshape(-1, at.lanes), sources.reshape(-1, 4))


def _three(shape: Shape) -> tuple[int, int, int]:
    """(channels, height, width); what has a length alone is one high."""
    return (shape[0], 1, shape[1]) if len(shape) == 2 else (shape[0], shape[1], shape[2])


def _pace(conv: Conv2d, axis: int) -> tuple[int, int]:
    """From a place of the kernel that a source meets to the next, and back in the output."""
    stride, dilation = conv.stride[axis], conv.dilation[axis]
    common = math.gcd(stride, dilation)
    return stride // common, dilation // common


def _ways(size: int, pool: int, conv: Conv2d, axis: int, out: int) -> list[tuple[int, int, int]]:
    """For each place along an axis: the first of the kernel that meets it, where, how many do."""
    kernel, (before, _) = conv.weights.shape[2 + axis], conv.padding[axis]
    found = []
    for at in range(size):
        pooled = at // pool
        met = []
        for i in range(kernel if pooled < size // pool else 0):
            place, rest = divmod(pooled + before - i * conv.dilation[axis], conv.stride[axis])
            if not rest and 0 <= place < out:
                met.append((i, place))
        found.append((*met[0], len(met)) if met else (0, 0, 0))
    return found
