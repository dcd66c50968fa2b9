"""The integers next to a recomputation: is every value rounded once, and no worse than it says?

The bound of one step is wide where values are rounded before they are multiplied: one that is wrong
by an LSB, or rounds the wrong way, stays within it. Here the registers are computed again from the
neuron's canonical sums, with no datapath (:mod:`.canonical`), and every value of the datapath with
no evaluator (:mod:`.exact`), so that such an error has nowhere to hide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiler.algebra.terms import (
    And,
    Compare,
    Lookup,
    Not,
    Or,
    Product,
    Select,
    Sum,
    Variable,
    proportion,
)
from ...compiler.datapath import Node
from ...compiler.graph import Graph
from ...compiler.lowered import Lowered
from ...fixed import FixedNeuron, need_fixed
from ...words import nearest
from .canonical import Recomputation, table_value
from .decisions import both_sides, words_in_turn
from .exact import disagreements
from .vectors import random_vectors

__all__ = ["Recomputed", "recompute"]

_COUNT = 2000
_EXACT = 200  # vectors of which every value is computed in rationals


@dataclass(frozen=True)
class Recomputed:
    """What a recomputation found.

    Attributes
    ----------
    neuron : str
    vectors : int
    largest : dict of str to float
        By state, the most its register was off the recomputed sum, in its LSBs.
    failures : list of str
    unjudged : list of str
        States in whose sums values are rounded where it is not known here, such as between many
        factors, in a choice within a sum, or where widths follow from a share of the budget: only
        their bound judges them.
    """

    neuron: str
    vectors: int
    largest: dict[str, float]
    failures: list[str]
    unjudged: list[str]

    @property
    def ok(self) -> bool:
        return not self.failures

    def figures(self) -> dict[str, Any]:
        """Everything as plain data, for JSON."""
        return {**vars(self), "ok": self.ok}

    def __str__(self) -> str:
        worst = ", ".join(f"{name} {lsb:.2f}" for name, lsb in self.largest.items())
        worst += "".join(f", {name} not judged" for name in self.unjudged)
        text = (
            f"{self.neuron}: {self.vectors:,} vectors, in LSB of a register off by {worst} at most"
        )
        return "\n".join([text, *(f"  FAIL  {failure}" for failure in self.failures)])


_NEGLIGIBLE = 0.125  # LSB: what constants and the operands of coefficients may lack together
#: By what a register is off its sum on average, and how far it can be from that: in its LSBs.
_ROUNDINGS = {"nearest": (0.0, 0.5), "floor": (-0.5, 0.5), "stochastic": (0.0, 1.0)}
_SURE = 0.4  # LSB from a threshold: beyond what a sum may lack, within the one of a wrong bound
_SPREAD = 0.1  # LSB: less, and every sum lacks the same, as where there is only a constant to add
_BIASED = 0.3  # LSB: less than the half that may be missing, more than operands may lack
_MOST = 0.9999  # a sum so near a tie that float cannot tell may become either word


def _compares(lowered: Lowered) -> dict[Any, Compare]:
    """The comparisons of a lowered neuron, by their expression."""
    found: dict[Any, Compare] = {}

    def visit(thing: Any) -> None:
        match thing:
            case Compare():
                found[thing.expr] = thing
            case Not(of):
                visit(of)
            case And(a, b) | Or(a, b):
                visit(a)
                visit(b)
            case Select(condition, yes, no):
                visit(condition)
                visit(yes)
                visit(no)
            case Sum(terms):
                for atom, _ in terms:
                    visit(atom)

    for update in lowered.updates.values():
        visit(update)
    visit(lowered.spike)
    return found


def _written(lowered: Lowered, compare: Compare) -> tuple[Any, Sum, float, bool] | None:
    """What is compared, if a state is written with it.

    Its register, the sum, the threshold, and whether it holds above.
    """
    for name, update in lowered.updates.items():
        for leaf in update.leaves:
            ratio = proportion(compare.value.terms, leaf.terms)
            if leaf.terms and ratio is not None:
                at = leaf.constant - compare.value.constant / ratio
                return lowered.registers[name], leaf, at, ratio > 0
    return None


def decides_on_the_rounded(fixed: FixedNeuron, seed: int) -> bool:
    """Whether a comparison with what a state is written with is one of the rounded value.

    Seen on both sides of the decision, one LSB of a register apart.
    """
    lowered, compares = fixed.lowered, _compares(fixed.lowered)
    vectors = words_in_turn(fixed, seed)
    for decision in lowered.decisions:
        compare = compares.get(decision.expr)  # that of an argument of a table is not among them
        found = None if compare is None else _written(lowered, compare)
        if compare is None or found is None:
            continue
        register, leaf, at, above = found
        if not _on_the_written(fixed, decision.node, register.name):
            continue
        threshold = nearest(at, register.fraction)
        for name in lowered.registers:
            for side in both_sides(fixed, decision.node, name, vectors, _COUNT) or ():
                again = Recomputation(fixed, side)
                over = np.ldexp(again.of(leaf), register.fraction) - threshold + 0.5
                if again.is_doubtful:
                    continue
                over = over if above else 1 - over
                sure = np.abs(over) > _SURE
                agree = again.holds(compare)[sure] == (over >= 0)[sure]
                if len(agree) and np.mean(agree) < _MOST:
                    return False
    return True


def _on_the_written(fixed: FixedNeuron, node: Node, name: str) -> bool:
    """Whether a decision compares what is written, and not a sum that is rounded elsewhere."""
    while node.op in ("not", "move", "known", "shl"):
        (node,) = node.args
    path = fixed.lowered.path
    written = {n.index for n in path.reachable((path.outputs[name],))}
    fraction = fixed.lowered.registers[name].fraction
    return node.op == "ge" and node.args[0].index in written and node.args[0].fraction == fraction


def _one_sided(error: np.ndarray) -> str:
    """How errors of rounding to nearest are not about 0, and ties not up; "" if they are."""
    ties = np.abs(np.abs(error) - 0.5) < 1e-6
    mean = float(np.mean(error[~ties])) if not np.all(ties) else 0.0
    if abs(mean) > _BIASED and np.std(error[~ties]) > _SPREAD:
        return f"by {mean:+.2f} LSB"
    return "ties go down" if np.mean(ties) > 0.01 and np.mean(error[ties] > 0) < 0.5 else ""


def _guarded(register: Any, lowered: Lowered) -> bool:
    """Whether a register has its 8 guard bits, and a dead zone within the LSB of its word."""
    leaves = [leaf for leaf in lowered.updates[register.name].leaves if leaf.terms]
    lost = [1 - leaf.coefficient(Variable(register.name)) for leaf in leaves]
    dead = [2.0 ** -(register.guard + 1) / part for part in lost if 1e-12 < part < 1]
    return register.guard >= 8 and all(zone <= 1 for zone in dead)


def _measured(fixed: FixedNeuron, again: Recomputation) -> bool:
    """Whether every table of a variable misses its function by what it says, and no more.

    Over all words; and beyond its limits, where it is held, by no more than its budget.
    """
    lowered = fixed.lowered
    for lookup in _lookups(lowered):
        t = next(t for t in lowered.tables if t.text == str(lookup.expr))
        if not isinstance(lookup.of, Variable) or lookup.of.name in lowered.noises:
            continue
        name = lookup.of.name
        node = lowered.path.inputs[name]
        _, fraction = again.word(name)
        drop = node.fraction - fraction
        if drop < 0:  # the table reads bits that the variable does not have
            continue
        words = np.arange(-(-node.low >> drop), (node.high >> drop) + 1)
        points = {name: np.ldexp(words, -fraction)}
        exact = Graph.evaluate((lookup.expr,), points)[0]
        worst = np.max(np.abs(table_value(t, words) - exact))
        if worst > t.budget or abs(worst - t.error) > 2.0**-20:
            return False
    return True


def _lookups(lowered: Lowered) -> list[Lookup]:
    found: dict[Lookup, None] = {}

    def visit(thing: Any) -> None:
        match thing:
            case Lookup():
                found[thing] = None
            case Product(factors):
                for factor, _ in factors:
                    visit(factor)
            case Select(_, yes, no):
                visit(yes)
                visit(no)
            case Sum(terms):
                for atom, _ in terms:
                    visit(atom)

    for update in lowered.updates.values():
        visit(update)
    return list(found)


def recompute(fixed: FixedNeuron, *, seed: int = 0) -> Recomputed:
    """Compute what a neuron's integers are once more, and compare.

    Parameters
    ----------
    fixed : FixedNeuron
    seed : int
        Of the vectors.
    """
    need_fixed(fixed, "recompute()")
    lowered = fixed.lowered
    if lowered.share is not None:  # every width follows from the budget: only the bound judges
        exact = disagreements(fixed, random_vectors(fixed, _EXACT, seed=seed))
        return Recomputed(fixed.name, _EXACT, {}, exact, list(lowered.registers))
    failures = [
        f"the coefficient {c.exact:.6g} of {c.of} is used as {c.used:.6g}"
        for c in lowered.coefficients
        if abs(c.used - c.exact) > abs(c.exact) * 2.0**-16
    ]
    failures += [
        f"{name} has too few guard bits: its dead zone is beyond an LSB of its word"
        for name, register in lowered.registers.items()
        if not _guarded(register, lowered)
    ]
    again = Recomputation(fixed, words_in_turn(fixed, seed))
    if not _measured(fixed, again):
        failures.append("a table misses its function by another error than it says")
    if np.any(again.made["spike"] != again.holds(lowered.spike)):
        failures.append("there are spikes that the conditions say there are not, or none")
    largest: dict[str, float] = {}
    unjudged: list[str] = []
    middle, most = _ROUNDINGS[lowered.rounding]
    for name, off in again.errors():
        if again.is_doubtful:
            unjudged.append(name)
            continue
        error = off - middle
        near = np.abs(error) <= most + _NEGLIGIBLE
        largest[name] = float(np.max(np.abs(off)))
        if np.mean(near) < _MOST:
            far = 1 - np.mean(near)
            failures.append(f"{name} is not its sum, rounded once, from {far:.2%} of all registers")
        elif lowered.rounding == "nearest" and (one_sided := _one_sided(error[near])):
            failures.append(f"{name} is rounded to one side: {one_sided}")
    failures += disagreements(fixed, random_vectors(fixed, _EXACT, seed=seed))
    if lowered.rounding == "nearest" and not decides_on_the_rounded(fixed, seed):
        failures.append("a comparison with a state is not one with what its register gets")
    return Recomputed(fixed.name, len(again.made["spike"]), largest, failures, unjudged)
