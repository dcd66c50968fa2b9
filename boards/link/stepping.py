"""Steps of a chip: their words go in whole, their results come out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...hdl.link.layout import fed_words
from ...link.messages import MOST_WORDS, Control
from .memory import Settings
from .port import LinkError
from .requests import Requests

__all__ = ["Stepping"]

_SLOWER = 10  # times the time that a step takes on the chip


class Stepping:
    """The steps that a chip is told to make, and the results that they leave.

    The words of a step are taken whole or not at all, by one request: fed, or, where that holds too
    few, written as the held step and made once. So a host that ends at any time leaves no half of
    one.

    Parameters
    ----------
    requests : Requests
    settings : Settings
    output_words : int
        That a step leaves; where it leaves none, the chip's own count says that it is over.
    kept : int
        Words of results that the chip keeps.
    longest : float
        Seconds that a step takes on the chip, at most.
    """

    def __init__(
        self,
        requests: Requests,
        settings: Settings,
        *,
        output_words: int,
        kept: int,
        longest: float,
    ) -> None:
        self._requests, self._settings = requests, settings
        self._output, self._kept = output_words, kept
        self._patience = requests.timeout + _SLOWER * longest
        self._position = settings["taken"]
        self._waiting: list[int] = []  # words that were taken, and are nobody's yet
        # whole steps at once, so that whoever comes next finds the beginning of one
        many = output_words >= MOST_WORDS or not output_words
        self._most = 0 if many else MOST_WORDS - MOST_WORDS % output_words

    def forget(self) -> bool:
        """Free all results that there are; whether there were any."""
        self._waiting = []
        begin = self._position
        _, made = self._requests.take(begin, 0)
        while made != self._position:
            self._position = made
            _, made = self._requests.take(made, 0)
        return made != begin

    def taken(self) -> np.ndarray:
        """The results that are there, (steps, words), and stay until :meth:`drop`.

        Those that come meanwhile may be for the next time: a chip can be faster than the line.
        """
        until, begin = None, self._position
        while True:
            words, made, position = self._next()
            # at once: whatever ends this, no word is lost or there twice
            self._waiting, self._position = self._waiting + words, position
            until = made if until is None else until
            to_go = (until - position) % (2 * self._kept)
            if not words or not 0 < to_go <= self._kept:
                break
        if self._position != begin:
            self._free()
        steps = len(self._waiting) // self._output if self._output else 0
        whole = self._waiting[: steps * self._output]
        return np.array(whole, dtype=np.int64).reshape(steps, self._output)

    def drop(self, steps: int) -> None:
        """The first results of so many steps are somebody's."""
        self._waiting = self._waiting[steps * self._output :]

    def _free(self) -> None:
        """The chip need not keep what was taken: the next host does not find it."""
        self._requests.take(self._position, 0)

    def run(self, frames: np.ndarray, *, at_once: int | None = None) -> Iterator[np.ndarray]:
        """The results of steps, one after the other, as (words,).

        Parameters
        ----------
        frames : ndarray, shape (T, frame words)
        at_once : int, optional
            Steps that may be under way; by default as many as there is room for.

        Raises
        ------
        LinkError
            Nothing happens any more, or as the requests.
        """
        steps, each = frames.shape
        room = max(1, min(fed_words(each) // each, self._kept // (self._output or 1)))
        most = room if at_once is None else min(at_once, room)
        of_one = max(1, MOST_WORDS // each)  # request
        begun = done = 0
        row: list[int] = []
        before = 0 if self._output else self._steps()
        since = self._requests.port.now()
        while done < steps:
            some = frames[begun : min(begun + of_one, done + most)]
            if len(some):
                self._begin(some)
                begun += len(some)
                if begun < min(done + most, steps):
                    continue
            found = self._take() if self._output else self._ended(before + done)
            if found:
                since = self._requests.port.now()
            elif self._requests.port.now() - since > self._patience:
                raise LinkError(
                    f"{self._requests.port.name}: the chip answers, and makes no step",
                    "load its design again",
                )
            for word in found:
                row.append(word)
                if len(row) == max(1, self._output):
                    done += 1
                    yield np.array(row[: self._output], dtype=np.int64)
                    row = []
        self._free()

    def _begin(self, frames: np.ndarray) -> None:
        """Have some steps made, one after the other."""
        words = frames.reshape(-1).tolist()
        if len(words) <= MOST_WORDS:
            if self._requests.feed(words) != len(words):
                raise LinkError(
                    f"{self._requests.port.name}: the chip has no room for the words of a step",
                    "does another program talk to it? reset() it",
                )
        else:
            self._settings.hold(words)
            self._settings.control(Control.HELD, left=1)

    def _take(self) -> list[int]:
        words, _, self._position = self._next()
        return words

    def _steps(self) -> int:
        """How many the chip has made, modulo 65,536."""
        return self._settings.words("steps")[0]

    def _ended(self, before: int) -> list[int]:
        """Something for each step that is over since there were so many."""
        return [0] * ((self._steps() - before) & 0xFFFF)

    def _next(self) -> tuple[list[int], int, int]:
        """The next results, where all end, and where these do."""
        words, made = self._requests.take(self._position, self._most or MOST_WORDS)
        if self._most:
            words = words[: len(words) - len(words) % self._output]
        return words, made, (self._position + len(words)) % (2 * self._kept)
