"""What a neuron declares: its states, its inputs, its noises and its parameters."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .stochastic import Noise
from .words import Word

__all__ = [
    "MOST_GUARD",
    "Declarations",
    "Input",
    "State",
    "declarations",
    "names_of",
    "refuse_taken",
]

MOST_GUARD = 24


@dataclass
class State:
    """A state variable of a neuron.

    Parameters
    ----------
    init : float, str or callable
        Initial value: a number, the name of a parameter, or a function of the neuron.
    unit : str
        For reports and plots.
    word : str
        The 16-bit word a user reads, ``Q8.8`` unless the variable lives in another range
        (a gate in [0, 1] may be ``Q1.15``).
    range : (float, float), optional
        Limits at which it saturates; by default those of its word.
    guard : int, optional
        Fraction bits its register has below the word. By default 8, or more where it decays so
        slowly that 8 would leave it stuck.
    budget : float, optional
        What one step may be off by, in LSB of its word; by default 1.
    """

    init: float | str | Callable[[Any], float] = 0.0
    unit: str = ""
    word: str = "Q8.8"
    range: tuple[float, float] | None = None
    guard: int | None = None
    budget: float | None = None
    name: str = field(default="", init=False)

    def __post_init__(self) -> None:
        init: Any = self.init
        if isinstance(init, list | tuple | np.ndarray) and np.ndim(init):
            raise TypeError(
                "State(init=...) must be one number; a vector is a State for each of its elements: "
                "x0, x1 = State(), State()"
            )
        if not (isinstance(init, str) or callable(init) or _is_number(init)):
            raise TypeError(
                f"State(init=...) must be a number, a parameter's name or a function of the "
                f"neuron, not {init!r}"
            )
        if not isinstance(self.word, str):
            raise TypeError(f"State(word=...) must be text such as 'Q8.8', not {self.word!r}")
        _ = self.format
        _check_range("State", self.range)
        bits = self.guard
        if bits is not None and not (_is_number(bits) and bits in range(MOST_GUARD + 1)):
            raise ValueError(f"State(guard={bits!r}) must be a whole number, 0 to {MOST_GUARD}")
        most = self.budget
        if most is not None and not (_is_number(most) and 0 < most < float("inf")):
            raise ValueError(f"State(budget={most!r}) must be a positive number of LSB")

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else instance.read(self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.write(self.name, value)

    @property
    def format(self) -> Word:
        return Word.parse(self.word)


@dataclass
class Input:
    """An input of a neuron, a 16-bit word in hardware.

    Parameters
    ----------
    unit : str
        For reports and plots.
    default : float
        The value where ``step`` is not given one.
    range : (float, float), optional
        Limits at which it saturates; by default those of its word.
    word : str
        ``Q8.8`` unless it lives in another range.
    """

    unit: str = ""
    default: float = 0.0
    range: tuple[float, float] | None = None
    word: str = "Q8.8"
    name: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.word, str):
            raise TypeError(f"Input(word=...) must be text such as 'Q8.8', not {self.word!r}")
        _ = self.format
        if not (_is_number(self.default) and np.isfinite(self.default)):
            raise ValueError(f"Input(default=...) must be a finite number, not {self.default!r}")
        _check_range("Input", self.range)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def format(self) -> Word:
        return Word.parse(self.word)


def _is_number(value: Any) -> bool:
    return not np.ndim(value) and np.asarray(value).dtype.kind in "iufb"


def _check_range(kind: str, ends: Any) -> None:
    """Refuse what is no range."""
    if ends is None:
        return
    if not (np.shape(ends) == (2,) and np.asarray(ends).dtype.kind in "iuf"):
        raise TypeError(f"{kind}(range=...) must be two numbers, (low, high), not {ends!r}")
    if not ends[0] < ends[1]:
        raise ValueError(f"{kind}(range={ends!r}) must be (low, high) with low < high")


@dataclass(frozen=True)
class Declarations:
    """What a class declares, with all it inherits, in order.

    Attributes
    ----------
    states, inputs, noises : dict
        By name.
    defaults : dict
        The default of every parameter.
    kinds : dict
        What the annotated parameters are: ``int``, ``bool`` or ``float``.
    """

    states: dict[str, State]
    inputs: dict[str, Input]
    noises: dict[str, Noise]
    defaults: dict[str, Any]
    kinds: dict[str, type]


def declarations(cls: type, root: type, surface: Collection[str]) -> Declarations:
    """What a subclass of ``root`` declares.

    Parameters
    ----------
    cls, root : type
    surface : collection of str
        Names that have a meaning already.

    Raises
    ------
    TypeError
        A name that is taken, or a parameter without a default.
    """
    found: dict[str, Any] = {}
    notes: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, root):
            found.update(vars(base))
            for name, note in annotations_of(base).items():
                notes.pop(name, None)  # what is declared again takes its new place
                notes[name] = note
    variables = {n: v for n, v in found.items() if isinstance(v, State | Input | Noise)}
    refuse_taken(cls.__name__, variables.items(), surface)
    notes = {n: note for n, note in notes.items() if "ClassVar" not in note and n not in variables}
    for name in notes:
        if name not in found and name not in surface and not name.startswith("_"):
            raise TypeError(f"{cls.__name__}: parameter {name} needs a default value")
    numbers = [n for n, v in found.items() if type(v) in (int, float) and n[0] != "_"]
    names = dict.fromkeys((*(n for n in notes if n in found), *numbers))
    for name in names.keys() & names_of(root) - {"dt"}:
        raise TypeError(
            f"{cls.__name__}: parameter {name} has a name that means something else for every "
            f"neuron; rename it, to {name}_ for example"
        )
    return Declarations(
        {n: v for n, v in variables.items() if isinstance(v, State)},
        {n: v for n, v in variables.items() if isinstance(v, Input)},
        {n: v for n, v in variables.items() if isinstance(v, Noise)},
        {n: found[n] for n in names},
        {n: {"int": int, "bool": bool}.get(notes[n], float) for n in names if n in notes},
    )


def names_of(*kinds: type) -> frozenset[str]:
    """The names that instances of some classes have: methods, properties and annotated ones."""
    annotated = (annotations_of(base) for kind in kinds for base in kind.__mro__)
    return frozenset().union(*map(dir, kinds), *annotated)


def annotations_of(cls: type) -> dict[str, str]:
    """A class's own annotations as text, none of them evaluated."""
    if sys.version_info >= (3, 14):  # there they are code, which may name what is not imported
        from annotationlib import Format

        notes = inspect.get_annotations(cls, format=Format.STRING)
    else:
        notes = inspect.get_annotations(cls)
    return {n: note.__name__ if isinstance(note, type) else str(note) for n, note in notes.items()}


def refuse_taken(owner: str, variables: Iterable[tuple[str, Any]], taken: Collection[str]) -> None:
    """Refuse a state, an input or a noise whose name already means something.

    Raises
    ------
    TypeError
    """
    for name, variable in variables:
        kind = type(variable).__name__
        if name.startswith("_"):
            raise TypeError(f"{owner}: {kind} {name} must not start with an underscore; rename it")
        if name in taken:
            raise TypeError(
                f"{owner}: {kind} {name} has a name that means something else for every neuron; "
                f"rename it, to {name}_ for example"
            )
