"""Integers as bit-vectors that are always wide enough: nothing wraps, so nothing is assumed.

:func:`bitvectors` is an arithmetic for ``Datapath.evaluator``, next to the ones over Python
integers and NumPy arrays: the model that is proved is the model that runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bitwuzla import Kind, Sort, Term, TermManager

from ...compiler.datapath import EXACT, width_of

__all__ = ["Integer", "bits_of", "bitvectors", "complement", "concatenated", "is_one", "part"]


class Integer:
    """A signed bit-vector that behaves as the integer it holds."""

    __slots__ = ("_terms", "term")

    def __init__(self, terms: TermManager, term: Term) -> None:
        self._terms, self.term = terms, term

    @property
    def width(self) -> int:
        return int(self.term.sort().bv_size())

    @classmethod
    def constant(cls, terms: TermManager, value: int) -> Integer:
        width = width_of(min(value, -1), max(value, 0))
        return cls(terms, terms.mk_bv_value(terms.mk_bv_sort(width), value))

    def extended(self, width: int) -> Term:
        more = width - self.width
        if not more:
            return self.term
        return self._terms.mk_term(Kind.BV_SIGN_EXTEND, [self.term], [more])

    def low(self, width: int) -> Term:
        """The low bits."""
        if width > self.width:
            return self.extended(width)
        return self._terms.mk_term(Kind.BV_EXTRACT, [self.term], [width - 1, 0])

    def _both(self, other: Any, width: int) -> list[Term]:
        return [self.extended(width), self._of(other).extended(width)]

    def _of(self, value: Any) -> Integer:
        return value if isinstance(value, Integer) else Integer.constant(self._terms, value)

    def _made(self, kind: Kind, parts: list[Term]) -> Integer:
        return Integer(self._terms, self._terms.mk_term(kind, parts))

    def __add__(self, other: Any) -> Integer:
        width = max(self.width, self._of(other).width) + 1
        return self._made(Kind.BV_ADD, self._both(other, width))

    def __sub__(self, other: Any) -> Integer:
        width = max(self.width, self._of(other).width) + 1
        return self._made(Kind.BV_SUB, self._both(other, width))

    def __mul__(self, other: Any) -> Integer:
        width = self.width + self._of(other).width
        return self._made(Kind.BV_MUL, self._both(other, width))

    def __lshift__(self, bits: int) -> Integer:
        if not bits:
            return self
        zero = self._terms.mk_bv_value(self._terms.mk_bv_sort(bits), 0)
        return self._made(Kind.BV_CONCAT, [self.term, zero])

    def __rshift__(self, bits: int) -> Integer:
        if not bits:
            return self
        low = min(bits, self.width - 1)
        part = self._terms.mk_term(Kind.BV_EXTRACT, [self.term], [self.width - 1, low])
        return Integer(self._terms, part)

    def __and__(self, mask: int) -> Integer:
        """With a mask of low bits: what remains is not negative."""
        bits = mask.bit_length()
        zero = self._terms.mk_bv_value(self._terms.mk_bv_sort(1), 0)
        return self._made(Kind.BV_CONCAT, [zero, self.low(bits)])

    def __xor__(self, other: int) -> Integer:
        width = max(self.width, self._of(other).width)
        return self._made(Kind.BV_XOR, self._both(other, width))

    def __ge__(self, other: Any) -> Term:
        width = max(self.width, self._of(other).width)
        return self._terms.mk_term(Kind.BV_SGE, self._both(other, width))

    def equals(self, other: Any) -> Term:
        width = max(self.width, self._of(other).width)
        return self._terms.mk_term(Kind.EQUAL, self._both(other, width))


def bitvectors(
    terms: TermManager, lookup: Callable[[Any, Integer], Integer]
) -> dict[str, Callable[..., Any]]:
    """The arithmetic over :class:`Integer` and Boolean terms.

    Parameters
    ----------
    terms : TermManager
    lookup : callable
        From a ``rom`` node and its address to its row.
    """

    def choose(condition: Term, yes: Integer, no: Integer) -> Integer:
        width = max(yes.width, no.width)
        parts = [condition, yes.extended(width), no.extended(width)]
        return Integer(terms, terms.mk_term(Kind.ITE, parts))

    def clamp(node: Any, a: Integer) -> Integer:
        low, high = (Integer.constant(terms, bound) for bound in node.meta)
        raised = choose(a >= low, a, low)
        return choose(raised >= node.meta[1] + 1, high, raised)

    return {
        **EXACT,
        "const": lambda node: Integer.constant(terms, node.meta),
        "rom": lookup,
        "not": lambda node, a: terms.mk_term(Kind.NOT, [a]),
        "and": lambda node, a, b: terms.mk_term(Kind.AND, [a, b]),
        "or": lambda node, a, b: terms.mk_term(Kind.OR, [a, b]),
        "mux": lambda node, a, b, c: choose(a, b, c),
        "clamp": clamp,
    }


# -- bits of terms -------------------------------------------------------------------------------
def bits_of(terms: TermManager, value: Any, sort: Sort, first: int) -> Term:
    """The bits from ``first`` up of an integer, or of a Boolean term, as a term of a sort."""
    boolean = sort.is_bool()
    if not isinstance(value, Integer):
        return value if boolean else _bit(terms, value)
    last = first + (1 if boolean else int(sort.bv_size())) - 1
    whole = value.extended(max(value.width, last + 1))
    bits = terms.mk_term(Kind.BV_EXTRACT, [whole], [last, first])
    return is_one(terms, bits) if boolean else bits


def part(terms: TermManager, term: Term, first: int, width: int) -> Term:
    """``width`` bits of a term, from ``first`` up."""
    if term.sort().is_bool() or width == int(term.sort().bv_size()):
        return term
    return terms.mk_term(Kind.BV_EXTRACT, [term], [first + width - 1, first])


def concatenated(terms: TermManager, parts: list[Term]) -> Term:
    """Parts as one term, the lowest first."""
    return terms.mk_term(Kind.BV_CONCAT, parts[::-1]) if parts[1:] else parts[0]


def complement(terms: TermManager, term: Term) -> Term:
    return terms.mk_term(Kind.NOT if term.sort().is_bool() else Kind.BV_NOT, [term])


def is_one(terms: TermManager, bit: Term) -> Term:
    return terms.mk_term(Kind.EQUAL, [bit, terms.mk_bv_value(terms.mk_bv_sort(1), 1)])


def _bit(terms: TermManager, condition: Term) -> Term:
    sort = terms.mk_bv_sort(1)
    parts = [condition, terms.mk_bv_value(sort, 1), terms.mk_bv_value(sort, 0)]
    return terms.mk_term(Kind.ITE, parts)
