"""The canonical form: every value is a sum of coefficient x atom, however it was written.

An *atom* is a state or an input (:class:`Variable`), a product of atoms (:class:`Product`), a
table of one value (:class:`Lookup`), or a choice between two sums (:class:`Select`). Constants
fold and like terms collect before any width is chosen, so ``dt/C * (g_L*(E_L - V) - w)`` becomes
one coefficient for V, one for w and one constant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from ..errors import LoweringError
from .graph import COMPARISONS, Expr, Graph

__all__ = [
    "And",
    "Atom",
    "Canonical",
    "Compare",
    "Condition",
    "Factor",
    "Lookup",
    "Not",
    "Or",
    "Product",
    "Select",
    "Sum",
    "Variable",
    "proportion",
]

_MOST_TERMS = 64


@dataclass(frozen=True)
class Variable:
    """A state or an input."""

    name: str

    @cached_property
    def key(self) -> str:
        return self.name


@dataclass(frozen=True)
class Product:
    """A product of factors with their exponents, at least two in all.

    The factors are atoms; where common factors were taken out, the rest is a sum.
    """

    factors: tuple[tuple[Factor, int], ...]

    @cached_property
    def key(self) -> str:
        names = {f: f"({f.key})" if isinstance(f, Sum) else f.key for f, _ in self.factors}
        return "*".join(names[f] if n == 1 else f"{names[f]}**{n}" for f, n in self.factors)


@dataclass(frozen=True)
class Lookup:
    """A function of one value: of a variable, or of a sum rounded to a word of its own."""

    expr: Expr
    of: Variable | Sum

    @cached_property
    def key(self) -> str:
        return f"[{self.expr}]" if isinstance(self.of, Variable) else f"[{self.expr} {self.of.key}]"


@dataclass(frozen=True)
class Select:
    """``yes`` where the condition holds, else ``no``."""

    condition: Condition
    yes: Sum
    no: Sum

    @cached_property
    def key(self) -> str:
        return f"({self.condition.key} ? {self.yes.key} : {self.no.key})"


@dataclass(frozen=True)
class Sum:
    """A constant plus coefficient x atom, in the order of the atoms' keys."""

    terms: tuple[tuple[Atom, float], ...] = ()
    constant: float = 0.0

    @cached_property
    def key(self) -> str:
        parts = [f"{c:.6g}*{a.key}" if c != 1 else a.key for a, c in self.terms]
        if self.constant or not parts:
            parts.append(f"{self.constant:.6g}")
        return " + ".join(parts)

    def coefficient(self, atom: Atom) -> float:
        return dict(self.terms).get(atom, 0.0)

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
        """The sums that are chosen from: the branches of nested choices, or the sum itself."""
        choice = self.choice
        return [self] if choice is None else choice.yes.leaves + choice.no.leaves


@dataclass(frozen=True)
class Compare:
    """``value >= 0``, and the comparison of the source it came from, divided by ``unit``."""

    value: Sum
    expr: Expr
    unit: float

    @cached_property
    def key(self) -> str:
        return f"{self.value.key} >= 0"


@dataclass(frozen=True)
class Not:
    of: Condition

    @cached_property
    def key(self) -> str:
        return f"~({self.of.key})"


@dataclass(frozen=True)
class And:
    a: Condition
    b: Condition

    @cached_property
    def key(self) -> str:
        return f"({self.a.key}) & ({self.b.key})"


@dataclass(frozen=True)
class Or:
    a: Condition
    b: Condition

    @cached_property
    def key(self) -> str:
        return f"({self.a.key}) | ({self.b.key})"


Atom: TypeAlias = Variable | Product | Lookup | Select
Factor: TypeAlias = Atom | Sum
Condition: TypeAlias = Compare | Not | And | Or
Terms: TypeAlias = tuple[tuple[Atom, float], ...]


def _sum(terms: Iterable[tuple[Atom, float]], constant: float) -> Sum:
    """Collect like terms; what cancels to rounding noise is gone."""
    total: dict[Atom, float] = {}
    size: dict[Atom, float] = {}
    for atom, coefficient in terms:
        total[atom] = total.get(atom, 0.0) + coefficient
        size[atom] = size.get(atom, 0.0) + abs(coefficient)
    kept = [(a, c) for a, c in total.items() if abs(c) > 1e-12 * size[a]]
    if len(kept) > _MOST_TERMS:
        raise LoweringError(
            f"update() expands to {len(kept)} terms, more than {_MOST_TERMS}",
            "write it as a function of fewer states, or give a product a State of its own",
        )
    return Sum(tuple(sorted(kept, key=lambda term: term[0].key)), constant)


def add(a: Sum, b: Sum, sign: float = 1.0) -> Sum:
    return _sum([*a.terms, *((x, sign * c) for x, c in b.terms)], a.constant + sign * b.constant)


def scale(a: Sum, factor: float, over: float = 1.0) -> Sum:
    """``a`` times factor / over, so that x / x is exactly 1; a choice takes it inside."""
    terms: list[tuple[Atom, float]] = []
    for atom, coefficient in a.terms:
        if isinstance(atom, Select):
            inner = coefficient * factor
            sides = [scale(side, inner, over) for side in (atom.yes, atom.no)]
            terms.append((Select(atom.condition, *sides), 1))
        else:
            terms.append((atom, coefficient * factor / over))
    return _sum(terms, a.constant * factor / over) if factor else Sum()


def proportion(terms: Terms, of: Terms) -> float | None:
    """The k for which ``terms`` are k times ``of``; None if there is none."""
    if not of or [a for a, _ in terms] != [a for a, _ in of]:
        return None
    ratios = [c / d for (_, c), (_, d) in zip(terms, of, strict=True)]
    return ratios[0] if all(math.isclose(r, ratios[0], rel_tol=1e-9) for r in ratios) else None


class Canonical:
    """Turns expressions of one graph into canonical sums and conditions."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._sums: dict[Expr, Sum] = {}
        self._conditions: dict[Expr, Condition | bool] = {}

    # -- numbers -----------------------------------------------------------------------------
    def sum(self, expr: Expr) -> Sum:
        if expr not in self._sums:
            self._sums[expr] = self._lower(expr)
        return self._sums[expr]

    def _lower(self, expr: Expr) -> Sum:
        if expr.is_condition:
            return self._choose(self.condition(expr), Sum((), 1.0), Sum(), expr)
        match expr.op:
            case "const":
                return Sum((), float(expr.value))
            case "var":
                return Sum(((Variable(expr.value), 1.0),))
            case "add" | "sub":
                a, b = map(self.sum, expr.args)
                return add(a, b, 1.0 if expr.op == "add" else -1.0)
            case "neg":
                return scale(self.sum(expr.args[0]), -1.0)
            case "mul":
                return self._multiply(*map(self.sum, expr.args))
            case "pow":
                base = result = self.sum(expr.args[0])
                for _ in range(expr.value - 1):
                    result = self._multiply(result, base)
                return result
            case "div":
                return self._divide(expr)
            case "where":
                return self._where(expr)
        return self._function(expr, expr.args[0])

    def _where(self, expr: Expr) -> Sum:
        condition, yes, no = expr.args
        above, below = self.sum(yes), self.sum(no)
        if condition.op != "ge":
            return self._choose(self.condition(condition), above, below, expr)
        a, b = map(self.sum, condition.args)
        return self._settle(add(a, b, -1.0), above, below, expr)

    def _settle(self, value: Sum, yes: Sum, no: Sum, expr: Expr) -> Sum:
        """``yes`` where value >= 0, else ``no``; where ``value`` is chosen, that choice first.

        So each branch of a limited choice is limited by itself, and what is written is compared.
        """
        select = _only_choice(value)
        if select is None:
            return self._choose(_compare(value, expr.args[0]), yes, no, expr)
        above, below = (
            self._settle(
                _settled(value, select, side),
                _settled(yes, select, side),
                _settled(no, select, side),
                expr,
            )
            for side in (select.yes, select.no)
        )
        return self._choose(select.condition, above, below, expr)

    def _function(self, expr: Expr, argument: Expr) -> Sum:
        """A nonlinear function: a table over its one variable, or over its argument's word."""
        if not expr.variables:
            (value,) = Graph.evaluate((expr,), {})
            if not np.isfinite(value):
                raise LoweringError(f"{expr.line}: {expr} is {value}")
            return Sum((), float(value))
        if len(expr.variables) == 1:
            (name,) = expr.variables
            return Sum(((Lookup(expr, Variable(name)), 1.0),))
        of, inner = self._wire(self.sum(argument))
        if expr.op == "div":
            one = self._graph.node("const", value=1.0)
            result = self._graph.node("div", one, inner, line=expr.line)
        else:
            result = self._graph.node("call", inner, value=expr.value, line=expr.line)
        return Sum(((Lookup(result, of), 1.0),))

    def _wire(self, argument: Sum) -> tuple[Sum, Expr]:
        """A sum that a table is addressed with, and ``argument`` as an expression of it, ``x``.

        Multiples of one sum, and functions of one table, so are functions of the same address.
        """
        (atom, unit), *more = argument.terms
        if isinstance(atom, Lookup) and isinstance(atom.of, Sum) and not more:
            of, inner = atom.of, self._scaled(atom.expr, unit)
            if argument.constant:
                constant = self._graph.node("const", value=argument.constant)
                inner = self._graph.node("add", inner, constant)
            return of, inner
        wire = self._graph.node("var", value="x")
        return scale(argument, 1.0, unit), self._scaled(wire, unit)

    def _scaled(self, expr: Expr, factor: float) -> Expr:
        if factor == 1:
            return expr
        return self._graph.node("mul", self._graph.node("const", value=factor), expr)

    def _divide(self, expr: Expr) -> Sum:
        over, under = expr.args
        divisor = self.sum(under)
        if not divisor.terms:
            if divisor.constant == 0:
                raise LoweringError(f"{expr.line}: division by zero")
            return scale(self.sum(over), 1.0, divisor.constant)
        if len(expr.variables) == 1:
            return self._function(expr, under)
        one = self._graph.node("const", value=1.0)
        reciprocal = self._graph.node("div", one, under, line=expr.line)
        return self._multiply(self.sum(over), self._function(reciprocal, under))

    def _multiply(self, a: Sum, b: Sum) -> Sum:
        if not a.terms or not b.terms:
            return scale(b, a.constant) if not a.terms else scale(a, b.constant)
        terms: list[tuple[Atom, float]] = []
        constant = a.constant * b.constant
        for x, c in (*a.terms, (None, a.constant)):
            for y, d in (*b.terms, (None, b.constant)):
                if (x is None and y is None) or c * d == 0:
                    continue
                if x is None or y is None:
                    product = scale(Sum((((x or y), 1.0),)), c * d)  # type: ignore[arg-type]
                else:
                    product = scale(self._times(x, y), c * d)
                terms.extend(product.terms)
                constant += product.constant
        return _sum(terms, constant)

    def _times(self, x: Atom, y: Atom) -> Sum:
        for choice, other in ((x, y), (y, x)):
            if isinstance(choice, Select):
                yes, no = (self._multiply(s, Sum(((other, 1.0),))) for s in (choice.yes, choice.no))
                return Sum(((Select(choice.condition, yes, no), 1.0),))
        powers: dict[Factor, int] = {}
        for atom in (x, y):
            for factor, n in atom.factors if isinstance(atom, Product) else ((atom, 1),):
                powers[factor] = powers.get(factor, 0) + n
        for lookup in [a for a in powers if isinstance(a, Lookup)]:
            if lookup in powers:
                self._absorb(lookup, powers)
        factors = tuple(sorted(powers.items(), key=lambda item: item[0].key))
        (first, power), *more = factors
        if not more and power == 1 and not isinstance(first, Sum):
            return Sum(((first, 1.0),))
        return Sum(((Product(factors), 1.0),))

    def _absorb(self, lookup: Lookup, powers: dict[Factor, int]) -> None:
        """Make one table of a table and everything else that depends on its variable alone."""
        merged: Expr | None = None
        for atom, n in sorted(powers.items(), key=lambda item: item[0].key):
            if isinstance(atom, Lookup) and atom.of == lookup.of:
                expr = atom.expr
            elif atom == lookup.of:
                expr = self._graph.node("var", value=atom.key)
            else:
                continue
            del powers[atom]
            for _ in range(n):
                merged = self._graph.node("mul", merged, expr) if merged is not None else expr
        assert merged is not None
        powers[Lookup(merged, lookup.of)] = 1

    def _choose(self, condition: Condition | bool, yes: Sum, no: Sum, expr: Expr) -> Sum:
        if isinstance(condition, bool):
            return yes if condition else no
        if len(expr.variables) == 1 and any(isinstance(a, Lookup) for a, _ in yes.terms + no.terms):
            return self._function(expr, expr)
        shared = dict(yes.terms).items() & dict(no.terms).items()
        if shared:
            common = Sum(tuple(sorted(shared, key=lambda term: term[0].key)), no.constant)
            yes, no = add(yes, common, -1.0), add(no, common, -1.0)
            if yes == no:
                return common
            return add(common, Sum(((Select(condition, yes, no), 1.0),)))
        return yes if yes == no else Sum(((Select(condition, yes, no), 1.0),))

    # -- conditions --------------------------------------------------------------------------
    def condition(self, expr: Expr) -> Condition | bool:
        if expr not in self._conditions:
            self._conditions[expr] = self._decide(expr)
        return self._conditions[expr]

    def _decide(self, expr: Expr) -> Condition | bool:
        if expr.op == "const":
            return bool(expr.value)
        if expr.op in COMPARISONS:
            a, b = map(self.sum, expr.args)
            if expr.op == "ge":
                return _at_least_zero(add(a, b, -1.0), expr)
            below = _at_least_zero(add(b, a, -1.0), expr)
            if expr.op == "gt":
                return _not(below)
            above = _at_least_zero(add(a, b, -1.0), expr)
            return _both(above, below)
        args = [self.condition(arg) for arg in expr.args]
        if expr.op == "not":
            return _not(args[0])
        if expr.op == "and":
            return _both(*args)
        return _not(_both(_not(args[0]), _not(args[1])))


def _only_choice(value: Sum) -> Select | None:
    choices = [a for a, _ in value.terms if isinstance(a, Select)]
    return choices[0] if len(choices) == 1 else None


def _settled(value: Sum, select: Select, side: Sum) -> Sum:
    """``value`` where ``select`` chooses ``side``."""
    coefficient = value.coefficient(select)
    if not coefficient:
        return value
    rest = Sum(tuple(term for term in value.terms if term[0] != select), value.constant)
    return add(rest, side, coefficient)


def _at_least_zero(value: Sum, expr: Expr) -> Condition | bool:
    select = _only_choice(value)
    if select is None:
        return _compare(value, expr)
    yes, no = (_at_least_zero(_settled(value, select, s), expr) for s in (select.yes, select.no))
    first, second = _both(select.condition, yes), _both(_inverse(select.condition), no)
    return _not(_both(_not(first), _not(second)))


def _compare(value: Sum, expr: Expr) -> Condition | bool:
    if not value.terms:
        return value.constant >= 0
    unit = abs(value.terms[0][1])
    # choices stay the atoms they are, so that their branches are recognised behind the comparison
    terms = tuple((atom, coefficient / unit) for atom, coefficient in value.terms)
    return Compare(Sum(terms, value.constant / unit), expr, unit)


def _not(condition: Condition | bool) -> Condition | bool:
    match condition:
        case bool():
            return not condition
        case Not(of):
            return of
        case And(a, b):
            return Or(_inverse(a), _inverse(b))
        case Or(a, b):
            return And(_inverse(a), _inverse(b))
    return Not(condition)


def _inverse(condition: Condition) -> Condition:
    result = _not(condition)
    assert not isinstance(result, bool)
    return result


def _both(a: Condition | bool, b: Condition | bool) -> Condition | bool:
    if isinstance(a, bool):
        return b if a else False
    if isinstance(b, bool):
        return a if b else False
    return a if a == b else And(a, b)
