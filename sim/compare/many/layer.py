"""Parity of a layer of stochastic computing: every count, register and spike of its gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ....hdl import Form
from ....hdl.stochastic import Layer as Gates
from ....stochastic.layers import FixedSCDenseLayer, SCDenseLayer
from ...contracts.layer import COUNTED, LayerContract
from ...engines.drive import need_engine
from ..bits import compare_bits
from ..report import bit_line

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
        same = "gates = integers, every count of products, register and spike of every neuron"
        return "\n".join(
            [
                f"{self.layer}: {self.inputs} inputs of {self.steps:,} steps",
                bit_line(self.differing, self.first, same),
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
    need_engine(engine)
    fixed = layer.fixed() if isinstance(layer, SCDenseLayer) else layer
    table = np.asarray(inputs)
    if table.ndim != 2 or not len(table):
        raise ValueError(f"inputs must have shape (runs, {fixed.n_inputs}), not {table.shape}")
    projection = fixed.projection
    projection, registers = fixed.projection, fixed.population.lowered.registers
    given = {"x": np.stack([projection.input_words(x) for x in table])}
    contract = LayerContract(gates or Gates(fixed, form), fixed)
    found = compare_bits(contract, given, engine=engine, keep=True)
    most = projection.n_inputs * projection.per_step
    widths = {"count": most.bit_length(), "spike": 1, COUNTED: projection.steps.bit_length()}
    widths |= {name: r.width for name, r in registers.items()}
    return LayerParity(
        repr(layer),
        len(table),
        projection.steps,
        sum(widths[name] * values.size for name, values in found.shown.items()),
        found.differing,
        found.figures(),
        found.shown[COUNTED] / projection.steps,
        found.clocks,
    )
