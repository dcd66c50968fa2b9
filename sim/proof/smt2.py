"""Elaborated RTL as yosys writes it in SMT-LIB, read back as terms of the solver.

Only what ``write_smt2`` emits for a flat module of registers, logic and read-only memories is
understood; anything else is an error, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bitwuzla import Kind, Sort, Term, TermManager

from ...errors import ToolError

__all__ = ["Rtl"]

_KINDS = {
    "bvadd": Kind.BV_ADD,
    "bvsub": Kind.BV_SUB,
    "bvmul": Kind.BV_MUL,
    "bvneg": Kind.BV_NEG,
    "bvnot": Kind.BV_NOT,
    "bvand": Kind.BV_AND,
    "bvor": Kind.BV_OR,
    "bvxor": Kind.BV_XOR,
    "bvshl": Kind.BV_SHL,
    "bvlshr": Kind.BV_SHR,
    "bvashr": Kind.BV_ASHR,
    "bvult": Kind.BV_ULT,
    "bvule": Kind.BV_ULE,
    "bvugt": Kind.BV_UGT,
    "bvuge": Kind.BV_UGE,
    "bvslt": Kind.BV_SLT,
    "bvsle": Kind.BV_SLE,
    "bvsgt": Kind.BV_SGT,
    "bvsge": Kind.BV_SGE,
    "concat": Kind.BV_CONCAT,
    "ite": Kind.ITE,
    "=": Kind.EQUAL,
    "distinct": Kind.DISTINCT,
    "not": Kind.NOT,
    "and": Kind.AND,
    "or": Kind.OR,
    "xor": Kind.XOR,
}
_TOKEN = re.compile(r"\|[^|]*\||[()]|[^\s()|;]+|;[^\n]*")


def _read(text: str) -> list[Any]:
    """The s-expressions of ``text`` as nested lists."""
    stack: list[list[Any]] = [[]]
    for token in _TOKEN.findall(text):
        if token == "(":
            stack.append([])
        elif token == ")":
            done = stack.pop()
            stack[-1].append(done)
        elif token[0] != ";":
            stack[-1].append(token)
    return stack[0]


class Rtl:
    """A flat module.

    Parameters
    ----------
    text : str
        The output of ``write_smt2 -wires``.
    top : str
        The module's name.
    terms : TermManager
    lookup : callable
        From a memory's name and the term of an address to the term of the row.

    Attributes
    ----------
    symbols : list of str
        Registers and free inputs, or the pieces they come in.
    next : dict of str to s-expression
        What each register's symbol becomes.
    memories : dict of str to dict of int to int
        Contents by name and address; of memories that nothing writes.
    """

    def __init__(
        self, text: str, top: str, terms: TermManager, lookup: Callable[[str, Term], Term]
    ) -> None:
        self._terms, self._lookup, self._top = terms, lookup, top
        self._bodies: dict[str, Any] = {}
        self._sorts: dict[str, Any] = {}
        self.next: dict[str, Any] = {}
        self.memories: dict[str, dict[int, int]] = {}
        arrays = {}
        for form in _read(text):
            match form:
                case ["declare-fun", name, _, ["Array", *_]]:
                    arrays[name] = ""
                case ["declare-fun", name, _, sort]:
                    self._sorts[name] = sort
                case ["define-fun", name, _, ["Array", *_], [array, _]] if array in arrays:
                    arrays[array] = name.strip("|").split(" ", 1)[1]
                case ["define-fun", name, [_, _], _, ["and", *equations]] if name == f"|{top}_t|":
                    for _, value, (symbol, _) in equations:
                        self.next[symbol] = value
                case ["define-fun", name, [_], _, body]:
                    self._bodies[name] = body
        self._arrays = arrays
        self._contents(self._bodies.get(f"|{top}_i|", "true"))
        for array in arrays:
            if self.next.pop(array, [array, "state"]) != [array, "state"]:
                raise ToolError(f"the memory {arrays[array]} is written")

    def _contents(self, initial: Any) -> None:
        """The initial rows of the memories, from the initial state's equations."""
        for equation in initial[1:] if isinstance(initial, list) else ():
            match equation:
                case ["=", ["bvand", ["select", [array, _], address], mask], row] if (
                    array in self._arrays
                ):
                    if set(mask[2:]) != {"1"}:
                        raise ToolError(f"a row of the memory {self._arrays[array]} is undefined")
                    rows = self.memories.setdefault(self._arrays[array], {})
                    rows[int(address[2:], 2)] = int(row[2:], 2)

    @property
    def symbols(self) -> list[str]:
        return list(self._sorts)

    def pieces(self, name: str) -> list[tuple[str, int, int]]:
        """The symbols that make up a wire: (symbol, its lowest bit in the wire, its width).

        Raises
        ------
        ToolError
            If the wire is logic, and not a register or a free input.
        """
        body = self._bodies.get(f"|{self._top}_n {name}|")
        found: list[tuple[str, int, int]] = []
        self._collect(body, name, found)
        return found

    def _collect(self, body: Any, name: str, found: list[tuple[str, int, int]]) -> None:
        """Concatenated symbols, from the lowest."""
        match body:
            case ["concat", *parts]:
                for part in reversed(parts):
                    self._collect(part, name, found)
            case [str(symbol), "state"] if symbol in self._sorts:
                place = sum(width for _, _, width in found)
                found.append((symbol, place, self.width(symbol)))
            case ["ite", [str(symbol), "state"], "#b1", "#b0"] if symbol in self._sorts:
                found.append((symbol, sum(width for _, _, width in found), 1))
            case ["=", [["_", "extract", "0", "0"], [str(symbol), "state"]], "#b1"] if (
                symbol in self._sorts and self.width(symbol) == 1
            ):
                found.append((symbol, sum(width for _, _, width in found), 1))
            case _:
                raise ToolError(f"yosys made {name} of {body}, which is no register")

    def following(self, pieces: list[tuple[str, int, int]]) -> Any:
        """The expression of what the symbols of a wire become."""
        parts = [self.next[symbol] for symbol, _, _ in reversed(pieces)]
        return parts[0] if len(parts) == 1 else ["concat", *parts]

    def wire(self, name: str, atoms: dict[str, Term]) -> Term:
        """The term of a wire, given those of the registers and inputs by symbol."""
        return self.term(self._bodies[f"|{self._top}_n {name}|"], atoms)

    def width(self, symbol: str) -> int:
        """Bits of a register or input; a Bool is one."""
        sort = self._sorts[symbol]
        return 1 if sort == "Bool" else int(sort[2])

    def sort(self, symbol: str) -> Sort:
        if self._sorts[symbol] == "Bool":
            return self._terms.mk_bool_sort()
        return self._terms.mk_bv_sort(self.width(symbol))

    def term(self, expression: Any, atoms: dict[str, Term]) -> Term:
        """An expression as a term; ``atoms`` keeps what has been made of each symbol."""
        terms = self._terms
        if isinstance(expression, str):
            if expression in ("true", "false"):
                return terms.mk_true() if expression == "true" else terms.mk_false()
            if expression.startswith("#b"):
                size = len(expression) - 2
                return terms.mk_bv_value(terms.mk_bv_sort(size), int(expression[2:], 2))
            raise ToolError(f"yosys wrote {expression!r}, which is not understood")
        head, *args = expression
        if isinstance(head, list):
            if head[:2] == ["_", "extract"]:
                high, low = int(head[2]), int(head[3])
                return terms.mk_term(Kind.BV_EXTRACT, [self.term(args[0], atoms)], [high, low])
            raise ToolError(f"yosys wrote {head}, which is not understood")
        if head == "select":
            return self._lookup(self._arrays[args[0][0]], self.term(args[1], atoms))
        if head in _KINDS:
            parts = [self.term(arg, atoms) for arg in args]
            return (
                parts[0]
                if len(parts) == 1 and head in ("and", "or")
                else terms.mk_term(_KINDS[head], parts)
            )
        if head not in atoms:
            if head not in self._bodies:
                raise ToolError(f"yosys' {head} has no value")
            atoms[head] = self.term(self._bodies[head], atoms)
        return atoms[head]
