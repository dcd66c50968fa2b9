"""A canonical update as equations a person reads: repeated sums and tables get names.

The names have a # in them, which no name of a user's can have.
"""

from __future__ import annotations

from .factor import arranged
from .terms import (
    And,
    Compare,
    Condition,
    Factor,
    Lookup,
    Not,
    Or,
    Product,
    Select,
    Sum,
    Value,
    Variable,
    proportion,
)

__all__ = ["Equations"]

_SHORT = 160  # characters of a choice that is written where it is used
_OPPOSITE = {">=": "<", "<=": ">"}


class Equations:
    """The equations of one step.

    Parameters
    ----------
    updates : dict of str to Sum
        The next value of every state.
    spike : Condition or bool

    Attributes
    ----------
    sums : dict of str to str
        The sums that states are written with, by the names the rest uses: s#1, s#2, ...
    updates : dict of str to str
    spike : str
    tables : dict of str to str
        Function by name: f#1, f#2, ...
    """

    def __init__(self, updates: dict[str, Sum], spike: Condition | bool) -> None:
        self.tables: dict[str, str] = {}
        self._lookups: dict[Lookup, str] = {}
        self._values: dict[Value | Select, str] = {}
        self._named: list[tuple[str, Sum]] = []
        self.sums: dict[str, str] = {}
        for leaf in (leaf for update in updates.values() for leaf in update.leaves):
            if len(leaf.terms) > 1 and self._name_of(leaf) is None:
                text = self._plain(leaf)
                self._named.append((f"s#{len(self._named) + 1}", leaf))
                self.sums[self._named[-1][0]] = text
        self.updates = {name: _bare(self._sum(update)) for name, update in updates.items()}
        self.spike = str(spike) if isinstance(spike, bool) else _bare(self._condition(spike))

    def spelled(self, value: Sum) -> str:
        """A sum, written out."""
        return self._plain(value)

    # -- sums --------------------------------------------------------------------------------
    def _name_of(self, value: Sum) -> tuple[str, Sum, float] | None:
        """The named sum that ``value`` is a multiple of, but for the constant."""
        for name, named in self._named:
            ratio = proportion(value.terms, named.terms)
            if ratio is not None:
                return name, named, ratio
        return None

    def _sum(self, value: Sum) -> str:
        found = self._name_of(value)
        if found is None or found[2] != 1:
            return self._plain(value)
        name, named, _ = found
        return _joined([(1.0, name)], value.constant - named.constant)

    def _plain(self, value: Sum) -> str:
        parts = [(c, self._factor(a)) for a, c in arranged(value.terms)]
        return _joined(parts, value.constant)

    def _factor(self, factor: Factor) -> str:
        match factor:
            case Variable(name):
                return name
            case Sum():
                return f"({self._plain(factor)})"
            case Product(factors):
                return " ".join(
                    self._factor(f) if n == 1 else f"{self._factor(f)}^{n}" for f, n in factors
                )
            case Value() | Select():
                return self._shared(factor)
        name = self._lookups.setdefault(factor, f"f#{len(self._lookups) + 1}")
        self.tables[name] = str(factor.expr)
        return f"{name}({self._sum(factor.of) if isinstance(factor.of, Sum) else factor.of.name})"

    def _shared(self, value: Value | Select) -> str:
        """A value that is computed once, by its name; a short choice as it is."""
        if value not in self._values:
            if isinstance(value, Value):
                text = self._plain(value.sum)
            else:
                sides = self._sum(value.yes), self._sum(value.no)
                text = f"({sides[0]} if {self._condition(value.condition)} else {sides[1]})"
            if isinstance(value, Select) and len(text) <= _SHORT:
                self._values[value] = text
            else:
                name = f"x#{sum(n.startswith('x#') for n in self._values.values()) + 1}"
                self.sums[name] = _bare(text)
                self._values[value] = name
        return self._values[value]

    # -- conditions --------------------------------------------------------------------------
    def _condition(self, condition: Condition, holds: bool = True) -> str:
        match condition:
            case Not(of):
                return self._condition(of, not holds)
            case And(a, b) | Or(a, b):
                word = "and" if isinstance(condition, And) == holds else "or"
                return f"({self._condition(a, holds)} {word} {self._condition(b, holds)})"
        return self._compare(condition, holds)

    def _compare(self, compare: Compare, holds: bool) -> str:
        value = compare.value
        found = self._name_of(value)
        if found is None:
            left, ratio, at = self._plain(Sum(value.terms)), 1.0, -value.constant
        else:
            left, named, ratio = found
            at = named.constant - value.constant / ratio
        sign = ">=" if ratio > 0 else "<="
        return f"{left} {sign if holds else _OPPOSITE[sign]} {at + 0.0:.6g}"


def _bare(text: str) -> str:
    """Without brackets around all of it."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return text[1:-1] if at and at == len(text) - 1 else text
    return text


def _joined(parts: list[tuple[float, str]], constant: float) -> str:
    """Coefficients and what they multiply, and a constant, with their signs."""
    text = ""
    for coefficient, name in parts:
        size = "" if abs(coefficient) == 1 else f"{abs(coefficient):.6g} "
        text += _signed(text, coefficient) + size + name
    if abs(constant) > 1e-12 or not text:
        text += _signed(text, constant) + f"{abs(constant):.6g}"
    return text


def _signed(before: str, value: float) -> str:
    if not before:
        return "-" if value < 0 else ""
    return " - " if value < 0 else " + "
