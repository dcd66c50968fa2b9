"""Tables that share a memory: each in the rows that another leaves unused.

A memory has as many rows as a power of two, of which a table uses those that its address reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..datapath import Datapath, Node
from .form import Form

__all__ = ["Place", "joined"]


@dataclass(frozen=True)
class Place:
    """Where a table's rows are: ``by`` rows behind its own addresses, in a memory of these."""

    contents: tuple[int, ...]
    by: int

    def read(self, path: Datapath, address: Node, fraction: int) -> Node:
        """The row of an address, of which the low bits count."""
        bits = (len(self.contents) - 1).bit_length()
        index = path.low(address, bits)
        if self.by:
            index = path.low(path.add(index, path.const(self.by, 0)), bits)
        return path.rom(index, self.contents, fraction)


@dataclass(frozen=True)
class _Table:
    """Contents, the addresses that its reads can have, and how many reads there are."""

    contents: tuple[int, ...]
    low: int
    high: int
    reads: int

    @property
    def rows(self) -> int:
        return self.high - self.low + 1


class _Memory:
    """So many rows, some of them those of tables."""

    def __init__(self, depth: int, interval: int) -> None:
        self.depth, self.interval = depth, interval
        self.tables: list[_Table] = []

    def fits(self, *tables: _Table) -> bool:
        """Whether there are rows for more tables, and clocks for their reads."""
        held = [*self.tables, *tables]
        rows, reads = (sum(getattr(t, what) for t in held) for what in ("rows", "reads"))
        return rows <= self.depth and reads <= self.interval

    def places(self) -> dict[tuple[int, ...], Place]:
        """Of each table, by contents: one behind the other, the first at its own addresses."""
        rows, by, at = [0] * self.depth, {}, self.tables[0].low
        for table in self.tables:
            for k in range(table.rows):
                there = table.contents[(table.low + k) % len(table.contents)]
                rows[(at + k) % self.depth] = there
            by[table.contents] = (at - table.low) % self.depth
            at += table.rows
        return {contents: Place(tuple(rows), moved) for contents, moved in by.items()}


def joined(nodes: list[Node], form: Form) -> dict[int, Place]:
    """The places of the tables, by node, where the form joins them; those of the most rows first.

    A table has as many rows as addresses that its reads can have, and a memory as many reads as the
    interval has clocks. Two that no other has room for share one of twice as many rows.
    """
    reads: dict[tuple[int, ...], list[Node]] = {}
    for node in nodes if form.joint else ():
        if node.op == "rom" and _is_known(node.args[0], len(node.meta)):
            reads.setdefault(node.meta, []).append(node)
    tables = [
        _Table(meta, min(a.low for a in at), max(a.high for a in at), len(at))
        for meta, those in reads.items()
        for at in [[node.args[0].args[0] for node in those]]
    ]
    memories: list[_Memory] = []
    for table in sorted(tables, key=lambda t: -t.rows):
        into = next((m for m in memories if m.fits(table)), None)
        if into is None:
            into = _Memory(len(table.contents), form.interval)
            if not into.fits(table):
                continue
            memories.append(into)
        into.tables.append(table)
    for one, other in _alone_in_pairs(memories):
        twice = _Memory(2 * one.depth, form.interval)
        if one.depth == other.depth and twice.fits(*one.tables, *other.tables):
            twice.tables = [*one.tables, *other.tables]
            memories = [twice, *(m for m in memories if m not in (one, other))]
    return {
        node.index: place
        for memory in memories
        if sum(table.reads for table in memory.tables) > 1
        for contents, place in memory.places().items()
        for node in reads[contents]
    }


def _alone_in_pairs(memories: list[_Memory]) -> list[tuple[_Memory, _Memory]]:
    alone = [memory for memory in memories if len(memory.tables) == 1]
    return list(zip(alone[::2], alone[1::2], strict=False))


def _is_known(index: Node, rows: int) -> bool:
    """Whether a table's address is the low bits of something that reaches no row twice."""
    if index.op != "low" or index.meta[1] or 1 << index.meta[0] != rows:
        return False
    return index.args[0].high - index.args[0].low < rows
