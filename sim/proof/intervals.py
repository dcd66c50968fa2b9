"""Intervals: that every value lies in its node's, by the cheapest method that shows it."""

from __future__ import annotations

from ...compiler.datapath import Node
from .algebra import (
    Linear,
    bounded_by_arithmetic,
    bounded_by_linear_form,
    exhaustive_interval,
)
from .model import CONDITIONS, Model, before
from .solver import Claim

__all__ = ["Intervals"]

_WORD = 1 << 16
_FAR = 12  # operations between a table and the sum that it ends in
_MOST = 1 << 24  # values of an address that are all computed


class Intervals:
    """What is known of the nodes that were asked about, for the next ones."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._forms: dict[int, Linear] = {}
        self._bases: dict[int, dict[int, Node | None]] = {}

    def method(self, node: Node) -> str:
        """How it is shown without a solver; empty if it is not."""
        if bounded_by_arithmetic(node):
            return "interval arithmetic"
        if bounded_by_linear_form(node, self._forms):
            return "linear form"
        if self._all_values(node, _WORD):
            return "all values of a word"
        if _reads_table(node) and self._all_values(node, _MOST):
            return "all values of an address"
        return ""

    def claim(self, node: Node) -> Claim | str:
        """What the solver is asked; of a condition, what is said, as it is not asked."""
        otherwise = f"{node.name} may leave [{node.low}, {node.high}]"
        if node.op in CONDITIONS:
            return otherwise
        # from what is before the node alone: its own interval is what is to be shown
        inside = self._model.inside(self._model.applied(node), node)
        return Claim(inside, list(node.args), otherwise)

    def _all_values(self, node: Node, most: int) -> bool:
        return exhaustive_interval(node, most, self._bases.setdefault(most, {}))


def _reads_table(node: Node) -> bool:
    """Whether a table is not far behind a node: to the solver it is any function."""
    return any(n.op == "rom" for n in before([node], _FAR))
