"""The bits that a value is used with: its low ones are cut off, or rounded away."""

from __future__ import annotations

import math

from ...errors import LoweringError
from ...words import WORD_BITS, Word, fitting
from ..bounds.ranges import Interval
from ..datapath import Datapath, Node
from .plan import Plan
from .signs import negated

__all__ = [
    "LAST",
    "cut",
    "fraction_for",
    "narrowed",
    "no_finer",
    "operand",
    "real",
    "rounded_at",
    "to_word",
    "word_for",
]

LAST = (1 << (WORD_BITS - 1)) - 1  # the greatest word
_COARSEST = -40  # a word may count in up to 2**40
_OPERAND = 31  # bits of an operand: the product of two is still exact


def fraction_for(error: float) -> int:
    """The fraction bits with which an LSB is at most ``error``."""
    return math.ceil(-math.log2(error)) if error > 0 else 64


def real(node: Node) -> Interval:
    """Between which numbers a node's value lies."""
    return math.ldexp(node.low, -node.fraction), math.ldexp(node.high, -node.fraction)


def word_for(low: float, high: float) -> Word | None:
    """The word of a value in between, which may count in more than 1; None if none holds it."""
    return fitting(low, high, _COARSEST)


# -- cut off -------------------------------------------------------------------------------------
def cut(path: Datapath, node: Node, drop: int) -> tuple[Node, float]:
    """A value without its lowest bits, and what it lacks on average."""
    drop = min(drop, node.width - 1)
    if drop <= 0:
        return node, 0.0
    half = math.ldexp(0.5, drop - node.fraction)
    return path.shr(node, drop, half), half


def no_finer(path: Datapath, node: Node, fraction: int) -> Node:
    """The value without the fraction bits for which a sum has no room."""
    drop = node.fraction - fraction
    if drop <= 0:
        return node
    inner = negated(node)
    if inner is not None:
        return path.scale(no_finer(path, inner, fraction), -1, 0)
    return path.shr(node, drop, math.ldexp(1.0, -fraction))


def narrowed(path: Datapath, node: Node, width: int) -> Node:
    """The value without the low bits for which a product has no room."""
    return no_finer(path, node, node.fraction - max(0, node.width - width))


# -- rounded away --------------------------------------------------------------------------------
def rounded_at(path: Datapath, node: Node, fraction: int, word: Word) -> Node:
    """The nearest with ``fraction`` bits; a 16-bit one that rounds out of the top saturates."""
    if fraction == word.fraction:
        return to_word(path, node, word)
    if fraction >= node.fraction:
        return node
    return _nearest(path, node, fraction)


def to_word(path: Datapath, node: Node, word: Word) -> Node:
    """The nearest word; one that would round out of the top saturates."""
    if node.fraction <= word.fraction:
        return node
    result = _nearest(path, node, word.fraction)
    # at the top, guard bits reach beyond the last word by up to an LSB
    return path.clamp(result, ~LAST, LAST, error=word.lsb / 2)


def _nearest(path: Datapath, node: Node, fraction: int) -> Node:
    half = path.const(1, fraction + 1)
    lost = math.ldexp(0.5, -fraction)
    total = path.add(node, half)
    return path.shr(total, node.fraction - fraction, lost, f"{node.name}_word")


def operand(plan: Plan, path: Datapath, node: Node, allowed: float) -> Node:
    """The value in a signed word: of 16 bits, or as many more as ``allowed`` asks for."""
    low, high = real(node)
    word = word_for(low, high)
    register = plan.registers.get(node.meta) if node.op == "input" else None
    if register and (word is None or word.fraction < register.word.fraction):
        word = register.word  # the guard bits alone reach beyond it
    if word is None:
        raise LoweringError(
            f"{plan.name}: a value in {low:g} to {high:g} is too wide to multiply",
            "narrow the states it is made of: State(range=(low, high)), or scale their units",
        )
    wanted = word.fraction
    if allowed < math.inf:
        wanted = max(wanted, fraction_for(2 * allowed))
    return rounded_at(path, node, min(wanted, node.fraction - (node.width - _OPERAND)), word)
