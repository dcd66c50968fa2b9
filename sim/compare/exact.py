"""The datapath once more, in rational numbers: every value, its interval and its error.

Nothing of the integer model's evaluators is used. A value is what its operation means of real
numbers, and then what the datapath says it keeps of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from ...compiler.datapath import ARRAYS, Node
from ...fixed import FixedNeuron

__all__ = ["disagreements"]

_FEW = 3


def disagreements(fixed: FixedNeuron, vectors: Mapping[str, np.ndarray]) -> list[str]:
    """Where the datapath's integers are not the exact ones, or leave their intervals.

    Of every node it is checked, for each vector, that the integer model has its exact value; that
    this lies in its interval; and that what its operation drops is no more than what its error
    bound grows by. Every state's word is to be its register, rounded to nearest.

    Parameters
    ----------
    fixed : FixedNeuron
    vectors : mapping of str to array of int, shape (count,)
        Registers, input words and draws.
    """
    lowered, path = fixed.lowered, fixed.lowered.path
    nodes = path.reachable((*path.outputs.values(), *lowered.words.values()))
    names = {node.index: str(node.index) for node in nodes}
    count = len(next(iter(vectors.values())))
    model = path.evaluator({names[node.index]: node for node in nodes}, ARRAYS)(vectors)
    given = {name: np.broadcast_to(np.asarray(v), count).tolist() for name, v in model.items()}
    found: dict[str, int] = {}
    for t in range(count):
        exact: dict[int, int] = {}
        for node in nodes:
            if node.op == "input":
                value = int(vectors[node.meta][t])
            else:
                value = _value(node, [exact[arg.index] for arg in node.args])
            exact[node.index] = value
            for what in _wrong(node, value, [exact[arg.index] for arg in node.args]):
                found[what] = found.get(what, 0) + 1
            if int(given[names[node.index]][t]) != value:
                what = f"{node.name} is another integer in NumPy"
                found[what] = found.get(what, 0) + 1
        for name, word in lowered.words.items():
            if exact[word.index] != _nearest_word(fixed, name, int(vectors[name][t])):
                what = f"the word of {name} is not its register, rounded to nearest"
                found[what] = found.get(what, 0) + 1
    return [f"{what} ({times} of {count} vectors)" for what, times in found.items()]


def _value(node: Node, args: list[int]) -> int:
    """A node's value, by what its operation means."""
    meta: Any = node.meta
    value: Any
    match node.op, args:
        case "const", []:
            value = meta
        case "add", [a, b]:
            value = a * 2 ** meta[0] + meta[2] * b * 2 ** meta[1]
        case "scale", [a]:
            value = a * meta
        case "mul", [a, b]:
            value = a * b
        case "move" | "known", [a]:
            value = a
        case "shl", [a]:
            value = a * 2**meta
        case "shr", [a]:
            value = a // 2**meta
        case "low", [a]:
            bits, signed = meta
            rest = a % 2**bits
            value = rest - 2**bits if signed and rest >= 2 ** (bits - 1) else rest
        case "rom", [a] if 0 <= a < len(meta):
            value = meta[a]
        case "ge", [a]:
            value = a >= meta
        case "not", [a]:
            value = 1 - a
        case "and" | "or", [a, b]:
            value = min(a, b) if node.op == "and" else max(a, b)
        case "mux", [a, b, c]:
            value = b if a else c
        case "clamp", [a]:
            value = sorted((a, *meta))[1]
        case _:
            raise ValueError(f"{node.name}: {node.op} of {args} has no value")
    return int(value)


def _wrong(node: Node, value: int, args: list[int]) -> Iterator[str]:
    """What is not as the node says."""
    if not node.low <= value <= node.high:
        yield f"{node.name} leaves [{node.low}, {node.high}]"
    if node.op == "shr":
        (arg,) = node.args
        # nothing is allowed for where a field is taken out of the row of a table
        grows = Fraction(node.error) - Fraction(arg.error)
        lost = abs(value * _lsb(node) - args[0] * _lsb(arg))
        # a half that was added before makes up for what is floored: twice the error is the most
        if grows > 0 and lost > 2 * grows:
            yield f"{node.name} drops more than its error grows by"


def _lsb(node: Node) -> Fraction:
    return Fraction(1, 2**node.fraction) if node.fraction > 0 else Fraction(2**-node.fraction)


def _nearest_word(fixed: FixedNeuron, name: str, register: int) -> int:
    r = fixed.lowered.registers[name]
    word = (2 * register + 2**r.guard) // 2 ** (r.guard + 1)
    return int(min(max(word, -(1 << 15)), (1 << 15) - 1))
