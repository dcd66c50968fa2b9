"""Measuring: how far a table is from its function, at addresses and between them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .samples import Samples, distinct, offsets_in
from .segments import Segments
from .table import Region, Table

__all__ = ["measured"]

_BENDS = 64  # places where the function bends most, around which every address is looked at
_AT_ONCE = 1 << 13  # addresses looked at together: what a cache holds, with all that is made of it
_BETWEEN = 8  # arguments looked at for every address that stands for an interval


def measured(samples: Samples, found: Segments, budget: float, *, between: bool) -> Table:
    """The table of some segments, with its errors.

    With ``between``, an address stands for the arguments around it too.
    """
    table = Table(
        text=samples.text,
        first=found.first,
        last=found.last,
        regions=found.regions,
        rows=found.rows,
        slope_bits=found.slope_bits,
        row_fraction=found.row_fraction,
        fraction=found.fraction,
        low=0,
        high=0,
        budget=budget,
        error=0.0,
        error_between=0.0,
        steepest=0.0,
        words=samples.high - samples.low + 1,
        address_fraction=samples.fraction,
    )
    addresses = _looked_at(samples, table)
    exact = samples.at(addresses)
    output = table.outputs(addresses)
    real = np.ldexp(output.astype(float), -table.fraction)
    steepest = np.max(np.abs(np.diff(exact)) / np.diff(addresses), initial=0.0)
    error = float(np.max(np.abs(real - exact)))
    if samples.stride > 1:
        # between addresses that were looked at, a smooth function strays by its curvature at most,
        # and what the output drops may be half its LSB
        line = np.ldexp(table.lines(addresses), -table.row_fraction)
        lost = math.ldexp(0.5, -table.fraction)
        error = max(error, float(np.max(np.abs(line - exact))) + lost)
        error += float(np.max(_bends(addresses, exact), initial=0.0))
    strayed = error
    if between:
        apart, bent = _between(samples, addresses, exact, real)
        strayed = max(error, apart) + bent  # and as far as it bends within one address
    first, last = _extremes(table)
    return replace(
        table,
        low=min(first, int(output.min())),
        high=max(last, int(output.max())),
        error=error,
        error_between=strayed,
        steepest=float(steepest),
        limits=tuple(samples.limits),
    )


def _begins(region: Region, last: int) -> np.ndarray:
    """The first addresses of a region's segments, were they all whole."""
    return np.arange(region.first >> region.shift, (last >> region.shift) + 1) << region.shift


def _looked_at(samples: Samples, table: Table) -> np.ndarray:
    """Every address, or enough of them in each segment, and all where the function bends most."""
    if samples.stride == 1:
        return samples.addresses
    found = [samples.addresses]
    for region, last in table.stretches:
        found.append((_begins(region, last)[:, None] + offsets_in(region.shift)).ravel())
    flat = distinct(np.concatenate(found))
    flat = flat[(flat >= samples.low) & (flat <= samples.high)]
    worst = np.argsort(_bends(flat, samples.at(flat)))[-_BENDS:]
    around = [np.arange(flat[k], flat[k + 2] + 1) for k in worst]
    return distinct(np.concatenate([flat, *(a[:: 1 + (len(a) >> 12)] for a in around)]))


def _bends(addresses: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How far the function strays between each three addresses, by its curvature there."""
    gaps = np.diff(addresses)
    slopes = np.diff(values) / gaps
    curvature = 2 * np.abs(np.diff(slopes)) / (gaps[1:] + gaps[:-1])
    widest = np.maximum(gaps[1:], gaps[:-1])
    result: np.ndarray = np.where(widest > 1, curvature * widest**2 / 8, 0.0)
    return result


def _between(
    samples: Samples, addresses: np.ndarray, exact: np.ndarray, real: np.ndarray
) -> tuple[float, float]:
    """The largest error at arguments that round to these addresses, and how far these bend."""
    ends = np.array([[-0.5], [0.5]]) + np.zeros(len(addresses))
    some = np.random.default_rng(0).uniform(-0.5, 0.5, (_BETWEEN - 2, len(addresses)))
    moves, strayed, bent = np.concatenate([ends, some]), 0.0, 0.0
    for begin in range(0, len(addresses), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        here, output = exact[part], real[part]
        found = []
        for move in moves[:, part]:
            values = samples.of(np.ldexp(addresses[part] + move, -samples.fraction))
            values = np.where(np.isfinite(values), values, here)
            strayed = max(strayed, float(np.max(np.abs(output - values))))
            found.append(values)
        bent = max(bent, float(np.max(np.abs(found[0] - 2 * here + found[1]))))
    return strayed, bent / 4


def _extremes(table: Table) -> tuple[int, int]:
    """The least and the greatest output: a segment is straight, so they are at ends of segments."""
    low, high = [], []
    for region, last in table.stretches:
        begins = _begins(region, last)
        edges = np.concatenate([begins, begins + (1 << region.shift) - 1, [region.first, last]])
        output = table.outputs(np.clip(edges, region.first, last))
        low.append(int(output.min()))
        high.append(int(output.max()))
    return min(low), max(high)
