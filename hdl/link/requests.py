"""What a host asks for, done and answered."""

from collections.abc import Sequence
from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...link.messages import (
    FIRST_MEMORY,
    IDENTITY_WORDS,
    MOST_WORDS,
    REPLY,
    REQUEST,
    Kind,
    Region,
    Status,
)
from ...link.regions import Region as Rows
from ..network.access import AccessSignature
from .frames import Frames

__all__ = ["Requests"]

_LAYOUT, _SAID = data.StructLayout(REQUEST), data.StructLayout(REPLY)
_LEAST = _LAYOUT.size // 8 + 2  # bytes of a request without words
_ORDERED = (Kind.WRITE, Kind.FEED, Kind.TAKE)


class Requests(wiring.Component):
    """Takes requests in turn, does what they ask for, and answers.

    Parameters
    ----------
    settings : int
        Rows of the settings.
    memories : sequence of Region
        The network's, in order.
    kept : int
        Words of results that are kept, a power of two.

    Members
    -------
    i, o : In and Out(stream of 8 bits)
        The line.
    settings : Out
        Regions 0 and 1, see :class:`~scneuro.hdl.network.access.AccessSignature`.
    memories : Out
        The network's memories, numbered from 0.
    feed : Out(stream of 16 bits)
        Words of steps to come; those that are not taken at once are not given.
    made, taken : In, Out
        Positions of results.
    place : Out, result : In(16)
        The word of results at a place, a clock later.
    """

    i: Any
    o: Any
    settings: Any
    memories: Any
    feed: Any
    made: Signal
    taken: Signal
    place: Signal
    result: Signal

    def __init__(self, settings: int, memories: Sequence[Rows], kept: int) -> None:
        self._settings, self._memories, self._kept = settings, tuple(memories), kept
        self._words = max((r.words for r in memories), default=1)
        bits = kept.bit_length()
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8)),
                "settings": Out(AccessSignature(1)),
                "memories": Out(AccessSignature(self._words)),
                "feed": Out(stream.Signature(16)),
                "made": In(bits),
                "taken": Out(bits),
                "place": Out(bits - 1),
                "result": In(16),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.frames = frames = Frames()
        wiring.connect(m, wiring.flipped(self.i), frames.i)
        wiring.connect(m, frames.o, wiring.flipped(self.o))
        body, reply = frames.body, frames.reply
        self._request = request = Signal(_LAYOUT)
        kind, row, count = request.kind, request.row, request.count
        status = Signal(Status)
        last, accepted = Signal(8), Signal(7)
        due, again, ordered, carries = Signal(), Signal(), Signal(), Signal()
        behind = Signal(self.made.shape())  # results from the row on
        self._row_data = row_data = Signal(16 * self._words)
        part = Signal(range(max(2 * self._words, _LAYOUT.size // 8)))  # a byte of a row
        end = Signal()  # of a row
        inside, writable = self._bounds(m, part, end)
        self._access = access = Signal()
        ready, found = self._rows(m)
        m.d.comb += [
            due.eq(request.sequence == (last + 1)[:8]),
            again.eq(request.sequence == last),
            ordered.eq(Cat(kind == k for k in _ORDERED).any()),
            carries.eq((kind == Kind.WRITE) | (kind == Kind.FEED)),
            behind.eq(self.made - row),
            self.place.eq(row),
            self.feed.payload.eq(row_data[-16:]),
            reply.payload.eq(row_data),
        ]
        shift = Signal()
        with m.If(shift):
            m.d.sync += [row_data.eq(Cat(row_data[8:], body.payload)), part.eq(part + 1)]
        said = Signal(_SAID)
        m.d.comb += [
            said.kind.eq(kind),
            said.status.eq(status),
            said.sequence.eq(request.sequence),
            said.position.eq(Mux(kind == Kind.TAKE, self.made, accepted)),
        ]
        with m.If(status == Status.ORDER):
            m.d.comb += said.position.eq(last)

        with m.FSM(name="request"):
            with m.State("idle"):
                m.d.sync += [part.eq(0), status.eq(Status.OK)]
                with m.If(frames.asked):
                    m.next = "header"
            with m.State("header"):
                m.d.comb += body.ready.eq(1)
                with m.If(body.valid):
                    m.d.sync += request.eq(Cat(request.as_value()[8:], body.payload))
                    m.d.sync += part.eq(part + 1)
                    with m.If(part == _LAYOUT.size // 8 - 1):
                        m.next = "check"
            with m.State("check"):
                m.d.comb += frames.begin.eq(1)
                m.d.sync += part.eq(0)
                m.next = "say"
                with m.If((kind != Kind.READ) & ~ordered):
                    m.d.sync += status.eq(Status.UNKNOWN)
                with m.Elif(
                    (frames.length != _LEAST + (Mux(carries, count, 0) << 1))
                    | (count > MOST_WORDS)
                    | ((kind == Kind.TAKE) & behind[-1])
                ):
                    m.d.sync += status.eq(Status.OUTSIDE)
                with m.Elif(ordered & ~due & ~again):
                    m.d.sync += status.eq(Status.ORDER)
                with m.Elif(kind == Kind.WRITE):
                    m.next = "fill"
                with m.Elif((kind == Kind.FEED) & due):
                    m.d.sync += accepted.eq(0)
                    m.next = "feed"
                with m.Elif(kind == Kind.TAKE):
                    m.d.sync += self.taken.eq(row)
            with m.State("say"):
                m.d.comb += [
                    reply.valid.eq(1),
                    reply.payload.eq(said.as_value().word_select(part[:2], 8)),
                ]
                with m.If(reply.ready):
                    m.d.sync += part.eq(part + 1)
                    with m.If(part == 3):
                        m.d.sync += part.eq(0)
                        m.next = "send"
                        with m.If(status == Status.OK):
                            with m.If(ordered):
                                m.d.sync += last.eq(request.sequence)
                            with m.If((kind == Kind.READ) & (count != 0)):
                                m.next = "read"
                            with m.If((kind == Kind.TAKE) & (count != 0) & (behind != 0)):
                                m.next = "take"
            with m.State("send"):
                m.d.comb += frames.send.eq(1)
                with m.If(~frames.asked):
                    m.next = "idle"
            with m.State("outside"):
                m.d.comb += frames.begin.eq(1)
                m.d.sync += [status.eq(Status.OUTSIDE), part.eq(0)]
                m.next = "say"
            # -- rows
            with m.State("read"):
                m.d.comb += access.eq(inside)
                m.d.sync += part.eq(0)
                with m.If(~inside):
                    m.next = "outside"
                with m.Elif(ready):
                    m.d.sync += row_data.eq(found)
                    m.next = "give"
            with m.State("give"):
                m.d.comb += reply.valid.eq(1)
                with m.If(reply.ready):
                    m.d.comb += shift.eq(1)
                    m.d.sync += count.eq(count - part[0])
                    with m.If(end):
                        m.d.sync += row.eq(row + 1)
                        m.next = "read"
                    with m.If(part[0] & (count == 1)):
                        m.next = "send"
            with m.State("fill"):
                filled = part >= self._bytes_of_row
                m.d.comb += shift.eq(filled | (body.valid & (count != 0)))
                m.d.comb += body.ready.eq(~filled & (count != 0))
                with m.If(count == 0):
                    with m.If(part == 0):
                        m.next = "say"
                    with m.Elif(~filled):
                        m.next = "outside"
                with m.If(shift):
                    m.d.sync += count.eq(count - (part[0] & ~filled))
                    with m.If(part == 2 * self._words - 1):
                        m.next = "write"
            with m.State("write"):
                m.d.comb += access.eq(inside & writable & ~again)
                m.d.sync += part.eq(0)
                with m.If(~inside | ~writable):
                    m.next = "outside"
                with m.Elif(ready | again):
                    m.d.sync += row.eq(row + 1)
                    m.next = "fill"
            # -- steps and results
            with m.State("feed"):
                m.d.comb += [body.ready.eq(1), shift.eq(body.valid & (count != 0))]
                with m.If(count == 0):
                    m.d.comb += body.ready.eq(0)
                    m.next = "say"
                with m.Elif(shift & part[0]):
                    m.next = "fed"
            with m.State("fed"):
                m.d.comb += self.feed.valid.eq(1)
                m.d.sync += part.eq(0)
                m.next = "say"
                with m.If(self.feed.ready):
                    m.d.sync += [count.eq(count - 1), accepted.eq(accepted + 1)]
                    m.next = "feed"
            with m.State("take"):
                m.d.sync += part.eq(0)
                m.next = "taken"
            with m.State("taken"):
                m.d.comb += [
                    reply.valid.eq(1),
                    reply.payload.eq(self.result.word_select(part[0], 8)),
                ]
                with m.If(reply.ready):
                    m.d.sync += part.eq(part + 1)
                    with m.If(part[0]):
                        m.d.sync += [row.eq(row + 1), count.eq(count - 1)]
                        m.next = "take"
                        with m.If((count == 1) | (behind == 1)):
                            m.next = "send"
        return m

    def _bounds(self, m: Module, part: Signal, end: Signal) -> tuple[Signal, Signal]:
        """Whether there is such a row, and whether it may be written; where it ends."""
        inside, writable = Signal(), Signal()
        region, row = self._request.region, self._request.row
        tables = [
            (int(Region.SETTINGS), self._settings, 1, True),
            (int(Region.IDENTITY), IDENTITY_WORDS, 1, False),
        ]
        tables += [
            (FIRST_MEMORY + k, r.rows, r.words, r.writable) for k, r in enumerate(self._memories)
        ]
        bits = max(depth for _, depth, _, _ in tables).bit_length()
        rows = Signal(bits)
        self._bytes_of_row = Signal(range(2 * self._words + 1))
        with m.Switch(region):
            for number, depth, words, may in tables:
                with m.Case(number):
                    m.d.comb += [
                        rows.eq(depth),
                        self._bytes_of_row.eq(2 * words),
                        writable.eq(may),
                    ]
            with m.Default():
                m.d.comb += self._bytes_of_row.eq(2)
        m.d.comb += [
            inside.eq((row[:bits] < rows) & (row[bits:] == 0)),
            end.eq(part == self._bytes_of_row - 1),
        ]
        return inside, writable

    def _rows(self, m: Module) -> tuple[Signal, Signal]:
        """Ask for a row: whether it is done, and what it has."""
        ready, found = Signal(), Signal.like(self._row_data)
        request, memory = self._request, Signal()
        m.d.comb += memory.eq(request.region >= FIRST_MEMORY)
        for port, mine in ((self.settings, ~memory), (self.memories, memory)):
            m.d.comb += [
                port.valid.eq(self._access & mine),
                port.write.eq(request.kind == Kind.WRITE),
                port.row.eq(request.row),
                port.data.eq(self._row_data),
            ]
        m.d.comb += [
            self.settings.region.eq(request.region),
            self.memories.region.eq(request.region - FIRST_MEMORY),
            ready.eq(Mux(memory, self.memories.ready, self.settings.ready)),
            found.eq(Mux(memory, self.memories.result, self.settings.result)),
        ]
        return ready, found
