"""Conditions: comparisons with zero, and what is made of these; what is known is a bool."""

from __future__ import annotations

from ..graph import Expr
from .terms import And, Compare, Condition, Not, Or, Sum

__all__ = ["at_least_zero", "both", "either", "inverse", "opposite"]


def at_least_zero(value: Sum, expr: Expr) -> Condition | bool:
    """``value >= 0``, which is what ``expr`` compares."""
    if not value.terms:
        return value.constant >= 0
    unit = abs(value.terms[0][1])
    # choices stay the atoms they are, so that their branches are recognised behind the comparison
    terms = tuple((atom, coefficient / unit) for atom, coefficient in value.terms)
    result: Compare = Compare(Sum(terms, value.constant / unit), expr, unit)
    return result


def opposite(condition: Condition | bool) -> Condition | bool:
    return not condition if isinstance(condition, bool) else inverse(condition)


def inverse(condition: Condition) -> Condition:
    """The opposite of what is not known."""
    result: Condition
    match condition:
        case Not(of):
            result = of
        case And(a, b):
            result = Or(inverse(a), inverse(b))
        case Or(a, b):
            result = And(inverse(a), inverse(b))
        case _:
            result = Not(condition)
    return result


def both(a: Condition | bool, b: Condition | bool) -> Condition | bool:
    if isinstance(a, bool):
        return b if a else False
    if isinstance(b, bool):
        return a if b else False
    result: Condition = a if a is b else And(a, b)
    return result


def either(a: Condition | bool, b: Condition | bool) -> Condition | bool:
    return opposite(both(opposite(a), opposite(b)))
