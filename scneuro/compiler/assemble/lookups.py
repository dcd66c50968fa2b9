"""Lookups: the word a table is addressed with, and the table that its share asks for."""

from __future__ import annotations

import math

from ...errors import LoweringError
from ...words import WORD_BITS
from ..algebra.terms import Lookup, Variable, behind
from ..bounds.precision import ADDRESS, ARGUMENT, FLAT, active, continuity
from ..bounds.ranges import Interval
from ..datapath import Datapath, Node
from ..table import Table, Undefined, fit
from .bits import fraction_for, operand, real, rounded_at, word_for
from .plan import Plan

__all__ = ["looked_up", "undefined"]

_ADDRESS = 24  # bits of a table's address


def looked_up(
    plan: Plan, path: Datapath, lookup: Lookup, of: Node, name: str
) -> tuple[Table, Node]:
    """The table of a function, and what it says of a value.

    ``of`` is the register of the variable that it is a function of, or the exact sum.

    Raises
    ------
    Undefined
        If the function has no value where it can be asked for.
    LoweringError
        If its argument is too wide for a word, or no table is exact enough.
    """
    function, allowed = plan.functions[lookup], plan.error_of(lookup)
    domain = active(function, plan.ranges.argument(lookup), FLAT * allowed)
    if isinstance(lookup.of, Variable):
        near = continuity(function, domain, ADDRESS * allowed)
        word = _of_register(plan, path, of, near)
        left = (1 - FLAT - (ADDRESS if word.error > 0 else 0)) * allowed
    else:
        near = continuity(function, domain, ARGUMENT * allowed) / 4
        word = _of_sum(plan, path, lookup, of, domain, near)
        left = (1 - FLAT - 1.5 * ARGUMENT) * allowed
    low, high = (math.ldexp(end, word.fraction) for end in domain)
    table = fit(
        function,
        low=min(max(word.low, math.floor(low + 1e-6)), word.high),
        high=max(min(word.high, math.ceil(high - 1e-6)), word.low),
        fraction=word.fraction,
        text=lookup.expr.text,
        budget=plan.table_error,
        tolerance=left,
        most_rows=plan.most_rows,
        between=word.error > 0,
    )
    flat = FLAT * allowed if allowed < math.inf else 0.0
    error = table.error_between + flat
    beyond_half = max(0.0, math.ldexp(word.error, word.fraction) - 0.5)
    error += table.steepest * math.ceil(beyond_half - 1e-9)
    return table, table.build(path, word, error, name)


def _of_register(plan: Plan, path: Datapath, node: Node, near: float) -> Node:
    """A table's address of a register: its word, or finer where the function is steep."""
    if near == math.inf:
        return operand(plan, path, node, math.inf)
    word = word_for(*real(node))
    assert word is not None
    most = node.fraction - max(0, node.width - _ADDRESS)
    return rounded_at(path, node, min(max(word.fraction, fraction_for(near)), most), word)


def _of_sum(
    plan: Plan, path: Datapath, lookup: Lookup, exact: Node, domain: Interval, near: float
) -> Node:
    """The sum a table is a function of, as a word of its own.

    The sum's real interval can be narrower than that of its integers (it knows what a branch
    implies, and where the table is flat); the word is limited to it.
    """
    whole, integers = plan.ranges.argument(lookup), real(exact)
    lowest, highest = max(whole[0], integers[0]), min(whole[1], integers[1])
    low, high = max(domain[0], lowest), min(domain[1], highest)
    if low > high:  # flat wherever the sum can be
        low = high = min(max(high, lowest), low)
    word = word_for(low, high)
    if word is None:
        raise LoweringError(
            f"{plan.name}: {lookup.expr} has an argument x = {lookup.of.key} in {low:g} "
            f"to {high:g}, more than a word holds",
            "narrow the states it is made of: State(range=(low, high)), or scale their units",
        )
    fraction = word.fraction
    if near < math.inf:
        top = fraction + _ADDRESS - WORD_BITS
        fraction = min(max(fraction, fraction_for(near)), top)
    node = rounded_at(path, exact, fraction, word)
    # What the sum really reaches lies within these words: to limit it to them takes it no
    # further away. Where a flat end was left out it reaches further, and rounds to any word.
    least, most, lowest, highest = (
        math.ldexp(end, node.fraction) for end in (low, high, lowest, highest)
    )
    first = max(math.floor(least + 1e-6), math.ceil(lowest - 1e-6))
    last = min(math.ceil(most - 1e-6), math.floor(highest + 1e-6))
    if first > last:
        first = last = round(least)
    return path.clamp(node, first, last)


def undefined(plan: Plan, lookup: Lookup, error: Undefined) -> LoweringError:
    """That a function has no value, in the words of the source, with what helps."""
    origin = plan.canonical.origin(lookup) or lookup.expr
    of = lookup.of.name if isinstance(lookup.of, Variable) else lookup.of.key
    verb = "reaches" if math.isfinite(error.value) else "is"
    names = sorted(term.name for term in behind([lookup]) if isinstance(term, Variable))
    ranges = ", ".join(f"{n} = State(range=(low, high))" for n in names)
    if lookup.expr.op == "div" and math.isinf(error.value):
        hint = (
            "if that is 0/0 and has a limit, bracket the quotient: w * (x / -np.expm1(-x)); "
            f"if not, keep the divisor from 0 with np.maximum, or by {ranges}"
        )
    elif math.isnan(error.value):
        hint = f"keep what it is of where it is defined, with np.maximum, or by {ranges}"
    else:
        hint = f"keep what it is of smaller, with np.minimum or np.clip, or by {ranges}"
    text = f"{origin} {verb} {error.value:g} where {of} = {error.point:g}, which can occur"
    return LoweringError(f"{plan.name}: {text}", hint)
