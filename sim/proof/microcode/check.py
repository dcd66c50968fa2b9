"""The values of a datapath, against the digits that words hold of sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ....compiler.datapath import INTEGERS, Node
from ....compiler.microcode.digits import DIGIT, count, digits
from ....compiler.microcode.instructions import Op
from .polynomials import Polynomial, added, constant, joined, multiplied, odd, where
from .run import WORD, Run, is_constant, is_digit

__all__ = ["Check"]


class Check:
    """The nodes of a datapath, against what the words hold."""

    def __init__(
        self,
        run: Run,
        kept: Mapping[int, tuple[int, ...]],
        given: Mapping[str, Polynomial],
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
                self._values[node.index] = joined([*words, *above])
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
            return constant(int(INTEGERS[node.op](node, *(a.get((), 0) for a in args))))
        match node.op:
            case "const":
                return constant(int(node.meta))
            case "input":
                return self._given.get(node.meta)
            case "add":
                i, j, sign = node.meta
                return added([(args[0], 1 << i), (args[1], sign << j)])
            case "scale":
                return added([(args[0], node.meta)])
            case "shl":
                return added([(args[0], 1 << node.meta)])
            case "move" | "known":
                return args[0]
            case "mul" | "and":
                return multiplied(args[0], args[1])
            case "not":
                return added([(constant(1), 1), (args[0], -1)])
            case "mux":
                other = added([(constant(1), 1), (args[0], -1)])
                return added([(multiplied(args[0], args[1]), 1), (multiplied(other, args[2]), 1)])
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
        if node.meta in self._run.program.externals and node.high > WORD[1]:
            return self._is_draw(node, words)
        if (value := self._linear(node)) is not None and joined(words) == value:
            return True
        if not part and len(words) < count(node.low, node.high):
            return False
        if value is not None:
            return self.holds(words, value, 0, part=part)
        args = [self.value(arg) for arg in node.args]
        match node.op:
            case "shr":
                return self.holds(words, args[0], node.meta, part=part)
            case "ge":
                return self._says(words, added([(args[0], 1), (constant(node.meta), -1)]))
            case "or":
                return self._says(words, added([*((a, 1) for a in args), (constant(1), -1)]))
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
            if symbol is None and not is_constant(word, first + k, last.of):
                return None
            if symbol is not None and not is_digit(symbol, first + k, last.of):
                return None
        return last.of, first

    def holds(
        self, words: list[Polynomial], value: Polynomial, shift: int, *, part: bool = False
    ) -> bool:
        """Whether the words are the digits of ``value >> shift``, if they are enough for it.

        Of a ``part``, whether they are its lowest digits.
        """
        found = self._sum_of(words, part=part)
        for whole, places in ((value, shift), self._without_low(value, shift)):
            if places == 0 and self._same(joined(words), whole, DIGIT * len(words) if part else 0):
                return True
            if found is None:
                continue
            total, lost = found
            more = DIGIT * lost - places
            # the words have so many bits of the sum, or of it and the zeros below
            known = DIGIT * (lost + len(words)) + (not part) + max(0, -more)
            scaled = added([(whole, 1 << max(0, more))])
            if self._same(added([(total, 1 << max(0, -more))]), scaled, known):
                return True
        return False

    def _same(self, a: Polynomial, b: Polynomial, bits: int) -> bool:
        """Whether two polynomials are equal, or their lowest ``bits`` bits are."""
        difference = added([(a, 1), (b, -1)])
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
            return symbol.of == odd(total)
        low, high = self._run.interval(total)  # it always is, or never
        return len(words) == 1 and words[0] == constant(int(low >= 0)) and (low >= 0 or high < 0)

    def _is_low(self, node: Node, words: list[Polynomial], value: Polynomial, part: bool) -> bool:
        """X - 2**n * ((X + half) >> n)."""
        bits, signed = node.meta
        whole = joined(words)
        if whole == value:
            return node.low <= node.args[0].low and node.args[0].high <= node.high
        half = 1 << (bits - 1) if signed else 0
        moved = added([(value, 1), (constant(half), 1)])
        found = self._sum_of(words, part=part)
        total = whole if found is None else found[0]
        if found is not None and found[1] != 0:
            return False
        # 2**n times what is above, of as many bits as the words have
        known = DIGIT * len(words) + (not part)
        rest = {f: k % (1 << known) for f, k in added([(value, 1), (total, -1)]).items()}
        above = sorted((k, f) for f, k in rest.items() if k)
        if [k for k, _ in above] != [1 << bits + DIGIT * k for k in range(len(above))]:
            return False
        enough = bits + DIGIT * len(above) >= known  # what is not there would be beyond these bits
        return enough and self.holds([{f: 1} for _, f in above], moved, bits, part=True)

    def _is_limited(
        self, node: Node, words: list[Polynomial], value: Polynomial, part: bool
    ) -> bool:
        """Whether the words hold a value where it is within limits, and a limit elsewhere."""
        low, high = node.meta
        found = self._sum_of(words, part=part)
        total = joined(words) if found is None else found[0]
        if found is not None and found[1] != 0:
            return False
        above = self._sign(added([(value, 1), (constant(high + 1), -1)]))
        within = self._sign(added([(value, 1), (constant(low), -1)]))
        known = DIGIT * len(words) + (not part)
        arg = node.args[0]
        cases: list[tuple[int, int, Polynomial]] = [(0, 1, value)]
        if arg.high > high:
            cases.append((1, 1, constant(high)))
        if arg.low < low:
            cases.append((0, 0, constant(low)))
        if (above is None and arg.high > high) or (within is None and arg.low < low):
            return False
        for is_above, is_within, wanted in cases:
            chosen = {above: is_above, within: is_within}
            there = where(total, {s: k for s, k in chosen.items() if s is not None})
            if not self._same(there, wanted, known):
                return False
        return True

    def _sign(self, total: Polynomial) -> int | None:
        """The symbol of a word that says whether a sum is negative."""
        for number, symbol in enumerate(self._run.symbols):
            if symbol.kind == Op.SIGN and symbol.of == odd(total):
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
        if word == constant(part[0]):
            return len(set(part)) == 1
        symbol = self._run.symbol(word)
        if symbol is None or symbol.kind != Op.THERE:
            return False
        begin = added([(symbol.of, 1), (address, -1)])
        if set(begin) - {()}:
            return False
        at = begin.get((), 0)
        return self._run.program.memory[at : at + len(part)] == part

    def _is_draw(self, node: Node, words: list[Polynomial]) -> bool:
        """Whether words are the 16 bits of a draw, without a sign: raw + 2**16 where raw < 0."""
        raw = self._given.get(node.meta)
        if raw is None or (found := self._sum_of(words)) is None or found[1] != 0:
            return False
        rest = added([(raw, 1), (found[0], -1)])
        if len(rest) != 1:
            return False
        ((factors, k),) = rest.items()
        sign = {factors: 1}
        return k == 2 << DIGIT and self.holds([sign], raw, DIGIT)
