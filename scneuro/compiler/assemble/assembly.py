"""The way through the terms: each is made once, of what it is made of.

A sum needs its atoms; an atom needs the sums and conditions within it; a condition compares a sum,
or what is written to a state, which is a sum again. What each then becomes is said by its own file.
"""

from __future__ import annotations

import math

from ...errors import LoweringError
from ...stochastic import LFSR
from ...words import Q8_8, nearest
from ..algebra.factor import arranged
from ..algebra.terms import (
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
    Term,
    Terms,
    Value,
    Variable,
    behind,
    proportion,
)
from ..bounds.precision import COEFFICIENTS
from ..bounds.registers import GUARD_BITS
from ..datapath import Datapath, Node
from ..lowered import Coefficient, Cost, Decision, dither
from ..table import Table, Undefined
from .bits import LAST, fraction_for, to_word, word_for
from .facts import Facts, implied, reached
from .lookups import looked_up, undefined
from .plan import Assembled, Plan
from .products import product
from .signs import added_up, negated
from .states import constant, rounded
from .sums import Addends, addends, total

__all__ = ["assemble"]

_DEEP = 4  # choices within choices of which is said what each branch writes


def assemble(plan: Plan) -> Assembled:
    """The integer operations of a plan.

    Raises
    ------
    LoweringError
        If something cannot be represented; the message has the numbers.
    """
    return _Assembly(plan).run()


class _Assembly:
    """What has been made so far, by what it is of."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.path = plan, Datapath()
        self.values = _inputs(plan, self.path)
        self.nodes: dict[tuple[Term, int], Node] = {}
        self.addends: dict[tuple[Terms, int], Addends] = {}
        self.costs: dict[Terms, tuple[Cost, ...]] = {}
        self.conditions: dict[Condition, Node] = {}
        self.compared: dict[Compare, float] = {}  # how near a tie may go astray
        self.written: dict[tuple[Sum, str], Node] = {}
        self.tables: list[Table] = []
        self.coefficients: list[Coefficient] = []
        self.notes: list[str] = []
        self.leaves: dict[Terms, list[tuple[str, Sum]]] = {}  # what is written to which states
        for state, update in plan.updates.items():
            for leaf in update.leaves:
                if leaf.terms:
                    self.leaves.setdefault(leaf.terms, []).append((state, leaf))

    def run(self) -> Assembled:
        path, plan = self.path, self.plan
        bounds, beyond, costs = {}, [], {}
        for name, update in plan.updates.items():
            r = plan.registers[name]
            node = self._write(update, name)
            if node.low < r.low and r.low > r.least:
                beyond.append((name, -1))
            if node.high > r.high and r.high < r.most:
                beyond.append((name, 1))
            bounds[name] = node.error + 1e-9 * node.magnitude
            costs[name] = _costs(plan, update, name, self.costs)
            path.outputs[name] = path.clamp(node, r.low, r.high, f"{name}_next")
        condition = plan.spike
        path.outputs["spike"] = (
            path.const(int(condition), 0)
            if isinstance(condition, bool)
            else self._condition(condition)
        )
        words = {n: to_word(path, self.values[n], r.word) for n, r in plan.registers.items()}
        return Assembled(
            path,
            words,
            tuple(self.tables),
            tuple(self.coefficients),
            tuple(self._decisions()),
            bounds,
            costs,
            tuple(beyond),
            tuple(dict.fromkeys(self.notes)),
        )

    def _decisions(self) -> list[Decision]:
        found = []
        compared = {compare.expr for compare in self.compared}
        for expr in sorted(compared, key=lambda e: (e.depth, e.text)):  # inner ones first
            condition = self.plan.canonical.condition(expr)
            if not isinstance(condition, bool):
                bounds = [b * c.unit for c, b in self.compared.items() if c.expr is expr]
                found.append(Decision(expr, self._condition(condition), max(bounds)))
        return found

    # -- states ------------------------------------------------------------------------------
    def _write(self, value: Sum, state: str) -> Node:
        """``value`` in the state's register, rounded but not yet limited."""
        if (value, state) not in self.written:
            self.written[value, state] = self._to_write(value, state)
        return self.written[value, state]

    def _to_write(self, value: Sum, state: str) -> Node:
        plan, path, choice = self.plan, self.path, value.choice
        if choice is not None:
            condition = self._condition(choice.condition)
            node = path.mux(
                condition, self._write(choice.yes, state), self._write(choice.no, state)
            )
            return path.within(node, *self._span(value, state, node, {}))
        if not value.terms:
            return constant(plan, path, value.constant, state)
        try:
            fraction, half = plan.registers[state].fraction, plan.rounding == "nearest"
            return rounded(plan, path, self._sum(value, fraction, half=half), state)
        except LoweringError as error:
            raise self._located(error, value) from None

    def _span(
        self, value: Sum, state: str, node: Node, facts: Facts, depth: int = 0
    ) -> tuple[int, int]:
        """The integers that are written, where each node in ``facts`` lies within its limits."""
        choice = value.choice
        if choice is None or depth > _DEEP:
            made = self._write(value, state)
            least, most = facts.get(made.index, (made.low, made.high))
            shift = node.fraction - made.fraction
            return max(made.low, least) << shift, min(made.high, most) << shift
        condition = self._condition(choice.condition)
        sides = []
        for side, holds in ((choice.yes, True), (choice.no, False)):
            known = implied(condition, holds, facts)
            if known is not None:
                sides.append(self._span(side, state, node, known, depth + 1))
        if not sides:
            return node.low, node.high
        return min(low for low, _ in sides), max(high for _, high in sides)

    # -- sums --------------------------------------------------------------------------------
    def _sum(self, value: Sum, fraction: int, *, half: bool = False) -> Node:
        """The exact sum, for a result of ``fraction`` bits; ``half`` as of :func:`total`."""
        parts = self._addends(value.terms, fraction)
        node, is_lost = total(self.path, parts, value.constant, fraction, half=half)
        if is_lost:
            self.notes.append(
                f"the constant {value.constant:.3g} is too small for any register, and is lost"
            )
        return node

    def _addends(self, terms: Terms, fraction: int) -> Addends:
        if (terms, fraction) not in self.addends:
            factored = arranged(terms)
            share = COEFFICIENTS * self.plan.error_of(Sum(terms)) / max(1, len(factored))
            nodes = [self._atom(atom, fraction) for atom, _ in factored]
            parts = addends(self.path, factored, nodes, fraction, share)
            for made in parts.products:
                self.coefficients += made.coefficients
                self.notes += made.notes
            self.addends[terms, fraction] = parts
            self.costs.setdefault(terms, parts.costs)
        return self.addends[terms, fraction]

    def _finely(self, value: Sum) -> Node:
        """The exact sum, for a result that becomes a word of its own."""
        low, high = self.plan.ranges.of(value)
        if not (math.isfinite(low) and math.isfinite(high)):
            for term in behind([value]):
                if isinstance(term, Lookup):
                    self._atom(term, 0)  # says where it is infinite
            raise LoweringError(
                f"{self.plan.name}: {value.key} may be infinite where its states can be",
                "give the states it depends on a range: State(range=(low, high))",
            )
        word = word_for(low, high) or Q8_8
        fraction = word.fraction + GUARD_BITS
        allowed = self.plan.error_of(value)
        if allowed < math.inf:
            fraction = max(fraction, fraction_for(allowed) + 2)
        return self._sum(value, fraction)

    # -- atoms -------------------------------------------------------------------------------
    def _atom(self, atom: Factor, fraction: int) -> Node:
        """The value of an atom; a choice is made for a result of ``fraction`` bits."""
        if isinstance(atom, Variable):
            return self.values[atom.name]
        key = atom, fraction if isinstance(atom, Select) else 0
        if key not in self.nodes:
            try:
                node = self._made(atom, fraction)
            except Undefined as error:
                assert isinstance(atom, Lookup)
                raise self._located(undefined(self.plan, atom, error), atom) from None
            except LoweringError as error:
                raise self._located(error, atom) from None
            if atom in self.plan.limits and not isinstance(atom, Lookup):  # a table has its own
                low, high = (math.ldexp(end, node.fraction) for end in self.plan.limits[atom])
                low, high = max(low, float(node.low)), min(high, float(node.high))
                node = self.path.clamp(node, math.floor(low), math.ceil(high))
            self.nodes[key] = node
        return self.nodes[key]

    def _made(self, atom: Factor, fraction: int) -> Node:
        allowed = self.plan.error_of(atom)
        match atom:
            case Lookup():
                return self._lookup(atom)
            case Sum():
                return self._finely(atom)
            case Value(inner):
                return self._finely(inner)
            case Product(factors):
                nodes = [(self._atom(f, fraction), n) for f, n in factors]
                return product(self.plan, self.path, nodes, allowed)
            case Select(condition, yes, no):
                if allowed < math.inf:
                    fraction = max(fraction, fraction_for(allowed) + 2)
                sides = self._sum(yes, fraction), self._sum(no, fraction)
                node = self.path.mux(self._condition(condition), *sides)
                return self.path.within(node, *reached(node, {}))
        raise TypeError(atom)

    def _lookup(self, lookup: Lookup) -> Node:
        of = lookup.of
        value = self.values[of.name] if isinstance(of, Variable) else self._finely(of)
        name = f"table_{len(self.tables) + 1}"
        table, node = looked_up(self.plan, self.path, lookup, value, name)
        self.tables.append(table)
        if table.limits:
            at = ", ".join(f"{x:g}" for x in table.limits)
            self.notes.append(f"{table.text} is 0/0 at {at}: its limit there is taken")
        return node

    def _located(self, error: LoweringError, term: Term) -> LoweringError:
        """The error, with the line of the source that asks for what cannot be."""
        origin = self.plan.canonical.origin(term)
        if origin is None and isinstance(term, Lookup):
            origin = term.expr
        return error if origin is None else error.at(origin.line)

    # -- conditions --------------------------------------------------------------------------
    def _condition(self, condition: Condition) -> Node:
        if condition not in self.conditions:
            match condition:
                case Compare():
                    node = self._compare(condition)
                case Not(of):
                    node = self.path.logic("not", self._condition(of))
                case And(a, b):
                    node = self.path.logic("and", self._condition(a), self._condition(b))
                case Or(a, b):
                    node = self.path.logic("or", self._condition(a), self._condition(b))
            self.conditions[condition] = node
        return self.conditions[condition]

    def _compare(self, compare: Compare) -> Node:
        value = compare.value
        for terms, leaves in self.leaves.items():
            ratio = proportion(value.terms, terms)
            if ratio is not None:  # value = ratio * (leaf - at)
                ends = [leaf.constant - value.constant / ratio for _, leaf in leaves]
                which = ends.index(0.0) if 0.0 in ends else 0
                state, leaf = leaves[which]
                return self._threshold(compare, self._write(leaf, state), ratio, ends[which])
        fraction, allowed = Q8_8.fraction + GUARD_BITS, self.plan.error_of(value.core)
        if allowed < math.inf:
            fraction = max(fraction, fraction_for(allowed) + 4)
        exact = self._sum(Sum(value.terms), fraction)
        self.compared[compare] = exact.error + 1e-9 * exact.magnitude
        if (inner := negated(exact)) is not None:
            at = math.floor(math.ldexp(value.constant, inner.fraction))
            return self.path.logic("not", self.path.ge(inner, at + 1))
        return self.path.ge(exact, math.ceil(math.ldexp(-value.constant, exact.fraction)))

    def _threshold(self, compare: Compare, written: Node, ratio: float, at: float) -> Node:
        """ratio * (what is written - at) >= 0, both sides rounded as states are."""
        threshold = nearest(at, written.fraction)
        missed = abs(at - math.ldexp(threshold, -written.fraction))
        lsb = math.ldexp(1.0, -written.fraction)
        self.compared[compare] = (written.error + missed + lsb) * abs(ratio)
        if ratio > 0:
            return self.path.ge(written, threshold)
        return self.path.logic("not", self.path.ge(written, threshold + 1))


def _inputs(plan: Plan, path: Datapath) -> dict[str, Node]:
    """What everything is made of: the registers, the limited inputs and the noises."""
    values = {n: path.input(n, r.low, r.high, r.fraction) for n, r in plan.registers.items()}
    for name, (word, least, most) in plan.inputs.items():
        given = path.input(name, ~LAST, LAST, word.fraction)
        values[name] = path.clamp(given, least, most, f"{name}_limited")
    most = (1 << LFSR.DRAW) - 1
    for name, noise in plan.noises.items():
        draws = [path.input(draw, 0, most, LFSR.DRAW) for draw in noise.draws]
        values[name] = added_up(path, draws)
    if plan.rounding == "stochastic":
        for name in plan.registers:
            path.input(dither(name), 0, most, 0)
    return values


def _costs(
    plan: Plan, update: Sum, state: str, spent: dict[Terms, tuple[Cost, ...]]
) -> tuple[Cost, ...]:
    """Where the error of a state comes from, the largest first."""
    found: dict[str, float] = {}
    for leaf in update.leaves:
        for cost in spent.get(leaf.terms, ()):
            found[cost.of] = max(found.get(cost.of, 0.0), cost.error)
    if any(leaf.terms for leaf in update.leaves):
        lost = 0.5 if plan.rounding == "nearest" else 1.0
        found["rounding"] = math.ldexp(lost, -plan.registers[state].fraction)
    costs = [Cost(of, error) for of, error in found.items() if error > 0]
    return tuple(sorted(costs, key=lambda cost: -cost.error))
