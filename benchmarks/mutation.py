"""Mutation check: single faults in the lowering and in the gates, and the rung that catches each.

    python benchmarks/mutation.py [--neuron NAME] [--seed N] [--jobs N] [--json]

A fault in the lowering makes model and gates wrong alike, so it is for the rungs that look at the
integer model: ``error`` (the lowering refuses, or a table is addressed beyond its rows), ``step``
(level 2, by the bounds of the sound lowering), ``trace`` (level 3), ``recompute`` (the registers
next to a recomputation from the canonical sums that uses no datapath), ``reset`` (the proof of
resets), and ``proof``, which shows that no value leaves its interval. A fault in the gates is for
``bits`` (level 1, by simulation of random vectors and a run), for ``ties`` (level 1 with vectors on
both sides of every decision), and for the proof, each on its own.

A fault that nothing catches must be shown to be none: for the gates the proof says so, for the
lowering the solver shows that both datapaths compute the same. Anything else is a hole.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from amaranth import Cat, ClockSignal, Const, Instance, Module, ResetSignal
from amaranth.back import rtlil
from bitwuzla import Bitwuzla, Kind, Option, Options, Result, TermManager

from scneuro.compiler import assemble as _rules
from scneuro.compiler import canonical, table
from scneuro.compiler import registers as _registers
from scneuro.compiler.canonical import And, Compare, Lookup, Not, Or, Product, Select, Sum, Variable
from scneuro.compiler.datapath import ARRAYS, Datapath, Node
from scneuro.compiler.factor import arranged
from scneuro.compiler.graph import Graph
from scneuro.compiler.lowered import Lowered
from scneuro.compiler.pipeline.form import Form
from scneuro.compiler.pipeline.schedule import Schedule
from scneuro.compiler.ranges import Ranges
from scneuro.errors import ScneuroError
from scneuro.fixed import FixedNeuron
from scneuro.hdl import LFSR, Neuron, Step
from scneuro.hdl.step import _fitted
from scneuro.load import make_neuron
from scneuro.signals.stimulus import adversarial, as_words, ornstein_uhlenbeck
from scneuro.sim import vector_parity
from scneuro.sim.compare.parity import History, _fixed_history, _one_step
from scneuro.sim.compare.vectors import random_vectors
from scneuro.sim.engines.amaranth import simulate_steps
from scneuro.sim.engines.compiled import compile_design, compiled_steps
from scneuro.sim.proof import invariants, prove
from scneuro.sim.proof.bits import Integer, bitvectors
from scneuro.stochastic import totals
from scneuro.words import Q8_8, fitting, nearest, quantize, rounded

NEURONS = ("lif", "izhikevich", "adex", "conductance_lif", "noisy_lif")
LOWERING = ("error", "step", "trace", "recompute", "reset", "proof")
GATES = ("refused", "bits", "ties", "proof")
_VECTORS = 2000
_STEPS = 3000
_CHUNK = 1 << 20
_prover = importlib.import_module("scneuro.sim.proof.prove")
_gates = importlib.import_module("scneuro.hdl.neuron")


@dataclass(frozen=True)
class Fault:
    """One fault: the layer it is planted in, its operator, and the site.

    Attributes
    ----------
    neuron : str
    layer : str
        ``node`` and ``rule`` of the lowering; ``cell``, ``stage``, ``text`` and ``neuron`` of the
        gates.
    operator : str
    site : int
        Which node, or which line of the RTLIL.
    held : bool
        Of a fault in the gates: whether their inputs are held.
    where : str
    """

    neuron: str
    layer: str
    operator: str
    site: int = 0
    held: bool = False
    where: str = ""

    @property
    def in_lowering(self) -> bool:
        return self.layer in ("node", "rule")


@dataclass
class Verdict:
    """What became of a fault: whether each rung that was tried catches it, and its seconds."""

    fault: Fault
    caught: dict[str, bool]
    seconds: dict[str, float]
    equivalent: str = ""

    @property
    def first(self) -> str:
        rungs = LOWERING if self.fault.in_lowering else GATES
        return next((rung for rung in rungs if self.caught.get(rung)), "")

    @property
    def ok(self) -> bool:
        return bool(self.first or self.equivalent)

    def __str__(self) -> str:
        f = self.fault
        rung = self.first or (f"nothing; equivalent: {self.equivalent}" if self.ok else "NOTHING")
        tried = ", ".join(
            f"{r} {'yes' if c else 'no'} {self.seconds[r]:.2f} s" for r, c in self.caught.items()
        )
        return f"{f.neuron:16s} {f.layer:7s} {f.operator:18s} {f.where:34s} {rung:10s} ({tried})"


# -- what a fault does to a node -------------------------------------------------------------------
def _sign(n: Node) -> dict[str, Any]:
    i, j, sign = n.meta
    return {"meta": (i, j, -sign)}


def _shifted(n: Node) -> dict[str, Any]:
    i, j, sign = n.meta
    return {"meta": (i + 1, j, sign) if i else (i, j + 1, sign)}


def _row(n: Node) -> dict[str, Any]:
    k = random.Random(len(n.meta)).randrange(len(n.meta))
    return {"meta": (*n.meta[:k], n.meta[k] ^ 1, *n.meta[k + 1 :])}


def _narrow(n: Node) -> dict[str, Any]:
    return {"low": n.low // 2, "high": n.high // 2}


#: The operation a fault is planted in, and what of it is changed.
CHANGES: dict[str, tuple[str, Callable[[Node], dict[str, Any]]]] = {
    "sign of a term": ("add", _sign),
    "shift by one more": ("add", _shifted),
    "coefficient": ("scale", lambda n: {"meta": n.meta + 2}),
    "constant + 1": ("const", lambda n: {"meta": n.meta + 1}),
    "truncation": ("shr", lambda n: {"meta": n.meta + 1}),
    "bound + 1": ("ge", lambda n: {"meta": n.meta + 1}),
    "branches swapped": ("mux", lambda n: {"args": (n.args[0], n.args[2], n.args[1])}),
    "limit - 1": ("clamp", lambda n: {"meta": (n.meta[0], n.meta[1] - 1)}),
    "limit + 1": ("clamp", lambda n: {"meta": (n.meta[0] + 1, n.meta[1])}),
    "bit of a row": ("rom", _row),
    "rows moved by one": ("rom", lambda n: {"meta": (*n.meta[1:], n.meta[0])}),
    "field not signed": ("low", lambda n: {"meta": (n.meta[0], False)}),
    "field too narrow": ("low", lambda n: {"meta": (n.meta[0] - 1, n.meta[1])}),
    "operands swapped": ("add", lambda n: {"args": n.args[::-1]}),
    "factors swapped": ("mul", lambda n: {"args": n.args[::-1]}),
    "wrong factor": ("mul", lambda n: {"args": (n.args[1], n.args[1])}),
    "signal too narrow": ("add", _narrow),
    "sign extension": ("add", lambda n: {"low": 0, "high": (1 << n.width) - 1}),
}
_ONLY_GATES = ("signal too narrow", "sign extension")


def _fits(operator: str, n: Node) -> bool:
    """Whether the change is one: it is of that operation, and makes something else of it."""
    op, _ = CHANGES[operator]
    if n.op != op:
        return False
    match operator:
        case "coefficient":
            return abs(n.meta) > 5 and n.meta % 2 == 1
        case "field not signed":
            return bool(n.meta[1])
        case "field too narrow":
            return bool(n.meta[0] > 1)
        case "sign extension":
            return n.low < 0
        case "operands swapped":
            return bool(n.meta[0] or n.meta[1] or n.meta[2] < 0)
    return True


def _changed(operator: str, n: Node) -> Node:
    """A copy of the node with the fault."""
    fields = {name: getattr(n, name) for name in Node.__slots__}
    return Node(**{**fields, **CHANGES[operator][1](n)})


# -- faults in the lowering ------------------------------------------------------------------------
def _with_path(fixed: FixedNeuron, lowered: Lowered) -> FixedNeuron:
    return FixedNeuron(fixed.name, fixed.dt, fixed.input_defaults, lowered, seed=fixed.seed)


def _roots(lowered: Lowered) -> tuple[Node, ...]:
    nodes = (*lowered.path.outputs.values(), *lowered.words.values())
    return (*nodes, *(decision.node for decision in lowered.decisions))


def with_node_changed(fixed: FixedNeuron, index: int, operator: str) -> FixedNeuron:
    """The neuron with one node of its datapath changed; bounds and intervals stay as they were."""
    lowered = fixed.lowered
    path, new = Datapath(), {}
    for name, node in lowered.path.inputs.items():
        new[node.index] = path.input(name, node.low, node.high, node.fraction)
    for node in lowered.path.reachable(_roots(lowered)):
        if node.op != "input":
            made = _changed(operator, node) if node.index == index else node
            new[node.index] = path.copy(made, tuple(new[arg.index] for arg in made.args))
    path.outputs = {name: new[node.index] for name, node in lowered.path.outputs.items()}
    return _with_path(
        fixed,
        dataclasses.replace(
            lowered,
            path=path,
            words={name: new[node.index] for name, node in lowered.words.items()},
            decisions=[dataclasses.replace(d, node=new[d.node.index]) for d in lowered.decisions],
        ),
    )


def _one_more(method: Callable[..., tuple[int, int]]) -> Callable[..., tuple[int, int]]:
    def coefficient(self: Any, value: float, finest: int) -> tuple[int, int]:
        significand, places = method(self, value, finest)
        lost = max(0, 16 - significand.bit_length())
        significand, places = (significand << lost) + 1, places + lost
        while significand % 2 == 0:
            significand, places = significand // 2, places - 1
        return significand, places

    return coefficient


def _without_half(self: Any, node: Node, word: Any) -> Node:
    drop = node.fraction - word.fraction
    return node if drop <= 0 else self.path.shr(node, drop, word.lsb, f"{node.name}_word")


def _first_negated(original: Callable[..., Any]) -> Callable[..., Any]:
    def arranged(terms: Any) -> Any:
        (atom, coefficient), *others = original(terms)
        return [(atom, -coefficient), *others]

    return arranged


def _refitted(change: Callable[[Any], dict[str, Any]]) -> Any:
    fit = table.Table.fit

    def faulty(*args: Any, **options: Any) -> Any:
        fitted = fit(*args, **options)
        return dataclasses.replace(fitted, **change(fitted))

    return patch.object(table.Table, "fit", faulty)


def _floor(value: float, fraction: int) -> int:
    return int(np.floor(np.ldexp(value, fraction)))


_Assembly = _rules._Assembly

#: A number rule of the lowering, wrong throughout one run of it.
RULES: dict[str, Callable[[], Any]] = {
    "rounding half missing": lambda: patch.object(
        _Assembly,
        "_sum",
        lambda self, value, fraction, half=False, f=_Assembly._sum: f(self, value, fraction),
    ),
    "half of a word missing": lambda: patch.object(_Assembly, "_to_word", _without_half),
    "significand + 1": lambda: patch.object(
        _Assembly, "_coefficient", _one_more(_Assembly._coefficient)
    ),
    "significand of 12 bits": lambda: patch.object(_rules, "SIGNIFICAND_BITS", 12),
    "operands cut too short": lambda: patch.object(_rules, "_NEGLIGIBLE", 0),
    "cut not made up for": lambda: patch.object(
        _Assembly, "_operand_for", lambda self, *a, f=_Assembly._operand_for: (f(self, *a)[0], 0.0)
    ),
    "constants too coarse": lambda: patch.object(_rules, "_CONSTANT_BITS", -2),
    "constants floored": lambda: patch.object(_rules, "nearest", _floor),
    "6 guard bits": lambda: patch.object(_registers, "GUARD_BITS", 6),
    "40 guard bits": lambda: patch.object(_registers, "GUARD_BITS", 40),
    "first term negated": lambda: patch.object(_rules, "arranged", _first_negated(_rules.arranged)),
    "noise of half the scale": lambda: patch.object(_rules.LFSR, "DRAW", 17),
    "table begins late": lambda: _refitted(lambda t: {"first": t.first + (t.last - t.first) // 2}),
    "table ends early": lambda: _refitted(lambda t: {"last": t.last - (1 << t.shift)}),
    "table without half": lambda: _refitted(
        lambda t: {
            "rows": tuple(r - (1 << (t.slope_bits + t.row_fraction - t.fraction)) for r in t.rows)
        }
    ),
}
_TABLE_RULES = tuple(name for name in RULES if name.startswith("table"))


def with_rule_broken(neuron: Any, sound: FixedNeuron, rule: str) -> FixedNeuron:
    """The neuron lowered by a wrong rule, judged by the bounds of the sound one."""
    with RULES[rule]():
        fixed: FixedNeuron = neuron.fixed()
    bounds = {str(d.expr): d.bound for d in sound.lowered.decisions}
    decisions = [
        dataclasses.replace(d, bound=bounds.get(str(d.expr), d.bound))
        for d in fixed.lowered.decisions
    ]
    lowered = dataclasses.replace(fixed.lowered, bounds=sound.lowered.bounds, decisions=decisions)
    return _with_path(fixed, lowered)


# -- rungs for the lowering ------------------------------------------------------------------------
def _both_sides(
    fixed: FixedNeuron, node: Node, name: str, vectors: dict[str, np.ndarray], count: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]] | None:
    """Vectors on both sides of a condition, one LSB of the input ``name`` apart."""
    decide = fixed.lowered.path.evaluator({"yes": node}, ARRAYS)
    ends = fixed.lowered.path.inputs[name]
    size = len(vectors[name])
    at = [
        np.broadcast_to(decide({**vectors, name: np.full(size, end)})["yes"], size)
        for end in (ends.low, ends.high)
    ]
    differs = at[0] != at[1]
    if not np.any(differs):
        return None
    start = {n: v[differs][:count] for n, v in vectors.items()}
    at_low = at[0][differs][:count]
    low, high = np.full(len(at_low), ends.low), np.full(len(at_low), ends.high)
    while np.any(high - low > 1):
        middle = (low + high) >> 1
        same = np.asarray(decide({**start, name: middle})["yes"]) == at_low
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return {**start, name: low}, {**start, name: high}


def at_decisions(fixed: FixedNeuron, count: int, seed: int) -> dict[str, np.ndarray]:
    """Vectors on both sides of every decision."""
    sides: list[dict[str, np.ndarray]] = []
    vectors = random_vectors(fixed, 16 * count, seed=seed)
    for decision in fixed.lowered.decisions:
        for name in {n.meta for n in _behind(decision.node) if n.op == "input"}:
            sides += _both_sides(fixed, decision.node, name, vectors, count) or ()
    names = fixed.lowered.path.inputs
    return {n: np.concatenate([s[n] for s in sides]) for n in names} if sides else {}


def _behind(node: Node) -> list[Node]:
    found, stack = {}, [node]
    while stack:
        node = stack.pop()
        if node.index not in found:
            found[node.index] = node
            stack.extend(node.args)
    return list(found.values())


def _history(fixed: FixedNeuron, vectors: dict[str, np.ndarray]) -> tuple[Any, History]:
    """Vectors as the words and the history that level 2 takes."""
    lowered = fixed.lowered
    count = len(next(iter(vectors.values())))
    made = lowered.path.evaluator(lowered.path.outputs, ARRAYS)(vectors)
    after = {n: np.broadcast_to(made[n], count) for n in lowered.registers}
    before = {n: vectors[n] for n in lowered.registers}
    noise = {n: vectors[n] for n in lowered.noise}
    spikes = np.broadcast_to(np.asarray(made["spike"], dtype=bool), count)
    return {n: vectors[n] for n in lowered.inputs}, History(before, after, noise, spikes)


def level_2(fixed: FixedNeuron, *, seed: int = 0) -> bool:
    """Whether one step keeps to its bounds: any registers, a run, and both sides of decisions."""
    words = {
        n: quantize(adversarial(_VECTORS // 4, seed=k), n).astype(int)
        for k, n in enumerate(fixed.lowered.inputs)
    }
    run = words, _fixed_history(fixed, words, False)
    any_state = _history(fixed, random_vectors(fixed, _VECTORS, seed=seed))
    ties = at_decisions(fixed, _VECTORS // 8, seed)
    for given, history in (any_state, run, *([_history(fixed, ties)] if ties else [])):
        errors, (_, beyond) = _one_step(fixed, given, history)
        if beyond or any(not error <= bound for error, bound in errors.values()):
            return False
    return True


def level_3(neuron: Any, fixed: FixedNeuron) -> bool:
    """Whether float and the integers fire as often, within one spike or 2 %."""
    typical = neuron.currents[0]
    noisy = ornstein_uhlenbeck(typical, abs(typical) / 2, 20, dt=neuron.dt, steps=_STEPS, seed=1)
    stimulus = as_words(np.concatenate([np.full(_STEPS, typical), noisy]))
    float_run = neuron.run(stimulus, progress=False).spikes
    fixed_run = fixed.run(stimulus, progress=False).spikes
    return bool(abs(float_run - fixed_run) <= max(1, int(0.02 * float_run)))


def table_value(t: table.Table, word: np.ndarray) -> np.ndarray:
    """What a table yields at words, from its rows."""
    word = np.clip(word, t.first, t.last)
    row = np.array(t.rows)[(word >> t.shift) % len(t.rows)]
    half = 1 << max(t.slope_bits - 1, 0)
    slope = ((row & (2 * half - 1)) ^ half) - half if t.slope_bits else 0
    value = (row >> t.slope_bits) + slope * (word & ((1 << t.shift) - 1))
    return np.ldexp((value >> (t.row_fraction - t.fraction)).astype(float), -t.fraction)


class Recomputation:
    """The canonical sums with the coefficients and tables that the lowering says it uses.

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
            dict.fromkeys(lowered.inputs, (Q8_8.least, Q8_8.greatest))
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

    def of(self, value: Sum) -> Any:
        """A sum, as a float."""
        if value.choice is not None:
            return self.atom(value.choice)
        total: Any = value.constant
        for atom, coefficient in arranged(value.terms):
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
            for of, listed, used in self.used:
                if of == atom.key and abs(listed - rest) <= 1e-12 * abs(exact):
                    return exact - listed + used
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
        raise NotImplementedError(atom)

    def operand(self, factor: Any) -> Any:
        """What a product is made of: the nearest word."""
        if isinstance(factor, Variable):
            word, fraction = self.word(factor.name)
            return np.ldexp(word.astype(float), -fraction)
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
            return self.vectors[name], Q8_8.fraction
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
                return self.taken[condition.expr]
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
            self.fraction = r.fraction
            wanted = np.ldexp(self.of(self.lowered.updates[name]), r.fraction)
            yield name, self.made[name] - np.clip(wanted, r.low, r.high)


_NEGLIGIBLE = 0.125  # LSB: what constants and the operands of coefficients may lack together
_MOST = 0.9999  # a sum so near a tie that float cannot tell may become either word


def words_in_turn(fixed: FixedNeuron, seed: int) -> dict[str, np.ndarray]:
    """Vectors in which every register takes every word in turn; half have guard bits as well."""
    count = 1 << 16
    vectors = random_vectors(fixed, count, seed=seed)
    for k, r in enumerate(fixed.lowered.registers.values()):
        least, most = -(-r.low >> r.guard), r.high >> r.guard
        turn = (least + np.arange(count) * (2 * 7919 * k + 40503) % (most - least + 1)) << r.guard
        below = np.where(np.arange(count) % 2, vectors[r.name] & ((1 << r.guard) - 1), 0)
        vectors[r.name] = np.minimum(turn + below, r.high)
    return vectors


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
            ratio = canonical.proportion(compare.value.terms, leaf.terms)
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
        found = _written(lowered, compares[decision.expr])
        if found is None:
            continue
        register, leaf, at, above = found
        threshold = nearest(at, register.fraction)
        for name in lowered.registers:
            for side in _both_sides(fixed, decision.node, name, vectors, _VECTORS) or ():
                again = Recomputation(fixed, side)
                over = np.ldexp(again.of(leaf), register.fraction) - threshold + 0.5
                over = over if above else 1 - over
                sure = np.abs(over) > _NEGLIGIBLE
                agree = again.taken[decision.expr][sure] == (over >= 0)[sure]
                if len(agree) and np.mean(agree) < _MOST:
                    return False
    return True


def _guarded(register: Any, lowered: Lowered) -> bool:
    """Whether a register has its 8 guard bits, and a dead zone within the LSB of its word."""
    leaves = [leaf for leaf in lowered.updates[register.name].leaves if leaf.terms]
    lost = [1 - leaf.coefficient(Variable(register.name)) for leaf in leaves]
    dead = [2.0 ** -(register.guard + 1) / part for part in lost if 1e-12 < part < 1]
    return register.guard >= 8 and all(zone <= 1 for zone in dead)


def _measured(fixed: FixedNeuron) -> bool:
    """Whether every table of a register misses its function by what it says, and no more.

    Over all words; and beyond its limits, where it is held, by no more than its budget.
    """
    lowered = fixed.lowered
    for lookup in _lookups(lowered):
        t = next(t for t in lowered.tables if t.text == str(lookup.expr))
        if not isinstance(lookup.of, Variable):
            continue
        r = lowered.registers[lookup.of.name]
        words = np.arange(-(-r.low >> r.guard), (r.high >> r.guard) + 1)
        points = {r.name: np.ldexp(words, -r.word.fraction)}
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


def recomputed(fixed: FixedNeuron, *, seed: int = 0) -> bool:
    """Whether the integers are the canonical sums, rounded once; see :class:`Recomputation`."""
    lowered = fixed.lowered
    if any(abs(c.used - c.exact) > abs(c.exact) * 2.0**-16 for c in lowered.coefficients):
        return False
    if not all(_guarded(r, lowered) for r in lowered.registers.values()):
        return False
    if not _measured(fixed):
        return False
    again = Recomputation(fixed, words_in_turn(fixed, seed))
    if np.any(again.made["spike"] != again.holds(lowered.spike)):
        return False
    for _, error in again.errors():
        near = np.abs(error) <= 0.5 + _NEGLIGIBLE
        if np.mean(near) < _MOST:
            return False
        if abs(np.mean(error[near])) > _NEGLIGIBLE:
            return False
    vectors = random_vectors(fixed, _VECTORS, seed=seed)
    words = lowered.path.evaluator(lowered.words, ARRAYS)(vectors)
    if any(np.any(words[n] != r.to_word(vectors[n])) for n, r in lowered.registers.items()):
        return False
    return decides_on_the_rounded(fixed, seed)


def same_function(a: FixedNeuron, b: FixedNeuron, changed: int | None = None) -> str:
    """That two datapaths compute the same for all registers, inputs and draws; "" if not shown.

    ``changed`` is the index of the node of ``a`` that differs in ``b``, if it is one.
    """
    if a.lowered.registers != b.lowered.registers or a.lowered.inputs != b.lowered.inputs:
        return ""
    terms = TermManager()
    tables: dict[Any, Any] = {}

    def row(node: Node, address: Integer) -> Integer:
        bits = (len(node.meta) - 1).bit_length()
        at, held = terms.mk_bv_sort(bits), terms.mk_bv_sort(node.width + 1)
        if node.meta not in tables:
            tables[node.meta] = terms.mk_const(terms.mk_fun_sort([at], held), "rom")
            for k, value in enumerate(node.meta):
                read = [tables[node.meta], terms.mk_bv_value(at, k)]
                same = [terms.mk_term(Kind.APPLY, read), terms.mk_bv_value(held, value)]
                solver.assert_formula(terms.mk_term(Kind.EQUAL, same))
        return Integer(terms, terms.mk_term(Kind.APPLY, [tables[node.meta], address.low(bits)]))

    options = Options()
    options.set(Option.TIME_LIMIT_PER, 20_000)
    solver = Bitwuzla(terms, options)
    given = {}
    for name, node in a.lowered.path.inputs.items():
        given[name] = Integer(terms, terms.mk_const(terms.mk_bv_sort(node.width + 1), name))
        solver.assert_formula(given[name] >= node.low)
        solver.assert_formula(terms.mk_term(Kind.NOT, [given[name] >= node.high + 1]))

    def proved(pick: Callable[[FixedNeuron], dict[str, Node]]) -> bool:
        one, other = (
            fixed.lowered.path.evaluator(pick(fixed), bitvectors(terms, row))(given)
            for fixed in (a, b)
        )
        for name, value in one.items():
            same = (
                value.equals(other[name])
                if isinstance(value, Integer)
                else terms.mk_term(Kind.EQUAL, [value, other[name]])
            )
            solver.push(1)
            solver.assert_formula(terms.mk_term(Kind.NOT, [same]))
            shown = solver.check_sat() == Result.UNSAT
            solver.pop(1)
            if not shown:
                return False
        return True

    def everything(fixed: FixedNeuron) -> dict[str, Node]:
        lowered = fixed.lowered
        return lowered.path.outputs | {f"word of {n}": w for n, w in lowered.words.items()}

    nodes = [fixed.lowered.path.reachable(_roots(fixed.lowered)) for fixed in (a, b)]
    place = next((k for k, n in enumerate(nodes[0]) if n.index == changed), None)
    if place is not None and len(nodes[0]) == len(nodes[1]):
        of = {id(fixed): some[place] for fixed, some in zip((a, b), nodes, strict=True)}
        if proved(lambda fixed: {"node": of[id(fixed)]}):
            return "bitwuzla: the node has the same value for all registers and inputs"
        if name := _same_of_one_input(*zip((a, b), nodes, strict=True), place):
            return (
                f"all values of {name}: what leaves the part that depends on it alone is the same"
            )
    if proved(everything):
        return "bitwuzla: both datapaths compute the same for all registers and inputs"
    return ""


def _same_of_one_input(
    one: tuple[FixedNeuron, list[Node]], other: tuple[FixedNeuron, list[Node]], place: int
) -> str:
    """The one input that a changed node depends on, if none of its values shows the change.

    What depends on that input alone is computed for all of its values; "" if that differs where
    others take it, or if there is more than one input.
    """
    (a, nodes), (b, again) = one, other
    support: dict[int, frozenset[str]] = {}
    for n in nodes:
        own = frozenset((n.meta,)) if n.op == "input" else frozenset()
        support[n.index] = own.union(*(support[arg.index] for arg in n.args))
    if len(support[nodes[place].index]) != 1:
        return ""
    (name,) = support[nodes[place].index]
    taken = {r.index for r in _roots(a.lowered)}
    taken |= {arg.index for n in nodes if support[n.index] != {name} for arg in n.args}
    leaving = [k for k, n in enumerate(nodes) if support[n.index] == {name} and n.index in taken]
    source = a.lowered.path.inputs[name]
    for begin in range(source.low, source.high + 1, _CHUNK):
        values = {name: np.arange(begin, min(begin + _CHUNK, source.high + 1))}
        found = [
            fixed.lowered.path.evaluator({str(k): some[k] for k in leaving}, ARRAYS)(values)
            for fixed, some in ((a, nodes), (b, again))
        ]
        if any(np.any(found[0][str(k)] != found[1][str(k)]) for k in leaving):
            return ""
    return name


# -- faults in the gates ---------------------------------------------------------------------------
class FaultyStep(Step):
    """A Step in which one node of the datapath does something else once it is elaborated."""

    def __init__(self, lowered: Lowered, index: int, operator: str, **options: Any) -> None:
        super().__init__(lowered, **options)
        self._index, self._operator = index, operator

    def elaborate(self, platform: object) -> Module:
        node = next(n for n in _nodes(self) if n.index == self._index)
        changes = CHANGES[self._operator][1](node)
        before = {name: getattr(node, name) for name in changes}
        try:
            for name, value in changes.items():
                setattr(node, name, value)
            return super().elaborate(platform)
        finally:
            for name, value in before.items():
                setattr(node, name, value)


class ShiftedStep(Step):
    """A Step in which one value is taken from a stage too early, or too late."""

    def __init__(self, lowered: Lowered, index: int, by: int, **options: Any) -> None:
        super().__init__(lowered, **options)
        self._index, self._by = index, by

    def _seen(self, node: Node, stage: int) -> int:
        if node.index == self._index and stage + self._by >= self._stage[node.index] < stage:
            return stage + self._by
        return stage


class DrawsSwapped(Step):
    """A Step that takes its first draw for the last one, and the last for the first."""

    def _port(self, node: Node) -> Any:
        draws = self._lowered.noise
        if node.meta in (draws[0], draws[-1]):
            at = len(draws) - 1 - draws.index(node.meta)
            return _fitted(self.noise.word_select(at, 16), self.noise.word_select(at, 16).shape())
        return super()._port(node)


class HastyStep(Step):
    """A held Step that claims to be ready a clock before it is."""

    def __init__(self, lowered: Lowered, **options: Any) -> None:
        super().__init__(lowered, **options)
        self._true, self.latency = self.latency, self.latency - 1

    def elaborate(self, platform: object) -> Module:
        self.latency = self._true
        try:
            return super().elaborate(platform)
        finally:
            self.latency = self._true - 1


class WrongTap(LFSR):
    """An LFSR of another recurrence."""

    def elaborate(self, platform: object) -> Module:
        with patch.object(_gates.Sequence, "TAP", 12):
            return super().elaborate(platform)


class StuckLFSR(LFSR):
    """An LFSR that goes on whether it is enabled or not."""

    def elaborate(self, platform: object) -> Module:
        enable, self.en = self.en, Const(1)
        try:
            return super().elaborate(platform)
        finally:
            self.en = enable


def _nodes(step: Step) -> list[Node]:
    return step.path.reachable((*step.outputs.values(), *step.word_nodes.values()))


#: A change of the RTLIL: the lines it can be made in, and what becomes of one.
TEXT: dict[str, tuple[str, Callable[[str], str]]] = {
    "$add becomes $sub": (r"cell \$add ", lambda x: x.replace("$add", "$sub")),
    "$sub becomes $add": (r"cell \$sub ", lambda x: x.replace("$sub", "$add")),
    "signed becomes not": (r"\\A_SIGNED 1", lambda x: re.sub(r"1'1|1$", "0", x)),
    "a bit of a constant": (
        r"connect .*\d+'[01]*1[01]*",
        lambda x: re.sub(r"(\d+'[01]*?)1(?=[01]*)", r"\g<1>0", x, count=1),
    ),
    "a slice one lower": (
        r"connect \\[ABD] [^{]*\[\d+:[1-9]\d*\]",
        lambda x: re.sub(
            r"\[(\d+):(\d+)\]", lambda m: f"[{int(m[1]) - 1}:{int(m[2]) - 1}]", x, count=1
        ),
    ),
}


def _lines(text: str, operator: str) -> list[int]:
    pattern, change = TEXT[operator]
    return [k for k, x in enumerate(text.split("\n")) if re.search(pattern, x) and change(x) != x]


def _mutated(text: str, operator: str, line: int) -> str:
    lines = text.split("\n")
    lines[line] = TEXT[operator][1](lines[line])
    if "A_SIGNED" in lines[line] and "B_SIGNED" in lines[line + 1]:
        lines[line + 1] = TEXT[operator][1](lines[line + 1])  # yosys wants them alike
    return "\n".join(lines)


class _Boxed(Step):
    """A Step whose gates are a module of that name, to be added to the RTLIL."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = {"i_clk": ClockSignal(), "i_rst": ResetSignal(), "o_spike": self.spike}
        ports |= {f"i_{n}": Cat(getattr(self, n).as_value()) for n in ("state", "inputs")}
        ports |= {f"o_{n}": getattr(self, n).as_value() for n in ("next", "words")}
        if self._lowered.noise:
            ports["i_noise"] = self.noise
        m.submodules.box = Instance("faulty_step", **ports)
        return m


def _stimulus(fixed: FixedNeuron, count: int) -> dict[str, np.ndarray]:
    """Typical and adversarial input words, in turns."""
    words = {}
    for k, name in enumerate(fixed.lowered.inputs):
        typical = make_neuron(_name(fixed)).currents[0] if k == 0 else 0.0
        wild = quantize(adversarial(count, seed=k), name).astype(int)
        calm = np.arange(count) % 1000 < 500
        words[name] = np.where(calm, quantize(typical, name).astype(int), wild)
    return words


def _name(fixed: FixedNeuron) -> str:
    return next(n for n in NEURONS if n.replace("_", "") == fixed.name.lower())


def _same_run(fixed: FixedNeuron, gates: Iterator[Any], words: dict[str, np.ndarray]) -> bool:
    """Whether gates that run freely keep to the integer model, bit for bit."""
    history = _fixed_history(fixed, words, False)
    first = fixed.lowered.registers[fixed.state_names[0]]
    for t, (spike, word, registers) in enumerate(gates):
        model = {n: int(v[t]) for n, v in history.after.items()}
        right = word == int(first.to_word(model[first.name]))
        if registers != model or bool(spike) != bool(history.spikes[t]) or not right:
            return False
    return True


def _text_fault(fixed: FixedNeuron, fault: Fault) -> dict[str, Callable[[], bool]]:
    """The rungs, each whether it passes, for a change of the RTLIL of a held Step."""
    step = Step(fixed.lowered, held=True, dsp=True)
    text, _ = _prover.elaborated(step)
    faulty = _mutated(text, fault.operator, fault.site)

    def bits() -> bool:
        with patch.object(_gates, "Step", _Boxed):
            around = rtlil.convert(Neuron(fixed), emit_src=False)
        inside = faulty.replace("module \\top", "module \\faulty_step").replace(
            "attribute \\top 1\n", ""
        )
        script = _script()
        with tempfile.TemporaryDirectory() as folder:
            library = compile_design(
                {"design.il": around, "step.il": inside},
                script,
                optimize="-O0",
                cache=Path(folder),
            )
            words = _stimulus(fixed, 2 * _STEPS)
            return _same_run(fixed, compiled_steps(None, fixed, words, library=library), words)

    def proof() -> bool:
        with ExitStack() as stack:
            stack.enter_context(patch.object(_prover, "elaborated", _with_text(faulty)))
            stack.enter_context(patch.object(_prover, "_counterexample", lambda *_: None))
            return prove(fixed, held=True, step=step, progress=False).ok

    return {"bits": bits, "proof": proof}


def _with_text(text: str) -> Callable[[Step], tuple[str, Any]]:
    original = _prover.elaborated
    return lambda step: (text, original(step)[1])


def _script() -> str:
    script = importlib.import_module("scneuro.sim.engines.compiled")._SCRIPT
    return f"read_rtlil step.il\n{script}"


def _other_init(fixed: FixedNeuron) -> FixedNeuron:
    registers = {
        n: dataclasses.replace(r, init=r.init + 1) for n, r in fixed.lowered.registers.items()
    }
    return _with_path(fixed, dataclasses.replace(fixed.lowered, registers=registers))


def _other_seed(fixed: FixedNeuron) -> FixedNeuron:
    return FixedNeuron(fixed.name, fixed.dt, fixed.input_defaults, fixed.lowered, seed=2)


#: A fault around the datapath: what is replaced in :mod:`scneuro.hdl.neuron`, or the model that
#: the hardware is made from.
AROUND: dict[str, tuple[str, Any]] = {
    "initial register": ("fixed", _other_init),
    "result too early": ("Step", HastyStep),
    "seed": ("fixed", _other_seed),
    "tap of the LFSR": ("LFSR", WrongTap),
    "LFSR never waits": ("LFSR", StuckLFSR),
    "draws swapped": ("Step", DrawsSwapped),
}
_WITH_NOISE = ("seed", "tap of the LFSR", "LFSR never waits", "draws swapped")


def _around_fault(fixed: FixedNeuron, fault: Fault) -> dict[str, Callable[[], bool]]:
    """The rungs for a fault around the datapath; its proof is that of the invariants."""
    what, by = AROUND[fault.operator]

    def made() -> Neuron:
        return Neuron(by(fixed) if what == "fixed" else fixed)

    @contextmanager
    def planted() -> Iterator[None]:
        if what == "fixed":
            yield
        else:
            with patch.object(_gates, what, by):
                yield

    def bits() -> bool:
        words = _stimulus(fixed, 300)
        with planted():
            return _same_run(fixed, simulate_steps(made(), fixed, words), words)

    def proof() -> bool:
        with planted():
            if not all(i.ok for i in invariants.check(invariants.neuron(made(), fixed))):
                return False
            if what == "LFSR":
                draws = len(fixed.lowered.noise)
                return all(i.ok for i in invariants.check(invariants.lfsr(by(draws), draws)))
            if what == "Step" and by is not HastyStep:
                step = by(fixed.lowered, held=True, dsp=True)
                return prove(fixed, held=True, step=step, progress=False).ok
        return True

    return {"bits": bits, "proof": proof}


def _step_fault(fixed: FixedNeuron, fault: Fault) -> dict[str, Callable[[], bool]]:
    """The rungs for a fault in one operation or one stage of the pipeline."""

    def made(form: Form | None = None) -> Step:
        options = {"form": form or Form(held=fault.held)}
        if fault.layer == "stage":
            by = -1 if fault.operator == "register too few" else 1
            return ShiftedStep(fixed.lowered, fault.site, by, **options)
        return FaultyStep(fixed.lowered, fault.site, fault.operator, **options)

    def bits() -> bool:
        count = _VECTORS // 4 if fault.held else _VECTORS
        if not vector_parity(fixed, count, step=made(), progress=False).ok:
            return False
        words = _stimulus(fixed, 300)
        with patch.object(_gates, "Step", lambda lowered, form: made(form)):
            gates = simulate_steps(Neuron(fixed), fixed, words)
            return fault.layer == "stage" or _same_run(fixed, gates, words)

    def ties() -> bool:
        vectors = at_decisions(fixed, 50, 0)
        return vector_parity(fixed, step=made(), vectors=vectors, progress=False).ok

    def proof() -> bool:
        with patch.object(_prover, "_counterexample", lambda *_: None):
            return prove(fixed, held=fault.held, step=made(), progress=False).ok

    return {"bits": bits, "ties": ties, "proof": proof}


# -- trying one fault ------------------------------------------------------------------------------
def faulty_model(fault: Fault) -> FixedNeuron:
    """The integer model with a fault of the lowering."""
    neuron = make_neuron(fault.neuron)
    sound = neuron.fixed()
    if fault.layer == "rule":
        return with_rule_broken(neuron, sound, fault.operator)
    return with_node_changed(sound, fault.site, fault.operator)


def try_fault(fault: Fault) -> Verdict:
    """Take a fault up the ladder: the lowering's until caught, then the proof; the gates' both."""
    verdict = Verdict(fault, {}, {})

    def rung(name: str, passes: Callable[[], bool]) -> bool:
        begin = time.monotonic()
        try:
            verdict.caught[name] = not passes()
        except (ScneuroError, ValueError, IndexError, OverflowError):
            verdict.caught["error" if fault.in_lowering else "refused"] = True
            verdict.seconds["error" if fault.in_lowering else "refused"] = 0.0
            verdict.caught[name] = False
        verdict.seconds[name] = time.monotonic() - begin
        return verdict.caught[name]

    neuron = make_neuron(fault.neuron)
    sound = neuron.fixed()
    if not fault.in_lowering:
        if fault.operator == "draws swapped":
            sound = neuron.fixed(rounding="stochastic")
        make = {"text": _text_fault, "neuron": _around_fault}.get(fault.layer, _step_fault)
        for name, passes in make(sound, fault).items():
            rung(name, passes)
        if not any(verdict.caught.values()) and fault.layer != "neuron":
            verdict.equivalent = "the proof: the faulty gates compute what the model does"
        return verdict
    try:
        fixed = faulty_model(fault)
        level_2(fixed)
        verdict.caught["error"] = False
    except (ScneuroError, ValueError, IndexError, OverflowError):
        verdict.caught["error"] = True
    verdict.seconds["error"] = 0.0
    if verdict.caught["error"]:
        return verdict
    for name, passes in (
        ("step", lambda: level_2(fixed)),
        ("trace", lambda: level_3(neuron, fixed)),
        ("recompute", lambda: recomputed(fixed)),
        ("reset", lambda: all(i.ok for i in invariants.resets(fixed))),
    ):
        if rung(name, passes):
            break
    with patch.object(_prover, "_counterexample", lambda *_: None):
        rung("proof", lambda: prove(fixed, progress=False).ok)
    if not verdict.first:
        changed = fault.site if fault.layer == "node" else None
        verdict.equivalent = same_function(sound, fixed, changed)
    return verdict


# -- choosing faults -------------------------------------------------------------------------------
def faults_of(name: str, seed: int = 0) -> list[Fault]:
    """The faults of a neuron: one site of every operator that has one, chosen by ``seed``."""
    rng = random.Random(f"{name} {seed}")
    fixed = make_neuron(name).fixed()
    found: list[Fault] = []

    def choose(layer: str, operator: str, nodes: list[Node], held: bool = False) -> None:
        if nodes:
            n = rng.choice(nodes)
            where = f"{n.name} ({n.op} {n.index})" + (", held" if held else "")
            found.append(Fault(name, layer, operator, n.index, held, where))

    outputs = fixed.lowered.path.reachable()
    for operator in CHANGES:
        if operator not in _ONLY_GATES:
            choose("node", operator, [n for n in outputs if _fits(operator, n)])
    for rule in RULES:
        if rule in _TABLE_RULES and not fixed.lowered.tables:
            continue
        if rule != "noise of half the scale" or fixed.lowered.noises:
            found.append(Fault(name, "rule", rule, where="throughout"))
    schedule = Schedule(fixed.lowered, Form())
    nodes = schedule.path.reachable((*schedule.outputs.values(), *schedule.words.values()))
    for number, operator in enumerate(CHANGES):
        held = number % 2 == 1
        choose("cell", operator, [n for n in nodes if _fits(operator, n)], held)
    for operator in ("register too few", "register too many"):
        choose("stage", operator, _delayed(schedule, nodes))
    text, _ = _prover.elaborated(Step(fixed.lowered, held=True, dsp=True))
    for operator in TEXT:
        lines = _lines(text, operator)
        if lines:
            line = rng.choice(lines)
            where = text.split("\n")[line].strip()
            found.append(Fault(name, "text", operator, line, True, where))
    for operator in AROUND:
        if operator not in _WITH_NOISE or fixed.lowered.noise:
            found.append(Fault(name, "neuron", operator, held=True, where="around the datapath"))
    return found


def _delayed(schedule: Schedule, nodes: list[Node]) -> list[Node]:
    """The nodes whose value a later stage takes, and that are no constants."""
    stage = schedule.stage
    late = {a.index for n in nodes for a in n.args if stage[n.index] > stage[a.index]}
    return [n for n in nodes if n.index in late and n.op not in ("const", "rom")]


def summary(verdicts: list[Verdict]) -> str:
    """Tables in Markdown: the faults of each operator, and how many each rung catches."""
    lines = []
    for title, rungs in (("lowering", LOWERING), ("gates", GATES)):
        chosen = [v for v in verdicts if v.fault.in_lowering == (title == "lowering")]
        kinds: dict[str, list[Verdict]] = {}
        for v in chosen:
            kinds.setdefault(f"{v.fault.layer}: {v.fault.operator}", []).append(v)
        heads = [f"first: {r}" for r in rungs] if title == "lowering" else list(rungs)
        if title == "lowering":
            heads.append("proof too")
        columns = [f"fault in the {title}", "faults", *heads, "equivalent", "caught"]
        lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        for label, some in [*kinds.items(), ("**all**", chosen)]:
            cells = [sum(v.caught.get(r, False) for v in some) for r in rungs]
            if title == "lowering":
                first = Counter(v.first for v in some)
                cells = [*(first[r] for r in rungs), cells[-1]]
            equal = sum(bool(v.equivalent) for v in some)
            caught, real = sum(bool(v.first) for v in some), len(some) - equal
            share = f"{100 * caught / real:.0f} %" if real else "-"
            row = [label, len(some), *cells, equal, share]
            lines.append(f"| {' | '.join(map(str, row))} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--neuron", choices=NEURONS, action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    faults = [f for name in options.neuron or NEURONS for f in faults_of(name, options.seed)]
    begin, verdicts = time.monotonic(), []
    with ProcessPoolExecutor(options.jobs) as pool:
        for verdict in pool.map(try_fault, faults):
            verdicts.append(verdict)
            if not options.json:
                print(verdict, flush=True)
    seconds = time.monotonic() - begin
    holes = [v for v in verdicts if not v.ok]
    if options.json:
        rows = [{**dataclasses.asdict(v), "first": v.first, "ok": v.ok} for v in verdicts]
        print(json.dumps({"seconds": seconds, "holes": len(holes), "faults": rows}, indent=1))
    else:
        print(f"\n{len(verdicts)} faults in {seconds:.0f} s, {len(holes)} not caught\n")
        print(summary(verdicts))
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
