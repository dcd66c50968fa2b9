"""The canonical form: every value is a sum of coefficient x atom, however it was written.

Constants fold and like terms collect before any width is chosen, so ``dt/C * (g_L*(E_L - V) - w)``
becomes one coefficient for V, one for w and one constant.

Expansion is not free: a sub-step composed with itself would be a polynomial of twice the degree
whose terms cancel. So what the source computes once and then multiplies stays one
:class:`~.terms.Value`, and sums that are too long are cut. Every node of the source is lowered
once: the time this takes grows with the size of ``update()``, not with what it would expand to.
"""

from __future__ import annotations

from functools import partial

from ...errors import LoweringError
from ..graph import COMPARISONS, Expr
from .arithmetic import Arithmetic
from .choices import Choices, known_where
from .conditions import both, either, opposite
from .lookups import of_sum, of_variable, quotient
from .source import is_continuous, needed, used_as_one, written
from .terms import Condition, Lookup, Sum, Term, Value, Variable, proportion

__all__ = ["Canonical"]


class Canonical:
    """Turns the expressions behind some roots into canonical sums and conditions.

    Parameters
    ----------
    roots : tuple of Expr
        The spike flag, then the next value of every state.
    """

    def __init__(self, roots: tuple[Expr, ...]) -> None:
        self._known: dict[Expr, Sum | Condition | bool] = {}
        self._arithmetic = Arithmetic()
        self._choices = Choices(self._arithmetic)
        self._shared = used_as_one(roots)
        self._written = written(roots[1:])

    def sum(self, expr: Expr) -> Sum:
        """The canonical sum of a number."""
        known = self._of(expr)
        if isinstance(known, Sum):
            return known
        return self._choose(expr, known, Sum((), 1.0), Sum())

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
            missing = [] if top in self._known else [a for a in needed(top) if a not in self._known]
            stack.extend(missing)
            if not missing:
                stack.pop()
                if top not in self._known:
                    self._known[top] = self._lower(top)
        return self._known[expr]

    def _lower(self, expr: Expr) -> Sum | Condition | bool:
        if expr.is_condition:
            return self._decide(expr)
        value = self._number(expr)
        if expr in self._shared and len(value.terms) > 1 and not _is_plain(value):
            return Sum(((Value(value.core), 1.0),), value.constant)
        return value

    def _number(self, expr: Expr) -> Sum:
        does = self._arithmetic
        match expr.op:
            case "const":
                return Sum((), float(expr.value))
            case "var":
                return Sum(((Variable(expr.value), 1.0),))
            case "add" | "sub":
                a, b = map(self.sum, expr.args)
                return does.add(a, b, 1.0 if expr.op == "add" else -1.0)
            case "neg":
                return does.scale(self.sum(expr.args[0]), -1.0)
            case "mul":
                return does.multiply(*map(self.sum, expr.args))
            case "pow":
                return does.power(self.sum(expr.args[0]), expr.value)
            case "div":
                return self._divide(expr)
            case "where":
                return self._where(expr)
        return self._function(expr, expr.args[0])

    def _function(self, expr: Expr, argument: Expr) -> Sum:
        """A nonlinear function: a table over its one variable, or over its argument's word."""
        if len(expr.variables) <= 1:
            return of_variable(expr)
        return of_sum(self._arithmetic, expr, self.sum(argument))

    def _divide(self, expr: Expr) -> Sum:
        does = self._arithmetic
        over, under = expr.args
        divisor = self.sum(under)
        if not divisor.terms:
            if divisor.constant == 0:
                raise LoweringError("division by zero").at(expr.line)
            return does.scale(self.sum(over), 1.0, divisor.constant)
        if len(expr.variables) == 1:
            return of_variable(expr)
        divided = quotient(does, self.sum(over), divisor, expr)
        if divided is not None:
            return divided
        one = does.graph.node("const", value=1.0)
        reciprocal = does.graph.node("div", one, under, line=expr.line)
        return does.multiply(self.sum(over), self._function(reciprocal, under))

    # -- choices and conditions --------------------------------------------------------------
    def _where(self, expr: Expr) -> Sum:
        condition, yes, no = expr.args
        above, below = self.sum(yes), self.sum(no)
        if condition.op != "ge":
            return self._choose(expr, self.condition(condition), above, below)
        a, b = map(self.sum, condition.args)
        apart = self._arithmetic.add(a, b, -1.0)
        choose = partial(self._choose, expr)
        return self._choices.settled(apart, above, below, condition, choose)

    def _choose(self, expr: Expr, condition: Condition | bool, yes: Sum, no: Sum) -> Sum:
        """The choice that ``expr`` makes, or a part of it."""
        if isinstance(condition, bool):
            return yes if condition else no
        yes, no = known_where(yes, condition, True), known_where(no, condition, False)
        if yes is no:
            return yes
        if len(expr.variables) == 1 and expr.op == "where" and expr not in self._written:
            atoms = [atom for atom, _ in yes.terms + no.terms]
            if any(isinstance(atom, Lookup) for atom in atoms) and is_continuous(expr):
                return of_variable(expr)
        return self._choices.chosen(condition, yes, no)

    def _decide(self, expr: Expr) -> Condition | bool:
        if expr.op == "const":
            return bool(expr.value)
        if expr.op in COMPARISONS:
            return self._compare(expr)
        args = [self.condition(arg) for arg in expr.args]
        if expr.op == "not":
            return opposite(args[0])
        return both(*args) if expr.op == "and" else either(*args)

    def _compare(self, expr: Expr) -> Condition | bool:
        a, b = map(self.sum, expr.args)
        apart, decide = self._arithmetic.add, self._choices.at_least_zero
        if expr.op == "ge":
            return decide(apart(a, b, -1.0), expr)
        below = decide(apart(b, a, -1.0), expr)
        if expr.op == "gt":
            return opposite(below)
        return both(decide(apart(a, b, -1.0), expr), below)


def _made_with(form: Sum, term: Term) -> bool:
    """Whether a sum is a multiple of a term, but for the constant, or has it among its own."""
    if isinstance(term, Sum):
        return form.terms == term.terms or proportion(form.terms, term.terms) is not None
    return any(atom is term for atom, _ in form.terms)


def _is_plain(value: Sum) -> bool:
    """Whether a sum is linear in variables: expanding it loses nothing."""
    return all(isinstance(atom, Variable | Value) for atom, _ in value.terms)
