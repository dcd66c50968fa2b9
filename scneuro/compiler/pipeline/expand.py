"""Multiplications as adders: by a constant, and of two values where there is no DSP.

A constant is built from shifts and as few additions as a search of chains finds: each step adds
or subtracts the value so far, shifted, and the operand or the value itself (the "add-shift" and
"factor" steps of Dempster and Macleod 1994). 16-bit constants take 3 to 5.
"""

from __future__ import annotations

import math
from functools import cache

from ...words import WORD_BITS
from ..datapath import Datapath, Node
from .form import Form

__all__ = ["adder_count", "expand", "plan"]

_BITS = 20
_SEARCHED = 5
_ADDERS_PER_DSP = 4  # where there are DSPs, a constant that takes more adders goes there
_ADDERS_PER_STORED_DSP = 1  # where a new update enters every clock, adders make others wait
_PART = WORD_BITS - 1  # low bits of a factor that a signed multiplier takes
_NARROW = 4  # a factor of so few bits is cheaper as adders, DSPs or not
_STORED_NARROW = 1  # but for what waits for them
_OPERAND = 24  # the width of a typical operand, to weigh adders with

Step = tuple[bool, bool, int, int, int]
"""(left is the operand, right is the operand, left shift, right shift, sign)"""


def _predecessors(k: int) -> list[tuple[int, Step]]:
    """The odd values from which one addition makes the odd ``k``, and that addition."""
    found: list[tuple[int, Step]] = []
    for sign in (1, -1):
        rest = k - sign  # k = (a << s) + sign * x
        shift = (rest & -rest).bit_length() - 1
        found.append((rest >> shift, (False, True, shift, 0, sign)))
        for s in range(1, _BITS):
            factor = (1 << s) + sign  # k = (a << s) + sign * a
            if factor > 1 and k % factor == 0 and k != factor:
                found.append((k // factor, (False, False, s, 0, sign)))
    for s in range(1, k.bit_length() + 1):
        if (1 << s) < k:  # k = a + (x << s)
            found.append((k - (1 << s), (False, True, 0, s, 1)))
        else:  # k = (x << s) - a
            found.append(((1 << s) - k, (True, False, s, 0, -1)))
    for s in range(1, 3):  # k = a - (x << s)
        found.append((k + (1 << s), (False, True, 0, s, -1)))
    return [(a, step) for a, step in found if 0 < a < 1 << _BITS]


def _bits(k: int, step: Step) -> int:
    """Bits of the adder that makes ``k``: low bits that only one side has pass by it."""
    _, _, i, j, sign = step
    return _OPERAND + k.bit_length() - (j or (i if sign > 0 else 0))


@cache
def _within(k: int, adders: int) -> tuple[int, tuple[Step, ...]] | None:
    """Bits and steps of the smallest chain of at most ``adders`` additions that makes ``k``."""
    if k == 1:
        return 0, ()
    if adders == 0 or (adders == 1 and (k + 1) & k and (k - 1) & (k - 2)):
        return None  # one addition makes 2**n + 1 and 2**n - 1, and nothing else
    best: tuple[int, tuple[Step, ...]] | None = None
    for a, step in _predecessors(k):
        found = _within(a, adders - 1)
        if found is not None:
            bits = found[0] + _bits(k, step)
            if best is None or bits < best[0]:
                best = bits, (*found[1], step)
    return best


@cache
def plan(k: int) -> tuple[Step, ...]:
    """The smallest chain found for the odd ``k`` > 0, as additions in order.

    A constant that is too large for the search, or that it has no chain for, loses its lowest
    signed digit to one addition; what is left is smaller by at least two bits.
    """
    if k < 1 or k % 2 == 0:
        raise ValueError(f"k must be odd and positive, not {k}")
    found = _within(k, _SEARCHED) if k.bit_length() <= _BITS else None
    if found is not None:
        return found[1]
    digit = 2 - k % 4
    rest = k - digit
    shift = (rest & -rest).bit_length() - 1
    return (*plan(rest >> shift), (False, True, shift, 0, digit))


def adder_count(k: int) -> int:
    """Adders a multiplication by ``k`` takes."""
    k = abs(k)
    return len(plan(k // (k & -k)))


def expand(
    source: Datapath, extra: tuple[Node, ...], form: Form
) -> tuple[Datapath, dict[int, Node]]:
    """The datapath with its multiplications as adders, but for those that pay in a DSP.

    Parameters
    ----------
    source : Datapath
    extra : tuple of Node
        Nodes to keep besides those its outputs need.
    form : Form
        Its ``multipliers`` go to the largest multiplications.

    Returns
    -------
    path : Datapath
        With the same inputs and outputs.
    nodes : dict of int to Node
        From the index of each source node to the node with its value.
    """
    path = Datapath()
    new: dict[int, Node] = {}
    nodes = source.reachable((*source.outputs.values(), *extra))
    in_dsp = _in_dsp(nodes, form)
    for node in nodes:
        args = tuple(new[arg.index] for arg in node.args)
        if node.op == "input":
            result = path.input(node.meta, node.low, node.high, node.fraction)
        elif node.op == "scale" and node.index in in_dsp:
            plain = _in_parts(path, _plain(args[0], path), path.const(node.meta, 0), form)
            result = path.scale(plain, 1, node.fraction)
        elif node.op == "scale" and abs(node.meta) > 1:
            result = _scaled(path, args[0], node)
        elif node.op == "mul" and node.index not in in_dsp:
            result = _product(path, *sorted(args, key=lambda n: -n.width))
        elif node.op == "mul":
            plain = _in_parts(path, _plain(args[0], path), _plain(args[1], path), form)
            result = path.scale(plain, 1, node.fraction)
        else:
            result = path.copy(node, args)
        if (result.low, result.high) != (node.low, node.high):
            result = path.annotate(result, node.low, node.high, 0.0, node.name)
        new[node.index] = result
    path.outputs = {name: new[node.index] for name, node in source.outputs.items()}
    for name, node in source.inputs.items():
        path.input(name, node.low, node.high, node.fraction)
    return path, new


def _in_dsp(nodes: list[Node], form: Form) -> set[int]:
    """The multiplications, by index, that go to DSPs: those that save most logic for each."""
    most_adders = _ADDERS_PER_DSP if form.held or not form.stored else _ADDERS_PER_STORED_DSP
    narrow = _STORED_NARROW if form.stored else _NARROW
    worth: dict[int, tuple[float, int]] = {}
    for node in nodes:
        if node.op == "scale" and adder_count(node.meta) > most_adders:
            widths = [node.args[0].width, abs(node.meta).bit_length()]
            logic = adder_count(node.meta) * node.width
        elif node.op == "mul" and min(a.width for a in node.args) > narrow:
            widths = [a.width for a in node.args]
            logic = 2 * widths[0] * widths[1]
        else:
            continue
        cells = math.prod(math.ceil(width / WORD_BITS) for width in widths)
        worth[node.index] = logic / cells, cells
    wanted = form.multipliers
    left = sum(cells for _, cells in worth.values()) if wanted is None else wanted
    chosen = set()
    for index in sorted(worth, key=lambda i: (-worth[i][0], i)):
        if worth[index][1] <= left:
            left -= worth[index][1]
            chosen.add(index)
    return chosen


def _in_parts(path: Datapath, a: Node, b: Node, form: Form) -> Node:
    """a * b, where it is stored as products of what a DSP takes, which are added a stage later."""
    if not form.stored:
        return path.mul(a, b)
    for one, other in ((a, b), (b, a)):
        if one.width + (not one.signed) > WORD_BITS and one.op != "const":
            low = path.low(one, _PART)
            high = path.shr(one, _PART, 0.0, f"{one.name}_high")
            parts = [_in_parts(path, _plain(part, path), other, form) for part in (low, high)]
            total = path.add(parts[0], path.scale(parts[1], 1, -_PART))
            total = path.scale(total, 1, -total.fraction)
            ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            return path.annotate(total, min(ends), max(ends), 0.0, f"{one.name}_product")
    return path.mul(a, b)


def _plain(node: Node, path: Datapath) -> Node:
    """The same integer, counted without a fraction: shifts here are shifts of integers."""
    return path.scale(node, 1, -node.fraction)


def _scaled(path: Datapath, operand: Node, node: Node) -> Node:
    factor = node.meta
    x = value = _plain(operand, path)
    k = 1
    for left_x, right_x, i, j, sign in plan(abs(factor)):
        left, right = (x if left_x else value), (x if right_x else value)
        k = ((1 if left_x else k) << i) + sign * ((1 if right_x else k) << j)
        value = path.add(path.scale(left, 1, -i), path.scale(right, 1, -j), sign)
        value = path.scale(value, 1, -value.fraction)
        low, high = sorted((x.low * k, x.high * k))
        value = path.annotate(value, low, high, 0.0, f"{node.name}_x{k}")
    if factor < 0:
        value = path.scale(value, -1, 0)
    return path.scale(value, 1, node.fraction)


def _product(path: Datapath, a: Node, b: Node) -> Node:
    """a * b: the bits of b gate shifted copies of a, added up in a tree."""
    places = a.fraction + b.fraction
    a, b = _plain(a, path), _plain(b, path)
    nothing = path.const(0, 0)
    terms = []
    for bit in range(b.width):
        picked = path.ge(path.low(path.scale(path.shr(b, bit, 0.0), 1, bit), 1), 1)
        gated = path.mux(picked, a, nothing)
        negative = b.signed and bit == b.width - 1
        terms.append((bit, path.scale(gated, -1, 0) if negative else gated))
    while len(terms) > 1:
        paired = []
        for (i, x), (j, y) in zip(terms[::2], terms[1::2], strict=False):
            if y.op == "scale":  # the sign bit of b weighs negative
                total = path.add(x, path.scale(y.args[0], 1, i - j), -1)
            else:
                total = path.add(x, path.scale(y, 1, i - j))
            paired.append((i, path.scale(total, 1, -total.fraction)))
        if len(terms) % 2:
            paired.append(terms[-1])
        terms = paired
    ((shift, total),) = terms
    return path.scale(total, 1, places - shift)
