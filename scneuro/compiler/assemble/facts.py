"""Where values lie in a branch: what its condition says of them, and of what is made of them.

Facts are the intervals of nodes, by index, that are narrower than the nodes' own.
"""

from __future__ import annotations

from typing import TypeAlias

from ..datapath import Node

__all__ = ["Facts", "implied", "reached"]

_DEEP = 6  # operations that are looked behind

Facts: TypeAlias = dict[int, tuple[int, int]]


def implied(condition: Node, holds: bool, facts: Facts) -> Facts | None:
    """``facts`` and what follows from ``condition``; None if it cannot be."""
    if condition.op == "not":
        return implied(condition.args[0], not holds, facts)
    if condition.low == condition.high:
        return facts if bool(condition.low) == holds else None
    if condition.op == ("and" if holds else "or"):
        both = implied(condition.args[0], holds, facts)
        return None if both is None else implied(condition.args[1], holds, both)
    if condition.op != "ge":
        return facts
    (node,) = condition.args
    low, high = facts.get(node.index, (node.low, node.high))
    low, high = (max(low, condition.meta), high) if holds else (low, min(high, condition.meta - 1))
    return {**facts, node.index: (low, high)} if low <= high else None


def reached(node: Node, facts: Facts, depth: int = 0) -> tuple[int, int]:
    """The interval of a node where others lie within theirs: of what is limited, its limits."""
    low, high = facts.get(node.index, (node.low, node.high))
    if depth > _DEEP:
        return low, high

    def of(arg: Node) -> tuple[int, int]:
        return reached(arg, facts, depth + 1)

    match node.op:
        case "mux":
            condition, *sides = node.args
            found = []
            for side, holds in zip(sides, (True, False), strict=True):
                known = implied(condition, holds, facts)
                if known is not None:
                    found.append(reached(side, known, depth + 1))
            found = [(a, b) for a, b in found if a <= b]
            ends = (min(a for a, _ in found), max(b for _, b in found)) if found else (low, high)
        case "add" if "const" in (arg.op for arg in node.args):
            (a, b), (c, d), (i, j, sign) = *map(of, node.args), node.meta
            c, d = (c << j, d << j) if sign > 0 else (-(d << j), -(c << j))
            ends = (a << i) + c, (b << i) + d
        case "move" | "known":
            ends = of(node.args[0])
        case "shl":
            a, b = of(node.args[0])
            ends = a << node.meta, b << node.meta
        case "scale":
            a, b = of(node.args[0])
            ends = min(a * node.meta, b * node.meta), max(a * node.meta, b * node.meta)
        case _:
            return low, high
    return max(low, ends[0]), min(high, ends[1])
