"""Steps of a chip: their words go in, their results come out, and an interruption loses none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...link.messages import MOST_WORDS
from .port import LinkError
from .requests import Requests

__all__ = ["Stepping"]

_SLOWER = 10  # times the time that a step takes on the chip


class Stepping:
    """The steps that a chip is fed, and the results it leaves.

    Parameters
    ----------
    requests : Requests
    frame_words, output_words : int
        Of a step: what goes in, what comes out.
    kept : int
        Words of results that the chip keeps.
    longest : float
        Seconds that a step takes on the chip, at most.
    """

    def __init__(
        self, requests: Requests, *, frame_words: int, output_words: int, kept: int, longest: float
    ) -> None:
        self._requests = requests
        self._frame, self._output, self._kept = frame_words, output_words, kept
        self._patience = requests.timeout + _SLOWER * longest
        self._words: list[int] = []  # of the run that is under way
        self._origin = requests.fed
        self._position = 0

    # -- results -----------------------------------------------------------------------------
    def forget(self) -> bool:
        """Free all results that there are; whether there were any."""
        begin = self._position
        _, made = self._requests.take(begin, 0)
        while made != self._position:
            self._position = made
            _, made = self._requests.take(made, 0)
        return made != begin

    def taken(self) -> np.ndarray:
        """The results that are there, (steps, words), which are then free."""
        found: list[int] = []
        while True:
            words, made = self._requests.take(self._position, MOST_WORDS)
            found += words
            self._position = (self._position + len(words)) % (2 * self._kept)
            if self._position == made and len(found) % self._output == 0:
                break
        return np.array(found, dtype=np.int64).reshape(-1, self._output)

    # -- steps -------------------------------------------------------------------------------
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
        self.finish()
        steps = len(frames)
        most = self._kept // self._output if at_once is None else at_once
        words = self._words = frames.reshape(-1).tolist()
        self._origin = self._requests.fed
        row: list[int] = []
        done, since = 0, self._requests.port.now()
        while done < steps:
            fed = self._requests.fed - self._origin
            some = words[fed : min((done + most) * self._frame, fed + MOST_WORDS)]
            fits = some and self._requests.feed(some) == len(some)
            if fits and len(some) == MOST_WORDS:
                since = self._requests.port.now()
                continue
            found, _ = self._requests.take(self._position, MOST_WORDS)
            self._position = (self._position + len(found)) % (2 * self._kept)
            now = self._requests.port.now()
            if found or self._requests.fed - self._origin > fed:
                since = now
            else:
                self._check(since)
            for word in found:
                row.append(word)
                if len(row) == self._output:
                    done += 1
                    yield np.array(row, dtype=np.int64)
                    row = []
        self._words = []

    def finish(self) -> None:
        """Bring to its end what was interrupted: a request, and a step whose words are fed in part.

        The chip must not hold its steps.
        """
        self._requests.finish()
        since = self._requests.port.now()
        while rest := -(begun := self._requests.fed - self._origin) % self._frame:
            if not self._requests.feed(self._words[begun : begun + min(rest, MOST_WORDS)]):
                self._check(since)
            self.forget()
        self._words, self._origin = [], self._requests.fed

    def _check(self, since: float) -> None:
        """Refuse to wait any longer."""
        if self._requests.port.now() - since > self._patience:
            raise LinkError(
                f"{self._requests.port.name}: the chip answers, and makes no step",
                "connect again, and reset() it",
            )
