"""The proof of a program: that its instructions compute the datapath, for all states and inputs.

The instructions are followed one by one, as the machine's clocks have them, with symbols for words:
what is read before it is there is a symbol of its own, of which nothing is known. The accumulator
is a polynomial in the words that were read, exactly, and the digits that were carried away. What is
written is a digit of such a sum: with digit(S, k) the k-th digit of S, the words digit(S, d),
digit(S, d + 1), ... hold S >> 15 d, if they are enough for it.

Then every node of the datapath whose value is kept, arguments first, is shown to be what its words
hold: the sum that its words are digits of is, as a polynomial in the digits of what it is made of,
what the node's operation says; a condition, that it is the sign of such a sum; a row of a table,
that the pointer was the table's address and the address of its row. Polynomials over integers are
equal if their coefficients are, so no solver is asked. That a node's value stays in its interval is
shown apart (``intervals.py``); its words are enough for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...compiler.datapath import INTEGERS, Node, width_of
from ...compiler.lowered import Lowered
from ...compiler.microcode import Microcode
from ...compiler.microcode.digits import DIGIT, count, digits
from ...compiler.microcode.instructions import APART, Op
from ...compiler.microcode.machine import Machine

__all__ = ["faults"]

_WORD = (-(1 << DIGIT), (1 << DIGIT) - 1)
_WRITES = (Op.STORE, Op.LAST, Op.SIGN, Op.TAKE)

Polynomial = dict[tuple[int, ...], int]
"""By the symbols that are multiplied, in order, the factor."""


@dataclass(frozen=True)
class _Symbol:
    """What is known of a word.

    Attributes
    ----------
    kind : Op or None
        What wrote it; ``THERE`` if the pointer was at it. None if nothing is known.
    of : Polynomial
        The sum that it is a digit or the sign of, or that the pointer was.
    place : int
        Which digit.
    low, high : int
    """

    kind: Op | None = None
    of: Polynomial = field(default_factory=dict)
    place: int = 0
    low: int = _WORD[0]
    high: int = _WORD[1]


class _Run:
    """A step of a program, in symbols."""

    def __init__(self, program: Microcode) -> None:
        self.program = program
        self.symbols: list[_Symbol] = []
        self.faults: list[str] = []
        self.memory: dict[int, Polynomial] = {}
        self.given: dict[str, Polynomial] = {}
        self.spike: Polynomial | None = None
        self.word: tuple[Polynomial, int] | None = None
        written = {a for op, a in program.code[: program.begin] if op in _WRITES}
        for place in range(program.named):
            known = place not in written
            value = program.memory[place]
            self.memory[place] = _constant(value) if known else self._new(_Symbol())
        for name, places in program.states.items():
            for k, place in enumerate(places):
                top = k == len(places) - 1
                ends = _WORD if top else (0, _WORD[1])
                self.memory[place] = self._new(_Symbol(None, {}, k, *ends))
            self.given[name] = _joined([self.memory[place] for place in places])
        old = [place for places in program.states.values() for place in places]
        self._old = {place: self.memory[place] for place in old}
        self._follow()

    def words(self, places: tuple[int, ...]) -> list[Polynomial]:
        """What a step computes in words; of states, what it begins with.

        A digit that no word holds is one of the sum that the others are digits of. The highest
        ones, if no word holds them, are left out.
        """
        while places[-1] < 0:
            places = places[:-1]
        known = [self._old.get(p, self.memory[p]) if p >= 0 else {} for p in places]
        last = self.symbol(known[-1]) or _Symbol()
        for k, place in enumerate(places):
            if place < 0:
                digit = last.place - (len(known) - 1 - k)
                made = last.kind == Op.LAST and digit >= 0
                known[k] = self._digit(last.of, digit) if made else self.unknown()
        return known

    def _new(self, symbol: _Symbol) -> Polynomial:
        self.symbols.append(symbol)
        return {(len(self.symbols) - 1,): 1}

    def symbol(self, word: Polynomial) -> _Symbol | None:
        """What is known of a word that is a symbol."""
        ((factors, k),) = word.items() if len(word) == 1 else [((), 0)]
        return self.symbols[factors[0]] if k == 1 and len(factors) == 1 else None

    def interval(self, total: Polynomial) -> tuple[int, int]:
        """Where a polynomial lies, each of its products by itself."""
        low = high = 0
        for factors, k in total.items():
            ends = [k]
            for symbol in factors:
                s = self.symbols[symbol]
                ends = [end * side for end in ends for side in (s.low, s.high)]
            low, high = low + min(ends), high + max(ends)
        return low, high

    def _follow(self) -> None:
        program = self.program
        due: list[tuple[int, int, Polynomial]] = []
        x: Polynomial = self._new(_Symbol())
        total: Polynomial = self._new(_Symbol())
        pointer: Polynomial = self._new(_Symbol())
        column, carried = 0, (0, 0)  # the digits that the sum has lost, and where the rest lies
        for clock, (op, address) in enumerate(program.code[: program.begin]):
            while due and due[0][0] <= clock:
                _, place, word = due.pop(0)
                if place < 0:
                    pointer = word
                else:
                    self.memory[place] = word
            match op:
                case Op.LOAD:
                    x = self.memory[address]
                case Op.THERE:
                    x = self._new(_Symbol(Op.THERE, pointer))
                case Op.FIRST | Op.MORE | Op.NEXT:
                    product = _product(x, self.memory[address])
                    low, high = self.interval(product)
                    if op == Op.FIRST:
                        total, column, carried = {}, 0, (0, 0)
                    elif op == Op.NEXT:
                        column += 1
                        carried = carried[0] >> DIGIT, carried[1] >> DIGIT
                    total = _sum([(total, 1), (product, 1 << DIGIT * column)])
                    carried = carried[0] + low, carried[1] + high
                    if width_of(min(carried[0], -1), carried[1]) > program.accumulator:
                        self.faults.append(f"instruction {clock} may be more than the accumulator")
                case Op.POINT:
                    due.append((clock + APART, -1, total if column == 0 else self.unknown()))
                case Op.STORE:
                    due.append((clock + APART, address, self._digit(total, column)))
                case Op.LAST:
                    due.append((clock + APART, address, self._last(total, column)))
                case Op.SIGN:
                    word = self._sign(total)
                    due.append((clock + APART, address, word))
                case Op.TAKE:
                    word = self._new(_Symbol(op, {}, address))
                    if address < len(program.externals):
                        self.given[program.externals[address]] = word
                    due.append((clock + APART, address, word))
                case Op.SPIKE:
                    self.spike = total if column == 0 else self.unknown()
                case Op.WORD:
                    self.word = total, column
                case Op.END:
                    if clock != program.begin - 1:
                        self.faults.append(f"the step ends at instruction {clock}")
                case Op.REST:
                    self.faults.append(f"instruction {clock} rests in the middle of a step")
        if program.code[program.begin - 1][0] != Op.END:
            self.faults.append("the step has no end")
        for _, place, word in due:  # what ends last is written as the step ends
            if place >= 0:
                self.memory[place] = word

    def unknown(self) -> Polynomial:
        return self._new(_Symbol())

    def _digit(self, total: Polynomial, place: int) -> Polynomial:
        """A digit of a sum."""
        if not set(total) - {()}:
            return _constant((total.get((), 0) >> DIGIT * place) & _WORD[1])
        return self._new(_Symbol(Op.STORE, total, place, 0, _WORD[1]))

    def _sign(self, total: Polynomial) -> Polynomial:
        """1 if a sum is not negative, else 0."""
        if not set(total) - {()}:
            return _constant(int(total.get((), 0) >= 0))
        return self._new(_Symbol(Op.SIGN, _odd(total), 0, 0, 1))

    def _last(self, total: Polynomial, column: int) -> Polynomial:
        """The low 16 bits of the accumulator, as what is known of them."""
        if column == 0:
            low, high = self.interval(total)
            if _WORD[0] <= low and high <= _WORD[1]:
                return total  # it is the sum itself
            if (joined := self._whole(total)) is not None:
                return self._new(joined)
        if not set(total) - {()}:
            whole = total.get((), 0) >> DIGIT * column
            return _constant((whole - _WORD[0]) % (2 << DIGIT) + _WORD[0])
        return self._new(_Symbol(Op.LAST, total, column))

    def _whole(self, total: Polynomial) -> _Symbol | None:
        """A digit and the lowest bit of the next one: 16 bits of the sum they are digits of."""
        if sorted(total.values()) != [-1 << DIGIT, 1] or any(len(f) != 1 for f in total):
            return None
        below, above = (
            self.symbols[next(f[0] for f, k in total.items() if k == wanted)]
            for wanted in (1, -1 << DIGIT)
        )
        follows = above.kind in (Op.LAST, Op.STORE) and above.place == below.place + 1
        if follows and _is_digit(below, below.place, above.of):
            return _Symbol(Op.LAST, above.of, below.place)
        return None


def _is_digit(symbol: _Symbol, place: int, total: Polynomial) -> bool:
    """Whether a word is that digit of a sum, which goes on to columns above it."""
    more = _sum([(total, 1), (symbol.of, -1)])
    above = all(k % (1 << DIGIT * (place + 1)) == 0 for k in more.values())
    return symbol.kind == Op.STORE and symbol.place == place and above


def _is_constant(word: Polynomial, place: int, total: Polynomial) -> bool:
    """Whether that digit of a sum is always the same, and a word is it."""
    below = DIGIT * (place + 1)
    always = all(k % (1 << below) == 0 for factors, k in total.items() if factors)
    digit = (total.get((), 0) >> DIGIT * place) & _WORD[1]
    return always and word == _constant(digit)


class _Check:
    """The nodes of a datapath, against what the words hold."""

    def __init__(
        self,
        run: _Run,
        kept: Mapping[int, tuple[int, ...]],
        given: Mapping[str, Polynomial],
        lowered: Lowered,
    ) -> None:
        self._run, self._kept, self._given = run, kept, given
        self._values: dict[int, Polynomial] = {}
        self._rows: dict[int, tuple[Node, tuple[int, ...]]] = {}
        self.count = 0

    def of(self, nodes: Iterable[Node]) -> None:
        """Show every node, arguments first."""
        for node in nodes:
            places = self._kept.get(node.index)
            if rows := self._row(node):
                self._rows[node.index] = rows
            if places is not None:
                self.count += 1
                words = self._run.words(places)
                part = len(words) < len(places)
                if not self._is(node, words, part):
                    self._run.faults.append(f"{node.name} is not what its words hold")
                # of what is above them, nothing is known but that it is a multiple
                above = [self._run.unknown()] if part else []
                self._values[node.index] = _joined([*words, *above])
            else:  # whatever it is, if it is nowhere
                made = self._linear(node)
                self._values[node.index] = self._run.unknown() if made is None else made

    def value(self, node: Node) -> Polynomial:
        """The value of a node that was looked at, in words."""
        return self._values[node.index]

    def _linear(self, node: Node) -> Polynomial | None:
        """A node as a polynomial, if it is one of its arguments."""
        args = [self.value(arg) for arg in node.args]
        if args and not any(set(arg) - {()} for arg in args):
            return _constant(int(INTEGERS[node.op](node, *(a.get((), 0) for a in args))))
        match node.op:
            case "const":
                return _constant(int(node.meta))
            case "input":
                return self._given.get(node.meta)
            case "add":
                i, j, sign = node.meta
                return _sum([(args[0], 1 << i), (args[1], sign << j)])
            case "scale":
                return _sum([(args[0], node.meta)])
            case "shl":
                return _sum([(args[0], 1 << node.meta)])
            case "move" | "known":
                return args[0]
            case "mul" | "and":
                return _product(args[0], args[1])
            case "not":
                return _sum([(_constant(1), 1), (args[0], -1)])
            case "mux":
                other = _sum([(_constant(1), 1), (args[0], -1)])
                return _sum([(_product(args[0], args[1]), 1), (_product(other, args[2]), 1)])
        return None

    def _row(self, node: Node) -> tuple[Node, tuple[int, ...]] | None:
        """The address and the rows of the table that a node is bits of."""
        if node.op == "rom":
            return node.args[0], tuple(node.meta)
        if node.op not in ("shr", "low", "move", "known") or node.args[0].index not in self._rows:
            return None
        address, rows = self._rows[node.args[0].index]
        if node.op == "shr":
            rows = tuple(row >> node.meta for row in rows)
        elif node.op == "low":
            bits, signed = node.meta
            half = 1 << (bits - 1) if signed else 0
            rows = tuple((row + half) % (1 << bits) - half for row in rows)
        return address, rows

    def _is(self, node: Node, words: list[Polynomial], part: bool) -> bool:
        """Whether the words are the digits of the node's value, or a ``part``, the lowest."""
        if node.index in self._rows and self._is_row(node, words, part):
            return True
        if node.meta in self._run.program.externals and node.high > _WORD[1]:
            return self._is_draw(node, words)
        if (value := self._linear(node)) is not None and _joined(words) == value:
            return True
        if not part and len(words) < count(node.low, node.high):
            return False
        if value is not None:
            return self._holds(words, value, 0, part=part)
        args = [self.value(arg) for arg in node.args]
        match node.op:
            case "shr":
                return self._holds(words, args[0], node.meta, part=part)
            case "ge":
                return self._says(words, _sum([(args[0], 1), (_constant(node.meta), -1)]))
            case "or":
                return self._says(words, _sum([*((a, 1) for a in args), (_constant(1), -1)]))
            case "low":
                return self._is_low(node, words, args[0], part)
            case "clamp":
                return self._is_limited(node, words, args[0], part)
        return False

    def _sum_of(
        self, words: list[Polynomial], *, part: bool = False
    ) -> tuple[Polynomial, int] | None:
        """The sum that words are digits of, all there are, and how many of its digits are lost.

        Of a ``part``, some higher ones may be missing.
        """
        known = [self._run.symbol(word) for word in words]
        last = known[-1]
        if last is None or last.kind not in ((Op.LAST, Op.STORE) if part else (Op.LAST,)):
            return None
        first = last.place - len(words) + 1
        for k, (symbol, word) in enumerate(zip(known[:-1], words, strict=False)):
            if symbol is None and not _is_constant(word, first + k, last.of):
                return None
            if symbol is not None and not _is_digit(symbol, first + k, last.of):
                return None
        return last.of, first

    def _holds(
        self, words: list[Polynomial], value: Polynomial, shift: int, *, part: bool = False
    ) -> bool:
        """Whether the words are the digits of ``value >> shift``, if they are enough for it.

        Of a ``part``, whether they are its lowest digits.
        """
        found = self._sum_of(words, part=part)
        for whole, places in ((value, shift), self._without_low(value, shift)):
            if places == 0 and self._same(_joined(words), whole, DIGIT * len(words) if part else 0):
                return True
            if found is None:
                continue
            total, lost = found
            more = DIGIT * lost - places
            # the words have so many bits of the sum, or of it and the zeros below
            known = DIGIT * (lost + len(words)) + (not part) + max(0, -more)
            scaled = _sum([(whole, 1 << max(0, more))])
            if self._same(_sum([(total, 1 << max(0, -more))]), scaled, known):
                return True
        return False

    def _same(self, a: Polynomial, b: Polynomial, bits: int) -> bool:
        """Whether two polynomials are equal, or their lowest ``bits`` bits are."""
        difference = _sum([(a, 1), (b, -1)])
        return all(bits > 0 and k % (1 << bits) == 0 for k in difference.values())

    def _without_low(self, value: Polynomial, shift: int) -> tuple[Polynomial, int]:
        """A value without the digits that a shift drops anyway, and how far it is shifted still."""
        while shift >= DIGIT:
            low = [f for f, k in value.items() if k % (1 << DIGIT)]
            if len(low) > 1:
                break
            if low and (value[low[0]] != 1 or len(low[0]) != 1):
                break
            if low and not self._is_low_digit(low[0][0]):
                break
            value = {f: k >> DIGIT for f, k in value.items() if f not in low}
            shift -= DIGIT
        return value, shift

    def _is_low_digit(self, symbol: int) -> bool:
        found = self._run.symbols[symbol]
        return found.low >= 0 and found.high < 1 << DIGIT

    def _says(self, words: list[Polynomial], total: Polynomial) -> bool:
        """Whether a word is 1 where a sum is not negative, and 0 elsewhere."""
        symbol = self._run.symbol(words[0]) if len(words) == 1 else None
        if symbol is not None and symbol.kind == Op.SIGN:
            return symbol.of == _odd(total)
        low, high = self._run.interval(total)  # it always is, or never
        return len(words) == 1 and words[0] == _constant(int(low >= 0)) and (low >= 0 or high < 0)

    def _is_low(self, node: Node, words: list[Polynomial], value: Polynomial, part: bool) -> bool:
        """X - 2**n * ((X + half) >> n)."""
        bits, signed = node.meta
        joined = _joined(words)
        if joined == value:
            return node.low <= node.args[0].low and node.args[0].high <= node.high
        half = 1 << (bits - 1) if signed else 0
        moved = _sum([(value, 1), (_constant(half), 1)])
        found = self._sum_of(words, part=part)
        total = joined if found is None else found[0]
        if found is not None and found[1] != 0:
            return False
        # 2**n times what is above, of as many bits as the words have
        known = DIGIT * len(words) + (not part)
        rest = {f: k % (1 << known) for f, k in _sum([(value, 1), (total, -1)]).items()}
        above = sorted((k, f) for f, k in rest.items() if k)
        if [k for k, _ in above] != [1 << bits + DIGIT * k for k in range(len(above))]:
            return False
        whole = bits + DIGIT * len(above) >= known  # what is not there would be beyond these bits
        return whole and self._holds([{f: 1} for _, f in above], moved, bits, part=True)

    def _is_limited(
        self, node: Node, words: list[Polynomial], value: Polynomial, part: bool
    ) -> bool:
        """Whether the words hold a value where it is within limits, and a limit elsewhere."""
        low, high = node.meta
        found = self._sum_of(words, part=part)
        total = _joined(words) if found is None else found[0]
        if found is not None and found[1] != 0:
            return False
        above = self._sign(_sum([(value, 1), (_constant(high + 1), -1)]))
        within = self._sign(_sum([(value, 1), (_constant(low), -1)]))
        known = DIGIT * len(words) + (not part)
        arg = node.args[0]
        cases: list[tuple[int, int, Polynomial]] = [(0, 1, value)]
        if arg.high > high:
            cases.append((1, 1, _constant(high)))
        if arg.low < low:
            cases.append((0, 0, _constant(low)))
        if (above is None and arg.high > high) or (within is None and arg.low < low):
            return False
        for is_above, is_within, wanted in cases:
            chosen = {above: is_above, within: is_within}
            there = _given(total, {s: k for s, k in chosen.items() if s is not None})
            if not self._same(there, wanted, known):
                return False
        return True

    def _sign(self, total: Polynomial) -> int | None:
        """The symbol of a word that says whether a sum is negative."""
        for number, symbol in enumerate(self._run.symbols):
            if symbol.kind == Op.SIGN and symbol.of == _odd(total):
                return number
        return None

    def _is_row(self, node: Node, words: list[Polynomial], part: bool) -> bool:
        """Whether the words are the digits of the row at an address."""
        address, rows = self._rows[node.index]
        columns = list(zip(*(digits(row, len(words) + part) for row in rows), strict=True))
        address_of = self.value(address)
        pairs = zip(words, columns[: len(words)], strict=True)
        return all(self._is_part(word, column, address_of) for word, column in pairs)

    def _is_part(self, word: Polynomial, part: tuple[int, ...], address: Polynomial) -> bool:
        if word == _constant(part[0]):
            return len(set(part)) == 1
        symbol = self._run.symbol(word)
        if symbol is None or symbol.kind != Op.THERE:
            return False
        begin = _sum([(symbol.of, 1), (address, -1)])
        if set(begin) - {()}:
            return False
        at = begin.get((), 0)
        return self._run.program.memory[at : at + len(part)] == part

    def _is_draw(self, node: Node, words: list[Polynomial]) -> bool:
        """Whether words are the 16 bits of a draw, without a sign: raw + 2**16 where raw < 0."""
        raw = self._given.get(node.meta)
        if raw is None or (found := self._sum_of(words)) is None or found[1] != 0:
            return False
        rest = _sum([(raw, 1), (found[0], -1)])
        if len(rest) != 1:
            return False
        ((factors, k),) = rest.items()
        sign = {factors: 1}
        return k == 2 << DIGIT and self._holds([sign], raw, DIGIT)


def faults(program: Microcode) -> tuple[list[str], int]:
    """What a program does otherwise than its datapath, and how many values were looked at.

    Parameters
    ----------
    program : Microcode

    Returns
    -------
    faults : list of str
        Empty if, for all states and inputs, a step leaves what the datapath says.
    count : int
    """
    lowered = program.lowered
    run = _Run(program)
    found = run.faults
    path = lowered.path
    step = _Check(run, program.kept, run.given, lowered)
    step.of(path.reachable())
    for name, places in program.states.items():
        words = [run.memory[place] for place in places]
        if not step._holds(words, step.value(path.outputs[name]), 0):
            found.append(f"the words of {name} are not its next state")
    if run.spike != step.value(path.outputs["spike"]):
        found.append("the spike is not the datapath's")
    after = {name: step.value(path.outputs[name]) for name in program.states}
    leads = lowered.words[next(iter(lowered.registers))]
    leaving = _Check(run, program.leaving, {**run.given, **after}, lowered)
    leaving.of(path.reachable((leads,)))
    if run.word is None or run.word != (leaving.value(leads), 0):
        found.append("the word that leaves is not the new state's")
    return [*found, *_begins(program)], step.count + leaving.count


def _begins(program: Microcode) -> list[str]:
    """Whether the program's second part leaves the states as they are at first, from any memory."""
    written = {address for op, address in program.code if op in _WRITES}
    memory = [~word if k in written else word for k, word in enumerate(program.memory)]
    machine = Machine(replace(program, memory=tuple(memory)))
    registers = program.lowered.registers
    return [
        f"a reset leaves {name} at {machine.state(name)}, not at {registers[name].init}"
        for name in program.states
        if machine.state(name) != registers[name].init
    ]


# -- polynomials ---------------------------------------------------------------------------------
def _constant(value: int) -> Polynomial:
    return {(): value} if value else {}


def _sum(parts: Iterable[tuple[Any, int]]) -> Polynomial:
    """Polynomials, each times an integer, added up."""
    found: Polynomial = {}
    for part, factor in parts:
        for factors, k in part.items():
            found[factors] = found.get(factors, 0) + k * factor
    return {factors: k for factors, k in found.items() if k}


def _odd(total: Polynomial) -> Polynomial:
    """A polynomial without the power of 2 that divides it, which has its sign."""
    every = math.gcd(*total.values())
    return {factors: k // (every & -every) for factors, k in total.items()}


def _joined(words: Iterable[Polynomial]) -> Polynomial:
    """The integer whose digits words are."""
    return _sum((word, 1 << DIGIT * k) for k, word in enumerate(words))


def _product(a: Any, b: Any) -> Polynomial:
    found: Polynomial = {}
    for x, i in a.items():
        for y, j in b.items():
            key = tuple(sorted((*x, *y)))
            found[key] = found.get(key, 0) + i * j
    return {factors: k for factors, k in found.items() if k}


def _given(total: Polynomial, values: Mapping[int, int]) -> Polynomial:
    """A polynomial where some symbols have a value."""
    found: Polynomial = {}
    for factors, k in total.items():
        for symbol in factors:
            k *= values.get(symbol, 1)
        rest = tuple(symbol for symbol in factors if symbol not in values)
        found[rest] = found.get(rest, 0) + k
    return {factors: k for factors, k in found.items() if k}
