"""The errors a user can meet that are not plain misuse of a function's arguments."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "DoesNotFit",
    "FileTrouble",
    "LoweringError",
    "ScneuroError",
    "ToolError",
    "TraceError",
    "UnknownName",
    "UpdateError",
    "did_you_mean",
]


class ScneuroError(Exception):
    """Trouble with a model, a tool, a board, a port or a file.

    Parameters
    ----------
    message : str
        What went wrong, and where.
    hint : str, optional
        What to do about it; the command line prints it on a line of its own.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class UpdateError(ScneuroError):
    """``update()`` raises an exception of its own, or returns what it must not; names the line."""


class TraceError(ScneuroError):
    """``update()`` does something that cannot become hardware; names the line."""


class LoweringError(ScneuroError):
    """The model cannot be represented in fixed point; says with which numbers.

    Attributes
    ----------
    line : str
        The line of ``update()`` that asks for it, ``file:number: text``, where that is known.
    """

    line: str = ""

    def at(self, line: str) -> "LoweringError":
        """The same, of a line of the source; of the first one it is said of."""
        if line and not self.line:
            place, _, text = line.partition(": ")
            self.message, self.line = f"{place}: {self.message}: {text}", line
        return self


class ToolError(ScneuroError):
    """A synthesis tool is missing, or failed."""


class DoesNotFit(ToolError):
    """A design takes more than its device has: another try would find the same."""


class UnknownName(ScneuroError, AttributeError, KeyError):
    """What has no such attribute, or nothing by that name; says what there is."""


class FileTrouble(ScneuroError):
    """A file cannot be read or written, or does not hold what it should."""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """A question that names the word that was probably meant; empty if none is near."""
    plain = {_plain(known): known for known in words}
    near = get_close_matches(_plain(word), plain, n=1)
    return f"did you mean {plain[near[0]]}?" if near else ""


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "")
