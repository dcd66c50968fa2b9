"""What a neuron declares: its states and its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .words import Word

__all__ = ["Input", "State"]


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
    """An input of a neuron, a Q8.8 word in hardware.

    Parameters
    ----------
    unit : str
        For reports and plots.
    default : float
        The value where ``step`` is not given one.
    range : (float, float), optional
        Limits at which it saturates; by default those of its word.
    """

    unit: str = ""
    default: float = 0.0
    range: tuple[float, float] | None = None
    name: str = field(default="", init=False)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
