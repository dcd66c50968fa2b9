"""What is given, and is to be a whole number."""

from __future__ import annotations

from numbers import Integral
from typing import Any

__all__ = ["whole"]


def whole(
    name: str,
    value: Any,
    least: int | None = 1,
    most: int | None = None,
    *,
    otherwise: str = "",
) -> int:
    """A whole number within its limits, if it has any; ``otherwise`` says what else there may be.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number{otherwise}, not {value!r}")
    number = int(value)
    if (least is not None and number < least) or (most is not None and number > most):
        limits = f"at least {least}" if most is None else f"{least} to {most:,}"
        raise ValueError(f"{name} must be {limits}, not {number}")
    return number
