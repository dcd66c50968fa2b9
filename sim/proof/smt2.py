"""Elaborated RTL as yosys writes it in SMT-LIB, read back as terms of the solver.

Only what ``write_smt2`` emits for a flat module of registers, logic and read-only memories is
understood; anything else is an error, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bitwuzla import Kind, Sort, Term, TermManager

from ...errors import ToolError

__all__ = ["Piece", "Rtl"]

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


def _conjuncts(body: Any) -> list[Any]:
    """The equations of a conjunction; yosys writes a single one without its ``and``."""
    match body:
        case ["and", *equations]:
            return equations
        case ["=", *_]:
            return [body]
    return []


@dataclass(frozen=True)
class Piece:
    """Bits of a symbol, from ``first`` up, that are those of a wire from ``place`` up."""

    symbol: str
    first: int
    place: int
    width: int


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
                case ["define-fun", name, [_, _], _, body] if name == f"|{top}_t|":
                    for _, value, (symbol, _) in _conjuncts(body):
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
        for equation in _conjuncts(initial):
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

    def __contains__(self, name: str) -> bool:
        """Whether there is a wire of that name: yosys drops what nothing reads."""
        return f"|{self._top}_n {name}|" in self._bodies

    def pieces(self, name: str) -> list[Piece]:
        """What a wire of registers or free inputs is made of, from its lowest bit.

        A register that yosys has merged with another is made of that one's symbol; bits that
        nothing reads, or that yosys has made constant, are of no symbol and are left out.

        Raises
        ------
        ToolError
            If the wire is logic, and not a register or a free input.
        """
        body = self._bodies.get(f"|{self._top}_n {name}|")
        found: list[Piece] = []
        self._collect(body, name, 0, found)
        return found

    def _collect(self, body: Any, name: str, place: int, found: list[Piece]) -> int:
        """Add the pieces of an expression that is at a bit of a wire; returns where it ends."""
        match body:
            case ["concat", *parts]:
                for part in reversed(parts):
                    place = self._collect(part, name, place, found)
                return place
            case str(bits) if bits.startswith("#b"):
                return place + len(bits) - 2
            case "true" | "false":
                return place + 1
            case [str(symbol), "state"] | ["ite", [str(symbol), "state"], "#b1", "#b0"] if (
                symbol in self._sorts
            ):
                piece = Piece(symbol, 0, place, self.width(symbol))
            case [["_", "extract", high, low], [str(symbol), "state"]] | [
                "=",
                [["_", "extract", high, low], [str(symbol), "state"]],
                "#b1",
            ] if symbol in self._sorts:
                piece = Piece(symbol, int(low), place, int(high) - int(low) + 1)
            case _:
                raise ToolError(f"yosys made {name} of {body}, which is no register")
        found.append(piece)
        return place + piece.width

    def following(self, symbol: str, atoms: dict[str, Term]) -> Term:
        """The term of what the symbol of a register becomes.

        Raises
        ------
        ToolError
            If it is an input's.
        """
        if symbol not in self.next:
            raise ToolError(f"yosys' {symbol} is an input, which is no register")
        return self.term(self.next[symbol], atoms)

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
        made: list[Term] = []  # of the parts whose whole is not made yet
        work: list[tuple[str, Any]] = [("", expression)]
        while work:
            what, part = work.pop()
            if what == "apply":
                count = len(part) - 1
                arguments, made = made[len(made) - count :], made[: len(made) - count]
                made.append(self._applied(part, arguments))
            elif what == "name":
                atoms[part] = made[-1]
            elif isinstance(part, str):
                made.append(self._constant(part))
            elif part[0] == "select":
                work += [("apply", part[:2]), ("", part[2])]
            elif isinstance(part[0], list) or part[0] in _KINDS:
                work.append(("apply", part))
                work += [("", argument) for argument in reversed(part[1:])]
            elif part[0] in atoms or part[0] in self._sorts:
                made.append(atoms[part[0]])
            elif part[0] in self._bodies:
                work += [("name", part[0]), ("", self._bodies[part[0]])]
            else:
                raise ToolError(f"yosys' {part[0]} has no value")
        return made[0]

    def _constant(self, text: str) -> Term:
        if text in ("true", "false"):
            return self._terms.mk_true() if text == "true" else self._terms.mk_false()
        if text.startswith("#b"):
            size = len(text) - 2
            return self._terms.mk_bv_value(self._terms.mk_bv_sort(size), int(text[2:], 2))
        raise ToolError(f"yosys wrote {text!r}, which is not understood")

    def _applied(self, expression: list[Any], parts: list[Term]) -> Term:
        """An operation on the terms of its arguments."""
        head = expression[0]
        if head == "select":
            return self._lookup(self._arrays[expression[1][0]], parts[0])
        if isinstance(head, list):
            if head[:2] == ["_", "extract"]:
                ends = [int(head[2]), int(head[3])]
                return self._terms.mk_term(Kind.BV_EXTRACT, parts, ends)
            raise ToolError(f"yosys wrote {head}, which is not understood")
        if len(parts) == 1 and head in ("and", "or"):
            return parts[0]
        return self._terms.mk_term(_KINDS[head], parts)
