"""Which engine runs: the compiled one where it pays."""

from __future__ import annotations

from .emit import Body
from .kernel import is_at_hand, is_installed

__all__ = ["ENGINES", "MANY", "pays"]

ENGINES = ("auto", "numpy", "compiled")
#: Neurons from which on they run side by side.
MANY = 8

_CALL = 0.7e-6  # s, of an operation of NumPy's on anything
_EACH = 1.2e-9  # s, for each neuron
_COMPILING = 2.0  # s, and some to spare
_LOADING = 0.4  # s, of numba and of what it compiled before
_SPENT: dict[Body, float] = {}  # s, of NumPy on each step that has the same bits either way


def seconds(operations: int, steps: int, neurons: int) -> float:
    """About how long NumPy takes."""
    return steps * operations * (_CALL + neurons * _EACH)


def pays(body: Body, steps: int, neurons: int) -> bool:
    """Whether a run is worth compiling.

    It is if NumPy would take two seconds, about what compiling takes. Where both give the same
    bits, runs so far count as well, and 0.4 s are enough if the compiled function is in the cache,
    or any time at all if it has run in this process. Where a function's last bit may differ, only
    the size of the run decides, so that the same run always is the same.
    """
    if not is_installed():
        return False
    took = seconds(body.size, steps, neurons)
    if took >= _COMPILING:
        return True
    if not body.exact:
        return False
    many = neurons >= MANY
    spent = _SPENT[body] = _SPENT.get(body, 0.0) + took
    return spent >= _COMPILING or (spent >= _LOADING and is_at_hand(body, many=many))
