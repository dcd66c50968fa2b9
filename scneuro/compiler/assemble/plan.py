"""What is to be assembled, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ...stochastic import Noise
from ...words import Word
from ..algebra.canonical import Canonical
from ..algebra.terms import Condition, Sum, Term
from ..bounds.ranges import Interval, Ranges
from ..bounds.registers import Register
from ..datapath import Datapath, Node
from ..functions import Functions
from ..lowered import Coefficient, Cost, Decision
from ..table import Table

__all__ = ["Assembled", "Plan"]


@dataclass(frozen=True)
class Plan:
    """What is to be assembled, and how finely.

    Attributes
    ----------
    name : str
        The neuron's, for messages.
    canonical : Canonical
    updates, spike
        The canonical form.
    registers : dict of str to Register
    inputs : dict of str to (Word, int, int)
        The word of each input, and the integers at which it saturates.
    noises : mapping of str to Noise
    rounding : str
    ranges : Ranges
        Of all terms.
    functions : Functions
        What tables stand for.
    limits : mapping of Term to (float, float)
        Beyond which the value of an atom no longer matters.
    allowed : mapping of Term to float
        The error each term may have, in its unit; without an entry the 16-bit rules are enough.
    table_error : float or None
    most_rows : int
        Of a table.
    """

    name: str
    canonical: Canonical
    updates: Mapping[str, Sum]
    spike: Condition | bool
    registers: dict[str, Register]
    inputs: dict[str, tuple[Word, int, int]]
    noises: Mapping[str, Noise]
    rounding: str
    ranges: Ranges
    functions: Functions
    limits: Mapping[Term, Interval]
    allowed: Mapping[Term, float]
    table_error: float | None
    most_rows: int

    def error_of(self, term: Term) -> float:
        """The error a term may have; infinity where the 16-bit rules are enough."""
        return self.allowed.get(term, math.inf)


@dataclass(frozen=True)
class Assembled:
    """The datapath, and what is known of it.

    Attributes
    ----------
    path, words, tables, coefficients, decisions, costs, notes
        See :class:`~scneuro.compiler.lowered.Lowered`.
    bounds : dict of str to float
    beyond : tuple of (str, int)
        States that leave the interval assumed for them, and on which side.
    """

    path: Datapath
    words: dict[str, Node]
    tables: tuple[Table, ...]
    coefficients: tuple[Coefficient, ...]
    decisions: tuple[Decision, ...]
    bounds: dict[str, float]
    costs: dict[str, tuple[Cost, ...]]
    beyond: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
