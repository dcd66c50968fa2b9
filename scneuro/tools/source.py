"""Which line of the user's own code something happened at."""

from __future__ import annotations

import linecache
import sys
import traceback
from types import FrameType
from typing import Any

__all__ = ["line_now", "line_of", "place_of", "said"]

_PACKAGE = __name__.split(".")[0]
_MODELS = f"{_PACKAGE}.neurons."
_OTHERS = ("site-packages", "dist-packages", "importlib")


def line_now() -> tuple[str, str]:
    """The innermost line outside this package and NumPy: where it is, and its text."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _outside(frame):
            return _at(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return "<unknown>", ""


def line_of(error: BaseException) -> tuple[str, str]:
    """The user's line at which an exception was raised: where it is, and its text; or nothing."""
    found = [(f, line) for f, line in traceback.walk_tb(error.__traceback__) if _outside(f)]
    own = [at for at in found if not any(o in at[0].f_code.co_filename for o in _OTHERS)]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}", (error.text or "").strip()
    if not found:
        return "", ""
    frame, line = (own or found)[-1]
    return _at(frame.f_code.co_filename, line)


def place_of(function: Any) -> str:
    """Where a function is written."""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else "<unknown>"


def said(error: BaseException) -> str:
    """An exception's kind and its message, in one line."""
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _outside(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    ours = module.split(".")[0] in (_PACKAGE, "numpy")
    return not ours or module.startswith(_MODELS)


def _at(file: str, line: int) -> tuple[str, str]:
    return f"{file}:{line}", linecache.getline(file, line).strip()
