"""Piecewise-linear tables of a function of one value, with their error measured, not estimated.

A table is addressed by a word, or by as much of a register as its share of the budget asks for. Its
segments are equally wide, a power of two of addresses: the widest, and so the fewest, that meet the
budget (``fit.py``, ``segments.py``). Where a function is steep in one place and flat in the next,
the domain is split in regions with segments of their own (``regions.py``); one memory and one
multiplier serve them all. One row of the memory holds a segment's start and its slope.

The error is measured where it arises (``measure.py``): at every address, or, where there are too
many, at 65 in each segment and all around where the function bends most; what it may do between
these is added. What is looked at is scattered (``samples.py``), so that no period can hide from it.
Where an address stands for a whole interval of arguments, it is looked at in several places.
"""

from .fit import MOST_ROWS, Unfit, fit
from .samples import Function, Undefined
from .table import Region, Table

__all__ = ["MOST_ROWS", "Function", "Region", "Table", "Undefined", "Unfit", "fit"]
