"""Multiplications as adders: by a constant, and of two values where there is no DSP.

A constant is built from shifts and as few additions as a search of chains finds: each step adds
or subtracts the value so far, shifted, and the operand or the value itself (the "add-shift" and
"factor" steps of Dempster and Macleod 1994). 16-bit constants take 3 to 5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache

from ...words import WORD_BITS
from ..datapath import Datapath, Node
from .form import Form
from .joined import joined

__all__ = ["adder_count", "expand", "plan", "shares"]

_BITS = 20
_SEARCHED = 5
_ADDERS_PER_DSP = 4  # where there are DSPs, a constant that takes more adders goes there
_ADDERS_PER_STORED_DSP = 1  # where a new update enters every clock, adders make others wait
_PART = WORD_BITS - 1  # low bits of a factor that a signed multiplier takes
_CONSTANT = 18  # bits of a constant, with its sign, that are not taken apart
_NARROW = 4  # a factor of so few bits is cheaper as adders, DSPs or not
_STORED_NARROW = 1  # but for what waits for them
_OPERAND = 24  # the width of a typical operand, to weigh adders with
_AROUND = 54  # logic for each product of one that is shared: what chooses factors, waits, adds up
_AROUND_HELD = 76  # and what is held needs no register's enable unless something is shared
_IN_LOGIC = 300  # logic of such a multiplier, where there are no DSPs

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
    """The datapath with its multiplications as adders, but for those that pay in a multiplier.

    Parameters
    ----------
    source : Datapath
    extra : tuple of Node
        Nodes to keep besides those its outputs need.
    form : Form
        Its ``multipliers`` go to the largest multiplications; where it folds and they are too few
        for all, each to so many as there are clocks. Where there are none, some are made of logic
        if that is smaller.

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
    multiplied, shared = _multiplied(nodes, form)
    places = joined(nodes, form)

    def product(a: Node, b: Node) -> Node:
        if shared:
            return _in_factors(path, _plain(a, path), _plain(b, path))
        return _in_parts(path, _plain(a, path), _plain(b, path), form)

    for node in nodes:
        args = tuple(new[arg.index] for arg in node.args)
        if node.op == "input":
            result = path.input(node.meta, node.low, node.high, node.fraction)
        elif node.op == "scale" and node.index in multiplied:
            result = path.scale(product(args[0], path.const(node.meta, 0)), 1, node.fraction)
        elif node.op == "scale" and abs(node.meta) > 1:
            result = _scaled(path, args[0], node)
        elif node.op == "mul" and node.index not in multiplied:
            result = _product(path, *sorted(args, key=lambda n: -n.width))
        elif node.op == "mul":
            result = path.scale(product(*args), 1, node.fraction)
        elif node.index in places:
            inside = _plain(new[node.args[0].args[0].index], path)
            result = places[node.index].read(path, inside, node.fraction)
        else:
            result = path.copy(node, args)
        if (result.low, result.high) != (node.low, node.high):
            result = path.annotate(result, node.low, node.high, 0.0, node.name)
        new[node.index] = result
    path.outputs = {name: new[node.index] for name, node in source.outputs.items()}
    for name, node in source.inputs.items():
        path.input(name, node.low, node.high, node.fraction)
    return path, new


def shares(source: Datapath, extra: tuple[Node, ...], form: Form) -> bool:
    """Whether the multiplications that :func:`expand` leaves share multipliers."""
    return _multiplied(source.reachable((*source.outputs.values(), *extra)), form)[1]


def _multiplied(nodes: list[Node], form: Form) -> tuple[set[int], bool]:
    """The multiplications, by index, that go to multipliers, and whether these are shared."""
    most_adders = _ADDERS_PER_DSP if form.held or not form.stored else _ADDERS_PER_STORED_DSP
    narrow = _STORED_NARROW if form.stored else _NARROW
    logic: dict[int, int] = {}  # that each would take
    cells: dict[int, int] = {}  # multipliers of its own
    parts: dict[int, int] = {}  # clocks of one that is shared
    for node in nodes:
        if node.op == "scale" and adder_count(node.meta) > most_adders:
            factors = (node.args[0], Datapath().const(node.meta, 0))
            logic[node.index] = adder_count(node.meta) * node.width
            widths = [node.args[0].width, abs(node.meta).bit_length()]
        elif node.op == "mul" and min(a.width for a in node.args) > narrow:
            factors = (node.args[0], node.args[1])
            widths = [a.width for a in node.args]
            logic[node.index] = 2 * widths[0] * widths[1]
        else:
            continue
        cells[node.index] = math.prod(math.ceil(width / WORD_BITS) for width in widths)
        parts[node.index] = math.prod(map(_parts, factors))
    wanted = form.multipliers
    alone = _worthiest(logic, cells, wanted)
    if wanted is None or not form.folds or len(alone) == len(cells):
        return alone, False
    around = _AROUND_HELD if form.held else _AROUND
    pays = {index: count for index, count in parts.items() if logic[index] > around * count}
    clocks = wanted * form.interval if wanted else None
    chosen = _worthiest(logic, pays, clocks)
    products = sum(parts[index] for index in chosen)
    made = 0 if wanted else -(-products // form.interval) * _IN_LOGIC
    in_adders = [
        sum(bits for i, bits in logic.items() if i not in some) for some in (alone, chosen)
    ]
    if in_adders[0] <= in_adders[1] + products * around + made:
        return alone, False
    return chosen, True


def _worthiest(logic: Mapping[int, int], cells: Mapping[int, int], wanted: int | None) -> set[int]:
    """Those that save most logic for each of the cells that are wanted at most."""
    left = sum(cells.values()) if wanted is None else wanted
    chosen = set()
    for index in sorted(cells, key=lambda i: (-logic[i] / cells[i], i)):
        if cells[index] <= left:
            left -= cells[index]
            chosen.add(index)
    return chosen


def _in_parts(path: Datapath, a: Node, b: Node, form: Form) -> Node:
    """a * b, where it is stored as products of what a DSP takes, which are added a stage later."""
    if not form.stored:
        return path.mul(a, b)
    for one, other in ((a, b), (b, a)):
        most = _CONSTANT if one.op == "const" else WORD_BITS
        if one.width + (not one.signed) <= most:
            continue
        if one.op == "const":
            parts = _ends(path, one)
        else:
            low = path.low(one, _PART)
            high = _plain(path.shr(one, _PART, 0.0, f"{one.name}_high"), path)
            parts = _plain(low, path), high
        ends = [_in_parts(path, part, other, form) for part in parts]
        return _put_together(path, ends[0], ends[1], one, other)
    return path.mul(a, b)


def _ends(path: Datapath, constant: Node) -> tuple[Node, Node]:
    """The low and the high part of a constant."""
    low = path.const(constant.meta & ((1 << _PART) - 1), 0)
    return low, path.const(constant.meta >> _PART, 0)


def _in_factors(path: Datapath, a: Node, b: Node) -> Node:
    """a * b as products of signed factors of 16 bits, as a multiplier that is shared takes them."""
    if a.op == "const":
        a, b = b, a
    if b.op == "const" and b.width + (not b.signed) == WORD_BITS + 1:
        # a bit too wide: the product by what it lacks of 2**16, and a shift
        near = (1 << WORD_BITS) if b.meta > 0 else -(1 << WORD_BITS)
        rest = _in_factors(path, a, path.const(b.meta - near, 0))
        shifted = path.scale(path.scale(a, 1, -WORD_BITS), 1, 0)
        total = path.add(rest, shifted, 1 if b.meta > 0 else -1)
        return _limited(path, total, a, b)
    for one, other in ((a, b), (b, a)):
        if one.width + (not one.signed) <= WORD_BITS:
            continue
        if one.op == "const":
            ends = _ends(path, one)
        else:
            high = path.shr(one, _PART, 0.0, f"{one.name}_high")
            ends = _plain(path.low(one, _PART), path), _plain(high, path)
        low, high = (_in_factors(path, part, other) for part in ends)
        return _put_together(path, low, high, one, other)
    if a.index > b.index:  # of a square, two parts are the same
        a, b = b, a
    return path.mul(a, b)


def _parts(factor: Node) -> int:
    """The parts of a factor, of which each is one of a multiplier that is shared."""
    width = factor.width + (not factor.signed)
    if factor.op == "const" and width == WORD_BITS + 1:
        return 1
    return 1 + -(-max(0, width - WORD_BITS) // _PART)


def _put_together(path: Datapath, low: Node, high: Node, a: Node, b: Node) -> Node:
    """The products of the low and the high part of ``a``, added up."""
    return _limited(path, path.add(low, path.scale(high, 1, -_PART)), a, b)


def _limited(path: Datapath, total: Node, a: Node, b: Node) -> Node:
    """A sum that is the product of two, and lies where that does."""
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    total = path.scale(total, 1, -total.fraction)
    return path.annotate(total, min(ends), max(ends), 0.0, f"{a.name}_product")


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
