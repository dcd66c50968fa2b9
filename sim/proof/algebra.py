"""What can be proved of a datapath without a solver: intervals, linear forms, small functions.

The values of a datapath are integers, so algebra over integers is exact for them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ...compiler.datapath import ARRAYS, Node

__all__ = [
    "bounded_by_arithmetic",
    "bounded_by_linear_form",
    "exhaustive_interval",
    "same_function",
]

_SMALL = 1 << 16

Form = dict[Any, int]
"""A linear form: the coefficient of each atom, and of 1 under None."""


def bounded_by_arithmetic(node: Node) -> bool:
    """Whether the intervals of a node's arguments alone keep it within its own."""
    low, high = _interval(node)
    return node.low <= low and high <= node.high


def _interval(node: Node) -> tuple[int, int]:
    ends = [(a.low, a.high) for a in node.args]
    match node.op:
        case "input":
            return node.low, node.high
        case "const":
            return node.meta, node.meta
        case "add":
            i, j, sign = node.meta
            (a, b), (c, d) = ends
            return (a << i) + min((sign * c) << j, (sign * d) << j), (b << i) + max(
                (sign * c) << j, (sign * d) << j
            )
        case "scale":
            low, high = sorted(e * node.meta for e in ends[0])
            return low, high
        case "mul":
            products = [x * y for x in ends[0] for y in ends[1]]
            square = node.args[0] is node.args[1] and ends[0][0] <= 0 <= ends[0][1]
            return 0 if square else min(products), max(products)
        case "shl":
            return ends[0][0] << node.meta, ends[0][1] << node.meta
        case "shr":
            return ends[0][0] >> node.meta, ends[0][1] >> node.meta
        case "low":
            bits, signed = node.meta
            most = (1 << bits) - 1
            return (-(1 << (bits - 1)), most >> 1) if signed else (0, most)
        case "rom":
            return min(node.meta), max(node.meta)
        case "ge":
            return int(ends[0][0] >= node.meta), int(ends[0][1] >= node.meta)
        case "not":
            return 1 - ends[0][1], 1 - ends[0][0]
        case "mux":
            return min(ends[1][0], ends[2][0]), max(ends[1][1], ends[2][1])
        case "clamp":
            low, high = node.meta
            return min(max(ends[0][0], low), high), min(max(ends[0][1], low), high)
    return 0, 1  # and, or


def bounded_by_linear_form(node: Node) -> bool:
    """Whether a sum stays within its interval, like terms collected."""
    if node.op not in ("add", "scale", "shl"):
        return False
    leaves: dict[int, Node] = {}
    form = _linear(node, leaves)
    low = high = form.pop(None, 0)
    for index, coefficient in form.items():
        ends = sorted(coefficient * end for end in (leaves[index].low, leaves[index].high))
        low, high = low + ends[0], high + ends[1]
    return node.low <= low and high <= node.high


def _linear(node: Node, leaves: dict[int, Node]) -> Form:
    """A node as a linear form of what is not linear before it."""
    match node.op:
        case "const":
            return {None: node.meta}
        case "add":
            i, j, sign = node.meta
            a, b = (_linear(arg, leaves) for arg in node.args)
            return _sum([(a, 1 << i), (b, sign << j)])
        case "scale":
            return _sum([(_linear(node.args[0], leaves), node.meta)])
        case "shl":
            return _sum([(_linear(node.args[0], leaves), 1 << node.meta)])
    leaves[node.index] = node
    return {node.index: 1}


def exhaustive_interval(node: Node) -> bool:
    """Whether a function of one value of at most 16 bits stays within its interval.

    All its values are computed. False also if it is a function of more.
    """
    base = _base(node, {})
    if base is None or base is node:
        return False
    values = _over(node, {base.index: np.arange(base.low, base.high + 1)})
    return bool(np.min(values) >= node.low and np.max(values) <= node.high)


def _base(node: Node, known: dict[int, Node | None]) -> Node | None:
    """The one value of at most 16 bits that ``node`` is a function of; None if there is none."""
    if node.index not in known:
        bases = {b.index if (b := _base(a, known)) else -1: b for a in node.args if a.op != "const"}
        if len(bases) == 1 and -1 not in bases:
            (known[node.index],) = bases.values()
        else:
            known[node.index] = node if node.high - node.low < _SMALL else None
    return known[node.index]


def _over(node: Node, values: dict[int, Any]) -> Any:
    if node.index not in values:
        args = [_over(arg, values) for arg in node.args]
        values[node.index] = ARRAYS[node.op](node, *args)
    return values[node.index]


# -- the datapath in adders ----------------------------------------------------------------------


def same_function(source: Node, expanded: Node, args: Iterable[Node]) -> bool:
    """Whether ``expanded`` computes of ``args`` what ``source`` does of its own.

    An operation is either kept as it is or has become additions, and these are linear forms: of
    the argument, for a constant; of the bits of one argument times the other, for a product.
    """
    args = tuple(args)
    plain = expanded
    while plain.op == "shl" and plain.meta == 0 and plain not in args:
        (plain,) = plain.args
    if source.op == "shl" and source.meta == 0 and plain in args:
        return True
    if (plain.op, plain.meta) == (source.op, source.meta) and plain.args == args:
        return True
    atoms = {arg.index: f"arg{k}" for k, arg in enumerate(args)}
    form = _form(expanded, atoms)
    if form is None:
        return False
    if source.op == "scale":
        return form == {"arg0": source.meta}
    if source.op == "shl":
        return form == {"arg0": 1 << source.meta}
    if source.op == "mul" and len({a.index for a in args}) <= 2:
        for bits, gated in ((0, -1), (-1, 0)):
            b = args[bits]
            wanted = {
                (args[bits].index, k, args[gated].index): -(1 << k)
                if b.signed and k == b.width - 1
                else 1 << k
                for k in range(b.width)
            }
            if form == wanted:
                return True
    return False


def _form(node: Node, atoms: dict[int, str]) -> Form | None:
    if node.index in atoms:
        return {atoms[node.index]: 1}
    forms = [_form(arg, atoms) for arg in node.args]
    match node.op:
        case "const":
            return {None: node.meta} if node.meta else {}
        case "add" if None not in forms:
            i, j, sign = node.meta
            return _sum([(forms[0], 1 << i), (forms[1], sign << j)])
        case "scale" if forms[0] is not None:
            return _sum([(forms[0], node.meta)])
        case "shl" if forms[0] is not None:
            return _sum([(forms[0], 1 << node.meta)])
        case "mul":
            for form, other in ((forms[0], forms[1]), (forms[1], forms[0])):
                if form is not None and other is not None and set(other) <= {None}:
                    return _sum([(form, other.get(None, 0))])
        case "mux":
            return _gate(node, atoms)
    return None


def _gate(node: Node, atoms: dict[int, str]) -> Form | None:
    """``a if bit k of b else 0``, as the product it is."""
    condition, yes, no = node.args
    if no.op != "const" or no.meta or condition.op != "ge" or condition.meta != 1:
        return None
    (bit,) = condition.args
    if bit.op != "low" or bit.meta != (1, False):
        return None
    b, place = _bare(bit.args[0]), 0
    if b.index not in atoms and b.op == "shr":
        b, place = _bare(b.args[0]), b.meta
    return {(b.index, place, _bare(yes).index): 1}


def _bare(node: Node) -> Node:
    """The node without what only moves its binary point."""
    while node.op == "shl" and node.meta == 0 and node.fraction != node.args[0].fraction:
        (node,) = node.args
    return node


def _sum(parts: list[tuple[Form | None, int]]) -> Form:
    total: Form = {}
    for form, factor in parts:
        assert form is not None
        for atom, coefficient in form.items():
            total[atom] = total.get(atom, 0) + factor * coefficient
    return {atom: c for atom, c in total.items() if c}
