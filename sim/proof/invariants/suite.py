"""All that holds for ever of a neuron's hardware, outside its datapath."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from tqdm import tqdm

from ....fixed import FixedNeuron
from ....hdl import LFSR, Form, Microcoded, Neuron
from ....hdl.link.samples import FrameWriter
from ....hdl.top import Plan
from ....hdl.uart import UARTReceiver, UARTTransmitter
from .blocks import frame_writer, lfsr
from .harness import Harness
from .microcoded import microcoded, microcoded_reset
from .neuron import neuron, neuron_reset
from .solver import Invariant, check
from .spikes import resets
from .top import timebase
from .uart import loopback, receiver, transmitter

__all__ = ["prove_invariants"]

_DIVISORS = (4, 12, 25)  # the least there is, and those of the boards
_DRAWS = (1, 3)


@cache
def _checked(block: Callable[..., Harness], *arguments: int) -> tuple[Invariant, ...]:
    """The claims of a block that is the same for every neuron, proved once."""
    made = [part(*arguments) for part in _PARTS[block]]
    return tuple(check(block(*made, *arguments)))


_PARTS: dict[Callable[..., Harness], tuple[Callable[..., Any], ...]] = {
    lfsr: (LFSR,),
    transmitter: (UARTTransmitter,),
    receiver: (UARTReceiver,),
    loopback: (UARTTransmitter, UARTReceiver),
    frame_writer: (FrameWriter,),
}
_COMMON = [
    *((lfsr, draws) for draws in _DRAWS),
    *((block, clocks) for block in (transmitter, receiver, loopback) for clocks in _DIVISORS),
    (frame_writer,),
]


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
    results = resets(fixed)
    own: list[Callable[[], Harness]] = [
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
    checks: list[Callable[[], Any]] = [lambda make=make: check(make()) for make in own]  # type: ignore[misc]
    checks += [lambda of=of: _checked(*of) for of in _COMMON]  # type: ignore[misc]
    for claims in tqdm(
        checks,
        desc=f"{fixed.name}: invariants",
        delay=2,
        leave=False,
        disable=None if progress else True,
    ):
        results += claims()
    return results
