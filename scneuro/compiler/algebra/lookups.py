"""Lookups: nonlinear functions as tables, over their one variable or over a sum that is a word.

A table that is over a sum calls it ``x``.
"""

from __future__ import annotations

import numpy as np

from ...errors import LoweringError
from ..graph import Expr, Graph
from .arithmetic import Arithmetic
from .terms import Lookup, Sum, Variable, proportion

__all__ = ["of_sum", "of_variable", "quotient"]


def of_variable(expr: Expr) -> Sum:
    """A function of one variable, or of none: a constant."""
    if not expr.variables:
        (value,) = Graph.evaluate((expr,), {})
        if not np.isfinite(value):
            raise LoweringError(f"{expr} is {value}").at(expr.line)
        return Sum((), float(value))
    (name,) = expr.variables
    return Sum(((Lookup(expr, Variable(name)), 1.0),))


def of_sum(arithmetic: Arithmetic, expr: Expr, argument: Sum) -> Sum:
    """The function of ``expr``, a call or a division, over the sum that its argument is."""
    graph = arithmetic.graph
    if not argument.terms:  # it only looked as if it depended on something
        return of_variable(_applied(graph, expr, graph.node("const", value=argument.constant)))
    of, inner = _wire(arithmetic, argument)
    return Sum(((Lookup(_applied(graph, expr, inner), of), 1.0),))


def quotient(arithmetic: Arithmetic, over: Sum, under: Sum, expr: Expr) -> Sum | None:
    """One table, where both are functions of one sum: it may be 0/0 and have a limit."""
    (atom, _), *more = under.terms
    if more or not (isinstance(atom, Lookup) and isinstance(atom.of, Sum)):
        return None
    graph = arithmetic.graph
    of, below = _wire(arithmetic, under)
    ratio = proportion(over.terms, of.terms)
    if ratio is not None:
        wire = graph.node("var", value="x")
        above, rest = _times(graph, wire, ratio), over.constant - ratio * of.constant
    elif len(over.terms) == 1 and getattr(over.terms[0][0], "of", None) is of:
        ((other, factor),) = over.terms
        assert isinstance(other, Lookup)
        above, rest = _times(graph, other.expr, factor), over.constant
    else:
        return None
    divided = graph.node("div", _plus(graph, above, rest), below, line=expr.line)
    return Sum(((Lookup(divided, of), 1.0),))


def _wire(arithmetic: Arithmetic, argument: Sum) -> tuple[Sum, Expr]:
    """A sum that a table is addressed with, and ``argument`` as an expression of it, ``x``.

    Multiples of one sum, and functions of one table, so are functions of the same address.
    """
    graph = arithmetic.graph
    (atom, unit), *more = argument.terms
    if isinstance(atom, Lookup) and isinstance(atom.of, Sum) and not more:
        return atom.of, _plus(graph, _times(graph, atom.expr, unit), argument.constant)
    wire = graph.node("var", value="x")
    return arithmetic.scale(argument, 1.0, unit), _times(graph, wire, unit)


def _applied(graph: Graph, expr: Expr, inner: Expr) -> Expr:
    """The function of ``expr``, of another argument."""
    if expr.op == "div":
        one = graph.node("const", value=1.0)
        return graph.node("div", one, inner, line=expr.line)
    return graph.node("call", inner, value=expr.value, line=expr.line)


def _times(graph: Graph, expr: Expr, factor: float) -> Expr:
    if factor == 1:
        return expr
    return graph.node("mul", graph.node("const", value=factor), expr)


def _plus(graph: Graph, expr: Expr, constant: float) -> Expr:
    if not constant:
        return expr
    return graph.node("add", expr, graph.node("const", value=constant))
