"""A neuron's canonical sums in float, with the coefficients and tables that are used.

There is no datapath in it: what the integers are next to it is rounded once, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...compiler.algebra.factor import arranged
from ...compiler.algebra.terms import And, Compare, Lookup, Not, Or, Product, Select, Sum, Variable
from ...compiler.bounds.ranges import Ranges
from ...compiler.datapath import ARRAYS
from ...compiler.table import Table
from ...errors import ScneuroError
from ...fixed import FixedNeuron
from ...stochastic import totals
from ...words import Q8_8, fitting, nearest, rounded

__all__ = ["Recomputation", "table_value"]


def table_value(t: Table, word: np.ndarray) -> np.ndarray:
    """What a table yields at words, from its rows."""
    word = np.clip(word, t.first, t.last)
    row = np.array(t.rows)[(word >> t.shift) % len(t.rows)]
    half = 1 << max(t.slope_bits - 1, 0)
    slope = ((row & (2 * half - 1)) ^ half) - half if t.slope_bits else 0
    value = (row >> t.slope_bits) + slope * (word & ((1 << t.shift) - 1))
    result: np.ndarray = np.ldexp(
        (value >> (t.row_fraction - t.fraction)).astype(float), -t.fraction
    )
    return result


def _is_plain(atom: Any) -> bool:
    """Whether an addend is rounded nowhere but in the operands of one product or table."""
    match atom:
        case Variable():
            return True
        case Lookup(of=of):
            return isinstance(of, Variable) or _is_linear(of)
        case Select(_, yes, no):
            return all(side.choice is None and _is_shallow(side) for side in (yes, no))
        case Product(factors):
            return sum(power for _, power in factors) <= 2 and all(
                (_is_linear(f) or _is_exact(f)) if isinstance(f, Sum) else True for f, _ in factors
            )
    return False


def _is_linear(value: Any) -> bool:
    return isinstance(value, Sum) and all(isinstance(a, Variable) for a, _ in value.terms)


def _is_shallow(value: Sum) -> bool:
    """A sum of variables and of products of two."""
    return all(
        isinstance(a, Variable)
        or (
            isinstance(a, Product)
            and sum(power for _, power in a.factors) <= 2
            and all(isinstance(f, Variable) for f, _ in a.factors)
        )
        for a, _ in value.terms
    )


def _is_exact(value: Sum) -> bool:
    """A shallow sum whose coefficients need no rounding."""
    return _is_shallow(value) and all(float(16 * c).is_integer() for _, c in value.terms)


class Recomputation:
    """The canonical sums with the coefficients and tables that the lowering says it uses.

    ``is_doubtful`` after a sum says that it may be rounded where it is not known here: between
    many factors, in a choice within a sum, or by one of several values of a coefficient.

    It has no datapath: sums are float, an operand is the nearest word, a table is read from its
    rows, and a state is rounded once. What remains is half an LSB and what the rules call
    negligible, however wide the bound of a step is.
    """

    def __init__(self, fixed: FixedNeuron, vectors: dict[str, np.ndarray]) -> None:
        lowered = self.lowered = fixed.lowered
        self.vectors, count = vectors, len(next(iter(vectors.values())))
        reach = {
            n: (float(r.to_real(r.low)), float(r.to_real(r.high)))
            for n, r in (lowered.registers.items())
        }
        self.ranges = Ranges(
            {n: (word.least, word.greatest) for n, word in lowered.input_words.items()}
            | {n: (0.0, float(len(noise.draws))) for n, noise in lowered.noises.items()}
            | reach
        )
        self.used = [(c.of, c.exact, c.used) for c in lowered.coefficients]
        inputs = lowered.path.inputs
        self.real: dict[str, Any] = {
            n: np.ldexp(vectors[n].astype(float), -inputs[n].fraction)
            for n in (*lowered.registers, *lowered.inputs)
        }
        self.real |= totals(lowered.noises, vectors)
        roots = lowered.path.outputs | {str(k): d.node for k, d in enumerate(lowered.decisions)}
        made = lowered.path.evaluator(roots, ARRAYS)(vectors)
        self.made = {n: np.broadcast_to(np.asarray(v), count) for n, v in made.items()}
        self.taken = {d.expr: self.made[str(k)] != 0 for k, d in enumerate(lowered.decisions)}
        self.fraction: int | None = None
        self.is_doubtful = False

    def of(self, value: Sum) -> Any:
        """A sum, as a float."""
        if value.choice is not None:
            return self.atom(value.choice)
        total: Any = value.constant
        for atom, coefficient in arranged(value.terms):
            self.is_doubtful |= not _is_plain(atom)
            total = total + self.coefficient(atom, coefficient) * self.atom(atom)
        return total

    def side(self, value: Sum) -> Any:
        """A side of a choice: a constant is one of the register it ends in."""
        if value.terms or self.fraction is None:
            return self.of(value)
        return np.ldexp(float(nearest(value.constant, self.fraction)), -self.fraction)

    def coefficient(self, atom: Any, exact: float) -> float:
        """The coefficient that is used: one near 1 is kept as 1 and a small one."""
        for rest in (exact, exact - np.copysign(1.0, exact)):
            found = {
                exact - listed + used
                for of, listed, used in self.used
                if of == atom.key and abs(listed - rest) <= 1e-12 * abs(exact)
            }
            if found:
                # used in several sums, each with a significand of its own: which is this one?
                self.is_doubtful |= max(found) - min(found) > 1e-12 * abs(exact)
                return min(found)
        return exact

    def atom(self, atom: Any) -> Any:
        match atom:
            case Variable(name):
                return self.real[name]
            case Sum():
                return self.of(atom)
            case Select(condition, yes, no):
                return np.where(self.holds(condition), self.side(yes), self.side(no))
            case Product(factors):
                result: Any = 1.0
                for factor, power in factors:
                    result = result * self.operand(factor) ** power
                return result
            case Lookup():
                return self.read(atom)
        raise ScneuroError(f"a recomputation knows nothing of {type(atom).__name__}: {atom}")

    def operand(self, factor: Any) -> Any:
        """What a product is made of: the nearest word."""
        if isinstance(factor, Variable):
            integers, fraction = self.word(factor.name)
            return np.ldexp(integers.astype(float), -fraction)
        if isinstance(factor, Lookup):
            t = self.table(factor)
            ends = np.ldexp(t.low, -t.fraction), np.ldexp(t.high, -t.fraction)
        else:
            ends = self.ranges.of(Sum(((factor, 1.0),)))
        word = fitting(*ends) or Q8_8
        return np.ldexp(rounded(self.atom(factor), word.fraction), -word.fraction)

    def word(self, name: str) -> tuple[np.ndarray, int]:
        """The word of a register or input, and its fraction bits."""
        if name not in self.lowered.registers:
            return self.vectors[name], self.lowered.input_words[name].fraction
        r = self.lowered.registers[name]
        word = fitting(*self.ranges.variables[name])
        if word is None or word.fraction < r.word.fraction:
            word = r.word
        nearest_word = rounded(self.real[name], word.fraction).astype(np.int64)
        return np.clip(nearest_word, -(1 << 15), (1 << 15) - 1), word.fraction

    def table(self, lookup: Lookup) -> Any:
        return next(t for t in self.lowered.tables if t.text == str(lookup.expr))

    def read(self, lookup: Lookup) -> Any:
        """A table by its definition, at the word of a register or of a sum."""
        if isinstance(lookup.of, Variable):
            word, _ = self.word(lookup.of.name)
        else:
            fraction = (fitting(*self.ranges.of(lookup.of), -8) or Q8_8).fraction
            word = rounded(self.of(lookup.of), fraction).astype(np.int64)
        return table_value(self.table(lookup), word)

    def holds(self, condition: Any) -> Any:
        match condition:
            case Compare():
                # a > b has become not b >= a
                taken = self.taken[condition.expr]
                return ~taken if condition.expr.op == "gt" else taken
            case Not(of):
                return ~self.holds(of)
            case And(a, b):
                return self.holds(a) & self.holds(b)
            case Or(a, b):
                return self.holds(a) | self.holds(b)
        return bool(condition)

    def errors(self) -> Iterator[tuple[str, np.ndarray]]:
        """Every state's difference, in LSBs of its register."""
        for name, r in self.lowered.registers.items():
            self.fraction, self.is_doubtful = r.fraction, False
            wanted = np.ldexp(self.of(self.lowered.updates[name]), r.fraction)
            yield name, self.made[name] - np.clip(wanted, r.low, r.high)
