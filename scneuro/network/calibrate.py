"""Words of states and inputs that hold what they were in a run in float."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..declare import Input, State
from ..errors import LoweringError
from ..population import Population
from ..words import WORD_BITS, Word, fitting

if TYPE_CHECKING:
    from .network import Network

__all__ = ["calibrate", "words"]

_COARSER = 6  # bits that a word may lose until it lowers
_FINEST = WORD_BITS - 1


def calibrate(
    network: Network, margin: float, inputs: Mapping[str, Any], *, progress: bool
) -> dict[str, dict[str, str]]:
    """Choose the words of a network's states and inputs; see :meth:`Network.calibrate`."""
    if not margin >= 1:
        raise ValueError(f"margin must be at least 1, not {margin!r}")
    with np.errstate(all="ignore"):
        found = network.run(progress=progress, **inputs)
    for name, layer in network.layers.items():
        one = layer.population.one
        declared: dict[str, State | Input] = {**one.state_variables, **one._inputs}
        spans: dict[str, tuple[float, float]] = {}
        for variable, values in {**found.states[name], **found.sums[name]}.items():
            if variable in one._words and variable not in network._calibrated.get(name, ()):
                continue
            if declared[variable].range is not None:
                continue  # its word holds that
            low, high = float(np.min(values)), float(np.max(values))
            if variable in layer.population.start:
                start = layer.population.start[variable]
                low, high = min(low, start.min()), max(high, start.max())
            spans[variable] = margin * min(low, 0.0), margin * max(high, 0.0)
        for state, ends in _levels(layer.population).items():
            if state in spans:
                low, high = spans[state]
                spans[state] = min(low, ends.min()), max(high, ends.max())
        network.layers[name] = replace(layer, population=_chosen(layer.population, spans))
        network._calibrated[name] = {*spans}
    return {n: words(layer.population) for n, layer in network.layers.items()}


def words(population: Population) -> dict[str, str]:
    """The words of a population's states and inputs, by name."""
    one = population.neuron
    states = {n: s.word for n, s in one.state_variables.items()}
    return states | {n: i.word for n, i in one._inputs.items()}


def _levels(population: Population) -> dict[str, np.ndarray]:
    """What a word of a state must hold, whether or not a run came there, where a neuron says so."""
    neuron = population.neuron
    given: dict[str, Any] = {**neuron.parameters, **population.parameters}
    return {
        state: np.hstack([given[level] for level in levels])
        for state, levels in getattr(neuron, "levels", {}).items()
    }


def _chosen(population: Population, spans: Mapping[str, tuple[float, float]]) -> Population:
    """The same with the finest words that hold where states and inputs were, and that lower."""
    neuron = population.neuron
    own = {*neuron.state_names, *neuron.input_defaults}
    found = {n: fitting(*ends) for n, ends in spans.items() if n in own}
    fractions = {n: w.fraction for n, w in found.items() if w is not None and w.fraction >= 0}
    for coarser in range(_COARSER):
        words = {n: Word(min(max(f - coarser, 0), _FINEST)) for n, f in fractions.items()}
        other = copy.copy(neuron)
        other.set_words(**{n: str(word) for n, word in words.items()})
        made = Population(
            other, population.count, parameters=population.parameters, init=population.init
        )
        try:
            made.fixed()
        except LoweringError:
            if coarser == _COARSER - 1:
                raise
        else:
            break
    return made
