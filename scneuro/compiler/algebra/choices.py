"""Choices: what both branches have in common, and comparisons that go into the branches."""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Expr
from .arithmetic import Arithmetic
from .conditions import at_least_zero, both, either, inverse
from .terms import Condition, Select, Sum

__all__ = ["Choices", "known_where"]

_MOST_LEAVES = 8  # a comparison goes into the branches of a choice of at most so many

#: Of a condition and two branches, the choice.
Choose = Callable[[Condition | bool, Sum, Sum], Sum]


def known_where(value: Sum, condition: Condition, holds: bool) -> Sum:
    """``value`` where ``condition`` holds (or does not): what it chooses by the same is known."""
    while (choice := value.choice) is not None:
        if choice.condition is condition:
            value = choice.yes if holds else choice.no
        elif choice.condition is inverse(condition):
            value = choice.no if holds else choice.yes
        else:
            break
    return value


class Choices:
    """What can be done with choices, in an arithmetic of sums."""

    def __init__(self, arithmetic: Arithmetic) -> None:
        self._arithmetic = arithmetic
        self._counted: dict[Sum, int] = {}

    def chosen(self, condition: Condition, yes: Sum, no: Sum) -> Sum:
        """What both branches have in common, and a choice of the rest."""
        add = self._arithmetic.add
        shared = dict(yes.terms).items() & dict(no.terms).items()
        if not shared:
            return Sum(((Select(condition, yes, no), 1.0),))
        common = Sum(tuple(sorted(shared, key=lambda term: term[0].key)), no.constant)
        yes, no = add(yes, common, -1.0), add(no, common, -1.0)
        return common if yes is no else add(common, Sum(((Select(condition, yes, no), 1.0),)))

    def settled(self, value: Sum, yes: Sum, no: Sum, compared: Expr, choose: Choose) -> Sum:
        """``yes`` where value >= 0, else ``no``; where ``value`` is chosen, that choice first.

        So each branch of a limited choice is limited by itself, and what is written is compared.
        """
        select = self._choice_in(value)
        if select is None:
            return choose(at_least_zero(value, compared), yes, no)
        above, below = (
            self.settled(
                self._within(value, select, side),
                self._within(yes, select, side),
                self._within(no, select, side),
                compared,
                choose,
            )
            for side in (select.yes, select.no)
        )
        return choose(select.condition, above, below)

    def at_least_zero(self, value: Sum, compared: Expr) -> Condition | bool:
        """``value >= 0``; where ``value`` is chosen, in each branch."""
        select = self._choice_in(value)
        if select is None:
            return at_least_zero(value, compared)
        yes, no = (
            self.at_least_zero(self._within(value, select, side), compared)
            for side in (select.yes, select.no)
        )
        return either(both(select.condition, yes), both(inverse(select.condition), no))

    def _within(self, value: Sum, select: Select, side: Sum) -> Sum:
        """``value`` where ``select`` chooses ``side``."""
        coefficient = value.coefficient(select)
        if not coefficient:
            return value
        rest = Sum(tuple(term for term in value.terms if term[0] is not select), value.constant)
        scaled = side if coefficient == 1 else self._arithmetic.scale(side, coefficient)
        return self._arithmetic.add(rest, scaled)

    def _choice_in(self, value: Sum) -> Select | None:
        """The choice whose branches a comparison with ``value`` goes into, if it does."""
        return _small_choice(value) if self._paths(value) <= _MOST_LEAVES else None

    def _paths(self, value: Sum) -> int:
        """How many comparisons it would be: in choices within choices twice as many at each."""
        if value not in self._counted:
            select, count = _small_choice(value), 1
            if select is not None:
                count = self._paths(self._within(value, select, select.yes))
                if count <= _MOST_LEAVES:
                    count += self._paths(self._within(value, select, select.no))
            self._counted[value] = count
        return self._counted[value]


def _small_choice(value: Sum) -> Select | None:
    """The only choice in a sum, if a comparison with it is worth one in each branch."""
    choices = [a for a, _ in value.terms if isinstance(a, Select)]
    if len(choices) != 1:
        return None
    leaves = [leaf for side in (choices[0].yes, choices[0].no) for leaf in side.leaves]
    simple = len(leaves) <= _MOST_LEAVES and any(not leaf.terms for leaf in leaves)
    return choices[0] if simple or len(leaves) == 2 else None
