"""Where words lie in the memory of the link's processor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise

from ...link.messages import FIRST_MEMORY, HELD, IDENTITY_WORDS

__all__ = ["DIRECT", "TABLES", "Layout", "fed_words", "kept_results"]

DIRECT = 96  # variables and constants, at most
TABLES = 3  # of a region: its last row, and the words of a row as it is read, and as written


def fed_words(frame_words: int) -> int:
    """How many words may wait to become steps of so many."""
    return max(256, frame_words)


def kept_results(words: int) -> int:
    """How many words of results are kept where a step leaves so many."""
    return max(256, 2 << (words - 1).bit_length())


@dataclass(frozen=True)
class Layout:
    """Where words lie in the processor's memory, behind its variables and constants.

    Attributes
    ----------
    settings, tables, identity, fed, results : range
    words : int
        Of the memory, a power of two.
    """

    settings: range
    tables: range
    identity: range
    fed: range
    results: range
    words: int

    @classmethod
    def of(cls, regions: int, frame_words: int, output_words: int) -> Layout:
        """By the network's regions and the words of a step."""
        sizes = (
            HELD + frame_words,
            TABLES * (FIRST_MEMORY + regions),
            IDENTITY_WORDS,
            fed_words(frame_words),
            kept_results(output_words),
        )
        ends = list(accumulate(sizes, initial=DIRECT))
        settings, tables, fixed, fed, results = (range(a, b) for a, b in pairwise(ends))
        return cls(settings, tables, fixed, fed, results, 1 << (ends[-1] - 1).bit_length())
