"""Refusals of what cannot be traced: the user's line, and the NumPy form to use instead."""

from __future__ import annotations

import re
from typing import Any

from ...errors import TraceError
from ...tools.source import line_now

__all__ = ["INSTEAD", "ROUNDED", "SUPPORTED", "refuse", "untraceable"]

SUPPORTED = (
    "+ - * / **, comparisons, & | ~, np.where, np.select, np.piecewise, np.clip, np.minimum, "
    "np.maximum, np.abs, np.sign, np.interp, np.sum over a list, and NumPy functions of one value "
    "(np.exp, np.log, np.tanh, ...)"
)
ROUNDED = "compare and use np.where, or np.floor(x + 0.5) of a value with few steps"
_FINITE = "a state is always finite in hardware, where it saturates: leave it out"
_ONE = "V is one number; to add up several, np.sum([V, w], axis=0)"
INSTEAD = {
    **dict.fromkeys(("rint", "round", "trunc", "fix", "fmod"), ROUNDED),
    **dict.fromkeys(("isnan", "isfinite", "isinf", "nan_to_num"), _FINITE),
    **dict.fromkeys(("sum", "mean", "prod", "cumsum", "diff", "std", "var"), _ONE),
    **dict.fromkeys(("max", "amax"), "use np.maximum(a, b)"),
    **dict.fromkeys(("min", "amin"), "use np.minimum(a, b)"),
    "signbit": "use x < 0",
    "any": "use | between conditions",
    "all": "use & between conditions",
    "matmul": "W @ np.array([V, w]) adds up several values; V is one number",
    "dot": "np.dot(W, [V, w]) adds up several values; V is one number",
}
_HINTS = (
    (r"\brandom\b", "declare a Noise, which float, integers and gates draw alike"),
    (r"\bmath\.trunc\b", "rounding cannot be traced: compare and use np.where"),
    (r"\bmath\.(\w+)", r"use np.\1, which works on numbers, arrays and traced values alike"),
    (r"\b(min|max)\(", r"use np.\1imum(a, b)"),
    (r"\babs\(", "use np.abs(x)"),
    (r"\bif\b.*\belse\b", "use np.where(condition, a, b) instead of a conditional expression"),
    (r"\b(if|while|assert)\b", "use np.where(condition, a, b): hardware computes both branches"),
    (r"\band\b", "use & between conditions, each in brackets"),
    (r"\bor\b", "use | between conditions, each in brackets"),
    (r"\bnot\b", "use ~condition"),
    (r"[<>]=?[^<>=]+[<>]=?", "write a chained comparison as (a < x) & (x < b)"),
    (r"\b(float|int|round|bool)\d*\(", "leave the value as it is; no conversion is needed"),
)


def refuse(what: str, hint: str = "") -> TraceError:
    where, text = line_now()
    if not hint:
        for pattern, form in _HINTS:
            if match := re.search(pattern, text):
                hint = match.expand(form) if "\\1" in form else form
                break
        else:
            hint = f"a traced update() may use {SUPPORTED}"
    return TraceError(f"{where}: {what}: {text}", hint)


def untraceable(function: Any) -> TraceError:
    """The refusal of a NumPy function by its name."""
    name = function.__name__
    hint = INSTEAD.get(name, f"a traced update() may use {SUPPORTED}")
    return refuse(f"np.{name} cannot be traced", hint)
