"""From a datapath to sums of products of words, a column of digits at a time.

Every value that is kept lies in words, its digits. What is linear is collected until something
else takes it: a value is made at once from all that it is a sum of. The digits of a sum come out
from the lowest: a column adds the products of that weight to what the one before has carried, its
low 15 bits are the digit, and the rest is carried on. A shift to the right leaves the lowest
columns' digits out; a comparison keeps the sign of the last column alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..datapath import INTEGERS, Node
from ..lowered import Lowered
from .digits import DIGIT, coefficient, count, digits
from .instructions import Op

__all__ = ["Block", "Blocks", "Column", "Value", "Word", "blocks"]

_LINEAR = ("const", "add", "scale", "shl", "move", "known")
_COLLECTS = (*_LINEAR, "shr", "ge")  # whose argument need not be kept


@dataclass(frozen=True, eq=False)
class Word:
    """A word of the memory; ``value`` is what a constant has."""

    name: str
    value: int | None = None


#: The word at the pointer.
THERE = Word("there")


@dataclass(frozen=True)
class Value:
    """An integer in an interval, as the words of its digits."""

    words: tuple[Word, ...]
    low: int
    high: int


@dataclass(frozen=True)
class Column:
    """Products that are added up, and what becomes of the sum.

    Attributes
    ----------
    products : tuple of (Word or None, Word)
        Without the first factor, whatever is at hand.
    ends : tuple of (Op, Word or None)
    carries : bool
        Whether it goes on from the column before.
    """

    products: tuple[tuple[Word | None, Word], ...]
    ends: tuple[tuple[Op, Word | None], ...]
    carries: bool = False


@dataclass(frozen=True)
class Block:
    """Columns that belong together, one behind the other."""

    columns: tuple[Column, ...]

    @property
    def reads(self) -> set[Word]:
        found = {word for column in self.columns for pair in column.products for word in pair}
        return {word for word in found if word is not None and word is not THERE}

    @property
    def writes(self) -> list[Word]:
        return [word for column in self.columns for _, word in column.ends if word is not None]


@dataclass(frozen=True)
class Blocks:
    """What a step is made of.

    Attributes
    ----------
    externals : tuple of str
        The inputs and draws that it takes, in order.
    taken : tuple of Word
        Where each of them is put.
    states : dict of str to tuple of Word
    first : tuple of Block
        What computes, arguments first.
    then : tuple of Block
        What leaves, and writes the states, after all that.
    grain : int
    tables : dict of Word to tuple of int
        By the word that says where it begins, in grains, what a table holds.
    kept, leaving : dict of int to tuple of Word
        By the index of a node, the digits of its value, of those that are kept: of the step, and
        of what makes the word that leaves from the new states.
    """

    externals: tuple[str, ...]
    taken: tuple[Word, ...]
    states: dict[str, tuple[Word, ...]]
    first: tuple[Block, ...]
    then: tuple[Block, ...]
    grain: int
    tables: dict[Word, tuple[int, ...]]
    kept: dict[int, tuple[Word, ...]]
    leaving: dict[int, tuple[Word, ...]]


_Term = Value | tuple[Value, Value] | None
_Sum = dict[_Term, int]
"""Integers times values, products of two, and under None what is constant."""

_Products = tuple[tuple[Word | None, Word], ...]


def blocks(lowered: Lowered, grain: int = 1) -> Blocks:
    """What a step of a neuron is made of; tables begin at multiples of ``grain``."""
    return _Making(lowered, grain).all()


class _Making:
    def __init__(self, lowered: Lowered, grain: int) -> None:
        self._lowered, self._grain = lowered, grain
        self._constants: dict[int, Word] = {}
        self._tables: dict[tuple[int, ...], Word] = {}
        self._first: list[Block] = []
        self._known: dict[tuple[Any, ...], Value] = {}  # by how they are made

    # -- the whole -----------------------------------------------------------------------------
    def all(self) -> Blocks:
        path, registers = self._lowered.path, self._lowered.registers
        given = {n.meta: n for n in path.reachable() if n.op == "input"}
        externals = tuple(name for name in given if name not in registers)
        taken = tuple(Word(name) for name in externals)
        states = {
            name: tuple(Word(f"{name}_{k}") for k in range(count(r.low, r.high)))
            for name, r in registers.items()
        }
        before: dict[str, Value] = {
            name: self._taken(given[name], word)
            for name, word in zip(externals, taken, strict=True)
        }
        for name, words in states.items():
            before[name] = Value(words, registers[name].low, registers[name].high)
        after, kept = self._values(path.outputs, before)
        held = {word for words in states.values() for word in words}
        for name, value in after.items():
            if name != "spike" and value != before[name] and held & set(value.words):
                after[name] = self._made({value: 1}, value.low, value.high, name)
        leads = next(iter(registers))
        made, leaving = self._values({"": self._lowered.words[leads]}, {**before, **after})
        word = made[""]
        computed = list(self._first)
        self._first = []
        one = self._constant(1)
        for op, value in ((Op.WORD, word), (Op.SPIKE, after["spike"])):
            self._first.append(Block((Column(((value.words[0], one),), ((op, None),)),)))
        for name, words in states.items():
            if after[name].words != words:
                self._put({after[name]: 1}, words)
        then, tables = tuple(self._first), {word: rows for rows, word in self._tables.items()}
        first = _wanted(computed, then)
        used = {word for block in (*first, *then) for word in block.reads}
        return Blocks(
            externals,
            taken,
            states,
            first,
            then,
            self._grain,
            {word: rows for word, rows in tables.items() if word in used},
            kept,
            leaving,
        )

    def _taken(self, node: Node, word: Word) -> Value:
        """An input's word as a value: a draw of 16 bits is one without a sign."""
        raw = Value((word,), -(1 << DIGIT), (1 << DIGIT) - 1)
        if node.high <= raw.high:
            return Value((word,), max(node.low, raw.low), node.high)
        sign = self._shifted({raw: 1}, DIGIT, -1, 0, f"{word.name}_sign")
        return self._made({raw: 1, sign: -2 << DIGIT}, 0, (2 << DIGIT) - 1, word.name)

    def _values(
        self, roots: Mapping[str, Node], given: Mapping[str, Value]
    ) -> tuple[dict[str, Value], dict[int, tuple[Word, ...]]]:
        """The values of some nodes, those of the inputs being given; and all that are kept."""
        nodes = self._lowered.path.reachable(tuple(roots.values()))
        uses = Counter(arg.index for node in nodes for arg in node.args)
        kept = {node.index for node in roots.values()}
        for node in nodes:
            kept |= {a.index for a in node.args if node.op not in _COLLECTS or uses[a.index] > 1}
        sums: dict[int, _Sum] = {}
        values: dict[int, Value] = {}
        for node in nodes:
            if node.op == "input":
                values[node.index] = given[node.meta]
            elif node.op in _LINEAR:
                total = _linear(node, [sums[arg.index] for arg in node.args])
                if node.index in kept and node.op != "const":
                    values[node.index] = self._alias(total, node)
                else:
                    sums[node.index] = total
            else:
                values[node.index] = self._operation(node, sums, values)
            if node.index in values:
                sums[node.index] = {values[node.index]: 1}
        found = {
            name: values.get(node.index) or self._alias(sums[node.index], node)
            for name, node in roots.items()
        }
        return found, {index: value.words for index, value in values.items()}

    # -- operations ----------------------------------------------------------------------------
    def _operation(self, node: Node, sums: dict[int, _Sum], values: dict[int, Value]) -> Value:
        args = [sums[arg.index] for arg in node.args]
        low, high, name = node.low, node.high, node.name
        if all(set(arg) <= {None} for arg in args):
            return self._constants_of(int(INTEGERS[node.op](node, *(a.get(None, 0) for a in args))))
        match node.op:
            case "shr":
                if (rows := _rows(node)) is not None:
                    return self._looked_up(values[_address(node).index], rows, node)
                return self._shifted(args[0], node.meta, low, high, name)
            case "ge":
                return self._at_least(args[0], node.meta, name)
            case "rom":
                return self._looked_up(values[node.args[0].index], node.meta, node)
            case "low":
                if (rows := _rows(node)) is not None:
                    return self._looked_up(values[_address(node).index], rows, node)
                return self._low(self._of(args[0], node.args[0]), node)
            case "mul":
                return self._made(_times(*args), low, high, name)
            case "not":
                return self._complement(self._of(args[0], node.args[0]))
            case "and":
                return self._made(_times(*args), 0, 1, name)
            case "or":
                return self._at_least(_total(args), 1, name)
            case "mux":
                return self._mux(node, args)
            case "clamp":
                return self._clamp(self._of(args[0], node.args[0]), node)
        raise NotImplementedError(node.op)

    def _of(self, total: _Sum, node: Node) -> Value:
        """A sum that is kept, as a value."""
        ((value, _),) = total.items() if len(total) == 1 else [(None, 1)]
        return value if isinstance(value, Value) else self._alias(total, node)

    def _mux(self, node: Node, args: list[_Sum]) -> Value:
        condition = self._of(args[0], node.args[0])
        yes, no = args[1:]
        if set(no) <= {None}:  # a constant takes no complement
            otherwise: _Sum = _total([no, {condition: -no.get(None, 0)}])
        else:
            otherwise = _times({self._complement(condition): 1}, no)
        total = _total([_times({condition: 1}, yes), otherwise])
        return self._made(total, node.low, node.high, node.name)

    def _clamp(self, value: Value, node: Node) -> Value:
        low, high = node.meta
        once: _Sum = {value: 1}
        parts: list[_Sum]
        above = below = None
        if value.high > high:
            above = self._at_least(once, high + 1, f"{node.name}_above")
        if value.low < low:
            below = self._at_least(once, low, f"{node.name}_within")
        if above is None and below is None:
            return value
        if below is None:
            assert above is not None
            parts = [{above: high}, _times({self._complement(above): 1}, once)]
        else:
            inside = below
            if above is not None:
                inside = self._made({below: 1, above: -1}, 0, 1, f"{node.name}_inside")
            parts = [{None: low, below: -low}, _times({inside: 1}, once)]
            if above is not None:
                parts.append({above: high})
        return self._made(_total(parts), node.low, node.high, node.name)

    def _complement(self, condition: Value) -> Value:
        return self._once(
            ("not", condition),
            lambda: self._made({None: 1, condition: -1}, 0, 1, f"not_{condition.words[0].name}"),
        )

    def _low(self, value: Value, node: Node) -> Value:
        """The value without the multiples of 2**bits that are above those bits."""
        if node.low <= value.low and value.high <= node.high:
            return value
        bits, signed = node.meta
        half = 1 << (bits - 1) if signed else 0
        total: _Sum = _total([{value: 1}, {None: half}])
        low, high = (value.low + half) >> bits, (value.high + half) >> bits
        above = self._shifted(total, bits, low, high, f"{node.name}_above")
        return self._made({value: 1, above: -1 << bits}, node.low, node.high, node.name)

    def _looked_up(self, address: Value, rows: tuple[int, ...], node: Node) -> Value:
        """A row of a table, a word at a time; each word has a table of its own."""
        number = count(node.low, node.high)
        parts = list(zip(*(digits(row, number) for row in rows), strict=True))
        one = self._constant(1)
        words = []
        for k, part in enumerate(parts):
            if len(set(part)) == 1:
                words.append(self._constant(part[0]))
                continue
            word = Word(f"{node.name}_{k}")
            where = self._tables.setdefault(part, Word(f"{node.name}_{k}_at"))
            begin = where, self._constant(self._grain)
            point = Column(((address.words[0], one), begin), ((Op.POINT, None),))
            self._first.append(Block((point, Column(((THERE, one),), ((Op.LAST, word),)))))
            words.append(word)
        return Value(tuple(words), node.low, node.high)

    def _at_least(self, total: _Sum, least: int, name: str) -> Value:
        """1 if a sum is at least an integer, else 0."""

        def make() -> Value:
            columns = self._columns(_total([total, {None: -least}]))
            word = Word(name)
            self._first.append(Block(self._ended(columns, {len(columns) - 1: (Op.SIGN, word)})))
            return Value((word,), 0, 1)

        return self._once(("ge", tuple(total.items()), least), make)

    def _shifted(self, total: _Sum, bits: int, low: int, high: int, name: str) -> Value:
        """total >> bits."""

        def make() -> Value:
            dropped, rest = divmod(bits, DIGIT)
            if len(total) == 1:
                ((value, factor),) = total.items()
                if isinstance(value, Value) and factor == 1 and dropped < len(value.words):
                    places = DIGIT * dropped
                    ends = value.low >> places, value.high >> places
                    above = Value(value.words[dropped:], *ends)
                    if not rest:
                        return above
                    return self._made({above: 1 << (DIGIT - rest)}, low, high, name, 1)
            if rest:
                scaled = {term: factor << (DIGIT - rest) for term, factor in total.items()}
                return self._made(scaled, low, high, name, dropped + 1)
            return self._made(total, low, high, name, dropped)

        return self._once(("shr", tuple(total.items()), bits), make)

    def _alias(self, total: _Sum, node: Node) -> Value:
        """A sum as a value: what it already is, if it is one."""
        if not set(total) - {None}:
            return self._constants_of(total.get(None, 0))
        if len(total) == 1:
            ((value, factor),) = total.items()
            fits = isinstance(value, Value) and len(value.words) == count(node.low, node.high)
            if isinstance(value, Value) and fits and factor == 1:
                return Value(value.words, node.low, node.high)
        return self._made(total, node.low, node.high, node.name)

    def _once(self, key: tuple[Any, ...], make: Any) -> Value:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    # -- words and columns ---------------------------------------------------------------------
    def _constant(self, value: int) -> Word:
        return self._constants.setdefault(value, Word(f"constant_{value}", value))

    def _constants_of(self, value: int) -> Value:
        words = digits(value, count(value, value))
        return Value(tuple(self._constant(word) for word in words), value, value)

    def _made(self, total: _Sum, low: int, high: int, name: str, drop: int = 0) -> Value:
        """A sum, without its lowest digits, in new words."""
        words = tuple(Word(f"{name}_{k}") for k in range(count(low, high)))
        return Value(self._put(total, words, drop), low, high)

    def _put(self, total: _Sum, words: tuple[Word, ...], drop: int = 0) -> tuple[Word, ...]:
        """A sum that its digits hold, in words."""
        columns = self._columns(total)
        last = drop + len(words) - 1
        ends = {drop + k: (Op.STORE, word) for k, word in enumerate(words[:-1])}
        if len(columns) <= last + 1:
            ends[last] = Op.LAST, words[-1]
            self._first.append(Block(self._ended(columns, ends)))
            return words
        # the last word's highest bit is that of a digit above it
        name = words[-1].name
        below, above = Word(f"{name}_below"), Word(f"{name}_above")
        ends |= {last: (Op.STORE, below), last + 1: (Op.LAST, above)}
        self._first.append(Block(self._ended(columns[: last + 2], ends)))
        pair = ((below, self._constant(1)), (above, self._constant(-1 << DIGIT)))
        self._first.append(Block((Column(pair, ((Op.LAST, words[-1]),)),)))
        return words

    def _columns(self, total: _Sum) -> list[_Products]:
        """The products of each weight, from 1 up."""
        found: dict[int, list[tuple[Word | None, Word]]] = {}

        def add(place: int, a: Word, b: Word) -> None:
            if a.value != 0 and b.value != 0:
                found.setdefault(place, []).append((a, b))

        for term, factor in total.items():
            if isinstance(term, tuple):
                assert factor == 1
                for i, a in enumerate(term[0].words):
                    for j, b in enumerate(term[1].words):
                        add(i + j, a, b)
                continue
            words = (self._constant(1),) if term is None else term.words
            for j, digit in enumerate(coefficient(factor)):
                for i, word in enumerate(words):
                    add(i + j, word, self._constant(digit))
        return [tuple(found.get(k, ())) for k in range(max(found, default=0) + 1)]

    def _ended(
        self, columns: list[_Products], ends: dict[int, tuple[Op, Word]]
    ) -> tuple[Column, ...]:
        """Columns with what becomes of each, and as many more as that takes."""
        begin = next((k for k, products in enumerate(columns) if products or k in ends), 0)
        nothing: _Products = ((None, self._constant(0)),)
        made = []
        for k in range(begin, max(*ends, len(columns) - 1) + 1):
            products = (columns[k] if k < len(columns) else ()) or nothing
            made.append(Column(products, (ends[k],) if k in ends else (), carries=k > begin))
        return tuple(made)


def _linear(node: Node, args: list[_Sum]) -> _Sum:
    match node.op:
        case "const":
            return {None: int(node.meta)}
        case "add":
            i, j, sign = node.meta
            return _total([_scaled(args[0], 1 << i), _scaled(args[1], sign << j)])
        case "scale":
            return _scaled(args[0], node.meta)
        case "shl":
            return _scaled(args[0], 1 << node.meta)
    return args[0]


def _scaled(total: _Sum, factor: int) -> _Sum:
    return {term: k * factor for term, k in total.items()}


def _total(parts: Iterable[_Sum]) -> _Sum:
    """Like terms collected."""
    found: _Sum = {}
    for part in parts:
        for term, factor in part.items():
            found[term] = found.get(term, 0) + factor
    return {term: factor for term, factor in found.items() if factor}


def _times(a: _Sum, b: _Sum) -> _Sum:
    """The product of two sums, each of a value or a constant."""
    if set(a) <= {None}:
        return _total([_scaled(b, a.get(None, 0))])
    if set(b) <= {None}:
        return _total([_scaled(a, b.get(None, 0))])
    ((x, i),), ((y, j),) = a.items(), b.items()
    assert isinstance(x, Value)
    assert isinstance(y, Value)
    assert i == j == 1
    return {(x, y): 1}


def _rows(node: Node) -> tuple[int, ...] | None:
    """What bits of a table's row are, for every address; None if it is something else's bits."""
    if node.op == "rom":
        return tuple(node.meta)
    if node.op not in ("shr", "low", "move", "known"):
        return None
    rows = _rows(node.args[0])
    if rows is None or node.op in ("move", "known"):
        return rows
    if node.op == "shr":
        return tuple(row >> node.meta for row in rows)
    bits, signed = node.meta
    half = 1 << (bits - 1) if signed else 0
    return tuple(((row + half) & ((1 << bits) - 1)) - half for row in rows)


def _address(node: Node) -> Node:
    while node.op != "rom":
        node = node.args[0]
    return node.args[0]


def _wanted(found: list[Block], then: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks that something reads, without the words that nothing does."""
    read = {word for block in then for word in block.reads}
    kept = []
    for block in reversed(found):
        columns = [
            Column(
                column.products,
                tuple((op, w) for op, w in column.ends if w is None or w in read),
                column.carries,
            )
            for column in block.columns
        ]
        if not any(word in read for word in block.writes):
            continue
        while not columns[-1].ends:
            columns.pop()
        block = Block(tuple(columns))
        kept.append(block)
        read |= block.reads
    return tuple(reversed(kept))
