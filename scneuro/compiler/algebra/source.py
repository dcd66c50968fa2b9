"""Questions about the source, before any of it is lowered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ..graph import Expr, Graph, ordered

__all__ = ["is_continuous", "needed", "used_as_one", "written"]


def needed(expr: Expr) -> tuple[Expr, ...]:
    """What must be lowered before ``expr``: nothing behind a function of one variable."""
    if expr.op == "call" and len(expr.variables) <= 1:
        return ()
    if expr.op == "div" and len(expr.variables) == 1:
        return (expr.args[1], *(() if expr.args[1].variables else expr.args[:1]))
    return expr.args


def used_as_one(roots: tuple[Expr, ...]) -> set[Expr]:
    """What is computed once, used more than once, and multiplied or put into a function."""
    nodes = ordered(roots)
    uses = Counter(arg for expr in nodes for arg in expr.args)
    multiplied: set[Expr] = set()
    for expr in reversed(nodes):  # users before what they use
        match expr.op:
            case "mul" if all(arg.variables for arg in expr.args):
                multiplied.update(expr.args)
            case "pow":
                multiplied.update(expr.args)
            case "call" | "div" if len(expr.variables) > 1 and expr.args[-1].variables:
                multiplied.add(expr.args[-1])
                if expr.op == "div":
                    multiplied.add(expr.args[0])
            case "add" | "sub" | "neg" | "mul" | "div" if expr in multiplied:
                multiplied.update(arg for arg in expr.args if arg.variables)
            case "where" if expr in multiplied:
                multiplied.update(expr.args[1:])
    return {expr for expr in multiplied if uses[expr] > 1 and expr.op not in ("var", "const")}


def written(roots: Iterable[Expr]) -> set[Expr]:
    """The expressions a state is written with, branch by branch: no table may stand for these."""
    found: set[Expr] = set()
    stack = list(roots)
    while stack:
        expr = stack.pop()
        if expr not in found:
            found.add(expr)
            if expr.op in ("add", "sub"):
                stack.extend(expr.args)
            elif expr.op == "where":
                stack.extend(expr.args[1:])
    return found


def is_continuous(expr: Expr) -> bool:
    """Whether a choice of functions of one variable has no jump where it turns to the other.

    By its values at all words of Q8.8: a jump is left to a choice, and kinks to the table.
    """
    (name,) = expr.variables
    words = np.arange(-(1 << 15), 1 << 15) / 256
    condition, yes, no = (
        np.broadcast_to(np.asarray(v), words.shape)
        for v in Graph.evaluate(expr.args, {name: words})
    )
    turns = np.flatnonzero(condition[1:] != condition[:-1])
    with np.errstate(all="ignore"):
        gap = np.abs(yes[turns].astype(float) - no[turns])
        steps = [np.abs(np.diff(side.astype(float)))[turns] for side in (yes, no)]
        jumps = gap > 2 * np.maximum(*steps) + 1e-9 * np.abs(no[turns])
    return not bool(np.any(jumps))
