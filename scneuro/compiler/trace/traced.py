"""Tracing: ``update()``, called with traced values, yields the graph of what it computes.

A :class:`Traced` value rides NumPy's own protocols (NEP 13 ``__array_ufunc__`` and NEP 18
``__array_function__``), so the model is plain NumPy. What cannot be traced is refused with the
line and the NumPy form to use instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

from ...errors import ScneuroError, TraceError
from ...stochastic import Noise
from ...tools.source import line_now, line_of, place_of, said
from ..graph import Expr, Graph
from .composed import FUNCTIONS, UFUNCS
from .refuse import INSTEAD, SUPPORTED, refuse, untraceable

__all__ = ["Traced", "returned", "trace"]

_NO_NUMBERS = (str, tuple, list)

_BINARY = {
    np.add: "add",
    np.subtract: "sub",
    np.multiply: "mul",
    np.true_divide: "div",
    np.greater_equal: "ge",
    np.greater: "gt",
    np.equal: "eq",
}
_SWAPPED = {np.less_equal: "ge", np.less: "gt"}
_LOGIC = {np.logical_and: "and", np.bitwise_and: "and", np.logical_or: "or", np.bitwise_or: "or"}
_OF_CONDITIONS = {
    np.add: "or",
    np.multiply: "and",
    np.maximum: "or",
    np.minimum: "and",
}


@dataclass(frozen=True)
class Power:
    """x to a constant power, as a function of one value."""

    exponent: float

    def __call__(self, x: Any) -> Any:
        return np.power(x, self.exponent)

    @property
    def __name__(self) -> str:  # type: ignore[override]
        return f"power_{self.exponent:g}"


class Traced:
    """A value that records what is done to it instead of doing it."""

    __slots__ = ("expr", "graph")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, graph: Graph, expr: Expr) -> None:
        self.graph = graph
        self.expr = expr

    # -- what NumPy asks ---------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or any(value is not None for value in kwargs.values()):
            extra = f"np.{ufunc.__name__}" + (f".{method}" if method != "__call__" else "")
            raise refuse(f"{extra} with {', '.join(kwargs) or method} cannot be traced")
        if ufunc is np.matmul:
            raise untraceable(ufunc)
        args = [self.lift(value) for value in inputs]
        if ufunc in _OF_CONDITIONS and all(arg.is_condition for arg in args):
            return self.emit(_OF_CONDITIONS[ufunc], *args)  # what NumPy makes of two bools
        if ufunc is np.subtract and all(arg.is_condition for arg in args):
            raise refuse(
                "two conditions cannot be subtracted, as NumPy cannot",
                "use a != b or a & ~b, or np.where(a, 1.0, 0.0) for numbers",
            )
        if ufunc in _BINARY:
            return self.emit(_BINARY[ufunc], *args)
        if ufunc in _SWAPPED:
            return self.emit(_SWAPPED[ufunc], args[1], args[0])
        if ufunc in _LOGIC or ufunc in (np.logical_not, np.invert):
            for arg in args:
                if not arg.is_condition:
                    raise refuse(f"np.{ufunc.__name__} needs conditions, not numbers")
            return self.emit(_LOGIC.get(ufunc, "not"), *args)
        return self._special(ufunc, args)

    def _special(self, ufunc: Any, args: list[Expr]) -> Any:
        if ufunc in (np.minimum, np.fmin):
            chosen = self._node("ge", args[1], args[0]), args[0], args[1]
            return self.emit("where", *chosen, value=ufunc)
        if ufunc in (np.maximum, np.fmax):
            chosen = self._node("ge", args[0], args[1]), args[0], args[1]
            return self.emit("where", *chosen, value=ufunc)
        if ufunc in (np.absolute, np.fabs):
            zero = self.lift(0.0)
            chosen = self._node("ge", args[0], zero), args[0], self._node("neg", args[0])
            return self.emit("where", *chosen, value=np.absolute)
        if ufunc is np.not_equal:
            return self.emit("not", self._node("eq", *args))
        if ufunc is np.negative:
            return self.emit("neg", *args)
        if ufunc is np.positive:
            return self.emit("add", args[0], self.lift(0.0))
        if ufunc is np.square:
            return self._power(args[0], 2)
        if ufunc is np.reciprocal:
            return self.emit("div", self.lift(1.0), args[0])
        if ufunc in (np.power, np.float_power):
            return self._any_power(*args)
        if ufunc in UFUNCS:
            return UFUNCS[ufunc](*(Traced(self.graph, arg) for arg in args))
        if ufunc.__name__ in INSTEAD or ufunc.nin != 1 or ufunc.nout != 1:
            raise untraceable(ufunc)
        return self.emit("call", *args, value=ufunc)

    def _any_power(self, base: Expr, exponent: Expr) -> Traced:
        if exponent.op == "const":
            number = float(exponent.value)
            if number == int(number) and 1 <= abs(number) <= 8:
                whole = self._power(base, abs(int(number)))
                return whole if number > 0 else self.emit("div", self.lift(1.0), whole.expr)
            if number == 0:
                return Traced(self.graph, self.lift(1.0))
            if number == 0.5:
                return self.emit("call", base, value=np.sqrt)
            return self.emit("call", base, value=Power(number))
        if base.op == "const" and base.value > 0:
            scaled = self._node("mul", exponent, self.lift(float(np.log(base.value))))
            return self.emit("call", scaled, value=np.exp)
        raise refuse(
            "a power of two traced values cannot be traced",
            "use np.exp(p * np.log(x)) where p or x is a parameter",
        )

    def _power(self, base: Expr, exponent: int) -> Traced:
        return Traced(self.graph, base) if exponent == 1 else self.emit("pow", base, value=exponent)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.where and len(args) == 3 and not kwargs:
            condition, yes, no = (self.lift(arg) for arg in args)
            if not condition.is_condition:
                raise refuse(
                    "np.where needs a condition, not a number",
                    "compare first: np.where(x > 0, a, b)",
                )
            return self.emit("where", condition, yes, no)
        if func in FUNCTIONS:
            return FUNCTIONS[func](*args, **kwargs)
        raise untraceable(func)

    # -- building nodes ----------------------------------------------------------------------
    def lift(self, value: Any) -> Expr:
        if isinstance(value, Traced):
            return value.expr
        if isinstance(value, bool | np.bool_):
            return self.graph.node("const", value=bool(value))
        if isinstance(value, int | float | np.integer | np.floating) or (
            isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"
        ):
            number = float(value)
            if not np.isfinite(number):
                raise refuse(f"a constant in update() is {number}")
            return self.graph.node("const", value=number + 0.0)
        raise refuse(
            f"a {type(value).__name__} cannot be mixed with a traced value",
            "a neuron's parameters are single numbers",
        )

    def _node(self, op: str, *args: Expr, value: Any = None) -> Expr:
        return self.graph.node(op, *args, value=value, line=": ".join(line_now()))

    def emit(self, op: str, *args: Expr, value: Any = None) -> Traced:
        return Traced(self.graph, self._node(op, *args, value=value))

    def astype(self, dtype: Any, **_: Any) -> Traced:
        """The same number, or 1 and 0 for a condition, which is what integers make of it, too."""
        if np.dtype(dtype).kind == "f" or (self.expr.is_condition and np.dtype(dtype).kind in "iu"):
            return np.where(self, 1.0, 0.0) if self.expr.is_condition else self  # type: ignore[return-value]
        raise refuse(f"a traced value cannot be {np.dtype(dtype)}", "leave it as it is")

    def copy(self) -> Traced:
        """The same: it never changes."""
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "dtype":  # NumPy asks, and can do without
            raise AttributeError(name)
        ufunc = getattr(np, name, None)
        if isinstance(ufunc, np.ufunc) and ufunc.nin == 1:  # what NumPy asks an array's elements
            return lambda: ufunc(self)
        form = f"use np.{name}(x, ...)" if hasattr(np, name) else ""
        raise refuse(f"a traced value has no .{name}", form)

    # -- what Python asks --------------------------------------------------------------------
    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if dtype is not None and np.dtype(dtype).kind != "O":
            self._cannot()
        array = np.empty((), dtype=object)  # an element of a list, as NumPy's own arrays have it
        array[()] = self
        return array

    def _cannot(self, *_: Any, **__: Any) -> Any:
        raise refuse("a traced value has no single value to decide on or convert")

    def _whole(self, *_: Any, **__: Any) -> Any:
        raise refuse(
            "a traced value is one number, without elements",
            "a vector is a State for each of its elements; to replace V here and there, "
            "V = np.where(condition, value, V)",
        )

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __round__ = __trunc__ = _cannot
    __divmod__ = __rdivmod__ = _cannot
    __len__ = __iter__ = __getitem__ = __setitem__ = __contains__ = _whole


def _operator(ufunc: Any, swapped: bool = False) -> Callable[..., Any]:
    def method(self: Traced, *other: Any) -> Any:
        return ufunc(*other, self) if swapped else ufunc(self, *other)

    return method


_OPERATORS: dict[str, Any] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.true_divide,
    "pow": np.power,
    "mod": np.remainder,
    "floordiv": np.floor_divide,
    "matmul": np.matmul,
    "xor": np.logical_xor,
    "floor": np.floor,
    "ceil": np.ceil,
    "and": np.logical_and,
    "or": np.logical_or,
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
    "eq": np.equal,
    "ne": np.not_equal,
    "neg": np.negative,
    "pos": np.positive,
    "abs": np.absolute,
    "invert": np.logical_not,
}
for _name, _ufunc in _OPERATORS.items():
    setattr(Traced, f"__{_name}__", _operator(_ufunc))
    if _name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv", "matmul", "and", "or"):
        setattr(Traced, f"__r{_name}__", _operator(_ufunc, swapped=True))


def trace(
    update: Callable[..., Any],
    states: Sequence[str],
    inputs: Sequence[str],
    what: str,
    noises: Mapping[str, Noise] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    exercise: Callable[[], None] | None = None,
) -> tuple[Expr, ...]:
    """The graph of ``update``: the spike flag, then the next value of every state.

    ``bounds`` are those of the states and inputs, without which there are no remainders.

    ``update`` is traced twice, and may get some ``exercise`` between; if the graphs differ it drew
    random numbers or kept state of its own between calls, and hardware built from either would be
    another neuron.
    """
    given = states, inputs, noises or {}, bounds or {}, what
    first, signature = _trace_once(update, *given)
    if exercise is not None:
        exercise()
    _, again = _trace_once(update, *given)
    for one, other in zip_longest(signature, again, fillvalue=(None, "")):
        if one[0] != other[0]:
            raise TraceError(
                f"{one[1] or other[1] or place_of(update)}: {what}.update() is not the same twice: "
                "it draws random numbers (np.random, random) or keeps state outside its States",
                "declare what it remembers as a State; for noise, declare a Noise",
            )
    return first


def returned(
    result: Any,
    states: Sequence[str],
    update: Callable[..., Any],
    what: str,
    kind: type[ScneuroError] = TraceError,
) -> tuple[Any, ...]:
    """What ``update`` returned, if it is the spike flag and the next value of every state.

    Raises
    ------
    ScneuroError
        Otherwise; of ``kind``.
    """
    if not isinstance(result, tuple) or len(result) != 1 + len(states):
        got = f"{len(result)} values" if isinstance(result, tuple) else f"{type(result).__name__}"
        hint = f"end it with: return spike, {', '.join(states)}"
        if isinstance(result, tuple) and len(result) > 1 + len(states):
            hint += "; a second spike flag is joined, a | b, or is a State that it sets to 1.0"
        raise kind(
            f"{place_of(update)}: {what}.update() must return the spike flag and the next value of "
            f"{', '.join(states)} ({1 + len(states)} values), not {got}",
            hint,
        )
    for name, value in zip(("spike flag", *states), result, strict=True):
        if value is None or isinstance(value, _NO_NUMBERS):
            raise kind(
                f"{place_of(update)}: {what}.update() returns {_short(value)} as its {name}",
                "return a comparison such as V >= self.V_peak"
                if name == "spike flag"
                else "a state's next value is a number",
            )
    return result


def _root(lift: Callable[[Any], Expr], value: Any, what: str, name: str) -> Expr:
    """What is returned, as part of the graph."""
    if isinstance(value, Traced | bool | int | float | np.generic) or np.ndim(value) == 0:
        return lift(value)
    raise TraceError(
        f"{what} returns {_short(value)} as its {name}",
        "a state is one number: a vector is a State for each of its elements",
    )


def _short(value: Any) -> str:
    return repr(value) if value is None or isinstance(value, str) else f"a {type(value).__name__}"


def _trace_once(
    update: Callable[..., Any],
    states: Sequence[str],
    inputs: Sequence[str],
    noises: Mapping[str, Noise],
    bounds: Mapping[str, tuple[float, float]],
    what: str,
) -> tuple[tuple[Expr, ...], list[tuple[Any, str]]]:
    graph = Graph(bounds)
    names = [*states, *inputs, *noises]
    values = {name: Traced(graph, graph.node("var", value=name)) for name in names}
    lift = next(iter(values.values())).lift
    values |= {name: noise.scaled(values[name]) for name, noise in noises.items()}
    try:
        result = update(*(values[name] for name in names))
    except ScneuroError:
        raise
    except Exception as error:
        where, text = line_of(error)
        of_tracing = isinstance(error, TypeError | ValueError)  # NumPy's, of what it is given
        raise TraceError(
            f"{where or place_of(update)}: {what}: update() raises {said(error)}"
            + (f": {text}" if text else ""),
            f"a traced update() may use {SUPPORTED}" if of_tracing else "",
        ) from error
    roots = tuple(
        _root(lift, value, f"{place_of(update)}: {what}.update()", name)
        for name, value in zip(
            ("spike flag", *states), returned(result, states, update, what), strict=True
        )
    )
    if not roots[0].is_condition:
        raise TraceError(
            f"{place_of(update)}: {what}.update() must return a condition as its spike flag, "
            f"not the number {roots[0]}",
            "return a comparison such as V >= self.V_peak",
        )
    order = {expr: number for number, expr in enumerate(graph)}
    # a literal carries no line of its own, so it is reported at the operation that uses it
    signature: list[tuple[Any, str]] = [
        (
            (
                e.op,
                tuple(order[a] for a in e.args),
                [a.value for a in e.args if a.op == "const"],
                e.value if e.op != "const" else None,
            ),
            e.line,
        )
        for e in graph
    ]
    signature.append((("returns", [order[root] for root in roots]), ""))
    return roots, signature
