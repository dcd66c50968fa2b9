"""Assembly: canonical sums become integer operations.

The number rules, in the order they are applied:

* A **coefficient** keeps a significand of 16 bits, or as many as its share of the budget asks for,
  with a binary point of its own. One near 1 is kept as 1 plus a small coefficient. Coefficients in
  a simple ratio share one multiplier.
* **Sums and products are exact.** The operands of a product of two values are these rounded to 16
  bits, or finer where their share asks for it; that of a coefficient is the whole register, without
  the low bits whose part in the result is below 1/64 of the result's LSB.
* Each state is **rounded once**, when it is written; then it saturates. A comparison with what a
  state is about to become compares the rounded value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import LoweringError
from ..stochastic import LFSR, Noise
from ..words import Q8_8, WORD_BITS, Word, fitting, nearest
from .algebra.canonical import Canonical
from .algebra.factor import arranged
from .algebra.terms import (
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
    behind,
    proportion,
)
from .bounds.precision import ADDRESS, ARGUMENT, COEFFICIENTS, FLAT, OPERANDS, active, continuity
from .bounds.ranges import Interval, Ranges
from .bounds.registers import GUARD_BITS, Register
from .datapath import WIDEST, Datapath, Node
from .functions import Functions
from .lowered import Coefficient, Cost, Decision, dither
from .table import Table, Undefined

__all__ = ["Assembled", "Plan", "assemble"]

SIGNIFICAND_BITS = 16
_CONSTANT_BITS = 4  # fraction bits of a constant below the register it ends in
_NEGLIGIBLE = 6  # what is below 2**-6 of a register's LSB is negligible
_FINEST = 46  # no sum has more fraction bits, unless its share of the budget asks for it
_SIMPLE = (1, 3, 5, 7, 9, 15, 17, 31, 33)  # what one adder can multiply by
_COARSEST = -40  # a word may count in up to 2**40
_OPERAND = 31  # bits of an operand: the product of two is still exact
_ADDRESS = 24  # bits of a table's address
_LAST = (1 << (WORD_BITS - 1)) - 1


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
    inputs : dict of str to (int, int)
        The words at which each input saturates.
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
    inputs: dict[str, tuple[Word, int, int]]  # and the words at which each saturates
    noises: Mapping[str, Noise]
    rounding: str
    ranges: Ranges
    functions: Functions
    limits: Mapping[Term, Interval]
    allowed: Mapping[Term, float]
    table_error: float | None
    most_rows: int


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


def assemble(plan: Plan) -> Assembled:
    """The integer operations of a plan.

    Raises
    ------
    LoweringError
        If something cannot be represented; the message has the numbers.
    """
    return _Assembly(plan).run()


class _Assembly:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.name, self.ranges = plan, plan.name, plan.ranges
        self.path = Datapath()
        self.values: dict[str, Node] = {}
        self.nodes: dict[tuple[Term, int], Node] = {}
        self.lookups: dict[Lookup, Node] = {}
        self.addends: dict[tuple[Terms, int], tuple[list[Node], list[Node], float, float]] = {}
        self.spent: dict[Terms, list[Cost]] = {}
        self.rounded: dict[tuple[Sum, str], Node] = {}
        self.conditions: dict[Condition, Node] = {}
        self.compared: dict[Compare, float] = {}
        self.tables: list[Table] = []
        self.coefficients: list[Coefficient] = []
        self.notes: list[str] = []
        self.written: dict[Terms, list[tuple[str, Sum]]] = {}
        for state, update in plan.updates.items():
            for leaf in update.leaves:
                if leaf.terms:
                    self.written.setdefault(leaf.terms, []).append((state, leaf))

    def run(self) -> Assembled:
        path, plan = self.path, self.plan
        self._inputs()
        bounds, beyond, costs = {}, [], {}
        for name, update in plan.updates.items():
            r = plan.registers[name]
            node = self._write(update, name)
            if node.low < r.low and r.low > r.least:
                beyond.append((name, -1))
            if node.high > r.high and r.high < r.most:
                beyond.append((name, 1))
            bounds[name] = node.error + 1e-9 * node.magnitude
            costs[name] = self._costs(update, name)
            path.outputs[name] = path.clamp(node, r.low, r.high, f"{name}_next")
        condition = plan.spike
        path.outputs["spike"] = (
            path.const(int(condition), 0)
            if isinstance(condition, bool)
            else self._condition(condition)
        )
        words = {name: self._word(name) for name in plan.registers}
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

    def _inputs(self) -> None:
        path, plan = self.path, self.plan
        for name, r in plan.registers.items():
            self.values[name] = path.input(name, r.low, r.high, r.fraction)
        for name, (word, least, most) in plan.inputs.items():
            given = path.input(name, ~_LAST, _LAST, word.fraction)
            self.values[name] = path.clamp(given, least, most, f"{name}_limited")
        most = (1 << LFSR.DRAW) - 1
        for name, noise in plan.noises.items():
            draws = [path.input(draw, 0, most, LFSR.DRAW) for draw in noise.draws]
            self.values[name] = self._chain(draws)
        if plan.rounding == "stochastic":
            for name in plan.registers:
                path.input(dither(name), 0, most, 0)

    def _decisions(self) -> list[Decision]:
        found = []
        compared = {compare.expr for compare in self.compared}
        for expr in sorted(compared, key=lambda e: (e.depth, e.text)):  # inner ones first
            condition = self.plan.canonical.condition(expr)
            if not isinstance(condition, bool):
                bounds = [b * c.unit for c, b in self.compared.items() if c.expr is expr]
                found.append(Decision(expr, self._condition(condition), max(bounds)))
        return found

    def _costs(self, update: Sum, state: str) -> tuple[Cost, ...]:
        """Where the error of a state comes from."""
        total: dict[str, float] = {}
        for leaf in update.leaves:
            for cost in self.spent.get(leaf.terms, []):
                total[cost.of] = max(total.get(cost.of, 0.0), cost.error)
        register = self.plan.registers[state]
        if any(leaf.terms for leaf in update.leaves):
            nearest_ = self.plan.rounding == "nearest"
            total["rounding"] = math.ldexp(0.5 if nearest_ else 1.0, -register.fraction)
        costs = [Cost(of, error) for of, error in total.items() if error > 0]
        return tuple(sorted(costs, key=lambda cost: -cost.error))

    # -- writing a state ---------------------------------------------------------------------
    def _write(self, value: Sum, state: str) -> Node:
        """``value`` in the state's register, rounded but not yet limited."""
        if (value, state) not in self.rounded:
            choice = value.choice
            if choice is not None:
                node = self.path.mux(
                    self._condition(choice.condition),
                    self._write(choice.yes, state),
                    self._write(choice.no, state),
                )
                low, high = self._span(value, state, node, {})
                self.rounded[value, state] = self.path.within(node, low, high)
            elif value.terms:
                try:
                    self.rounded[value, state] = self._rounded(value, state)
                except LoweringError as error:
                    raise self._located(error, value) from None
            else:
                self.rounded[value, state] = self._constant(value.constant, state)
        return self.rounded[value, state]

    def _constant(self, value: float, state: str) -> Node:
        r = self.plan.registers[state]
        number = nearest(value, r.fraction)
        if r.most == (1 << (r.width - 1)) - 1 and number == r.most + 1:
            number = r.most  # [0, 1] in Q1.15 ends just below 1
        if not r.least <= number <= r.most:
            raise LoweringError(
                f"{self.name}: {state} is set to {value:g}, outside its range "
                f"{math.ldexp(r.least, -r.fraction):g} to {math.ldexp(r.most, -r.fraction):g}",
                _holding(state, r, value),
            ).at(self.plan.canonical.setting(value))
        missed = abs(value - math.ldexp(number, -r.fraction))
        return self.path.const(number, r.fraction, missed)

    def _span(
        self, value: Sum, state: str, node: Node, facts: dict[int, tuple[int, int]], depth: int = 0
    ) -> tuple[int, int]:
        """The integers that are written, where each node in ``facts`` lies within its limits."""
        choice = value.choice
        if choice is None or depth > 4:
            made = self._write(value, state)
            least, most = facts.get(made.index, (made.low, made.high))
            shift = node.fraction - made.fraction
            return max(made.low, least) << shift, min(made.high, most) << shift
        condition = self._condition(choice.condition)
        sides = []
        for side, holds in ((choice.yes, True), (choice.no, False)):
            implied = _implied(condition, holds, facts)
            if implied is not None:
                sides.append(self._span(side, state, node, implied, depth + 1))
        if not sides:
            return node.low, node.high
        return min(low for low, _ in sides), max(high for _, high in sides)

    def _rounded(self, value: Sum, state: str) -> Node:
        """The exact sum, rounded the way the states are rounded."""
        fraction, mode = self.plan.registers[state].fraction, self.plan.rounding
        exact = self._sum(value, fraction, half=mode == "nearest")
        drop = exact.fraction - fraction
        if drop <= 0:
            return self.path.shl(exact, -drop)
        lsb = math.ldexp(1.0, -fraction)
        if mode == "stochastic":
            noise = self.path.inputs[dither(state)]
            draw = self.path.shr(noise, max(0, WORD_BITS - drop), 0.0)
            places = exact.fraction - max(0, drop - WORD_BITS)
            draw = self.path.scale(draw, 1, places - draw.fraction)
            draw = self.path.annotate(draw, draw.low, draw.high, 0.0, "dither")
            exact = self.path.add(exact, draw)
        return self.path.shr(exact, drop, lsb / 2 if mode == "nearest" else lsb, f"{state}_rounded")

    # -- sums --------------------------------------------------------------------------------
    def _allowed(self, term: Term) -> float:
        """The error a term may have; infinity where the 16-bit rules are enough."""
        return self.plan.allowed.get(term, math.inf)

    def _sum(self, value: Sum, fraction: int, *, half: bool = False) -> Node:
        """The exact sum, for a result of ``fraction`` bits.

        With ``half``, half an LSB of the result is added if any bits are below it: folded into the
        sum's own constant, so rounding costs no adder.
        """
        scaled, whole, dropped, error = self._split(value.terms, fraction)
        size = abs(value.constant) + sum(n.magnitude for n in (*scaled, *whole))
        room = WIDEST - 3 - max(0, math.frexp(size)[1])  # what 62 bits leave for a fraction
        scaled, whole = ([self._no_finer(n, room) for n in ns] for ns in (scaled, whole))
        finest = max((n.fraction for n in (*scaled, *whole)), default=fraction)
        places = min(max(finest, fraction), fraction + _CONSTANT_BITS, room)
        constant = nearest(value.constant + dropped, places)
        missed = error + abs(value.constant + dropped - math.ldexp(constant, -places))
        if abs(value.constant) > 1e-12 and constant == 0:
            self.notes.append(
                f"the constant {value.constant:.3g} is too small for any register, and is lost"
            )
        if half and places > fraction:
            constant += 1 << (places - fraction - 1)
        while constant and constant % 2 == 0:
            constant, places = constant >> 1, places - 1
        constants = []
        if constant or missed or not (scaled or whole):
            constants.append(self.path.const(constant, places, missed))
        # the finest addends first: what is added later lets their low bits through
        by_fraction = sorted((*whole, *constants), key=lambda n: (n.op == "mux", -n.fraction))
        return self._chain(sorted(scaled, key=lambda n: -n.fraction) + by_fraction)

    def _split(self, terms: Terms, fraction: int) -> tuple[list[Node], list[Node], float, float]:
        """The addends, those with a coefficient first, and what their operands lack on average.

        And the error of those that are 0 and so no addends.
        """
        if (terms, fraction) not in self.addends:
            whole: list[Node] = []
            scaled: list[tuple[Node, Atom, float]] = []
            costs: list[Cost] = []
            dropped = missed = 0.0
            factored = arranged(terms)
            share = COEFFICIENTS * self._allowed(Sum(terms)) / max(1, len(factored))
            nodes = [self._atom(atom, fraction) for atom, _ in factored]
            room = WIDEST - 2 - _integer_bits(factored, nodes)
            for (atom, coefficient), node in zip(factored, nodes, strict=True):
                costs.append(Cost(atom.key, abs(coefficient) * node.error))
                if node.low == node.high == 0:
                    missed += abs(coefficient) * node.error
                    continue
                unit = math.copysign(1.0, coefficient)
                simple = _simple_ratio(coefficient, 1.0)
                if simple is not None:  # it adds all its bits
                    node, lacking = self._cut(node, node.fraction - simple[1] - room)
                    dropped += coefficient * lacking
                if abs(coefficient - unit) < 1e-12:
                    coefficient = unit
                elif isinstance(atom, Variable) and abs(coefficient - unit) <= 0.25:
                    whole.append(self._signed(node, unit))
                    coefficient -= unit
                simple = _simple_ratio(coefficient, 1.0)
                if simple is not None:
                    odd, shift, sign = simple
                    whole.append(self._signed(self.path.scale(node, odd, -shift), sign))
                else:
                    operand, lacking = self._operand_for(node, coefficient, fraction, share, room)
                    dropped += coefficient * lacking
                    scaled.append((operand, atom, coefficient))
            products = self._multiply(scaled, share, room, costs)
            self.addends[terms, fraction] = products, whole, dropped, missed
            self.spent.setdefault(terms, costs)
        return self.addends[terms, fraction]

    def _chain(self, addends: list[Node]) -> Node:
        """Add up, starting from one that is not negated; a negated addend is subtracted."""
        start = next((i for i, n in enumerate(addends) if _negated(n) is None), 0)
        total = addends[start]
        for node in addends[:start] + addends[start + 1 :]:
            inner = _negated(node)
            total = self.path.add(total, inner, -1) if inner else self.path.add(total, node)
        return total

    def _no_finer(self, node: Node, fraction: int) -> Node:
        """The value without the fraction bits for which a sum has no room."""
        drop = node.fraction - fraction
        if drop <= 0:
            return node
        inner = _negated(node)
        if inner is not None:
            return self.path.scale(self._no_finer(inner, fraction), -1, 0)
        return self.path.shr(node, drop, math.ldexp(1.0, -fraction))

    def _narrowed(self, node: Node, width: int) -> Node:
        """The value without the low bits for which a product has no room."""
        return self._no_finer(node, node.fraction - max(0, node.width - width))

    def _signed(self, node: Node, sign: float) -> Node:
        return node if sign > 0 else self.path.scale(node, -1, 0)

    def _operand_for(
        self, node: Node, coefficient: float, fraction: int, share: float, room: int
    ) -> tuple[Node, float]:
        """What a coefficient multiplies: without the low bits that could not matter.

        The bits are cut off, which costs nothing; what is lost on average is returned, to go
        into the sum's constant. Where it and the coefficient have more bits than there is room for,
        each gives up half of them.
        """
        wanted = fraction + _NEGLIGIBLE + math.ceil(math.log2(abs(coefficient)))
        if share < math.inf:
            wanted = min(wanted, _fraction(share / abs(coefficient)))
            if node.magnitude:
                over = wanted + _fraction(2 * share / node.magnitude) - room
                wanted -= max(0, (over + 1) // 2)
        return self._cut(node, node.fraction - wanted)

    def _cut(self, node: Node, drop: int) -> tuple[Node, float]:
        """A value without its lowest bits, and what it lacks on average."""
        drop = min(drop, node.width - 1)
        if drop <= 0:
            return node, 0.0
        half = math.ldexp(0.5, drop - node.fraction)
        return self.path.shr(node, drop, half), half

    def _multiply(
        self, terms: list[tuple[Node, Atom, float]], share: float, room: int, costs: list[Cost]
    ) -> list[Node]:
        """coefficient x node for every term; those in simple ratios share a multiplier."""
        results = []
        while terms:
            ratios = [[_simple_ratio(c, base) for _, _, c in terms] for *_, base in terms]
            best = max(range(len(terms)), key=lambda i: (len(terms) - ratios[i].count(None), -i))
            base = terms[best][2]
            group = [(t, r) for t, r in zip(terms, ratios[best], strict=True) if r is not None]
            terms = [t for t, r in zip(terms, ratios[best], strict=True) if r is None]
            results.append(self._shared(base, group, share, room, costs))
        return results

    def _shared(
        self,
        base: float,
        group: list[tuple[tuple[Node, Atom, float], tuple[int, int, float]]],
        share: float,
        room: int,
        costs: list[Cost],
    ) -> Node:
        """base x (the sum of ratio x node): one multiplier for all of the group."""
        finest = max(node.fraction - shift for (node, *_), (_, shift, _) in group)
        flip = math.copysign(1.0, base)  # the product is positive: to subtract it costs more
        size = max(math.ldexp(odd * n.magnitude, shift) for (n, *_), (odd, shift, _) in group)
        allowed = share / size if size else math.inf
        significand, places = _coefficient(abs(base), finest, allowed, room)
        members, error = [], 0.0
        for (node, atom, exact), (odd, shift, direction) in group:
            sign = direction * flip
            used = math.ldexp(significand * odd * sign, shift - places)
            self.coefficients.append(Coefficient(atom.key, exact, used))
            missed = abs(exact - used) * node.magnitude
            costs.append(Cost(f"the coefficient {exact:.6g} of {atom.key}", missed))
            error += missed
            members.append(self._signed(self.path.scale(node, odd, -shift), sign))
        if significand == 0:
            for _, atom, exact in (term for term, _ in group):
                self.notes.append(
                    f"{exact:.3g} of {atom.key} is too little for any state to notice, and is lost"
                )
            return self.path.const(0, 0, error)
        total = self._chain(sorted(members, key=lambda n: -n.fraction))
        total = self._narrowed(total, WIDEST - 1 - significand.bit_length())
        inner = _negated(total)
        product = self.path.scale(inner or total, significand, places, "product")
        product = self.path.annotate(
            product, product.low, product.high, product.error + error, product.name
        )
        return product if inner is None else self._signed(product, -1.0)

    # -- atoms -------------------------------------------------------------------------------
    def _atom(self, atom: Factor, fraction: int) -> Node:
        key: tuple[Term, int]
        match atom:
            case Variable(name):
                return self.values[name]
            case Lookup():
                if atom not in self.lookups:
                    try:
                        self.lookups[atom] = self._lookup(atom)
                    except Undefined as error:
                        raise self._located(self._undefined(error, atom), atom) from None
                    except LoweringError as error:
                        raise self._located(error, atom) from None
                return self.lookups[atom]
            case Select():
                key = atom, fraction
            case _:
                key = atom, 0
        if key not in self.nodes:
            try:
                node = self._made(atom, fraction)
            except LoweringError as error:
                raise self._located(error, atom) from None
            if atom in self.plan.limits:
                low, high = (math.ldexp(end, node.fraction) for end in self.plan.limits[atom])
                node = self.path.clamp(node, *_whole(low, high, node))
            self.nodes[key] = node
        return self.nodes[key]

    def _located(self, error: LoweringError, term: Term) -> LoweringError:
        """The error, with the line of the source that asks for what cannot be."""
        origin = self.plan.canonical.origin(term)
        if origin is None and isinstance(term, Lookup):
            origin = term.expr
        return error if origin is None else error.at(origin.line)

    def _undefined(self, error: Undefined, lookup: Lookup) -> LoweringError:
        """The same in the words of the source, with what helps."""
        origin = self.plan.canonical.origin(lookup) or lookup.expr
        of = lookup.of.name if isinstance(lookup.of, Variable) else lookup.of.key
        verb = "reaches" if math.isfinite(error.value) else "is"
        names = sorted(term.name for term in behind([lookup]) if isinstance(term, Variable))
        ranges = ", ".join(f"{n} = State(range=(low, high))" for n in names)
        if lookup.expr.op == "div" and math.isinf(error.value):
            hint = (
                "if that is 0/0 and has a limit, bracket the quotient: w * (x / -np.expm1(-x)); "
                f"if not, keep the divisor from 0 with np.maximum, or by {ranges}"
            )
        elif math.isnan(error.value):
            hint = f"keep what it is of where it is defined, with np.maximum, or by {ranges}"
        else:
            hint = f"keep what it is of smaller, with np.minimum or np.clip, or by {ranges}"
        text = f"{origin} {verb} {error.value:g} where {of} = {error.point:g}, which can occur"
        return LoweringError(f"{self.name}: {text}", hint)

    def _made(self, atom: Factor, fraction: int) -> Node:
        match atom:
            case Sum():
                return self._finely(atom)
            case Value(inner):
                return self._finely(inner)
            case Product(factors):
                nodes = [(self._atom(f, fraction), n) for f, n in factors]
                return self._product(nodes, self._allowed(atom))
            case Select(condition, yes, no):
                if self._allowed(atom) < math.inf:
                    fraction = max(fraction, _fraction(self._allowed(atom)) + 2)
                sides = self._sum(yes, fraction), self._sum(no, fraction)
                node = self.path.mux(self._condition(condition), *sides)
                return self.path.within(node, *_reached(node, {}))
        raise TypeError(atom)

    def _product(self, factors: list[tuple[Node, int]], allowed: float) -> Node:
        """Powers by squaring, then the bases together; every factor an operand of its share."""
        whole = math.prod(node.magnitude**n for node, n in factors)
        roundings = len(factors) + sum(n.bit_length() + n.bit_count() - 2 for _, n in factors)
        each = OPERANDS * allowed / (roundings + len(factors) - 1)

        def operand(node: Node, uses: float) -> Node:
            """A factor that stands ``uses`` times in the product, rounded."""
            size = node.magnitude
            rest = uses * whole / size if size else 0.0
            return self._operand(node, each / rest if rest else math.inf)

        result: Node | None = None
        for node, n in factors:
            square, used = operand(node, n), 1
            while True:
                if n & used:
                    if result is None:
                        result = square
                    else:
                        result = self._times(operand(result, 1), operand(square, n / used))
                if used * 2 > n:
                    break
                square = self._times(*[operand(square, n / used)] * 2)
                used *= 2
        assert result is not None
        return result

    def _times(self, a: Node, b: Node) -> Node:
        return self.path.mul(a, b)

    def _operand(self, node: Node, allowed: float) -> Node:
        """The value in a signed word: of 16 bits, or as many more as ``allowed`` asks for."""
        low, high = math.ldexp(node.low, -node.fraction), math.ldexp(node.high, -node.fraction)
        word = fitting(low, high, _COARSEST)
        register = self.plan.registers.get(node.meta) if node.op == "input" else None
        if register and (word is None or word.fraction < register.word.fraction):
            word = register.word  # the guard bits alone reach beyond it
        if word is None:
            raise LoweringError(
                f"{self.name}: a value in {low:g} to {high:g} is too wide to multiply",
                "narrow the states it is made of: State(range=(low, high)), or scale their units",
            )
        wanted = word.fraction
        if allowed < math.inf:
            wanted = max(wanted, _fraction(2 * allowed))
        return self._at(node, min(wanted, node.fraction - (node.width - _OPERAND)), word)

    def _at(self, node: Node, fraction: int, word: Word) -> Node:
        """The nearest with ``fraction`` bits; a 16-bit one that rounds out of the top saturates."""
        if fraction == word.fraction:
            return self._to_word(node, word)
        if fraction >= node.fraction:
            return node
        return self._nearest(node, fraction)

    def _nearest(self, node: Node, fraction: int) -> Node:
        half = self.path.const(1, fraction + 1)
        lost = math.ldexp(0.5, -fraction)
        total = self.path.add(node, half)
        return self.path.shr(total, node.fraction - fraction, lost, f"{node.name}_word")

    def _to_word(self, node: Node, word: Word) -> Node:
        """The nearest word; one that would round out of the top saturates."""
        if node.fraction <= word.fraction:
            return node
        result = self._nearest(node, word.fraction)
        # at the top, guard bits reach beyond the last word by up to an LSB
        return self.path.clamp(result, ~_LAST, _LAST, error=word.lsb / 2)

    def _word(self, state: str) -> Node:
        return self._to_word(self.values[state], self.plan.registers[state].word)

    # -- tables ------------------------------------------------------------------------------
    def _lookup(self, lookup: Lookup) -> Node:
        function = self.plan.functions[lookup]
        allowed = self._allowed(lookup)
        domain = active(function, self.ranges.argument(lookup), FLAT * allowed)
        if isinstance(lookup.of, Variable):
            near = continuity(function, domain, ADDRESS * allowed)
            word = self._address(self.values[lookup.of.name], near)
            left = (1 - FLAT - (ADDRESS if word.error > 0 else 0)) * allowed
        else:
            near = continuity(function, domain, ARGUMENT * allowed) / 4
            word = self._argument(lookup, domain, near)
            left = (1 - FLAT - 1.5 * ARGUMENT) * allowed
        low, high = (math.ldexp(end, word.fraction) for end in domain)
        table = Table.fit(
            function,
            low=min(max(word.low, math.floor(low + 1e-6)), word.high),
            high=max(min(word.high, math.ceil(high - 1e-6)), word.low),
            fraction=word.fraction,
            text=lookup.expr.text,
            budget=self.plan.table_error,
            tolerance=left,
            most_rows=self.plan.most_rows,
            between=word.error > 0,
        )
        self.tables.append(table)
        if table.limits:
            at = ", ".join(f"{x:g}" for x in table.limits)
            self.notes.append(f"{table.text} is 0/0 at {at}: its limit there is taken")
        flat = FLAT * allowed if allowed < math.inf else 0.0
        error = table.error_between + flat
        beyond_half = max(0.0, math.ldexp(word.error, word.fraction) - 0.5)
        error += table.steepest * math.ceil(beyond_half - 1e-9)
        return table.build(self.path, word, error, f"table_{len(self.tables)}")

    def _address(self, node: Node, near: float) -> Node:
        """A table's address of a register: its word, or finer where the function is steep."""
        if near == math.inf:
            return self._operand(node, math.inf)
        word = fitting(
            math.ldexp(node.low, -node.fraction), math.ldexp(node.high, -node.fraction), _COARSEST
        )
        assert word is not None
        most = node.fraction - max(0, node.width - _ADDRESS)
        return self._at(node, min(max(word.fraction, _fraction(near)), most), word)

    def _finely(self, value: Sum) -> Node:
        """The exact sum, for a result that becomes a word of its own."""
        low, high = self.ranges.of(value)
        if not (math.isfinite(low) and math.isfinite(high)):
            for term in behind([value]):
                if isinstance(term, Lookup):
                    self._atom(term, 0)  # says where it is infinite
            raise LoweringError(
                f"{self.name}: {value.key} may be infinite where its states can be",
                "give the states it depends on a range: State(range=(low, high))",
            )
        word = fitting(low, high, _COARSEST) or Q8_8
        fraction = word.fraction + GUARD_BITS
        allowed = self._allowed(value)
        if allowed < math.inf:
            fraction = max(fraction, _fraction(allowed) + 2)
        return self._sum(value, fraction)

    def _argument(self, lookup: Lookup, domain: Interval, near: float) -> Node:
        """The sum a table is a function of, as a word of its own.

        The sum's real interval can be narrower than that of its integers (it knows what a branch
        implies, and where the table is flat); the word is limited to it.
        """
        assert isinstance(lookup.of, Sum)
        exact = self._finely(lookup.of)
        whole = self.ranges.argument(lookup)
        lowest = max(whole[0], math.ldexp(exact.low, -exact.fraction))
        highest = min(whole[1], math.ldexp(exact.high, -exact.fraction))
        low, high = max(domain[0], lowest), min(domain[1], highest)
        if low > high:  # flat wherever the sum can be
            low = high = min(max(high, lowest), low)
        word = fitting(low, high, _COARSEST)
        if word is None:
            raise LoweringError(
                f"{self.name}: {lookup.expr} has an argument x = {lookup.of.key} in {low:g} "
                f"to {high:g}, more than a word holds",
                "narrow the states it is made of: State(range=(low, high)), or scale their units",
            )
        fraction = word.fraction
        if near < math.inf:
            top = fraction + _ADDRESS - WORD_BITS
            fraction = min(max(fraction, _fraction(near)), top)
        node = self._at(exact, fraction, word)
        # What the sum really reaches lies within these words: to limit it to them takes it no
        # further away. Where a flat end was left out it reaches further, and rounds to any word.
        least, most, lowest, highest = (
            math.ldexp(end, node.fraction) for end in (low, high, lowest, highest)
        )
        least = max(math.floor(least + 1e-6), math.ceil(lowest - 1e-6))
        most = min(math.ceil(most - 1e-6), math.floor(highest + 1e-6))
        if least > most:
            least = most = round(math.ldexp(low, node.fraction))
        return self.path.clamp(node, least, most)

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
        for terms, leaves in self.written.items():
            ratio = proportion(value.terms, terms)
            if ratio is not None:  # value = ratio * (leaf - at)
                ends = [leaf.constant - value.constant / ratio for _, leaf in leaves]
                which = ends.index(0.0) if 0.0 in ends else 0
                state, leaf = leaves[which]
                return self._threshold(compare, self._write(leaf, state), ratio, ends[which])
        fraction, allowed = Q8_8.fraction + GUARD_BITS, self._allowed(value.core)
        if allowed < math.inf:
            fraction = max(fraction, _fraction(allowed) + 4)
        exact = self._sum(Sum(value.terms), fraction)
        self.compared[compare] = exact.error + 1e-9 * exact.magnitude
        if (inner := _negated(exact)) is not None:
            at = math.floor(math.ldexp(value.constant, inner.fraction))
            return self.path.logic("not", self.path.ge(inner, at + 1))
        return self.path.ge(exact, math.ceil(math.ldexp(-value.constant, exact.fraction)))

    def _threshold(self, compare: Compare, rounded: Node, ratio: float, at: float) -> Node:
        """ratio * (what is written - at) >= 0, both sides rounded as states are."""
        threshold = nearest(at, rounded.fraction)
        missed = abs(at - math.ldexp(threshold, -rounded.fraction))
        lsb = math.ldexp(1.0, -rounded.fraction)
        self.compared[compare] = (rounded.error + missed + lsb) * abs(ratio)
        if ratio > 0:
            return self.path.ge(rounded, threshold)
        return self.path.logic("not", self.path.ge(rounded, threshold + 1))


def _holding(state: str, register: Register, value: float) -> str:
    """What would let a state be set to a value."""
    word = register.word
    if word.least <= value <= word.greatest:
        low, high = (math.ldexp(end, -register.fraction) for end in (register.least, register.most))
        return f"{state} = State(range=({min(low, value):g}, {max(high, value):g})) holds it"
    wider = fitting(min(value, 0.0), max(value, 0.0))
    if wider is None:
        return "no 16-bit word holds it: choose another unit"
    return f'{state} = State(word="{wider}") holds it'


def _whole(low: float, high: float, node: Node) -> tuple[int, int]:
    """An interval in integers, no wider than that of a node."""
    return (
        math.floor(max(low, float(node.low))),
        math.ceil(min(high, float(node.high))),
    )


def _fraction(error: float) -> int:
    """The fraction bits with which an LSB is at most ``error``."""
    return math.ceil(-math.log2(error)) if error > 0 else 64


def _integer_bits(terms: Terms, nodes: list[Node]) -> int:
    """Of a sum, and of all that is added up on the way to it."""
    size = sum(abs(c) * node.magnitude for (_, c), node in zip(terms, nodes, strict=True))
    return max(0, math.frexp(size)[1])


def _coefficient(value: float, finest: int, allowed: float, room: int) -> tuple[int, int]:
    """(significand, fraction bits): the nearest significand, made odd, off by ``allowed`` at most.

    It has 16 bits, or more where that asks for it, as far as there is ``room`` for the fraction
    bits of a product; 0 if the sum has no room for any.
    """
    places, most = SIGNIFICAND_BITS - math.frexp(value)[1], _FINEST
    if allowed < math.inf and (wanted := _fraction(2 * allowed)) > places:
        places, most = wanted, room
    places = min(places, most - finest)
    significand = nearest(value, places)
    while significand and significand % 2 == 0:
        significand, places = significand // 2, places - 1
    return significand, places


def _implied(
    condition: Node, holds: bool, facts: dict[int, tuple[int, int]]
) -> dict[int, tuple[int, int]] | None:
    """``facts`` and what follows from ``condition``; None if it cannot be."""
    if condition.op == "not":
        return _implied(condition.args[0], not holds, facts)
    if condition.low == condition.high:
        return facts if bool(condition.low) == holds else None
    if condition.op == ("and" if holds else "or"):
        both = _implied(condition.args[0], holds, facts)
        return None if both is None else _implied(condition.args[1], holds, both)
    if condition.op != "ge":
        return facts
    (node,) = condition.args
    low, high = facts.get(node.index, (node.low, node.high))
    low, high = (max(low, condition.meta), high) if holds else (low, min(high, condition.meta - 1))
    return {**facts, node.index: (low, high)} if low <= high else None


def _reached(node: Node, facts: dict[int, tuple[int, int]], depth: int = 0) -> tuple[int, int]:
    """The interval of a node where others lie within theirs: of what is limited, its limits."""
    low, high = facts.get(node.index, (node.low, node.high))
    if depth > 6:
        return low, high

    def of(arg: Node) -> tuple[int, int]:
        return _reached(arg, facts, depth + 1)

    match node.op:
        case "mux":
            condition, *sides = node.args
            found = []
            for side, holds in zip(sides, (True, False), strict=True):
                implied = _implied(condition, holds, facts)
                if implied is not None:
                    found.append(_reached(side, implied, depth + 1))
            found = [(a, b) for a, b in found if a <= b]
            ends = (min(a for a, _ in found), max(b for _, b in found)) if found else (low, high)
        case "add" if "const" in (arg.op for arg in node.args):
            (a, b), (c, d), (i, j, sign) = *map(of, node.args), node.meta
            c, d = (c << j, d << j) if sign > 0 else (-(d << j), -(c << j))
            ends = (a << i) + c, (b << i) + d
        case "move" | "known":
            ends = of(node.args[0])
        case "shl":
            a, b = of(node.args[0])
            ends = a << node.meta, b << node.meta
        case "scale":
            a, b = of(node.args[0])
            ends = min(a * node.meta, b * node.meta), max(a * node.meta, b * node.meta)
        case _:
            return low, high
    return max(low, ends[0]), min(high, ends[1])


def _negated(node: Node) -> Node | None:
    """x, if the node is -x."""
    return node.args[0] if node.op == "scale" and node.meta == -1 else None


def _simple_ratio(value: float, base: float) -> tuple[int, int, float] | None:
    """(odd, shift, sign) if value = sign * odd * 2**shift * base, odd costing at most one adder."""
    mantissa, exponent = math.frexp(abs(value / base))
    for odd in _SIMPLE:
        if math.isclose(mantissa, math.ldexp(odd, -odd.bit_length()), rel_tol=1e-12):
            return odd, exponent - odd.bit_length(), math.copysign(1.0, value / base)
    return None
