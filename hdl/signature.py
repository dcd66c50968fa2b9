"""The ports of a neuron's hardware, and the draws that it takes."""

from typing import Any

from amaranth import Module, Shape, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..compiler.lowered import Lowered
from ..fixed import FixedNeuron
from ..stochastic import LFSR as Sequence
from .lfsr import LFSR
from .step import inputs_layout, registers_layout

__all__ = ["draws", "signature"]


def signature(lowered: Lowered) -> wiring.Signature:
    """The ports of a neuron's hardware, ours or hand-written.

    Members
    -------
    i : In(stream of a struct of the inputs, signed(16) each)
        The inputs of one time step. As any stream's, the payload must not change until it is
        accepted; it is accepted when the step is done.
    o : Out(stream of a struct of ``spike`` and the first state's word, signed(16))
        One result for every time step.
    state : Out(struct of signed registers)
        The state registers, guard bits included; those of the result while ``o`` is valid.
    """
    first = next(iter(lowered.registers))
    return wiring.Signature(
        {
            "i": In(stream.Signature(inputs_layout(lowered))),
            "o": Out(
                stream.Signature(data.StructLayout({"spike": 1, first: Shape(16, signed=True)}))
            ),
            "state": Out(registers_layout(lowered)),
        }
    )


def draws(m: Module, fixed: FixedNeuron, taken: Any) -> dict[str, Value]:
    """The draws of its noises, and those that round it, by name; new ones after each ``taken``."""
    lowered, seed = fixed.lowered, fixed.seed
    found: dict[str, Value] = {}
    for name, wanted, start in (
        ("noise", lowered.drawn, Sequence.apart(seed)),
        ("dither", lowered.dither, seed),
    ):
        if wanted:
            m.submodules[name] = lfsr = LFSR(len(wanted), seed=start)
            m.d.comb += lfsr.en.eq(taken)
            found |= {draw: lfsr.o.word_select(k, Sequence.DRAW) for k, draw in enumerate(wanted)}
    return found
