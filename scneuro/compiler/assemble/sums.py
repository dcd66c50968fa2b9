"""Sums: exact, and folded together so that rounding and what was cut off cost no adder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...words import nearest
from ..algebra.terms import Terms, Variable
from ..datapath import WIDEST, Datapath, Node
from ..lowered import Cost
from .bits import cut, fraction_for, no_finer
from .coefficients import Scaled, Shared, multiplied, simple_ratio
from .signs import added_up, signed

__all__ = ["Addends", "addends", "total"]

_CONSTANT_BITS = 4  # fraction bits of a constant below the register it ends in
_NEGLIGIBLE = 6  # what is below 2**-6 of a register's LSB is negligible


@dataclass(frozen=True)
class Addends:
    """What a sum is added up from, but for its constant.

    Attributes
    ----------
    products : tuple of Shared
        Those with a coefficient.
    whole : tuple of Node
        Those without.
    dropped : float
        What all lack on average, because low bits were cut off.
    missed : float
        The error of those that are 0, and so no addends.
    costs : tuple of Cost
        What the errors of the terms cost.
    """

    products: tuple[Shared, ...]
    whole: tuple[Node, ...]
    dropped: float
    missed: float
    costs: tuple[Cost, ...]


def addends(
    path: Datapath, terms: Terms, nodes: Sequence[Node], fraction: int, share: float
) -> Addends:
    """What ``terms`` are added up from, for a result of ``fraction`` bits.

    ``nodes`` are their atoms, and ``share`` is the error that each coefficient may make.
    """
    whole: list[Node] = []
    scaled: list[Scaled] = []
    costs: list[Cost] = []
    dropped = missed = 0.0
    room = WIDEST - 2 - _integer_bits(terms, nodes)
    for (atom, coefficient), node in zip(terms, nodes, strict=True):
        costs.append(Cost(atom.key, abs(coefficient) * node.error))
        if node.low == node.high == 0:
            missed += abs(coefficient) * node.error
            continue
        unit = math.copysign(1.0, coefficient)
        simple = simple_ratio(coefficient)
        if simple is not None:  # it adds all its bits
            node, lacking = cut(path, node, node.fraction - simple.shift - room)
            dropped += coefficient * lacking
        if abs(coefficient - unit) < 1e-12:
            coefficient = unit
        elif isinstance(atom, Variable) and abs(coefficient - unit) <= 0.25:
            whole.append(signed(path, node, unit))
            coefficient -= unit
        simple = simple_ratio(coefficient)
        if simple is not None:
            whole.append(signed(path, path.scale(node, simple.odd, -simple.shift), simple.sign))
        else:
            operand, lacking = _operand_for(path, node, coefficient, fraction, share, room)
            dropped += coefficient * lacking
            scaled.append(Scaled(operand, atom, coefficient))
    products = multiplied(path, scaled, share, room)
    costs += [cost for product in products for cost in product.costs]
    return Addends(tuple(products), tuple(whole), dropped, missed, tuple(costs))


def total(
    path: Datapath, parts: Addends, constant: float, fraction: int, *, half: bool = False
) -> tuple[Node, bool]:
    """The exact sum, for a result of ``fraction`` bits; and whether its constant is lost.

    With ``half``, half an LSB of the result is added if any bits are below it: folded into the
    sum's own constant, so rounding costs no adder.
    """
    scaled, whole = [product.node for product in parts.products], [*parts.whole]
    size = abs(constant) + sum(n.magnitude for n in (*scaled, *whole))
    room = WIDEST - 3 - max(0, math.frexp(size)[1])  # what 62 bits leave for a fraction
    scaled, whole = ([no_finer(path, n, room) for n in ns] for ns in (scaled, whole))
    finest = max((n.fraction for n in (*scaled, *whole)), default=fraction)
    places = min(max(finest, fraction), fraction + _CONSTANT_BITS, room)
    exact = constant + parts.dropped
    integer = nearest(exact, places)
    missed = parts.missed + abs(exact - math.ldexp(integer, -places))
    is_lost = abs(constant) > 1e-12 and integer == 0
    if half and places > fraction:
        integer += 1 << (places - fraction - 1)
    while integer and integer % 2 == 0:
        integer, places = integer >> 1, places - 1
    constants = []
    if integer or missed or not (scaled or whole):
        constants.append(path.const(integer, places, missed))
    # the finest addends first: what is added later lets their low bits through
    by_fraction = sorted((*whole, *constants), key=lambda n: (n.op == "mux", -n.fraction))
    return added_up(path, sorted(scaled, key=lambda n: -n.fraction) + by_fraction), is_lost


def _operand_for(
    path: Datapath, node: Node, coefficient: float, fraction: int, share: float, room: int
) -> tuple[Node, float]:
    """What a coefficient multiplies: without the low bits that could not matter.

    The bits are cut off, which costs nothing; what is lost on average is returned, to go into the
    sum's constant. Where it and the coefficient have more bits than there is room for, each gives
    up half of them.
    """
    wanted = fraction + _NEGLIGIBLE + math.ceil(math.log2(abs(coefficient)))
    if share < math.inf:
        wanted = min(wanted, fraction_for(share / abs(coefficient)))
        if node.magnitude:
            over = wanted + fraction_for(2 * share / node.magnitude) - room
            wanted -= max(0, (over + 1) // 2)
    return cut(path, node, node.fraction - wanted)


def _integer_bits(terms: Terms, nodes: Sequence[Node]) -> int:
    """Of a sum, and of all that is added up on the way to it."""
    size = sum(abs(c) * node.magnitude for (_, c), node in zip(terms, nodes, strict=True))
    return max(0, math.frexp(size)[1])
