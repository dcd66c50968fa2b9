"""Registers: how many bits a state gets, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...declare import MOST_GUARD, State
from ...errors import LoweringError
from ...words import WORD_BITS, Word, nearest
from ..algebra.terms import Product, Select, Sum, Variable
from .ranges import Interval, Ranges

__all__ = ["GUARD_BITS", "MOST_GUARD", "Register", "decay"]

GUARD_BITS = 8
_MOST_VARYING = 16  # guard bits for a state whose decay stops somewhere: it need not go on there
_MOST_ASKED = 16  # guard bits for what others make of a state
_SLACK = 2  # register LSBs by which rounding may carry a state beyond its real interval


@dataclass(frozen=True)
class Register:
    """How a state is stored: a word with guard bits below it.

    Attributes
    ----------
    name, unit : str
    word : Word
    guard : int
        Fraction bits below the word.
    least, most : int
        The integers at which it saturates, in units of 2**-fraction.
    low, high : int
        The integers it can reach, which lie within.
    init : int
    slow : int
        Guard bits it has because it decays slowly: its errors add up over 2**slow times as many
        steps, so its budget for one step is that much smaller.
    note : str
        Why it has the guard bits it has, where that needs saying.
    """

    name: str
    unit: str
    word: Word
    guard: int
    least: int
    most: int
    low: int
    high: int
    init: int
    slow: int = 0
    note: str = ""

    @property
    def fraction(self) -> int:
        return self.word.fraction + self.guard

    @property
    def width(self) -> int:
        return WORD_BITS + self.guard

    def to_word(self, value: Any) -> Any:
        """The word a user reads: the register rounded to nearest, saturating at the top."""
        return np.minimum(
            (value + ((1 << self.guard) >> 1)) >> self.guard, 2 ** (WORD_BITS - 1) - 1
        )

    def to_real(self, value: Any) -> Any:
        """What the register stands for, guard bits included."""
        return np.ldexp(np.asarray(value, dtype=float), -self.fraction)

    @classmethod
    def plan(
        cls,
        model: str,
        state: State,
        update: Sum,
        initial: float,
        *,
        reach: Interval,
        limits: Interval,
        ranges: Ranges,
        guard: int | None,
        budget: float,
        fraction: int = 0,
    ) -> Register:
        """The register of a state.

        Without ``guard`` bits given: 8, or as many as keep the dead zone of a decaying state (half
        an LSB over the fraction it loses per step; within it, nothing moves) within the word's LSB,
        or as ``fraction`` bits take, up to 16.
        """
        word, note = state.format, ""
        bits = state.guard if state.guard is not None else guard
        slow = 0
        lost = decay(update, Variable(state.name), ranges)
        if bits is None:
            bits = max(GUARD_BITS, math.ceil(-math.log2(budget)) + 1 - word.fraction)
            if bits > GUARD_BITS:
                note = f"a budget of {budget / word.lsb:.3g} LSB asks for {bits} guard bits"
            needed = GUARD_BITS if lost is None else math.ceil(-math.log2(lost)) - 1
            if _varies(update, Variable(state.name)):
                needed = min(needed, _MOST_VARYING)
            slow = max(0, needed - GUARD_BITS)
            if lost is not None and needed > bits:
                dead = 2.0 ** -(GUARD_BITS + 1) / lost
                bits = needed
                note = (
                    f"loses {lost:.3g} of itself per step: {GUARD_BITS} guard bits would leave "
                    f"a dead zone of {dead:.2g} LSB, so it has {bits}"
                )
            if (asked := min(fraction - word.fraction, _MOST_ASKED)) > bits:
                bits = asked
                note = "what adds up of its errors must not move the other states, or its own pace"
        if not 0 <= bits <= MOST_GUARD:
            because = f", because it loses {lost:.3g} of itself per step" if lost else ""
            raise LoweringError(
                f"{model}: {state.name} would need {bits} guard bits, and 0 to {MOST_GUARD} are "
                f"possible{because}",
                "use a larger dt, or a shorter time constant",
            )
        fraction = word.fraction + bits
        least = nearest(limits[0], fraction)
        most = nearest(limits[1], fraction)
        if limits[1] == word.greatest:  # the guard bits reach beyond the last word
            most = (1 << (WORD_BITS - 1 + bits)) - 1
        low, high = least, most
        slack = 0 if _exact(update, state.name, fraction) else _SLACK
        if reach[0] > limits[0]:
            low = max(least, nearest(reach[0], fraction) - slack)
        if reach[1] < limits[1]:
            high = min(most, nearest(reach[1], fraction) + slack)
        start = min(max(nearest(initial, fraction), low), high)
        return cls(state.name, state.unit, word, bits, least, most, low, high, start, slow, note)


def _exact(update: Sum, state: str, fraction: int) -> bool:
    """Whether nothing is rounded: a state that counts, or is set to a constant."""
    return all(
        math.ldexp(leaf.constant, fraction).is_integer()
        and all(a is Variable(state) and float(c).is_integer() for a, c in leaf.terms)
        for leaf in update.leaves
    )


def decay(update: Sum, state: Variable, ranges: Ranges) -> float | None:
    """The fraction of itself a state loses per step, at least; None if it does not decay.

    Where that depends on other values, at least a thousandth of what it can lose.
    """
    slopes: dict[Sum, Interval] = {}
    for value in _sums_behind(update):  # inner ones first
        slopes[value] = _slope(value, state, ranges, slopes)
    losses = []
    for leaf in update.leaves:
        if leaf.terms:
            low, high = slopes[leaf]
            least = max(1 - high, (1 - low) * 2.0**-10)
            if 1e-12 < least < 1:
                losses.append(least)
    return min(losses, default=None)


def _sums_behind(update: Sum) -> list[Sum]:
    """``update`` and the branches of the choices in it, each once, branches first."""
    found: dict[Sum, None] = {}
    stack = [update]
    while stack:
        value = stack.pop()
        if value not in found:
            found[value] = None
            for atom, _ in value.terms:
                if isinstance(atom, Select):
                    stack += [atom.yes, atom.no]
    return sorted(found, key=lambda value: value.height)


def _slope(value: Sum, state: Variable, ranges: Ranges, slopes: dict[Sum, Interval]) -> Interval:
    """d value / d state, whatever branch is taken; branches that are constant do not count."""
    low = high = value.coefficient(state)
    for atom, coefficient in value.terms:
        if isinstance(atom, Product) and (state, 1) in atom.factors:
            others = Product(tuple(f for f in atom.factors if f[0] is not state))
            ends = sorted(coefficient * end for end in ranges.of(others))
        elif isinstance(atom, Select) and (atom.yes.terms or atom.no.terms):
            sides = [slopes[side] for side in (atom.yes, atom.no) if side.terms]
            least, most = min(s[0] for s in sides), max(s[1] for s in sides)
            ends = sorted((coefficient * least, coefficient * most))
        else:
            continue
        low, high = low + ends[0], high + ends[1]
    return low, high


def _varies(update: Sum, state: Variable) -> bool:
    """Whether how fast a state decays depends on other values."""
    return any(
        isinstance(atom, Product) and any(factor is state for factor, _ in atom.factors)
        for leaf in update.leaves
        for atom, _ in leaf.terms
    )
