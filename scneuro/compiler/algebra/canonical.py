"""The canonical form: every value is a sum of coefficient x atom, however it was written.

Constants fold and like terms collect before any width is chosen, so ``dt/C * (g_L*(E_L - V) - w)``
becomes one coefficient for V, one for w and one constant.

Expansion is not free: a sub-step composed with itself would be a polynomial of twice the degree
whose terms cancel. So what the source computes once and then multiplies stays one
:class:`~.terms.Value`, and sums that are too long are cut. Every node of the source is lowered
once: the time this takes grows with the size of ``update()``, not with what it would expand to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from ...errors import LoweringError
from ..graph import COMPARISONS, Expr, Graph, ordered
from .terms import (
    And,
    Atom,
    Compare,
    Condition,
    Factor,
    Lookup,
    Not,
    Or,
    Product,
    Select,
    Sum,
    Term,
    Terms,
    Value,
    Variable,
    proportion,
)

__all__ = ["Canonical"]

_MOST_TERMS = 24  # a longer sum is cut in two
_MOST_LEAVES = 8  # a comparison goes into the branches of a choice of at most so many
_EXPANDED = 6  # terms of a sum that a product is taken into
_DEGREE = 3  # of polynomials that are expanded


class Canonical:
    """Turns the expressions behind some roots into canonical sums and conditions.

    Parameters
    ----------
    roots : tuple of Expr
        The spike flag, then the next value of every state.
    """

    def __init__(self, roots: tuple[Expr, ...]) -> None:
        self._graph = Graph()
        self._known: dict[Expr, Sum | Condition | bool] = {}
        self._scaled: dict[tuple[Sum, float, float], Sum] = {}
        self._counted: dict[Sum, int] = {}
        self._shared = _used_as_one(roots)
        self._written = _written(roots[1:])

    def sum(self, expr: Expr) -> Sum:
        """The canonical sum of a number."""
        known = self._of(expr)
        if isinstance(known, Sum):
            return known
        return self._choose(known, Sum((), 1.0), Sum(), expr)

    def condition(self, expr: Expr) -> Condition | bool:
        """The canonical form of a condition."""
        known = self._of(expr)
        assert not isinstance(known, Sum)
        return known

    def origin(self, term: Term) -> Expr | None:
        """The smallest expression of the source that is made with a term, for messages."""
        found = [
            expr
            for expr, form in self._known.items()
            if expr.line and (form is term or (isinstance(form, Sum) and _made_with(form, term)))
        ]
        return min(found, key=lambda expr: expr.depth, default=None)

    def setting(self, value: float) -> str:
        """The line of the source that uses a constant."""
        lines = (
            expr.line
            for expr in self._known
            if expr.line and any(a.op == "const" and a.value == value for a in expr.args)
        )
        return next(lines, "")

    def _of(self, expr: Expr) -> Sum | Condition | bool:
        """What ``expr`` is; what it is made of first, without recursion."""
        stack = [expr]
        while stack:
            top = stack[-1]
            missing = [] if top in self._known else [a for a in _needs(top) if a not in self._known]
            stack.extend(missing)
            if not missing:
                stack.pop()
                if top not in self._known:
                    self._known[top] = self._lower(top)
        return self._known[expr]

    # -- numbers -----------------------------------------------------------------------------
    def _lower(self, expr: Expr) -> Sum | Condition | bool:
        if expr.is_condition:
            return self._decide(expr)
        value = self._number(expr)
        if expr in self._shared and len(value.terms) > 1 and not _is_plain(value):
            return Sum(((Value(value.core), 1.0),), value.constant)
        return value

    def _number(self, expr: Expr) -> Sum:
        match expr.op:
            case "const":
                return Sum((), float(expr.value))
            case "var":
                return Sum(((Variable(expr.value), 1.0),))
            case "add" | "sub":
                a, b = map(self.sum, expr.args)
                return self._add(a, b, 1.0 if expr.op == "add" else -1.0)
            case "neg":
                return self._scale(self.sum(expr.args[0]), -1.0)
            case "mul":
                return self._multiply(*map(self.sum, expr.args))
            case "pow":
                return self._power(self.sum(expr.args[0]), expr.value)
            case "div":
                return self._divide(expr)
            case "where":
                return self._where(expr)
        return self._function(expr, expr.args[0])

    def _add(self, a: Sum, b: Sum, sign: float = 1.0) -> Sum:
        while True:
            kept, constant = _collected(
                [*a.terms, *((x, sign * c) for x, c in b.terms)], a.constant + sign * b.constant
            )
            if len(kept) <= _MOST_TERMS:
                return Sum(kept, constant)
            if len(a.terms) >= len(b.terms):
                a = _whole(a)
            else:
                b = _whole(b)

    def _scale(self, a: Sum, factor: float, over: float = 1.0) -> Sum:
        """``a`` times factor / over, so that x / x is exactly 1.

        A choice of constants takes the factor inside.
        """
        if factor == over:
            return a
        if factor == 0:
            return Sum()
        key = a, factor, over
        if key not in self._scaled:
            terms: list[tuple[Atom, float]] = []
            for atom, coefficient in a.terms:
                if isinstance(atom, Select) and not (atom.yes.terms or atom.no.terms):
                    inner = coefficient * factor
                    sides = [self._scale(side, inner, over) for side in (atom.yes, atom.no)]
                    terms.append((Select(atom.condition, *sides), 1.0))
                else:
                    terms.append((atom, coefficient * factor / over))
            self._scaled[key] = _sum(terms, a.constant * factor / over)
        return self._scaled[key]

    def _where(self, expr: Expr) -> Sum:
        condition, yes, no = expr.args
        above, below = self.sum(yes), self.sum(no)
        if condition.op != "ge":
            return self._choose(self.condition(condition), above, below, expr)
        a, b = map(self.sum, condition.args)
        return self._settle(self._add(a, b, -1.0), above, below, expr)

    def _settle(self, value: Sum, yes: Sum, no: Sum, expr: Expr) -> Sum:
        """``yes`` where value >= 0, else ``no``; where ``value`` is chosen, that choice first.

        So each branch of a limited choice is limited by itself, and what is written is compared.
        """
        select = self._choice_in(value)
        if select is None:
            return self._choose(_compare(value, expr.args[0]), yes, no, expr)
        above, below = (
            self._settle(
                self._settled(value, select, side),
                self._settled(yes, select, side),
                self._settled(no, select, side),
                expr,
            )
            for side in (select.yes, select.no)
        )
        return self._choose(select.condition, above, below, expr)

    def _settled(self, value: Sum, select: Select, side: Sum) -> Sum:
        """``value`` where ``select`` chooses ``side``."""
        coefficient = value.coefficient(select)
        if not coefficient:
            return value
        rest = Sum(tuple(term for term in value.terms if term[0] is not select), value.constant)
        return self._add(rest, side if coefficient == 1 else self._scale(side, coefficient))

    def _function(self, expr: Expr, argument: Expr) -> Sum:
        """A nonlinear function: a table over its one variable, or over its argument's word."""
        if not expr.variables:
            (value,) = Graph.evaluate((expr,), {})
            if not np.isfinite(value):
                raise LoweringError(f"{expr} is {value}").at(expr.line)
            return Sum((), float(value))
        if len(expr.variables) == 1:
            (name,) = expr.variables
            return Sum(((Lookup(expr, Variable(name)), 1.0),))
        total = self.sum(argument)
        if not total.terms:  # it only looked as if it depended on something
            constant = self._graph.node("const", value=total.constant)
            return self._function(self._applied(expr, constant), constant)
        of, inner = self._wire(total)
        return Sum(((Lookup(self._applied(expr, inner), of), 1.0),))

    def _applied(self, expr: Expr, inner: Expr) -> Expr:
        """The function of ``expr``, of another argument."""
        if expr.op == "div":
            one = self._graph.node("const", value=1.0)
            return self._graph.node("div", one, inner, line=expr.line)
        return self._graph.node("call", inner, value=expr.value, line=expr.line)

    def _wire(self, argument: Sum) -> tuple[Sum, Expr]:
        """A sum that a table is addressed with, and ``argument`` as an expression of it, ``x``.

        Multiples of one sum, and functions of one table, so are functions of the same address.
        """
        (atom, unit), *more = argument.terms
        if isinstance(atom, Lookup) and isinstance(atom.of, Sum) and not more:
            of, inner = atom.of, self._times_constant(atom.expr, unit)
            if argument.constant:
                constant = self._graph.node("const", value=argument.constant)
                inner = self._graph.node("add", inner, constant)
            return of, inner
        wire = self._graph.node("var", value="x")
        return self._scale(argument, 1.0, unit), self._times_constant(wire, unit)

    def _times_constant(self, expr: Expr, factor: float) -> Expr:
        if factor == 1:
            return expr
        return self._graph.node("mul", self._graph.node("const", value=factor), expr)

    def _divide(self, expr: Expr) -> Sum:
        over, under = expr.args
        divisor = self.sum(under)
        if not divisor.terms:
            if divisor.constant == 0:
                raise LoweringError("division by zero").at(expr.line)
            return self._scale(self.sum(over), 1.0, divisor.constant)
        if len(expr.variables) == 1:
            return self._function(expr, under)
        quotient = self._quotient(self.sum(over), divisor, expr)
        if quotient is not None:
            return quotient
        one = self._graph.node("const", value=1.0)
        reciprocal = self._graph.node("div", one, under, line=expr.line)
        return self._multiply(self.sum(over), self._function(reciprocal, under))

    def _quotient(self, over: Sum, under: Sum, expr: Expr) -> Sum | None:
        """One table, where both are functions of one sum: it may be 0/0 and have a limit."""
        (atom, _), *more = under.terms
        if more or not (isinstance(atom, Lookup) and isinstance(atom.of, Sum)):
            return None
        of, below = self._wire(under)
        ratio = proportion(over.terms, of.terms)
        if ratio is not None:
            wire = self._graph.node("var", value="x")
            above, rest = self._times_constant(wire, ratio), over.constant - ratio * of.constant
        elif len(over.terms) == 1 and getattr(over.terms[0][0], "of", None) is of:
            ((other, factor),) = over.terms
            assert isinstance(other, Lookup)
            above, rest = self._times_constant(other.expr, factor), over.constant
        else:
            return None
        if rest:
            above = self._graph.node("add", above, self._graph.node("const", value=rest))
        divided = self._graph.node("div", above, below, line=expr.line)
        return Sum(((Lookup(divided, of), 1.0),))

    # -- products ----------------------------------------------------------------------------
    def _power(self, base: Sum, exponent: int) -> Sum:
        if _size(base) > 1 and (_base(base) is None or exponent * base.degree > _DEGREE):
            base = _whole(base)
        if _size(base) == 1 and base.terms and not isinstance(base.terms[0][0], Select):
            ((atom, coefficient),) = base.terms
            powered = self._times((atom, exponent))
            return self._scale(powered, coefficient**exponent)
        result = base
        for _ in range(exponent - 1):
            result = self._multiply(result, base)
        return result

    def _multiply(self, a: Sum, b: Sum) -> Sum:
        if not a.terms or not b.terms:
            return self._scale(b, a.constant) if not a.terms else self._scale(a, b.constant)
        if not self._expands(a, b):
            a, b = _whole(a), _whole(b)
        terms: list[tuple[Atom, float]] = []
        constant = a.constant * b.constant
        for x, c in (*a.terms, (None, a.constant)):
            for y, d in (*b.terms, (None, b.constant)):
                if (x is None and y is None) or c * d == 0:
                    continue
                if x is None or y is None:
                    product = self._scale(Sum((((x or y), 1.0),)), c * d)  # type: ignore[arg-type]
                else:
                    product = self._scale(self._times((x, 1), (y, 1)), c * d)
                terms.extend(product.terms)
                constant += product.constant
        return _sum(terms, constant)

    def _expands(self, a: Sum, b: Sum) -> bool:
        """Whether a product of two sums is worth the sum of the products.

        It is for a single factor, and for small polynomials of one value each.
        """
        if _size(a) == 1 or _size(b) == 1:
            return max(_size(a), _size(b)) <= _EXPANDED
        bases = [_base(a), _base(b)]
        return None not in bases and a.degree + b.degree <= _DEGREE

    def _times(self, *powers_: tuple[Atom, int]) -> Sum:
        """The product of atoms with exponents."""
        for k, (choice, n) in enumerate(powers_):
            if isinstance(choice, Select) and _gates(choice):
                rest = powers_[:k] + powers_[k + 1 :]
                other = self._times(*rest) if rest else Sum((), 1.0)
                sides = []
                for side in (choice.yes, choice.no):
                    raised = self._power(side, n) if side.terms else Sum((), side.constant**n)
                    sides.append(self._multiply(raised, other))
                return Sum(((Select(choice.condition, *sides), 1.0),))
        powers: dict[Factor, int] = {}
        for atom, n in powers_:
            for factor, k in atom.factors if isinstance(atom, Product) else ((atom, 1),):
                powers[factor] = powers.get(factor, 0) + n * k
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
            if isinstance(atom, Lookup) and atom.of is lookup.of:
                expr = atom.expr
            elif atom is lookup.of and isinstance(atom, Variable):
                expr = self._graph.node("var", value=atom.name)
            else:
                continue
            del powers[atom]
            for _ in range(n):
                merged = self._graph.node("mul", merged, expr) if merged is not None else expr
        assert merged is not None
        powers[Lookup(merged, lookup.of)] = 1

    # -- choices and conditions --------------------------------------------------------------
    def _choose(self, condition: Condition | bool, yes: Sum, no: Sum, expr: Expr) -> Sum:
        if isinstance(condition, bool):
            return yes if condition else no
        yes, no = _where(yes, condition, True), _where(no, condition, False)
        if yes is no:
            return yes
        if len(expr.variables) == 1 and expr.op == "where" and expr not in self._written:
            atoms = [atom for atom, _ in yes.terms + no.terms]
            if any(isinstance(atom, Lookup) for atom in atoms) and _continuous(expr):
                return self._function(expr, expr)
        shared = dict(yes.terms).items() & dict(no.terms).items()
        if shared:
            common = Sum(tuple(sorted(shared, key=lambda term: term[0].key)), no.constant)
            yes, no = self._add(yes, common, -1.0), self._add(no, common, -1.0)
            if yes is no:
                return common
            return self._add(common, Sum(((Select(condition, yes, no), 1.0),)))
        return Sum(((Select(condition, yes, no), 1.0),))

    def _decide(self, expr: Expr) -> Condition | bool:
        if expr.op == "const":
            return bool(expr.value)
        if expr.op in COMPARISONS:
            a, b = map(self.sum, expr.args)
            if expr.op == "ge":
                return self._at_least_zero(self._add(a, b, -1.0), expr)
            below = self._at_least_zero(self._add(b, a, -1.0), expr)
            if expr.op == "gt":
                return _not(below)
            above = self._at_least_zero(self._add(a, b, -1.0), expr)
            return _both(above, below)
        args = [self.condition(arg) for arg in expr.args]
        if expr.op == "not":
            return _not(args[0])
        if expr.op == "and":
            return _both(*args)
        return _not(_both(_not(args[0]), _not(args[1])))

    def _at_least_zero(self, value: Sum, expr: Expr) -> Condition | bool:
        select = self._choice_in(value)
        if select is None:
            return _compare(value, expr)
        yes, no = (
            self._at_least_zero(self._settled(value, select, side), expr)
            for side in (select.yes, select.no)
        )
        first, second = _both(select.condition, yes), _both(_inverse(select.condition), no)
        return _not(_both(_not(first), _not(second)))

    def _choice_in(self, value: Sum) -> Select | None:
        """The choice whose branches a comparison with ``value`` goes into, if it does."""
        return _small_choice(value) if self._paths(value) <= _MOST_LEAVES else None

    def _paths(self, value: Sum) -> int:
        """How many comparisons it would be: in choices within choices twice as many at each."""
        if value not in self._counted:
            select, count = _small_choice(value), 1
            if select is not None:
                count = self._paths(self._settled(value, select, select.yes))
                if count <= _MOST_LEAVES:
                    count += self._paths(self._settled(value, select, select.no))
            self._counted[value] = count
        return self._counted[value]


# -- which values stay one -----------------------------------------------------------------------
def _needs(expr: Expr) -> tuple[Expr, ...]:
    """What must be lowered before ``expr``: nothing behind a function of one variable."""
    if expr.op == "call" and len(expr.variables) <= 1:
        return ()
    if expr.op == "div" and len(expr.variables) == 1:
        return (expr.args[1], *(() if expr.args[1].variables else expr.args[:1]))
    return expr.args


def _used_as_one(roots: tuple[Expr, ...]) -> set[Expr]:
    """What is computed once, used more than once, and multiplied or put into a function."""
    nodes = ordered(roots)
    uses = Counter(arg for expr in nodes for arg in expr.args)
    multiplied: set[Expr] = set()
    for expr in reversed(nodes):  # users before what they use
        match expr.op:
            case "mul" if all(arg.variables for arg in expr.args):
                multiplied.update(expr.args)
            case "pow":
                multiplied.update(expr.args)
            case "call" | "div" if len(expr.variables) > 1 and expr.args[-1].variables:
                multiplied.add(expr.args[-1])
                if expr.op == "div":
                    multiplied.add(expr.args[0])
            case "add" | "sub" | "neg" | "mul" | "div" if expr in multiplied:
                multiplied.update(arg for arg in expr.args if arg.variables)
            case "where" if expr in multiplied:
                multiplied.update(expr.args[1:])
    return {expr for expr in multiplied if uses[expr] > 1 and expr.op not in ("var", "const")}


def _written(roots: Iterable[Expr]) -> set[Expr]:
    """The expressions a state is written with, branch by branch: no table may stand for these."""
    found: set[Expr] = set()
    stack = list(roots)
    while stack:
        expr = stack.pop()
        if expr not in found:
            found.add(expr)
            if expr.op in ("add", "sub"):
                stack.extend(expr.args)
            elif expr.op == "where":
                stack.extend(expr.args[1:])
    return found


def _continuous(expr: Expr) -> bool:
    """Whether a choice of functions of one variable has no jump where it turns to the other.

    By its values at all words of Q8.8: a jump is left to a choice, and kinks to the table.
    """
    (name,) = expr.variables
    words = np.arange(-(1 << 15), 1 << 15) / 256
    condition, yes, no = (
        np.broadcast_to(np.asarray(v), words.shape)
        for v in Graph.evaluate(expr.args, {name: words})
    )
    turns = np.flatnonzero(condition[1:] != condition[:-1])
    with np.errstate(all="ignore"):
        gap = np.abs(yes[turns].astype(float) - no[turns])
        steps = [np.abs(np.diff(side.astype(float)))[turns] for side in (yes, no)]
        jumps = gap > 2 * np.maximum(*steps) + 1e-9 * np.abs(no[turns])
    return not bool(np.any(jumps))


def _made_with(form: Sum, term: Term) -> bool:
    """Whether a sum is a multiple of a term, but for the constant, or has it among its own."""
    if isinstance(term, Sum):
        return form.terms == term.terms or proportion(form.terms, term.terms) is not None
    return any(atom is term for atom, _ in form.terms)


def _is_plain(value: Sum) -> bool:
    """Whether a sum is linear in variables: expanding it loses nothing."""
    return all(isinstance(atom, Variable | Value) for atom, _ in value.terms)


def _whole(value: Sum) -> Sum:
    """The sum as one value, and its constant; a single term stays what it is."""
    if len(value.terms) <= 1:
        return value
    unit = abs(value.terms[0][1])
    terms: Terms = tuple((atom, c / unit) for atom, c in value.terms)
    return Sum(((Value(Sum(terms)), unit),), value.constant)


def _size(value: Sum) -> int:
    return len(value.terms) + (value.constant != 0)


def _base(value: Sum) -> Atom | None:
    """The one atom that ``value`` is a polynomial of."""
    bases: set[Factor] = set()
    for atom, _ in value.terms:
        bases |= {f for f, _ in atom.factors} if isinstance(atom, Product) else {atom}
    if len(bases) != 1:
        return None
    (base,) = bases
    return base if isinstance(base, Variable | Value) else None


def _collected(terms: Iterable[tuple[Atom, float]], constant: float) -> tuple[Terms, float]:
    """Like terms together; what cancels to rounding noise is gone."""
    total: dict[Atom, float] = {}
    size: dict[Atom, float] = {}
    for atom, coefficient in terms:
        total[atom] = total.get(atom, 0.0) + coefficient
        size[atom] = size.get(atom, 0.0) + abs(coefficient)
    kept = [(a, c) for a, c in total.items() if abs(c) > 1e-12 * size[a]]
    return tuple(sorted(kept, key=lambda term: term[0].key)), constant


def _sum(terms: Iterable[tuple[Atom, float]], constant: float) -> Sum:
    result: Sum = Sum(*_collected(terms, constant))
    return result


# -- conditions ----------------------------------------------------------------------------------
def _small_choice(value: Sum) -> Select | None:
    """The only choice in a sum, if a comparison with it is worth one in each branch."""
    choices = [a for a, _ in value.terms if isinstance(a, Select)]
    if len(choices) != 1:
        return None
    leaves = [leaf for side in (choices[0].yes, choices[0].no) for leaf in side.leaves]
    simple = len(leaves) <= _MOST_LEAVES and any(not leaf.terms for leaf in leaves)
    return choices[0] if simple or len(leaves) == 2 else None


def _where(value: Sum, condition: Condition, holds: bool) -> Sum:
    """``value`` where ``condition`` holds (or does not): what it chooses by the same is known."""
    while (choice := value.choice) is not None:
        if choice.condition is condition:
            value = choice.yes if holds else choice.no
        elif choice.condition is _not(condition):
            value = choice.no if holds else choice.yes
        else:
            break
    return value


def _gates(choice: Select) -> bool:
    """Whether a product goes into the branches: of constants, or of something and nothing.

    A value that is limited stays one: its square in a branch would know nothing of the limit.
    """
    sides = choice.yes, choice.no
    return not any(side.terms for side in sides) or Sum() in sides


def _compare(value: Sum, expr: Expr) -> Condition | bool:
    if not value.terms:
        return value.constant >= 0
    unit = abs(value.terms[0][1])
    # choices stay the atoms they are, so that their branches are recognised behind the comparison
    terms = tuple((atom, coefficient / unit) for atom, coefficient in value.terms)
    result: Compare = Compare(Sum(terms, value.constant / unit), expr, unit)
    return result


def _not(condition: Condition | bool) -> Condition | bool:
    match condition:
        case bool():
            return not condition
        case Not(of):
            return of
        case And(a, b):
            return Or(_inverse(a), _inverse(b))  # type: ignore[no-any-return]
        case Or(a, b):
            return And(_inverse(a), _inverse(b))  # type: ignore[no-any-return]
    return Not(condition)  # type: ignore[no-any-return]


def _inverse(condition: Condition) -> Condition:
    result = _not(condition)
    assert not isinstance(result, bool)
    return result


def _both(a: Condition | bool, b: Condition | bool) -> Condition | bool:
    if isinstance(a, bool):
        return b if a else False
    if isinstance(b, bool):
        return a if b else False
    return a if a is b else And(a, b)  # type: ignore[no-any-return]
