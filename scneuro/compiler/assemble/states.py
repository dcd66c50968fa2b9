"""What is written to a state: a constant as it is, anything else rounded once."""

from __future__ import annotations

import math

from ...errors import LoweringError
from ...words import WORD_BITS, fitting, nearest
from ..bounds.registers import Register
from ..datapath import Datapath, Node
from ..lowered import dither
from .plan import Plan

__all__ = ["constant", "rounded"]


def constant(plan: Plan, path: Datapath, value: float, state: str) -> Node:
    """A constant that a state is set to.

    Raises
    ------
    LoweringError
        If the state cannot hold it.
    """
    r = plan.registers[state]
    number = nearest(value, r.fraction)
    if r.most == (1 << (r.width - 1)) - 1 and number == r.most + 1:
        number = r.most  # [0, 1] in Q1.15 ends just below 1
    if not r.least <= number <= r.most:
        raise LoweringError(
            f"{plan.name}: {state} is set to {value:g}, outside its range "
            f"{math.ldexp(r.least, -r.fraction):g} to {math.ldexp(r.most, -r.fraction):g}",
            _holding(state, r, value),
        ).at(plan.canonical.setting(value))
    missed = abs(value - math.ldexp(number, -r.fraction))
    return path.const(number, r.fraction, missed)


def rounded(plan: Plan, path: Datapath, exact: Node, state: str) -> Node:
    """An exact sum, rounded the way the states are; to nearest, it has the half LSB already."""
    fraction, mode = plan.registers[state].fraction, plan.rounding
    drop = exact.fraction - fraction
    if drop <= 0:
        return path.shl(exact, -drop)
    lsb = math.ldexp(1.0, -fraction)
    if mode == "stochastic":
        noise = path.inputs[dither(state)]
        draw = path.shr(noise, max(0, WORD_BITS - drop), 0.0)
        places = exact.fraction - max(0, drop - WORD_BITS)
        draw = path.scale(draw, 1, places - draw.fraction)
        draw = path.annotate(draw, draw.low, draw.high, 0.0, "dither")
        exact = path.add(exact, draw)
    return path.shr(exact, drop, lsb / 2 if mode == "nearest" else lsb, f"{state}_rounded")


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
