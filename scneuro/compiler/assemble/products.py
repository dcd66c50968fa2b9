"""Products of values: exact, of factors that are rounded by their share of the budget."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..bounds.precision import OPERANDS
from ..datapath import Datapath, Node
from .bits import operand
from .plan import Plan

__all__ = ["product"]


def product(
    plan: Plan, path: Datapath, factors: Sequence[tuple[Node, int]], allowed: float
) -> Node:
    """Powers by squaring, then the bases together; every factor an operand of its share."""
    whole = math.prod(node.magnitude**n for node, n in factors)
    roundings = len(factors) + sum(n.bit_length() + n.bit_count() - 2 for _, n in factors)
    each = OPERANDS * allowed / (roundings + len(factors) - 1)

    def rounded(node: Node, uses: float) -> Node:
        """A factor that stands ``uses`` times in the product."""
        size = node.magnitude
        rest = uses * whole / size if size else 0.0
        return operand(plan, path, node, each / rest if rest else math.inf)

    result: Node | None = None
    for node, n in factors:
        square, used = rounded(node, n), 1
        while True:
            if n & used:
                if result is None:
                    result = square
                else:
                    result = path.mul(rounded(result, 1), rounded(square, n / used))
            if used * 2 > n:
                break
            square = rounded(square, n / used)
            square = path.mul(square, square)
            used *= 2
    assert result is not None
    return result
