"""Which engine runs: the compiled one where it pays."""

from __future__ import annotations

from ..errors import ScneuroError
from .emit import Body
from .kernel import compiled, is_at_hand, is_installed

__all__ = ["ENGINES", "MANY", "is_worth"]

ENGINES = ("auto", "numpy", "compiled")
#: Neurons from which on they run side by side.
MANY = 8

_CALL = 0.7e-6  # s, of an operation of NumPy's on anything
_EACH = 1.2e-9  # s, for each neuron
_COMPILING = 2.0  # s, and some to spare
_LOADING = 0.4  # s, of numba and of what it compiled before
_SPENT: dict[Body, float] = {}  # s, of NumPy on each step that has the same bits either way


def is_worth(body: Body, steps: int, neurons: int) -> bool:
    """Whether a run is worth compiling, and can be: then it is compiled.

    It is worth it if NumPy would take two seconds, about what compiling takes. Where both give the
    same bits, earlier runs of the same step count as well, and 0.4 s are enough if the function is
    in the cache or has run in this process. Where a function's last bit may differ, only the size
    of the run decides, so that the same run always is the same.
    """
    if not is_installed():
        return False
    many = neurons >= MANY
    took = steps * body.size * (_CALL + neurons * _EACH)
    if took < _COMPILING:
        if not body.exact:
            return False
        took = _SPENT[body] = _SPENT.get(body, 0.0) + took
        if took < _LOADING or (took < _COMPILING and not is_at_hand(body, many=many)):
            return False
    try:
        compiled(body, many=many)
    except ScneuroError:
        return False
    return True
