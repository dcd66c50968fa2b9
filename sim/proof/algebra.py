"""What can be proved of a datapath without a solver: intervals, linear forms, small functions.

The values of a datapath are integers, so algebra over integers is exact for them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any

import numpy as np

from ...compiler.datapath import ARRAYS, Node, low_interval

__all__ = [
    "Linear",
    "bounded_by_arithmetic",
    "bounded_by_linear_form",
    "exhaustive_interval",
    "same_function",
]

_SMALL = 1 << 16
_CHUNK = 1 << 18  # values computed at once: what the caches of a processor hold
_WORD = 63  # bits of NumPy's integers, but for the sign
_LONGEST = 256  # terms of a linear form; a longer one is not followed

Linear = dict[Any, int]
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
        case "move" | "known":
            return ends[0]
        case "shl":
            return ends[0][0] << node.meta, ends[0][1] << node.meta
        case "shr":
            return ends[0][0] >> node.meta, ends[0][1] >> node.meta
        case "low":
            return low_interval(node.args[0], *node.meta)
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


def bounded_by_linear_form(node: Node, known: dict[int, Linear] | None = None) -> bool:
    """Whether a sum stays within its interval, like terms collected.

    ``known`` keeps the forms of nodes by index, for the next one asked about.
    """
    if node.op not in _LINEAR:
        return False
    known = {} if known is None else known
    for arg in node.args:
        for part in _behind(arg, known, lambda n: n.op in _LINEAR):
            form = _linear(part, [known[a.index] for a in part.args] if part.op in _LINEAR else [])
            known[part.index] = form if len(form) <= _LONGEST else {part: 1}
    # its own form is never kept as itself alone, which would be its own interval
    form = _linear(node, [known[arg.index] for arg in node.args])
    low = high = form.get(None, 0)
    for leaf, coefficient in form.items():
        if leaf is not None:
            ends = sorted(coefficient * end for end in (leaf.low, leaf.high))
            low, high = low + ends[0], high + ends[1]
    return node.low <= low and high <= node.high


_LINEAR = ("const", "add", "scale", "move", "known", "shl")
_SAME = ("move", "known")  # the same integer


def _linear(node: Node, args: list[Linear]) -> Linear:
    """A node as a linear form of what is not linear before it, from those of its arguments."""
    match node.op:
        case "const":
            return {None: node.meta} if node.meta else {}
        case "add":
            i, j, sign = node.meta
            return _sum([(args[0], 1 << i), (args[1], sign << j)])
        case "scale":
            return _sum([(args[0], node.meta)])
        case "move" | "known":
            return dict(args[0])
        case "shl":
            return _sum([(args[0], 1 << node.meta)])
    return {node: 1}


def exhaustive_interval(
    node: Node, most: int = _SMALL, known: dict[int, Node | None] | None = None
) -> bool:
    """Whether a function of one value, of at most ``most`` different ones, keeps to its interval.

    All its values are computed. False also if it is a function of more. ``known`` keeps what nodes
    are functions of, for the next one asked about with the same ``most``.
    """
    base = _base(node, most, {} if known is None else known)
    if base is None or base is node:
        return False
    between = _behind(node, (base.index,))
    if any(max(abs(end) for end in _extent(n)) >> _WORD for n in between):
        return False
    for begin in range(base.low, base.high + 1, _CHUNK):
        values: dict[int, Any] = {
            base.index: np.arange(begin, min(begin + _CHUNK, base.high + 1), dtype=np.int64)
        }
        for n in between:
            values[n.index] = ARRAYS[n.op](n, *(values[arg.index] for arg in n.args))
        if np.min(values[node.index]) < node.low or np.max(values[node.index]) > node.high:
            return False
    return True


def _base(node: Node, most: int, known: dict[int, Node | None]) -> Node | None:
    """The one value of at most ``most`` that ``node`` is a function of; None if there is none."""
    for part in _behind(node, known):
        bases = {known[arg.index] for arg in part.args if arg.op != "const"}
        if len(bases) == 1 and None not in bases:
            (known[part.index],) = bases
        else:
            known[part.index] = part if part.high - part.low < most else None
    return known[node.index]


def _extent(node: Node) -> tuple[int, int]:
    """The interval of everything that is computed on the way to a node's value."""
    low, high = _interval(node)
    if node.op == "add":
        for arg, places in zip(node.args, node.meta, strict=False):
            low, high = min(low, arg.low << places), max(high, arg.high << places)
    return low, high


def _behind(
    node: Node, known: Container[int], through: Callable[[Node], bool] = lambda _: True
) -> list[Node]:
    """The nodes that ``node`` is made of and that are not ``known``, arguments first.

    What is behind a node is left out unless it lets ``through``.
    """
    found: dict[int, Node] = {}
    stack = [node]
    while stack:
        part = stack.pop()
        if part.index not in found and part.index not in known:
            found[part.index] = part
            if through(part):
                stack.extend(part.args)
    return [found[index] for index in sorted(found)]  # a node is made after its arguments


# -- the datapath in adders ----------------------------------------------------------------------


def same_function(source: Node, expanded: Node, args: Iterable[Node]) -> bool:
    """Whether ``expanded`` computes of ``args`` what ``source`` does of its own.

    An operation is either kept as it is or has become additions, and these are linear forms: of
    the argument, for a constant; of the bits of one argument times the other, for a product.
    """
    args = tuple(args)
    plain = expanded
    while plain.op in _SAME and plain not in args:
        (plain,) = plain.args
    if source.op in _SAME and plain in args:
        return True
    if (plain.op, plain.meta) == (source.op, source.meta) and plain.args == args:
        return True
    atoms = {arg.index: f"arg{k}" for k, arg in enumerate(args)}
    if source.op == "rom" and plain.op == "rom":
        return _same_rows(source, plain, *args)
    form = _form(expanded, atoms)
    if form is None:
        return False
    if source.op == "scale":
        return form == {"arg0": source.meta}
    if source.op == "shl":
        return form == {"arg0": 1 << source.meta}
    if source.op == "mul" and form == {_times(*(atoms[arg.index] for arg in args)): 1}:
        return True
    if source.op == "mul" and len({a.index for a in args}) <= 2:
        for bits, gated in ((0, -1), (-1, 0)):
            b = args[bits]
            wanted = {
                (args[bits].index, k, args[gated].index): -(1 << k)
                if b.signed and k == b.width - 1
                else 1 << k
                for k in range(b.width)
            }
            a = args[gated]
            if _without_known(form, a, b, atoms) == _without_known(wanted, a, b, atoms):
                return True
    return False


def _same_rows(source: Node, moved: Node, index: Node) -> bool:
    """Whether a table has, where it was moved to, the rows of all its addresses."""
    if index.op != "low" or index.args[0].high - index.args[0].low >= _SMALL:
        return False
    (address,) = index.args
    values: dict[int, Any] = {address.index: np.arange(address.low, address.high + 1)}
    for node in _behind(moved, values):
        if any(arg.index not in values for arg in node.args) and node.op != "const":
            return False  # it is made of something else
        values[node.index] = ARRAYS[node.op](node, *(values[arg.index] for arg in node.args))
    wanted = ARRAYS["rom"](source, ARRAYS["low"](index, values[address.index]))
    return bool(np.array_equal(values[moved.index], wanted))


def _without_known(form: Linear, a: Node, b: Node, atoms: dict[int, str]) -> Linear:
    """The form with the bits of ``b`` that its interval decides, which gate ``a``, as they are."""
    parts: list[tuple[Linear, int]] = []
    for atom, coefficient in form.items():
        if isinstance(atom, tuple) and atom[0] == b.index and atom[2] == a.index:
            above = b.low >> atom[1]
            if above == b.high >> atom[1]:
                parts.append(({atoms[a.index]: above & 1}, coefficient))
                continue
        parts.append(({atom: 1}, coefficient))
    return _sum(parts)


def _form(node: Node, atoms: dict[int, str]) -> Linear | None:
    known: dict[int, Linear | None] = {index: {name: 1} for index, name in atoms.items()}
    for part in _behind(node, known):
        known[part.index] = _form_of(part, [known[arg.index] for arg in part.args], atoms)
    return known[node.index]


def _form_of(node: Node, forms: list[Linear | None], atoms: dict[int, str]) -> Linear | None:
    """The form of an operation, from those of its arguments; None if it has none."""
    match node.op:
        case op if op in _LINEAR and None not in forms:
            return _linear(node, [form for form in forms if form is not None])
        case "mul" if forms[0] is not None and forms[1] is not None:
            return _multiplied(forms[0], forms[1])
        case "shr":
            return {("shr", node.args[0].index, node.meta): 1}
        case "low" if forms[0] is not None and not node.meta[1]:
            # x is its low bits and what is above them, whatever x is
            above = {("shr", node.args[0].index, node.meta[0]): 1}
            return _sum([(forms[0], 1), (above, -(1 << node.meta[0]))])
        case "mux":
            return _gate(node, atoms)
    return None


def _multiplied(a: Linear, b: Linear) -> Linear:
    """The product of two linear forms: linear in products of two atoms."""
    total: Linear = {}
    for x, i in a.items():
        for y, j in b.items():
            atom = y if x is None else x if y is None else _times(x, y)
            total[atom] = total.get(atom, 0) + i * j
    return {atom: c for atom, c in total.items() if c}


def _times(x: Any, y: Any) -> Any:
    return ("times", *sorted((x, y), key=repr))


def _gate(node: Node, atoms: dict[int, str]) -> Linear | None:
    """``a if bit k of b else 0``, as the product it is."""
    condition, yes, no = node.args
    if no.op != "const" or no.meta or condition.op != "ge" or condition.meta != 1:
        return None
    (bit,) = condition.args
    if bit.op != "low" or bit.meta != (1, False):
        return None
    b, place = _bare(bit.args[0], atoms), 0
    if b.index not in atoms and b.op == "shr":
        b, place = _bare(b.args[0], atoms), b.meta
    return {(b.index, place, _bare(yes, atoms).index): 1}


def _bare(node: Node, atoms: Container[int]) -> Node:
    """The node without what only moves its binary point, down to an atom."""
    while node.index not in atoms and node.op == "move":
        (node,) = node.args
    return node


def _sum(parts: list[tuple[Linear, int]]) -> Linear:
    total: Linear = {}
    for form, factor in parts:
        for atom, coefficient in form.items():
            total[atom] = total.get(atom, 0) + factor * coefficient
    return {atom: c for atom, c in total.items() if c}
