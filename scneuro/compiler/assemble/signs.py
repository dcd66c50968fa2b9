"""Values of either sign, added up: what is negated is subtracted, which costs nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ..datapath import Datapath, Node

__all__ = ["added_up", "negated", "signed"]


def negated(node: Node) -> Node | None:
    """x, if the node is -x."""
    return node.args[0] if node.op == "scale" and node.meta == -1 else None


def signed(path: Datapath, node: Node, sign: float) -> Node:
    """The value, or what it is negated."""
    return node if sign > 0 else path.scale(node, -1, 0)


def added_up(path: Datapath, addends: Sequence[Node]) -> Node:
    """Add up, starting from one that is not negated; a negated addend is subtracted."""
    start = next((i for i, n in enumerate(addends) if negated(n) is None), 0)
    total = addends[start]
    for node in (*addends[:start], *addends[start + 1 :]):
        inner = negated(node)
        total = path.add(total, inner, -1) if inner else path.add(total, node)
    return total
