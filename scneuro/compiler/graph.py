"""The dataflow graph of one ``update()``: what a neuron computes, before any number format.

The graph can be evaluated in float over arrays. A caller may impose the outcome of the
comparisons, which is how one step of the integer model is compared with the very branch of the
float model that it took.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Container, Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = [
    "COMPARISONS",
    "LOGIC",
    "PYTHON",
    "Expr",
    "Graph",
    "interval",
    "ordered",
    "shortened",
    "values_of",
]

_TEXT = 160
_AT_ONCE = 1 << 13  # points
_SIGNS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "ge": ">=",
    "gt": ">",
    "eq": "==",
    "and": "&",
    "or": "|",
}
COMPARISONS = ("ge", "gt", "eq")
LOGIC = ("and", "or", "not")
#: Operations as an expression of Python, by their arguments.
PYTHON = {
    "add": "{} + {}",
    "sub": "{} - {}",
    "mul": "{} * {}",
    "div": "{} / {}",
    "neg": "-{}",
    "ge": "{} >= {}",
    "gt": "{} > {}",
    "eq": "{} == {}",
    "and": "{} & {}",
    "or": "{} | {}",
    "not": "not {}",
    "where": "{1} if {0} else {2}",
}
_EVALUATE: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "ge": np.greater_equal,
    "gt": np.greater,
    "eq": np.equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "where": np.where,
}


class Expr:
    """One node of the graph.

    Attributes
    ----------
    op : str
        ``const``, ``var``, an arithmetic or logic operation, ``where``, ``pow`` (the exponent is
        ``value``, an int) or ``call`` (``value`` is a NumPy ufunc of one argument). A ``where``
        that stands for ``np.minimum`` and the like has that as its ``value``.
    args : tuple of Expr
    value : float, str, int, ufunc or None
        The constant, the variable's name, the exponent or the function.
    line : str
        The source line that made it, for messages; not part of its identity.
    variables : frozenset of str
        The states and inputs it depends on.
    depth : int
        Operations on its longest path; greater than that of any of its arguments.
    text : str
        How a person would write it; a long one is cut, so that shared nodes are not printed again
        and again.
    """

    __slots__ = ("args", "depth", "line", "op", "text", "value", "variables")

    def __init__(self, op: str, args: tuple[Expr, ...], value: Any, line: str) -> None:
        self.op = op
        self.args = args
        self.value = value
        self.line = line
        names: frozenset[str] = frozenset({value} if op == "var" else ())
        self.depth: int = 1 + max((arg.depth for arg in args), default=0)
        for arg in args:
            names |= arg.variables
        self.variables: frozenset[str] = names
        self.text: str = shortened(self._text(), _TEXT)

    @property
    def is_condition(self) -> bool:
        return self.op in COMPARISONS or self.op in LOGIC or isinstance(self.value, bool)

    def __str__(self) -> str:
        return self.text

    def _text(self) -> str:
        if self.op == "const":
            return f"{self.value:.6g}" if not isinstance(self.value, bool) else str(self.value)
        if self.op == "var":
            return str(self.value)
        if self.op in _SIGNS:
            return f"({self.args[0].text} {_SIGNS[self.op]} {self.args[1].text})"
        if self.op == "pow":
            return f"{self.args[0].text}**{self.value}"
        if self.op in ("neg", "not"):
            return f"{'-' if self.op == 'neg' else '~'}{self.args[0].text}"
        name = "where" if self.op == "where" else self.value.__name__
        return f"{name}({', '.join(arg.text for arg in self.args)})"


def shortened(text: str, most: int) -> str:
    """``text``, cut to ``most`` characters; what is cut is told apart by a digest."""
    if len(text) <= most:
        return text
    return f"{text[:most]}..{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


class Graph:
    """A hash-consed graph: the same operation on the same arguments is the same node.

    Parameters
    ----------
    bounds : mapping of str to (float, float), optional
        Of variables, where they are known.
    """

    def __init__(self, bounds: Mapping[str, tuple[float, float]] | None = None) -> None:
        self._nodes: dict[tuple[Any, ...], Expr] = {}
        self.bounds = dict(bounds or {})

    def node(self, op: str, *args: Expr, value: Any = None, line: str = "") -> Expr:
        key = (op, tuple(map(id, args)), type(value), value)
        if key not in self._nodes:
            self._nodes[key] = Expr(op, args, value, line)
        return self._nodes[key]

    def __iter__(self) -> Any:
        return iter(self._nodes.values())

    @staticmethod
    def evaluate(
        roots: tuple[Expr, ...],
        variables: Mapping[str, Any],
        decisions: Mapping[Expr, Any] | None = None,
    ) -> tuple[Any, ...]:
        """The float values of ``roots``; ``decisions`` overrides the value of comparisons."""
        known: dict[Expr, Any] = dict(decisions or {})
        with np.errstate(all="ignore"):
            for expr in ordered(roots, known) if known else _order(roots):
                if expr.op == "const":
                    known[expr] = expr.value
                elif expr.op == "var":
                    known[expr] = variables[expr.value]
                elif expr.op == "pow":
                    known[expr] = np.power(known[expr.args[0]], expr.value)
                elif expr.op == "call":
                    known[expr] = expr.value(known[expr.args[0]])
                else:
                    known[expr] = _EVALUATE[expr.op](*(known[arg] for arg in expr.args))
        return tuple(known[root] for root in roots)


def ordered(roots: Iterable[Expr], known: Container[Expr] = ()) -> list[Expr]:
    """What ``roots`` need besides what is ``known``, each once, arguments first.

    The order is that of the graph alone, and so the same every time.
    """
    found: dict[Expr, None] = {}
    stack = [root for root in roots if root not in known]
    while stack:
        expr = stack.pop()
        if expr not in found:
            found[expr] = None
            stack.extend(arg for arg in expr.args if arg not in known)
    return sorted(found, key=lambda expr: expr.depth)


def values_of(expr: Expr, name: str, points: np.ndarray) -> np.ndarray:
    """The float values of an expression of one variable, in the shape of the points.

    A stretch of them at a time: what is made on the way stays in the processor's cache.
    """
    if points.size > _AT_ONCE:
        stretches = np.split(points.ravel(), range(_AT_ONCE, points.size, _AT_ONCE))
        found = [values_of(expr, name, stretch) for stretch in stretches]
        return np.concatenate(found).reshape(points.shape)
    (values,) = Graph.evaluate((expr,), {name: points})
    return np.broadcast_to(np.asarray(values, dtype=float), points.shape)


@lru_cache(maxsize=64)
def _order(roots: tuple[Expr, ...]) -> list[Expr]:
    """All that ``roots`` need, for those who evaluate them again and again."""
    return ordered(roots)


def interval(expr: Expr, bounds: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    """Between which values an expression lies, where each variable lies within its bounds."""
    known: dict[Expr, tuple[float, float]] = {}
    for node in ordered((expr,)):
        known[node] = _interval(node, [known[arg] for arg in node.args], bounds)
    return known[expr]


def _interval(
    expr: Expr, args: list[tuple[float, float]], bounds: Mapping[str, tuple[float, float]]
) -> tuple[float, float]:
    match expr.op, args:
        case "const", _:
            return float(expr.value), float(expr.value)
        case "var", _:
            return bounds.get(expr.value, (-math.inf, math.inf))
        case "add", [(a, b), (c, d)]:
            return a + c, b + d
        case "sub", [(a, b), (c, d)]:
            return a - d, b - c
        case "neg", [(a, b)]:
            return -b, -a
        case "mul", [p, q]:
            ends = [x * y if x and y else 0.0 for x in p for y in q]
            return min(ends), max(ends)
        case "div", [p, (c, d)] if c > 0 or d < 0:
            ends = [x / y for x in p for y in (c, d)]
            return min(ends), max(ends)
        case "pow", [(a, b)] if math.isfinite(a) and math.isfinite(b):
            ends = [a**expr.value, b**expr.value, *([0.0] if a < 0 < b else [])]
            return min(ends), max(ends)
        case "call", _ if expr.value in (np.tanh, np.sin, np.cos):
            return -1.0, 1.0
        case "where", [_, (a, b), (c, d)]:
            condition, yes, no = expr.args
            if condition.op == "ge" and condition.args == (no, yes):  # the smaller of two
                return min(a, c), min(b, d)
            if condition.op == "ge" and condition.args == (yes, no):
                return max(a, c), max(b, d)
            return min(a, c), max(b, d)
    return (0.0, 1.0) if expr.is_condition else (-math.inf, math.inf)
