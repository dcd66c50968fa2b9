"""One request after the other, each until its reply is there."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from ...link.messages import REPLY, REQUEST, Kind, Status
from .codec import Message, Reader, request_bytes
from .port import LinkError, Port

__all__ = ["NoAnswer", "Refused", "Requests"]

_NUMBERS = 1 << REQUEST["sequence"]
_TRIES = 4  # at least
_AROUND = 5  # bytes: a check, and what frames it
_BITS, _LONGER = 10, 2.5  # of a byte on the line; times its time that line and chip may take
_SLOWER = 4  # times what a reply is late is waited for the next one
_ANOTHER = "was the board built from this network, by this version of scneuro?"


class NoAnswer(LinkError):
    """A request was repeated until its time was over, and no reply came."""


class Refused(LinkError):
    """A chip's reply says that it did not do what it was asked for.

    Attributes
    ----------
    status : int
        A :class:`~scneuro.link.messages.Status`, of those that this version knows.
    """

    status: int


@dataclass(frozen=True)
class _Request:
    kind: Kind
    region: int = 0
    row: int = 0
    count: int = 0
    words: tuple[int, ...] = ()

    @property
    def answer_bytes(self) -> int:
        """Of the longest reply that there may be."""
        asked = self.count if self.kind in (Kind.READ, Kind.TAKE) else 0
        return sum(REPLY.values()) // 8 + 2 * asked + _AROUND

    def content(self, number: int) -> bytes:
        """Its bytes."""
        names = ("kind", "region", "row", "count")
        header = {name: int(getattr(self, name)) for name in names}
        return request_bytes(Message({**header, "sequence": number}, self.words))


class Requests:
    """A chip's requests and replies over a port.

    A request is sent until its reply is there. What changes something on the chip has a number in
    turn, so that it is done once however often it is sent.

    Parameters
    ----------
    port : Port
    timeout : float
        Seconds after which a chip that gives no reply has none.

    Attributes
    ----------
    repeated : int
        Requests that were sent again.
    """

    def __init__(self, port: Port, *, timeout: float = 2.0) -> None:
        self.port, self.timeout = port, timeout
        self.repeated = 0
        self._reader = Reader()
        self._delay = port.delay  # how late a reply may be, besides its time on the line
        self._reads = secrets.randbelow(_NUMBERS)
        self._last: int | None = None  # the number that the chip took last, where that is known
        self._pending: _Request | None = None  # that which has no reply yet

    # -- what there is to ask ----------------------------------------------------------------
    def read(self, region: int, row: int, count: int) -> list[int]:
        """``count`` words of a region from a row on, at most :data:`MOST_WORDS`."""
        self._reads = (self._reads + 1) % _NUMBERS
        reply = self._answered(_Request(Kind.READ, region, row, count), self._reads)
        if len(reply.words) != count:
            raise LinkError(
                f"{self.port.name}: the chip answered with {len(reply.words)} words of {count}",
                _ANOTHER,
            )
        return list(reply.words)

    def write(self, region: int, row: int, words: Sequence[int]) -> None:
        """Whole rows of a region, from a row on."""
        self._in_turn(_Request(Kind.WRITE, region, row, len(words), tuple(words)))

    def feed(self, words: Sequence[int]) -> int:
        """Words of steps to come; how many of them there was room for."""
        return self._in_turn(_Request(Kind.FEED, 0, 0, len(words), tuple(words)))["position"]

    def take(self, position: int, count: int) -> tuple[list[int], int]:
        """Free the results before a position: up to ``count`` from there, and the next one's place.

        There are none from a position where no result is kept.
        """
        reply = self._in_turn(_Request(Kind.TAKE, 0, position, count), (Status.OUTSIDE,))
        return list(reply.words), reply["position"]

    def finish(self) -> None:
        """Bring a request to its end that was interrupted: it is done once, as any other."""
        if self._pending is not None:
            self._settle(self._pending, (Status.OUTSIDE,))

    # -- how it is asked ---------------------------------------------------------------------
    def _in_turn(self, request: _Request, refusals: Sequence[Status] = ()) -> Message:
        self.finish()
        self._pending = request
        return self._settle(request, refusals)

    def _settle(self, request: _Request, refusals: Sequence[Status]) -> Message:
        """The reply to the request that is under way, which counts from then on."""
        if self._last is None:
            self._last = self._synchronized()
        number = (self._last + 1) % _NUMBERS
        try:
            reply = self._answered(request, number, refusals)
        except Refused as error:
            self._pending = None
            if error.status == Status.ORDER:
                self._last = None
            raise
        last = number if reply["status"] == Status.OK else self._last
        self._pending, self._last = None, last  # nothing comes between these two
        return reply

    def _synchronized(self) -> int:
        """The number of the request that the chip took last, of whichever program."""
        number = secrets.randbelow(_NUMBERS)
        reply = self._answered(_Request(Kind.FEED), number, (Status.ORDER,))
        return reply["position"] if reply["status"] == Status.ORDER else number

    def _answered(self, request: _Request, number: int, refusals: Sequence[Status] = ()) -> Message:
        """The reply to a request, which is sent until there is one."""
        content = request.content(number)
        begin, tries, rejected = self.port.now(), 0, self._reader.rejected
        line = _BITS * (len(content) + request.answer_bytes) / self.port.baud
        while tries < _TRIES or self.port.now() - begin < self.timeout:
            self.port.write(content)
            tries += 1
            sent = self.port.now()
            reply = self._reply(request.kind, number, sent + _LONGER * line + self._delay)
            if reply is not None:
                if tries == 1:  # else nobody knows which one it is the reply to
                    late = _SLOWER * (self.port.now() - sent - line)
                    self._delay = min(max(self.port.delay, late), self.timeout)
                if reply["status"] not in (Status.OK, *refusals):
                    raise self._refused(reply)
                return reply
            self._delay = min(2 * self._delay, max(self.port.delay, self.timeout / 2))
            self.repeated += 1
        raise self._silent(tries, self._reader.rejected - rejected)

    def _reply(self, kind: Kind, number: int, until: float) -> Message | None:
        """The reply to a request, if it comes in time; any other is of an earlier one."""
        while (left := until - self.port.now()) > 0:
            for message in self._reader.feed(self.port.read(left)):
                if message["kind"] == kind and message["sequence"] == number:
                    return message
        return None

    # -- what can go wrong -------------------------------------------------------------------
    def _silent(self, tries: int, rejected: int) -> NoAnswer:
        said = f"{self.port.name}: no answer to {tries} requests at {self.port.baud:,} baud"
        if rejected:
            return NoAnswer(
                f"{said}, but {rejected} damaged frames",
                "is that its baud rate, and the cable good?",
            )
        return NoAnswer(said, "is the board on, and built with a link? is that its baud rate?")

    def _refused(self, reply: Message) -> Refused:
        status, kind = reply["status"], Kind(reply["kind"]).name.lower()
        if status == Status.ORDER:
            error = Refused(
                f"{self.port.name}: the chip has taken requests that were not made here",
                "does another program talk to it, or was it switched off? connect again",
            )
        else:
            why = Status(status).name.lower() if status in list(Status) else f"status {status}"
            error = Refused(f"{self.port.name}: the chip refuses to {kind}: {why}", _ANOTHER)
        error.status = status
        return error
