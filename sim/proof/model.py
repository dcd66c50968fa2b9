"""The model as terms: a variable X for every node's value, and what it is of those before it.

The rows of a memory are any function of the address: that they are the table's is shown elsewhere.
"""

from __future__ import annotations

from typing import Any

from bitwuzla import Kind, Term, TermManager

from ...compiler.datapath import Node
from ...compiler.pipeline.cells import Pipeline
from ...words import WORD_BITS
from .bits import Integer, bitvectors, is_one, part

__all__ = ["CONDITIONS", "Model", "before"]

CONDITIONS = ("ge", "not", "and", "or")


class Model:
    """The values of a pipeline's datapath.

    Attributes
    ----------
    terms : TermManager
    pipeline : Pipeline
    values : dict of int to Boolean term or Integer
        The X that there are, by their nodes' indices.
    """

    def __init__(self, terms: TermManager, pipeline: Pipeline) -> None:
        self.terms, self.pipeline = terms, pipeline
        self.values: dict[int, Any] = {}
        self._defined: dict[int, Term] = {}
        self._functions: dict[tuple[int, ...], Term] = {}  # by contents
        self._arithmetic = bitvectors(terms, self._row)

    def value(self, node: Node) -> Any:
        """X of a node: a Boolean, or an integer."""
        if node.index not in self.values:
            if node.op in CONDITIONS:
                variable: Any = self.terms.mk_const(self.terms.mk_bool_sort(), node.name)
            else:
                sort = self.terms.mk_bv_sort(node.width)
                variable = self.integer(self.terms.mk_const(sort, node.name), node)
            self.values[node.index] = variable
        return self.values[node.index]

    def applied(self, node: Node) -> Any:
        """The operation of a node on the X of its arguments."""
        return self._arithmetic[node.op](node, *(self.value(arg) for arg in node.args))

    def definition(self, node: Node) -> Term:
        """X of a node is its operation on the X of its arguments."""
        if node.index not in self._defined:
            value, made = self.value(node), self.applied(node)
            self._defined[node.index] = (
                value.equals(made)
                if isinstance(value, Integer)
                else self.terms.mk_term(Kind.EQUAL, [value, made])
            )
        return self._defined[node.index]

    def inside(self, value: Any, node: Node) -> Term:
        """Whether a value lies in a node's interval."""
        above = value >= node.low
        below = self.terms.mk_term(Kind.NOT, [value >= node.high + 1])
        return self.terms.mk_term(Kind.AND, [above, below])

    def integer(self, term: Term, node: Node) -> Integer:
        """The integer in the bits of a signal for ``node``."""
        if node.signed:
            return Integer(self.terms, term)
        zero = self.terms.mk_bv_value(self.terms.mk_bv_sort(1), 0)
        return Integer(self.terms, self.terms.mk_term(Kind.BV_CONCAT, [zero, term]))

    # -- memories ----------------------------------------------------------------------------
    def row(self, memory: str, address: Term) -> Term:
        """What a memory of the pipeline has at an address."""
        function = self._function(self.pipeline.memories[memory])
        return self.terms.mk_term(Kind.APPLY, [function, address])

    def _row(self, node: Node, address: Integer) -> Integer:
        place = address.low(_address_bits(node))
        return self.integer(self.terms.mk_term(Kind.APPLY, [self._function(node), place]), node)

    def _function(self, node: Node) -> Term:
        """The table of a node, as a function of its address of which nothing else is known."""
        if node.meta not in self._functions:
            sorts = [self.terms.mk_bv_sort(_address_bits(node))]
            result = self.terms.mk_bv_sort(node.width)
            self._functions[node.meta] = self.terms.mk_const(
                self.terms.mk_fun_sort(sorts, result), node.name
            )
        return self._functions[node.meta]

    # -- as gates compute it -----------------------------------------------------------------
    def in_gates(self, node: Node, *args: Any) -> Any:
        """The operation of a node on ``args``, in the bits that the gates compute it in.

        A value lies in its interval, so it is what that many bits of it say: the bits that the
        gates keep, which spares the solver the multiplications of others.
        """
        made = (
            self._product(node, *args)
            if node.op == "mul"
            else self._arithmetic[node.op](node, *args)
        )
        if isinstance(made, Integer) and made.width > node.width + (not node.signed):
            made = self.integer(made.low(node.width), node)
        return made

    def _product(self, node: Node, a: Integer, b: Integer) -> Integer:
        """a * b in as many bits as the factors have together, which is what gates multiply in."""
        shared = node.index in self.pipeline.schedule.units
        if shared and not self.pipeline.form.multipliers:
            return self._in_rows(a.low(WORD_BITS), b.low(WORD_BITS), node)
        width = 2 * WORD_BITS if shared else sum(arg.width for arg in node.args)
        factors = []
        for arg, value in zip(node.args, (a, b), strict=True):
            kind = Kind.BV_SIGN_EXTEND if arg.signed else Kind.BV_ZERO_EXTEND
            factors.append(self.terms.mk_term(kind, [value.low(arg.width)], [width - arg.width]))
        product = Integer(self.terms, self.terms.mk_term(Kind.BV_MUL, factors))
        return self.integer(product.low(node.width), node)

    def _in_rows(self, a: Term, b: Term, node: Node) -> Integer:
        """a * b as it is defined: the sum of a, shifted, over the bits of b; its sign's less.

        The solver need not find out what the rows of a multiplier of logic are.
        """
        factor = Integer(self.terms, a)
        total = Integer.constant(self.terms, 0)
        low: list[Term] = []
        for k in range(WORD_BITS):
            bit = part(self.terms, b, k, 1)
            sums = total - factor if k == WORD_BITS - 1 else total + factor
            sides = [value.extended(WORD_BITS + 1) for value in (sums, total)]
            row = self.terms.mk_term(Kind.ITE, [is_one(self.terms, bit), *sides])
            low.append(part(self.terms, row, 0, 1))
            total = Integer(self.terms, part(self.terms, row, 1, WORD_BITS))
        product = self.terms.mk_term(Kind.BV_CONCAT, [total.term, *low[::-1]])
        return self.integer(Integer(self.terms, product).low(node.width), node)


def before(nodes: list[Node], depth: int) -> list[Node]:
    """``nodes`` and what they are made of, up to ``depth`` operations in all, the last first."""
    found: dict[int, Node] = {}
    border = list(nodes)
    for _ in range(depth):
        border = [n for n in border if n.index not in found]
        found.update({n.index: n for n in border})
        border = [arg for n in border for arg in n.args]
        if not border:
            break
    return sorted(found.values(), key=lambda n: -n.index)


def _address_bits(node: Node) -> int:
    return max(1, (len(node.meta) - 1).bit_length())
