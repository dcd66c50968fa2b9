"""Neurons made around a datapath of one's own, for what no built-in neuron has."""

import math
from dataclasses import replace
from itertools import pairwise

from scneuro import LIF
from scneuro.compiler.datapath import Datapath
from scneuro.fixed import FixedNeuron

#: What the register of V can hold in these neurons.
LOW, HIGH = -(1 << 23), (1 << 23) - 1


def made(build):
    """A neuron of one state V, 24 bits, and one input I, from ``build(path, V, I)``.

    It returns the spike flag and the next register.
    """
    base = LIF().fixed()
    register = replace(base.lowered.registers["V"], low=LOW, high=HIGH, init=0)
    path = Datapath()
    V = path.input("V", LOW, HIGH, register.fraction)
    I = path.input("I", -(1 << 15), (1 << 15) - 1, 8)
    spike, following = build(path, V, I)
    path.outputs = {"spike": spike, "V": following}
    half = path.const(1 << (register.guard - 1), register.fraction)
    word = path.clamp(path.shr(path.add(V, half), register.guard, 0.0), -(1 << 15), (1 << 15) - 1)
    lowered = replace(
        base.lowered, registers={"V": register}, path=path, words={"V": word}, decisions=[]
    )
    return FixedNeuron("Made", 0.1, base.input_defaults, lowered)


def fitted(path, x):
    """Any value, in the register of V."""
    return path.clamp(path.shr(x, max(0, x.width - 24), 0.0), LOW, HIGH)


def wide(path, V, I, sign=1):
    """A value of 31 bits."""
    return path.clamp(path.add(path.shl(V, 6), I, sign), -(1 << 30), (1 << 30) - 1)


def interpolated(path, V, high=30_100):
    """A table of 1,024 rows, value and slope, interpolated over an address of 24 bits."""
    shift, slope = 14, 12
    ends = [round(30_000 * math.sin(k / 200)) for k in range(1025)]
    rows = tuple((y << slope) + ((z - y) & ((1 << slope) - 1)) for y, z in pairwise(ends))
    address = path.add(V, path.const(-LOW, V.fraction))
    row = path.rom(path.shr(address, shift, 0.0), rows, 0)
    rise = path.mul(path.low(row, slope, signed=True), path.low(address, shift))
    value = path.add(path.shr(row, slope, 0.0), path.shr(rise, shift, 0.0))
    return path.annotate(value, -30_100, high, 0.0, "table")
