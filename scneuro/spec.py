"""What a neuron is made of, as data that compares, hashes and pickles, and makes it again."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .tools.places import Place

__all__ = ["FixedSpec", "Spec"]

Pairs = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Spec:
    """What a neuron is made of.

    Two are equal if their neurons do the same: however a parameter was given, by its default, by a
    preset or by hand. Pickled, it names its class, by module or by the file it was loaded from, so
    that a worker process finds it.

    Attributes
    ----------
    kind : type
        The neuron's class.
    preset : str or None
        The preset that was asked for.
    parameters : tuple of (str, float)
        All of them, with their values.
    others : tuple of (str, object)
        What else its constructor was given, such as a Hodgkin-Huxley neuron's channels.
    seed : int
        Of its noise.
    budget : float or None
        What one step of a state may be off by in integers, in LSB, where that was said.
    initial : tuple of (str, float)
        The states that start elsewhere than their class says.
    words : tuple of (str, str)
        The states and inputs that have other words than their class says.
    arguments, keywords : tuple
        As they were given, to the constructor or to ``preset``.
    """

    kind: type[Any]
    preset: str | None
    parameters: tuple[tuple[str, float], ...]
    others: Pairs = field(default=(), hash=False)
    seed: int = 1
    budget: float | None = None
    arguments: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    keywords: Pairs = field(default=(), compare=False, repr=False)
    initial: Pairs = ()
    words: Pairs = ()

    @property
    def where(self) -> str:
        """``module:Class``, or ``path/to/file.py:Class``."""
        return str(Place.in_module(self.kind.__module__, self.kind.__qualname__))

    def make(self) -> Any:
        """The neuron, anew."""
        keywords = dict(self.keywords)
        if self.preset is None:
            neuron = self.kind(*self.arguments, **keywords)
        else:
            neuron = self.kind.preset(self.preset, **keywords)
        if neuron.seed != self.seed:
            neuron.seed = self.seed
            neuron.reset()
        if self.words:
            neuron.set_words(**dict(self.words))
        if self.initial:
            neuron.set_initial(**dict(self.initial))
        neuron.budget = self.budget
        return neuron

    def __reduce__(self) -> tuple[Any, ...]:
        rest = (self.preset, self.parameters, self.others, self.seed, self.budget)
        given = self.arguments, self.keywords, self.initial, self.words
        return _spec, (Place.of(self.kind), *rest, *given)

    def __copy__(self) -> Spec:
        return self  # it never changes

    def __deepcopy__(self, memo: dict[int, Any]) -> Spec:
        return self


def _spec(place: Place, *rest: Any) -> Spec:
    return Spec(place.find(), *rest)


def others(
    kind: type[Any],
    arguments: tuple[Any, ...],
    keywords: Mapping[str, Any],
    parameters: Mapping[str, float],
) -> Pairs:
    """The arguments of a constructor that are no parameters, by name, defaults included."""
    call = inspect.signature(kind).bind(*arguments, **keywords)
    call.apply_defaults()
    found: dict[str, Any] = {}
    for name, value in call.arguments.items():
        way = call.signature.parameters[name].kind
        if way is inspect.Parameter.VAR_KEYWORD:
            found |= value
        elif way is not inspect.Parameter.VAR_POSITIONAL:
            found[name] = tuple(value) if isinstance(value, list) else value
    return tuple((name, value) for name, value in found.items() if name not in parameters)


@dataclass(frozen=True)
class FixedSpec:
    """What an integer model is made of.

    Attributes
    ----------
    neuron : Spec
    options : tuple of (str, object)
        Of :meth:`scneuro.Neuron.fixed`.
    """

    neuron: Spec
    options: Pairs = ()

    def make(self) -> Any:
        """The integer model, anew."""
        return self.neuron.make().fixed(**dict(self.options))
