"""Faults of a rule of the lowering, wrong throughout one run of it.

They replace internals of :mod:`scneuro.compiler` and change with them; nothing else here does.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

import scneuro.neuron as neurons
from scneuro.compiler import lower
from scneuro.compiler.assemble import assembly, bits, coefficients, lookups, states, sums
from scneuro.compiler.bounds import registers as _registers
from scneuro.compiler.datapath import Datapath, Node
from scneuro.fixed import FixedNeuron
from scneuro.stochastic import LFSR

from .nodes import with_lowered


def _one_more(method: Callable[..., tuple[int, int]]) -> Callable[..., tuple[int, int]]:
    def coefficient(value: float, finest: int, allowed: float, room: int) -> tuple[int, int]:
        significand, places = method(value, finest, allowed, room)
        lost = max(0, 16 - significand.bit_length())
        significand, places = (significand << lost) + 1, places + lost
        while significand % 2 == 0:
            significand, places = significand // 2, places - 1
        return significand, places

    return coefficient


def _without_half(path: Datapath, node: Node, word: Any) -> Node:
    drop = node.fraction - word.fraction
    return node if drop <= 0 else path.shr(node, drop, word.lsb, f"{node.name}_word")


def _first_negated(original: Callable[..., Any]) -> Callable[..., Any]:
    def arranged(terms: Any) -> Any:
        (atom, coefficient), *others = original(terms)
        return [(atom, -coefficient), *others]

    return arranged


def _refitted(change: Callable[[Any], dict[str, Any]]) -> Any:
    fit = lookups.fit

    def faulty(*args: Any, **options: Any) -> Any:
        fitted = fit(*args, **options)
        return dataclasses.replace(fitted, **change(fitted))

    return patch.object(lookups, "fit", faulty)


def _none(lowered: Any) -> float:
    return 0.0


def _floor(value: float, fraction: int) -> int:
    return int(np.floor(np.ldexp(value, fraction)))


@contextmanager
def _everywhere(name: str, by: Any, *modules: ModuleType) -> Iterator[None]:
    """A name of several modules is another thing in all of them."""
    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(patch.object(module, name, by))
        yield


#: A number rule of the lowering, wrong throughout one run of it.
RULES: dict[str, Callable[[], Any]] = {
    "rounding half missing": lambda: patch.object(
        assembly, "total", lambda *a, half=False, f=assembly.total: f(*a)
    ),
    "half of a word missing": lambda: _everywhere("to_word", _without_half, bits, assembly),
    "significand + 1": lambda: patch.object(
        coefficients, "_significand", _one_more(coefficients._significand)
    ),
    "significand of 12 bits": lambda: patch.object(coefficients, "SIGNIFICAND_BITS", 12),
    "operands cut too short": lambda: patch.object(sums, "_NEGLIGIBLE", 0),
    "cut not made up for": lambda: patch.object(
        sums, "_operand_for", lambda *a, f=sums._operand_for: (f(*a)[0], 0.0)
    ),
    "constants too coarse": lambda: patch.object(sums, "_CONSTANT_BITS", -2),
    "constants floored": lambda: _everywhere(
        "nearest", _floor, assembly, coefficients, states, sums
    ),
    "6 guard bits": lambda: patch.object(_registers, "GUARD_BITS", 6),
    "40 guard bits": lambda: patch.object(_registers, "GUARD_BITS", 40),
    "first term negated": lambda: patch.object(
        assembly, "arranged", _first_negated(assembly.arranged)
    ),
    "noise of half the scale": lambda: patch.object(LFSR, "DRAW", 17),
    "table begins late": lambda: _refitted(lambda t: {"first": t.first + (t.last - t.first) // 2}),
    "table ends early": lambda: _refitted(lambda t: {"last": t.last - (1 << t.shift)}),
    "table without half": lambda: _refitted(
        lambda t: {
            "rows": tuple(r - (1 << (t.slope_bits + t.row_fraction - t.fraction)) for r in t.rows)
        }
    ),
}
TABLE_RULES = tuple(name for name in RULES if name.startswith("table"))


def with_rule_broken(neuron: Any, sound: FixedNeuron, rule: str) -> FixedNeuron:
    """The neuron lowered by a wrong rule, judged by the bounds of the sound one."""
    # none that was made by sound rules, and none made finer because a broken one exceeds a budget
    known, taken = patch.object(neurons, "_LOWERED", {}), patch.object(lower, "_excess", _none)
    with RULES[rule](), known, taken:
        fixed: FixedNeuron = neuron.fixed()
    bounds = {str(d.expr): d.bound for d in sound.lowered.decisions}
    decisions = [
        dataclasses.replace(d, bound=bounds.get(str(d.expr), d.bound))
        for d in fixed.lowered.decisions
    ]
    lowered = dataclasses.replace(fixed.lowered, bounds=sound.lowered.bounds, decisions=decisions)
    return with_lowered(fixed, lowered)
