"""Assembly: canonical sums become integer operations.

The number rules, in the order they are applied:

* A **coefficient** keeps a 16-bit significand with a binary point of its own. One near 1 is kept
  as 1 plus a small coefficient. Coefficients in a simple ratio share one multiplier.
* **Sums and products are exact.** The operands of a product of two values are these rounded to
  16 bits; that of a coefficient is the whole register, without the low bits whose part in the
  result is below 1/64 of the result's LSB.
* Each state is **rounded once**, when it is written; then it saturates. A comparison with what a
  state is about to become compares the rounded value.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from ..errors import LoweringError
from ..stochastic import LFSR
from ..words import Q8_8, WORD_BITS, Word, fitting, nearest
from .canonical import (
    And,
    Atom,
    Canonical,
    Compare,
    Condition,
    Factor,
    Lookup,
    Not,
    Or,
    Product,
    Select,
    Sum,
    Terms,
    Variable,
    proportion,
)
from .datapath import Node
from .factor import arranged
from .graph import Expr, Graph
from .lowered import Coefficient, Decision, Lowered
from .ranges import Ranges
from .registers import GUARD_BITS
from .table import Table

__all__ = ["assemble"]

SIGNIFICAND_BITS = 16
_CONSTANT_BITS = 4  # fraction bits of a constant below the register it ends in
_NEGLIGIBLE = 6  # what is below 2**-6 of a register's LSB is negligible
_FINEST = 46  # no sum has more fraction bits
_SIMPLE = (1, 3, 5, 7, 9, 15, 17, 31, 33)  # what one adder can multiply by
_COARSEST = -8  # the argument of a table may count in up to 256
_LAST = (1 << (WORD_BITS - 1)) - 1


def assemble(
    name: str, canonical: Canonical, ranges: Ranges, table_error: float | None, out: Lowered
) -> list[tuple[str, int]]:
    """Fill in ``out``; the states that leave the interval assumed for them, and on which side."""
    return _Assembly(name, canonical, ranges, table_error, out).run()


class _Assembly:
    def __init__(
        self,
        name: str,
        canonical: Canonical,
        ranges: Ranges,
        table_error: float | None,
        out: Lowered,
    ) -> None:
        self.name, self.canonical, self.ranges = name, canonical, ranges
        self.table_error, self.out, self.path = table_error, out, out.path
        self.values: dict[str, Node] = {}
        self.lookups: dict[Lookup, Node] = {}
        self.addends: dict[tuple[Terms, int], tuple[list[Node], list[Node], float]] = {}
        self.conditions: dict[Condition, Node] = {}
        self.compared: dict[Compare, float] = {}
        self.written: dict[Terms, list[tuple[str, Sum]]] = {}
        for state, update in out.updates.items():
            for leaf in update.leaves:
                if leaf.terms:
                    self.written.setdefault(leaf.terms, []).append((state, leaf))

    def run(self) -> list[tuple[str, int]]:
        path, out = self.path, self.out
        for name, r in out.registers.items():
            self.values[name] = path.input(name, r.low, r.high, r.fraction)
        for name in out.inputs:
            self.values[name] = path.input(name, ~_LAST, _LAST, Q8_8.fraction)
        most = (1 << LFSR.DRAW) - 1
        for name, noise in out.noises.items():
            draws = [path.input(draw, 0, most, LFSR.DRAW) for draw in noise.draws]
            self.values[name] = self._chain(draws)
        if out.rounding == "stochastic":
            for name in out.registers:
                path.input(f"noise_{name}", 0, most, 0)
        beyond = []
        for name, update in out.updates.items():
            r = out.registers[name]
            node = self._write(update, name)
            if node.low < r.low and r.low > r.least:
                beyond.append((name, -1))
            if node.high > r.high and r.high < r.most:
                beyond.append((name, 1))
            out.bounds[name] = node.error + 1e-9 * node.magnitude
            path.outputs[name] = path.clamp(node, r.low, r.high, f"{name}_next")
        condition = out.spike
        path.outputs["spike"] = (
            path.const(int(condition), 0)
            if isinstance(condition, bool)
            else self._condition(condition)
        )
        out.words.update({name: self._word(name) for name in out.registers})
        compared = {compare.expr for compare in self.compared}
        for expr in sorted(compared, key=lambda e: (e.depth, str(e))):  # inner ones first
            condition = self.canonical.condition(expr)
            if not isinstance(condition, bool):
                bounds = [b * c.unit for c, b in self.compared.items() if c.expr is expr]
                out.decisions.append(Decision(expr, self._condition(condition), max(bounds)))
        return beyond

    # -- writing a state ---------------------------------------------------------------------
    def _write(self, value: Sum, state: str) -> Node:
        """``value`` in the state's register, rounded but not yet limited."""
        choice = value.choice
        if choice is not None:
            node = self.path.mux(
                self._condition(choice.condition),
                self._write(choice.yes, state),
                self._write(choice.no, state),
            )
            low, high = self._span(value, state, node.fraction, {})
            return self.path.within(node, low, high)
        if value.terms:
            return self._rounded(value, state)
        r = self.out.registers[state]
        number = nearest(value.constant, r.fraction)
        if not r.least <= number <= r.most:
            raise LoweringError(
                f"{self.name}: {state} is set to {value.constant:g}, outside its range "
                f"{math.ldexp(r.least, -r.fraction):g} to {math.ldexp(r.most, -r.fraction):g}"
            )
        missed = abs(value.constant - math.ldexp(number, -r.fraction))
        return self.path.const(number, r.fraction, missed)

    def _span(
        self, value: Sum, state: str, fraction: int, facts: dict[int, tuple[int, int]]
    ) -> tuple[int, int]:
        """The integers that are written, where each node in ``facts`` lies within its limits."""
        choice = value.choice
        if choice is None:
            node = self._write(value, state)
            least, most = facts.get(node.index, (node.low, node.high))
            shift = fraction - node.fraction
            return max(node.low, least) << shift, min(node.high, most) << shift
        condition = self._condition(choice.condition)
        sides = []
        for side, holds in ((choice.yes, True), (choice.no, False)):
            implied = _implied(condition, holds, facts)
            if implied is not None:
                sides.append(self._span(side, state, fraction, implied))
        return min(low for low, _ in sides), max(high for _, high in sides)

    def _rounded(self, value: Sum, state: str) -> Node:
        """The exact sum, rounded the way the states are rounded."""
        fraction, mode = self.out.registers[state].fraction, self.out.rounding
        exact = self._sum(value, fraction, half=mode == "nearest")
        drop = exact.fraction - fraction
        if drop <= 0:
            return self.path.shl(exact, -drop)
        lsb = math.ldexp(1.0, -fraction)
        if mode == "stochastic":
            noise = self.path.inputs[f"noise_{state}"]
            draw = self.path.shr(noise, max(0, WORD_BITS - drop), 0.0)
            places = exact.fraction - max(0, drop - WORD_BITS)
            draw = self.path.scale(draw, 1, places - draw.fraction)
            draw = self.path.annotate(draw, draw.low, draw.high, 0.0, "dither")
            exact = self.path.add(exact, draw)
        return self.path.shr(exact, drop, lsb / 2 if mode == "nearest" else lsb, f"{state}_rounded")

    # -- sums --------------------------------------------------------------------------------
    def _sum(self, value: Sum, fraction: int, *, half: bool = False) -> Node:
        """The exact sum, for a result of ``fraction`` bits.

        With ``half``, half an LSB of the result is added if any bits are below it: folded into the
        sum's own constant, so rounding costs no adder.
        """
        scaled, whole, dropped = self._split(value.terms, fraction)
        finest = max((n.fraction for n in (*scaled, *whole)), default=fraction)
        places = min(max(finest, fraction), fraction + _CONSTANT_BITS)
        constant = nearest(value.constant + dropped, places)
        missed = abs(value.constant + dropped - math.ldexp(constant, -places))
        if abs(value.constant) > 1e-12 and constant == 0:
            note = f"the constant {value.constant:.3g} is too small for any register, and is lost"
            if note not in self.out.notes:
                self.out.notes.append(note)
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

    def _split(self, terms: Terms, fraction: int) -> tuple[list[Node], list[Node], float]:
        """The addends, those with a coefficient first, and what their operands lack on average."""
        if (terms, fraction) not in self.addends:
            whole: list[Node] = []
            scaled: list[tuple[Node, Atom, float]] = []
            dropped = 0.0
            for atom, coefficient in arranged(terms):
                node = self._atom(atom, fraction)
                if node.low == node.high == 0:
                    continue
                unit = math.copysign(1.0, coefficient)
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
                    operand, lacking = self._operand_for(node, coefficient, fraction)
                    dropped += coefficient * lacking
                    scaled.append((operand, atom, coefficient))
            self.addends[terms, fraction] = self._multiply(scaled), whole, dropped
        return self.addends[terms, fraction]

    def _chain(self, addends: list[Node]) -> Node:
        """Add up, starting from one that is not negated; a negated addend is subtracted."""
        start = next((i for i, n in enumerate(addends) if _negated(n) is None), 0)
        total = addends[start]
        for node in addends[:start] + addends[start + 1 :]:
            inner = _negated(node)
            total = self.path.add(total, inner, -1) if inner else self.path.add(total, node)
        return total

    def _signed(self, node: Node, sign: float) -> Node:
        return node if sign > 0 else self.path.scale(node, -1, 0)

    def _operand_for(self, node: Node, coefficient: float, fraction: int) -> tuple[Node, float]:
        """What a coefficient multiplies: without the low bits that could not matter.

        The bits are cut off, which costs nothing; what is lost on average is returned, to go
        into the sum's constant.
        """
        wanted = fraction + _NEGLIGIBLE + math.ceil(math.log2(abs(coefficient)))
        drop = min(node.fraction - wanted, node.width - 1)
        if drop <= 0:
            return node, 0.0
        half = math.ldexp(0.5, drop - node.fraction)
        return self.path.shr(node, drop, half), half

    def _multiply(self, terms: list[tuple[Node, Atom, float]]) -> list[Node]:
        """coefficient x node for every term; those in simple ratios share a multiplier."""
        results = []
        while terms:
            ratios = [[_simple_ratio(c, base) for _, _, c in terms] for *_, base in terms]
            best = max(range(len(terms)), key=lambda i: (len(terms) - ratios[i].count(None), -i))
            base = terms[best][2]
            group = [(t, r) for t, r in zip(terms, ratios[best], strict=True) if r is not None]
            terms = [t for t, r in zip(terms, ratios[best], strict=True) if r is None]
            results.append(self._shared(base, group))
        return results

    def _shared(
        self, base: float, group: list[tuple[tuple[Node, Atom, float], tuple[int, int, float]]]
    ) -> Node:
        """base x (the sum of ratio x node): one multiplier for all of the group."""
        finest = max(node.fraction - shift for (node, *_), (_, shift, _) in group)
        flip = math.copysign(1.0, base)  # the product is positive: to subtract it costs more
        significand, places = self._coefficient(abs(base), finest)
        members, error = [], 0.0
        for (node, atom, exact), (odd, shift, direction) in group:
            sign = direction * flip
            used = math.ldexp(significand * odd * sign, shift - places)
            self.out.coefficients.append(Coefficient(atom.key, exact, used))
            error += abs(exact - used) * node.magnitude
            members.append(self._signed(self.path.scale(node, odd, -shift), sign))
        total = self._chain(sorted(members, key=lambda n: -n.fraction))
        inner = _negated(total)
        product = self.path.scale(inner or total, significand, places, "product")
        product = self.path.annotate(
            product, product.low, product.high, product.error + error, product.name
        )
        return product if inner is None else self._signed(product, -1.0)

    def _coefficient(self, value: float, finest: int) -> tuple[int, int]:
        """(significand, fraction bits): the nearest significand of 16 bits, made odd."""
        places = min(SIGNIFICAND_BITS - math.frexp(value)[1], _FINEST - finest)
        significand = nearest(value, places)
        if significand == 0:
            raise LoweringError(
                f"{self.name}: the coefficient {value:.3g} is too small for any state to notice",
                "scale the units of what it multiplies, or drop the term",
            )
        while significand % 2 == 0:
            significand, places = significand // 2, places - 1
        return significand, places

    # -- atoms -------------------------------------------------------------------------------
    def _atom(self, atom: Factor, fraction: int) -> Node:
        match atom:
            case Variable(name):
                return self.values[name]
            case Sum():
                return self._finely(atom)
            case Product(factors):
                return self._product([(self._atom(f, fraction), n) for f, n in factors])
            case Select(condition, yes, no):
                return self.path.mux(
                    self._condition(condition), self._sum(yes, fraction), self._sum(no, fraction)
                )
        if atom not in self.lookups:
            self.lookups[atom] = self._lookup(atom)
        return self.lookups[atom]

    def _product(self, factors: list[tuple[Node, int]]) -> Node:
        """Powers by squaring, then the bases together; every factor a 16-bit operand."""
        result: Node | None = None
        for node, n in factors:
            square = self._operand(node)
            while True:
                if n % 2:
                    result = square if result is None else self._times(result, square)
                n //= 2
                if not n:
                    break
                square = self._times(square, square)
        assert result is not None
        return result

    def _times(self, a: Node, b: Node) -> Node:
        return self.path.mul(self._operand(a), self._operand(b))

    def _operand(self, node: Node) -> Node:
        """The value in a signed 16-bit word, with as many fraction bits as its interval allows."""
        low, high = math.ldexp(node.low, -node.fraction), math.ldexp(node.high, -node.fraction)
        word = fitting(low, high)
        register = self.out.registers.get(node.meta) if node.op == "input" else None
        if register and (word is None or word.fraction < register.word.fraction):
            word = register.word  # the guard bits alone reach beyond it
        if word is None:
            raise LoweringError(
                f"{self.name}: {node.name} lies in {low:g} to {high:g}, too wide to multiply",
                "scale the units, or bound it with np.clip",
            )
        return self._to_word(node, word)

    def _to_word(self, node: Node, word: Word) -> Node:
        """The nearest word; one that would round out of the top saturates."""
        drop = node.fraction - word.fraction
        if drop <= 0:
            return node
        half = self.path.const(1, word.fraction + 1)
        rounded = self.path.add(node, half)
        result = self.path.shr(rounded, drop, word.lsb / 2, f"{node.name}_word")
        # at the top, guard bits reach beyond the last word by up to an LSB
        return self.path.clamp(result, ~_LAST, _LAST, error=word.lsb / 2)

    def _word(self, state: str) -> Node:
        return self._to_word(self.values[state], self.out.registers[state].word)

    def _lookup(self, lookup: Lookup) -> Node:
        if isinstance(lookup.of, Variable):
            variable = lookup.of.name
            word = self._operand(self.values[variable])
        else:
            variable, word = "x", self._argument(lookup)
        table = Table.fit(
            partial(_evaluate, lookup.expr, variable),
            low=word.low,
            high=word.high,
            fraction=word.fraction,
            text=str(lookup.expr),
            budget=self.table_error,
        )
        self.out.tables.append(table)
        error = table.error_between if word.error else table.error
        beyond_half = max(0.0, math.ldexp(word.error, word.fraction) - 0.5)
        error += table.steepest * math.ceil(beyond_half)
        return table.build(self.path, word, error, f"table_{len(self.out.tables)}")

    def _finely(self, value: Sum) -> Node:
        """The exact sum, for a result that becomes a 16-bit word."""
        word = fitting(*self.ranges.of(value), _COARSEST) or Q8_8
        return self._sum(value, word.fraction + GUARD_BITS)

    def _argument(self, lookup: Lookup) -> Node:
        """The sum a table is a function of, as a word of its own.

        The sum's real interval can be narrower than that of its integers (it knows what a branch
        implies); the word is limited to it.
        """
        assert isinstance(lookup.of, Sum)
        low, high = self.ranges.of(lookup.of)
        exact = self._finely(lookup.of)
        low = max(low - exact.error, math.ldexp(exact.low, -exact.fraction))
        high = min(high + exact.error, math.ldexp(exact.high, -exact.fraction))
        word = fitting(low, high, _COARSEST)
        if word is None:
            raise LoweringError(
                f"{self.name}: {lookup.expr} has an argument x = {lookup.of.key} in {low:g} "
                f"to {high:g}, more than a 16-bit word holds",
                "bound the argument with np.clip",
            )
        node = self._to_word(exact, word)
        least = math.floor(math.ldexp(low, node.fraction))
        most = math.ceil(math.ldexp(high, node.fraction))
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
                return self._threshold(compare, self._rounded(leaf, state), ratio, ends[which])
        exact = self._sum(Sum(value.terms), Q8_8.fraction + GUARD_BITS)
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


def _negated(node: Node) -> Node | None:
    """x, if the node is -x."""
    return node.args[0] if node.op == "scale" and node.meta == -1 else None


def _evaluate(expr: Expr, variable: str, points: np.ndarray) -> np.ndarray:
    (values,) = Graph.evaluate((expr,), {variable: points})
    return np.asarray(values, dtype=float)


def _simple_ratio(value: float, base: float) -> tuple[int, int, float] | None:
    """(odd, shift, sign) if value = sign * odd * 2**shift * base, odd costing at most one adder."""
    mantissa, exponent = math.frexp(abs(value / base))
    for odd in _SIMPLE:
        if math.isclose(mantissa, math.ldexp(odd, -odd.bit_length()), rel_tol=1e-12):
            return odd, exponent - odd.bit_length(), math.copysign(1.0, value / base)
    return None
