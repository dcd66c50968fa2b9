"""NumPy functions that are made of other operations, on traced values.

Each is what NumPy computes; the traced value is the first argument unless it says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import TraceError
from ..graph import interval
from .refuse import ROUNDED, refuse

__all__ = ["FUNCTIONS", "PERIODS", "UFUNCS", "Interpolation"]

#: The value of a choice among periods, which holds within the declared ranges alone.
PERIODS = "periods"
_MOST_PERIODS = 16  # of a remainder: each is a comparison


@dataclass(frozen=True)
class Interpolation:
    """``np.interp`` with constant points, as a function of one value."""

    points: tuple[float, ...]
    values: tuple[float, ...]
    left: float
    right: float

    __name__ = "interp"

    def __call__(self, x: Any) -> Any:
        return np.interp(x, self.points, self.values, self.left, self.right)


def _clip(x: Any, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> Any:
    low, high = kwargs.pop("min", a_min), kwargs.pop("max", a_max)
    if kwargs:
        raise refuse(f"np.clip with {', '.join(kwargs)} cannot be traced")
    if low is not None:
        x = np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise refuse("np.select needs as many choices as conditions, and at least one")
    for condition, choice in reversed([*zip(condlist, choicelist, strict=True)]):
        default = np.where(condition, choice, default)
    return default


def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
    conditions = condlist if isinstance(condlist, list | tuple) else [condlist]
    functions = [*funclist]
    if len(functions) not in (len(conditions), len(conditions) + 1):
        raise refuse("np.piecewise needs a function for each condition, and one more at most")

    def value(function: Any) -> Any:
        return function(x, *args, **kwargs) if callable(function) else function

    result = value(functions[-1]) if len(functions) > len(conditions) else 0.0
    for condition, function in zip(conditions, functions, strict=False):  # the last that holds
        result = np.where(condition, value(function), result)
    return result


def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    if period is not None:
        raise refuse("np.interp with a period cannot be traced", "np.mod(x, period) bounds x")
    try:
        points, values = np.asarray(xp, dtype=float), np.asarray(fp, dtype=float)
        ends = [float(f if end is None else end) for end, f in ((left, fp[0]), (right, fp[-1]))]
    except (TypeError, ValueError, IndexError, TraceError):
        raise refuse("np.interp needs constant points and values") from None
    if points.ndim != 1 or points.shape != values.shape or np.any(np.diff(points) <= 0):
        raise refuse("np.interp needs as many values as points, and points that increase")
    function = Interpolation(tuple(map(float, points)), tuple(map(float, values)), *ends)
    return x.emit("call", x.expr, value=function)


def _polyval(p: Any, x: Any) -> Any:
    result: Any = 0.0
    for coefficient in p:
        result = result * x + coefficient
    return result


def _constant(value: Callable[..., float]) -> Callable[..., Any]:
    return lambda x, *args, **_: type(x)(x.graph, x.lift(value(*args)))


def _sign(x: Any) -> Any:
    return np.where(x > 0, 1.0, np.where(x >= 0, 0.0, -1.0))


def _heaviside(x: Any, at_zero: Any) -> Any:
    return np.where(x > 0, 1.0, np.where(x >= 0, at_zero, 0.0))


def _exclusive(a: Any, b: Any) -> Any:
    return (a & ~b) | (b & ~a)


def _by_periods(x: Any, period: Any, name: str, leaf: Callable[[Any, int], Any]) -> Any:
    """What depends on how many whole periods there are in a value: a comparison for each."""
    number = period.expr.value if hasattr(period, "expr") else period
    if isinstance(number, str) or number is None or not number > 0:
        raise refuse(f"{name} by anything but a positive constant cannot be traced", ROUNDED)
    ends = interval(x.expr, x.graph.bounds)
    if not all(map(math.isfinite, ends)) or ends[1] - ends[0] > number * _MOST_PERIODS:
        size = f"{ends[0]:.4g} to {ends[1]:.4g}" if math.isfinite(ends[1]) else "no known range"
        raise refuse(
            f"{name} of a value in {size} has more than {_MOST_PERIODS} steps of {number:g}",
            "bound it: State(range=(low, high)), np.clip; or wrap it once: "
            "np.where(x >= period, x - period, x)",
        )

    def between(first: int, last: int) -> Any:
        if first == last:
            return leaf(x, first)
        middle = (first + last + 1) // 2
        sides = x.lift(between(middle, last)), x.lift(between(first, middle - 1))
        return x.emit("where", (x >= number * middle).expr, *sides, value=PERIODS)

    return between(*(math.floor(end / number) for end in ends))


def _remainder(x: Any, period: Any) -> Any:
    number = period.expr.value if hasattr(period, "expr") else period
    return _by_periods(x, period, "a remainder", lambda x, k: x - k * number)


def _floor_divide(x: Any, period: Any) -> Any:
    return _by_periods(x, period, "a whole quotient", lambda x, k: float(k))


def _floor(x: Any) -> Any:
    return _by_periods(x, 1.0, "np.floor", lambda x, k: float(k))


UFUNCS: dict[Any, Callable[..., Any]] = {
    np.sign: _sign,
    np.heaviside: _heaviside,
    np.logical_xor: _exclusive,
    np.bitwise_xor: _exclusive,
    np.remainder: _remainder,
    np.floor_divide: _floor_divide,
    np.floor: _floor,
    np.ceil: lambda x: -_floor(-x),
}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.clip: _clip,
    np.select: _select,
    np.piecewise: _piecewise,
    np.interp: _interp,
    np.polyval: _polyval,
    np.sinc: lambda x: x.emit("call", x.expr, value=np.sinc),
    np.zeros_like: _constant(lambda: 0.0),
    np.ones_like: _constant(lambda: 1.0),
    np.full_like: _constant(float),
    np.copy: lambda x, **_: x,
}
