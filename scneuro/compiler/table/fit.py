"""Fitting: the smallest table of a function that is exact enough."""

from __future__ import annotations

import math

from ...errors import LoweringError
from .measure import measured
from .regions import in_regions
from .samples import Function, Samples
from .segments import Aim, output_fraction, uniform
from .table import Table

__all__ = ["MOST_ROWS", "Unfit", "fit"]

MOST_ROWS = 1024
_WHATEVER_IT_COSTS = 1 << 16  # rows, where an error was asked for
_DOUBLINGS = 40  # of an error that is as good as any


class Unfit(LoweringError):
    """No table of as many rows as there may be has an error within the budget."""


def fit(
    function: Function,
    *,
    low: int,
    high: int,
    fraction: int,
    text: str,
    budget: float | None = None,
    tolerance: float = math.inf,
    between: bool = True,
    most_rows: int = MOST_ROWS,
) -> Table:
    """The smallest table of ``function`` on the addresses ``low`` to ``high``.

    Parameters
    ----------
    function
        From real arguments (an array) to real values.
    low, high : int
        The addresses that can occur.
    fraction : int
        Fraction bits of the addresses.
    text : str
        What to call it.
    budget : float, optional
        The largest error allowed, whatever it costs. Without one: one LSB of the 16-bit word
        that holds the values, or ``tolerance``, whichever is less; if that takes more than
        ``most_rows``, ``tolerance``.
    tolerance : float
        The largest error that its user can bear.
    between : bool
        Whether an address stands for the arguments around it too.
    most_rows : int
        Rows the memory may have.

    Raises
    ------
    Undefined
        If the function is undefined at an address that can occur.
    Unfit
        If no table is within the budget.
    """
    samples = Samples(function, low, high, fraction, text)
    word = 2.0 ** -output_fraction(samples.values)
    if budget is not None:
        budgets = [budget]
    elif tolerance == math.inf:
        budgets = [word * 2**k for k in range(_DOUBLINGS)]
    else:
        budgets = [min(word, tolerance), tolerance]
    most = most_rows if budget is None else _WHATEVER_IT_COSTS
    for allowed in dict.fromkeys(budgets):
        aim = Aim(samples, allowed, most)
        found = uniform(aim)
        if found is None and allowed == budgets[-1]:
            found = in_regions(aim)
        if found is not None:
            return measured(samples, found, allowed, between=between)
    raise Unfit(
        f"no table of {text} on {high - low + 1} words has an error within {budgets[-1]:g} "
        f"in {most_rows} rows",
        "allow a larger table_error" if budget is not None else "",
    )
