"""All that holds for ever of a neuron's hardware, outside its datapath."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ....fixed import FixedNeuron
from ....hdl import LFSR, Form, Microcoded, Neuron
from ....hdl.link.samples import FrameWriter
from ....hdl.top import Plan
from ....hdl.uart import UARTReceiver, UARTTransmitter
from .blocks import frame_writer, lfsr
from .harness import Harness
from .microcoded import microcoded, microcoded_reset
from .neuron import neuron, neuron_reset
from .solver import Invariant, Make, prove_claims
from .spikes import resets
from .top import timebase
from .uart import loopback, receiver, transmitter

__all__ = ["prove_invariants"]

_DIVISORS = (4, 12, 25)  # the least there is, and those of the boards
_DRAWS = (1, 3)


def _block(claims: Callable[..., Harness], number: int, *parts: Callable[[int], Any]) -> Harness:
    return claims(*(part(number) for part in parts), number)


#: What is the same for all neurons.
_COMMON: tuple[Make, ...] = (
    *(partial(_block, lfsr, draws, LFSR) for draws in _DRAWS),
    *(
        partial(_block, claims, clocks, *parts)
        for claims, *parts in (
            (transmitter, UARTTransmitter),
            (receiver, UARTReceiver),
            (loopback, UARTTransmitter, UARTReceiver),
        )
        for clocks in _DIVISORS
    ),
    lambda: frame_writer(FrameWriter()),
)


def prove_invariants(
    fixed: FixedNeuron,
    *,
    dsp: bool | int = True,
    form: Form | None = None,
    plan: Plan | None = None,
    progress: bool = True,
) -> list[Invariant]:
    """Prove what holds for ever of a neuron's hardware, outside its datapath.

    Parameters
    ----------
    fixed : FixedNeuron
    dsp : bool or int
        The form of the datapath, which decides its latency.
    form : Form, optional
        The same; or a program's, of which what every instruction does is claimed.
    plan : Plan, optional
        The rates of the board it is on; without one, nothing is said of a board's clock.
    progress : bool

    Raises
    ------
    ToolError
        If yosys, yosys-smtbmc or z3 is missing, or fails.
    """
    own: list[Make] = [
        lambda: neuron(Neuron(fixed, form, dsp=dsp if form is None else None), fixed),
        lambda: neuron_reset(Neuron(fixed, form, dsp=dsp if form is None else None), fixed),
    ]
    if form is not None and form.microcode:
        own = [
            lambda: microcoded(Microcoded(fixed, form), fixed),
            lambda: microcoded_reset(Microcoded(fixed, form), fixed),
        ]
    if plan is not None:
        own.append(lambda: timebase(fixed, plan))
    found = resets(fixed)
    return found + prove_claims(fixed.name, own, once=_COMMON, progress=progress)
