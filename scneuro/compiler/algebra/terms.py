"""Terms: the canonical form of what a neuron computes, as shared values that compare by identity.

Every value is a *sum* of coefficient x atom. An atom is a state or an input (:class:`Variable`), a
product of factors (:class:`Product`), a function of one value (:class:`Lookup`), a sum that is
computed once and used as a whole (:class:`Value`), or a choice between two sums (:class:`Select`).

Terms are interned: the same class with the same parts is the same object. Equality and hashing so
cost nothing, and structure that is shared in ``update()`` stays shared, however often it is used.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from ..graph import Expr, shortened

__all__ = [
    "And",
    "Atom",
    "Compare",
    "Condition",
    "Factor",
    "Lookup",
    "Not",
    "Or",
    "Product",
    "Select",
    "Sum",
    "Term",
    "Terms",
    "Value",
    "Variable",
    "behind",
    "proportion",
]

_KEY = 120  # characters of a key that are kept as text; the rest is a digest
_known: WeakValueDictionary[tuple[Any, ...], Term] = WeakValueDictionary()
_lock = Lock()


class Term:
    """One term.

    Attributes
    ----------
    key : str
        The same for the same term, however it came to be; terms are sorted by it. Long ones end in
        a digest, so that no key is longer than what it is made of is deep.
    height : int
        Greater than that of all parts.
    parts : tuple of Term
        The terms it is made of.
    """

    __slots__ = ("__weakref__", "height", "key", "parts")

    key: str
    height: int
    parts: tuple[Term, ...]

    def __new__(cls, *fields: Any) -> Any:
        identity = (cls, *fields)
        with _lock:
            term = _known.get(identity)
            if term is None:
                term = object.__new__(cls)
                for name, value in zip(cls.__match_args__, fields, strict=True):  # type: ignore[attr-defined]
                    setattr(term, name, value)
                term.parts = term._parts()
                term.height = 1 + max((part.height for part in term.parts), default=0)
                term.key = shortened(term._text(), _KEY)
                _known[identity] = term
        return term

    def __copy__(self) -> Term:
        return self  # it never changes

    def __deepcopy__(self, memo: dict[int, Any]) -> Term:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in type(self).__match_args__)  # type: ignore[attr-defined]

    def _parts(self) -> tuple[Term, ...]:
        return ()

    def _text(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key}>"


class Variable(Term):
    """A state, an input or a noise."""

    __slots__ = ("name",)
    __match_args__ = ("name",)
    name: str

    def _text(self) -> str:
        return self.name


class Product(Term):
    """A product of factors with their exponents, at least two in all.

    The factors are atoms; where common factors were taken out, the rest is a sum.
    """

    __slots__ = ("factors",)
    __match_args__ = ("factors",)
    factors: tuple[tuple[Factor, int], ...]

    def _parts(self) -> tuple[Term, ...]:
        return tuple(factor for factor, _ in self.factors)

    def _text(self) -> str:
        names = {f: f"({f.key})" if isinstance(f, Sum) else f.key for f, _ in self.factors}
        return "*".join(names[f] if n == 1 else f"{names[f]}**{n}" for f, n in self.factors)

    @property
    def degree(self) -> int:
        return sum(n for _, n in self.factors)


class Lookup(Term):
    """A function of one value: of a variable, or of a sum, which ``expr`` calls ``x``."""

    __slots__ = ("expr", "of")
    __match_args__ = ("expr", "of")
    expr: Expr
    of: Variable | Sum

    def _parts(self) -> tuple[Term, ...]:
        return (self.of,)

    def _text(self) -> str:
        return f"[{self.expr}]" if isinstance(self.of, Variable) else f"[{self.expr} {self.of.key}]"


class Value(Term):
    """A sum that is computed once and used as a whole, rounded by its share of the budget."""

    __slots__ = ("sum",)
    __match_args__ = ("sum",)
    sum: Sum

    def _parts(self) -> tuple[Term, ...]:
        return (self.sum,)

    def _text(self) -> str:
        return f"({self.sum.key})"


class Select(Term):
    """``yes`` where the condition holds, else ``no``."""

    __slots__ = ("condition", "no", "yes")
    __match_args__ = ("condition", "yes", "no")
    condition: Condition
    yes: Sum
    no: Sum

    def _parts(self) -> tuple[Term, ...]:
        return (self.condition, self.yes, self.no)

    def _text(self) -> str:
        return f"({self.condition.key} ? {self.yes.key} : {self.no.key})"


class Sum(Term):
    """A constant plus coefficient x atom, in the order of the atoms' keys."""

    __slots__ = ("_choice", "constant", "terms")
    __match_args__ = ("terms", "constant")
    terms: Terms
    constant: float

    def __new__(cls, terms: Terms = (), constant: float = 0.0) -> Any:
        return super().__new__(cls, terms, constant + 0.0)

    def _parts(self) -> tuple[Term, ...]:
        return tuple(atom for atom, _ in self.terms)

    def _text(self) -> str:
        parts = [f"{c:.6g}*{a.key}" if c != 1 else a.key for a, c in self.terms]
        if self.constant or not parts:
            parts.append(f"{self.constant:.6g}")
        exact = "".join(float(c).hex() for c in (*(c for _, c in self.terms), self.constant))
        text = " + ".join(parts)
        # two sums whose coefficients print alike are told apart by the digest
        return text if len(text) <= _KEY else text + exact

    def coefficient(self, atom: Atom) -> float:
        return dict(self.terms).get(atom, 0.0)

    @property
    def core(self) -> Sum:
        """The sum without its constant."""
        result: Sum = Sum(self.terms) if self.constant else self
        return result

    @property
    def degree(self) -> int:
        """The largest number of factors that are multiplied."""
        return max((a.degree if isinstance(a, Product) else 1 for a, _ in self.terms), default=0)

    @property
    def choice(self) -> Select | None:
        """The choice that is all of the sum, if it is one."""
        if len(self.terms) == 1 and not self.constant:
            atom, coefficient = self.terms[0]
            if isinstance(atom, Select) and coefficient == 1:
                return atom
        return None

    @property
    def leaves(self) -> list[Sum]:
        """The sums that are chosen from, each once: the branches of nested choices, or itself."""
        found: dict[Sum, None] = {}
        seen: set[Sum] = set()
        stack = [self]
        while stack:
            value = stack.pop()
            if value in seen:
                continue
            seen.add(value)
            choice = value.choice
            if choice is None:
                found[value] = None
            else:
                stack += [choice.no, choice.yes]
        return list(found)


class Compare(Term):
    """``value >= 0``, and the comparison of the source it came from, divided by ``unit``."""

    __slots__ = ("expr", "unit", "value")
    __match_args__ = ("value", "expr", "unit")
    value: Sum
    expr: Expr
    unit: float

    def _parts(self) -> tuple[Term, ...]:
        return (self.value,)

    def _text(self) -> str:
        return f"{self.value.key} >= 0"


class Not(Term):
    __slots__ = ("of",)
    __match_args__ = ("of",)
    of: Condition

    def _parts(self) -> tuple[Term, ...]:
        return (self.of,)

    def _text(self) -> str:
        return f"~({self.of.key})"


class And(Term):
    __slots__ = ("a", "b")
    __match_args__ = ("a", "b")
    a: Condition
    b: Condition

    def _parts(self) -> tuple[Term, ...]:
        return (self.a, self.b)

    def _text(self) -> str:
        return f"({self.a.key}) & ({self.b.key})"


class Or(Term):
    __slots__ = ("a", "b")
    __match_args__ = ("a", "b")
    a: Condition
    b: Condition

    def _parts(self) -> tuple[Term, ...]:
        return (self.a, self.b)

    def _text(self) -> str:
        return f"({self.a.key}) | ({self.b.key})"


Atom: TypeAlias = Variable | Product | Lookup | Value | Select
Factor: TypeAlias = Atom | Sum
Condition: TypeAlias = Compare | Not | And | Or
Terms: TypeAlias = tuple[tuple[Atom, float], ...]


def behind(roots: list[Term]) -> list[Term]:
    """``roots`` and all that they are made of, each once, parts before what they make."""
    found: dict[Term, None] = {}
    stack = list(roots)
    while stack:
        term = stack.pop()
        if term not in found:
            found[term] = None
            stack.extend(term.parts)
    return sorted(found, key=lambda term: (term.height, term.key))


def proportion(terms: Terms, of: Terms) -> float | None:
    """The k for which ``terms`` are k times ``of``; None if there is none."""
    if not of or len(terms) != len(of):
        return None
    if any(a is not b for (a, _), (b, _) in zip(terms, of, strict=True)):
        return None
    ratios = [c / d for (_, c), (_, d) in zip(terms, of, strict=True)]
    return ratios[0] if all(math.isclose(r, ratios[0], rel_tol=1e-9) for r in ratios) else None
