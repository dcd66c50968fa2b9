"""Parity of a layer of stochastic computing: every count, register and spike of its gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....hdl import Form
from ....hdl.stochastic import Layer as Gates
from ....stochastic.layers import FixedSCDenseLayer, SCDenseLayer
from ....words import Q8_8, quantize
from ...engines.layer import LAYER_ENGINES
from ..parity import fixed_history
from ..report import level_line

__all__ = ["LayerParity", "layer_parity"]


@dataclass(frozen=True)
class LayerParity:
    """What a comparison of a layer's gates with its integers found.

    Attributes
    ----------
    layer : str
    inputs, steps : int
        How many ``x``, and the steps of each.
    bits : int
        That were compared: counts of products, registers and spike flags of every neuron after
        every step, and the spikes that were counted.
    differing : int
        Of these numbers, how many differ.
    first : dict or None
        The first of them: ``step``, ``neuron``, ``what``, ``model``, ``hardware``.
    rates : ndarray of float, shape (inputs, neurons)
        Spikes per step.
    clocks : int
    """

    layer: str
    inputs: int
    steps: int
    bits: int
    differing: int
    first: dict[str, Any] | None
    rates: np.ndarray
    clocks: int

    @property
    def ok(self) -> bool:
        return not self.differing

    def __str__(self) -> str:
        if self.first is None:
            said = "gates = integers, every count of products, register and spike of every neuron"
        else:
            f = self.first
            said = (
                f"{self.differing:,} differ, first {f['what']} of neuron {f['neuron']} at step "
                f"{f['step']:,}: {f['model']} in the model, {f['hardware']} in the gates"
            )
        return "\n".join(
            [
                f"{self.layer}: {self.inputs} inputs of {self.steps:,} steps",
                level_line("bit", self.ok, said),
                f"  clocks         {self.clocks / (self.inputs * self.steps):.1f} a step; "
                f"{self.bits:,} bits compared",
            ]
        )


def layer_parity(
    layer: SCDenseLayer | FixedSCDenseLayer,
    inputs: Any,
    *,
    gates: Gates | None = None,
    form: Form | None = None,
    engine: str = "cxxrtl",
) -> LayerParity:
    """Compare a layer's gates with its integers, from reset, for one input after the other.

    Parameters
    ----------
    layer : SCDenseLayer or FixedSCDenseLayer
    inputs : array of shape (runs, n_inputs)
        As :meth:`SCDenseLayer.forward` takes each.
    gates : scneuro.hdl.stochastic.Layer, optional
        The hardware, if not ours.
    form : Form, optional
        Of our population's datapath.
    engine : {"cxxrtl", "amaranth"}

    Raises
    ------
    ValueError, TypeError
    ScneuroError
        Gates that stop answering.
    ToolError
        The compiled engine without a C++ compiler.
    """
    if not isinstance(layer, SCDenseLayer | FixedSCDenseLayer):
        raise TypeError(f"layer_parity() takes a layer, not {type(layer).__name__}")
    if engine not in LAYER_ENGINES:
        raise ValueError(f"engine must be one of {', '.join(LAYER_ENGINES)}, not {engine!r}")
    fixed = layer.fixed() if isinstance(layer, SCDenseLayer) else layer
    table = np.asarray(inputs)
    if table.ndim != 2 or not len(table):
        raise ValueError(f"inputs must have shape (runs, {fixed.n_inputs}), not {table.shape}")
    projection = fixed.projection
    words = np.stack([projection.input_words(x) for x in table])
    found = LAYER_ENGINES[engine](gates or Gates(fixed, form), fixed, words)
    counts, expected, rates = _expected(fixed, words)
    widths = {n: r.width for n, r in fixed.population.lowered.registers.items()}
    most = projection.n_inputs * projection.per_step
    compared = [("count", counts, found.counts, most.bit_length())]
    compared += [
        (name, expected.after[name], values, widths[name])
        for name, values in found.registers.items()
    ]
    compared += [("spike", expected.spikes, found.fired, 1)]
    compared += [("spikes counted", rates, found.rates, projection.steps.bit_length())]
    differing, bits = 0, 0
    first = None
    for what, model, hardware, width in compared:
        differs = model != hardware
        differing += int(np.sum(differs))
        bits += model.size * width
        if first is None and differs.any():
            step, neuron = map(int, np.argwhere(differs)[0])
            first = {
                "step": step * (projection.steps if what == "spikes counted" else 1),
                "neuron": neuron,
                "what": what,
                "model": int(model[step, neuron]),
                "hardware": int(hardware[step, neuron]),
            }
    shares = found.rates / projection.steps
    return LayerParity(
        repr(layer), len(table), projection.steps, bits, differing, first, shares, found.clocks
    )


def _expected(fixed: FixedSCDenseLayer, words: np.ndarray) -> tuple[np.ndarray, Any, np.ndarray]:
    """Counts, what the neurons do, and the spikes of every input, by the integers."""
    projection, population = fixed.projection, fixed.population
    counts = np.concatenate(
        [projection.counts(row, k * projection.steps) for k, row in enumerate(words)]
    )
    given = {}
    for name, default in population.input_defaults.items():
        word = int(quantize(default, name))
        added = projection.currents(counts) if name == fixed.input else np.zeros_like(counts)
        ends = round(Q8_8.least / Q8_8.lsb), round(Q8_8.greatest / Q8_8.lsb)
        given[name] = np.clip(word + added, *ends)
    population.reset()
    history = fixed_history(population.one, given, progress=False)
    population.reset()
    spikes = history.spikes.reshape(len(words), projection.steps, -1).sum(axis=1)
    return counts, history, spikes
