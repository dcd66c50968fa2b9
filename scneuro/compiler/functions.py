"""What tables stand for: functions of one real argument, limited to what matters of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from .algebra.terms import Lookup, Term, Variable
from .bounds.ranges import Interval
from .graph import Expr, values_of
from .table import Function

__all__ = ["Functions"]


class Functions:
    """The function of every table.

    Parameters
    ----------
    limits : mapping of Term to (float, float)
        Beyond which the value of a table no longer matters.
    """

    def __init__(self, limits: Mapping[Term, Interval]) -> None:
        self._limits = dict(limits)

    def __getitem__(self, lookup: Lookup) -> Function:
        name = lookup.of.name if isinstance(lookup.of, Variable) else "x"
        return partial(_evaluate, lookup.expr, name, self._limits.get(lookup))


def _evaluate(expr: Expr, name: str, limit: Interval | None, points: np.ndarray) -> np.ndarray:
    values = values_of(expr, name, points)
    return values if limit is None else np.clip(values, *limit)
