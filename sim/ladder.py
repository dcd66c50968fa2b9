"""The whole ladder for one neuron on one board: a rung for each step from the paper to the pins."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any

import numpy as np
from tqdm import tqdm

from ..boards.table import Board
from ..compiler.pipeline.schedule import schedule
from ..errors import LoweringError, ScneuroError
from ..fixed import FixedNeuron
from ..hdl import build, hand_written
from ..hdl.top import plan
from ..neuron import Neuron, need_neuron
from ..reference import compare
from ..reference.equations import equations_of
from ..signals.stimulus import adversarial
from ..tools.toolchain import find
from .chip.bitstream import bitstream_parity
from .chip.netlist import netlist_parity
from .compare.figures import Parity
from .compare.parity import parity
from .compare.recompute import recompute
from .compare.vectors import vector_parity
from .engines.compiled import compiler

__all__ = ["Rung", "climb", "lacking"]

_VECTORS = 2_000
_DURATION = 1000.0


@dataclass(frozen=True)
class Rung:
    """One step of the ladder.

    Attributes
    ----------
    name : str
    ok : bool or None
        None if it could not be tried, does not apply, or ran out of time.
    text : str
        What was found, or what is missing.
    figures : dict
        The same, in numbers.
    seconds : float
    """

    name: str
    ok: bool | None
    text: str
    figures: dict[str, Any]
    seconds: float

    def __str__(self) -> str:
        verdict = {True: "ok", False: "FAILS", None: "-"}[self.ok]
        return f"  {self.name:10s} {verdict:5s} {self.text} ({self.seconds:.1f} s)"

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)


def lacking(board: Board) -> list[str]:
    """What this machine lacks for some rungs on a board, in a line each with how to get it.

    Asking a tool for its version also compiles YoWASP's, where that was not done before.
    """
    rungs: dict[str, str] = {}
    readers = board.part.family.reads_back_with
    needed: list[tuple[str, Callable[[], Any]]] = [
        ("proof", lambda: import_module(".proof", __package__)),
        ("invariants", lambda: import_module(".proof.invariants.solver", __package__).tools()),
        ("netlist and bitstream", compiler),
        *(("bitstream", partial(find, tool)) for tool in (*board.tools, *readers)),
    ]
    for rung, ask in needed:
        try:
            ask()
        except ScneuroError as error:
            rungs.setdefault(
                f"{error.message}; {error.hint}" if error.hint else error.message, rung
            )
    return [f"the {rung} will be left out: {text}" for text, rung in rungs.items()]


_Found = tuple[bool | None, str, dict[str, Any]]


def climb(
    neuron: Neuron,
    board: Board,
    *,
    steps: int = 10_000,
    stimulus: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Iterator[Rung]:
    """The rungs for a neuron on a board, each as soon as it is done.

    ``float`` compares the float model with the differential equations, where there are any;
    ``integers`` the integer model with float, step by step and in a whole run; ``rounding`` its
    values with a recomputation that rounds once; ``gates`` the RTL, in Amaranth's simulator, with
    the integer model; ``proof`` shows their equality for all states and inputs, and ``invariants``
    what holds of the registers and streams around them; ``netlist`` runs what yosys made of them,
    and ``bitstream`` what nextpnr and the packer did.

    Parameters
    ----------
    neuron : Neuron
    board : Board
    steps : int
        Of the runs in compiled simulation; Amaranth's simulator runs a fifth of it.
    stimulus : mapping of str to float or array of shape (T,), optional
        By input: what is held, or the values, in the ``float``, ``integers`` and ``gates`` rungs.
        By default the first input is held at the first of the neuron's ``currents``. What is
        compared bit by bit is driven with adversarial words, too.
    progress : bool
    """
    need_neuron(neuron, "climb()")
    given = {next(iter(neuron.input_defaults)): neuron.currents[0], **(stimulus or {})}
    rungs: dict[str, Callable[[], _Found]] = {
        "float": lambda: _float(neuron, given),
        "integers": lambda: _fixed(*runs()),
        "rounding": lambda: _rounding(runs()[0].fixed),
        "gates": lambda: _gates(neuron, board, *runs()),
        "proof": lambda: _proof(neuron, board, progress),
        "invariants": lambda: _invariants(neuron, board, progress),
        "netlist": lambda: _netlist(neuron, board, steps, progress),
        "bitstream": lambda: _bitstream(neuron, board, steps, progress),
    }

    @cache
    def runs() -> tuple[Parity, Parity]:
        count, fixed = max(1, steps // 10), neuron.fixed()
        driven = {n: v[:count] if np.ndim(v) else v for n, v in given.items()}
        if not any(np.ndim(v) for v in driven.values()):
            driven = {n: np.full(count, v) for n, v in driven.items()}
        typical, hostile = (
            parity(
                neuron,
                stimulus,
                fixed=fixed,
                make=lambda: build(neuron, fixed, board.form),
                progress=progress,
            )
            for stimulus in (driven, adversarial(count))
        )
        return typical, hostile

    bar = tqdm(
        rungs.items(),
        bar_format="  {desc} ... {elapsed}",
        delay=2,
        leave=False,
        disable=None if progress else True,
    )
    for name, rung in bar:
        bar.set_description_str(name)
        begin = time.monotonic()
        ok: bool | None
        try:
            ok, text, figures = rung()
        except ScneuroError as error:
            ok, text, figures = None, str(error), {}
        bar.clear()
        yield Rung(name, ok, text, figures, time.monotonic() - begin)


def _float(neuron: Neuron, given: Mapping[str, Any]) -> _Found:
    first, *others = given
    held = not any(np.ndim(v) for v in given.values())
    try:
        if held:
            equations_of(neuron, derive=False)
    except ScneuroError:
        held = False
    if not held or others:
        steps = round(_DURATION / neuron.dt)
        driven: dict[str, Any] = {
            n: np.full(steps, v) if not np.ndim(v) else v for n, v in given.items()
        }
        shortest = min(len(v) for v in driven.values())
        spikes = int(neuron.run(**{n: v[:shortest] for n, v in driven.items()}).spikes)
        duration = shortest * neuron.dt
        text = f"{spikes} spikes in {duration:g} ms; no differential equations to compare it with"
        return True, text, {"spikes": spikes, "duration_ms": duration}
    found = compare(neuron, current=given[first], duration=_DURATION)
    error = found.discretisation
    assert error is not None
    ok = abs(error.spikes - error.expected) <= max(1, 0.02 * error.expected)
    apart = "" if error.mean is None else f", {error.mean:.2f} ms apart on average"
    text = (
        f"{error.spikes} spikes in {found.duration:g} ms, the differential equations have "
        f"{error.expected}{apart}"
    )
    return ok, text, found.figures()


def _fixed(typical: Parity, hostile: Parity) -> _Found:
    both = typical, hostile
    worst = max(e / b for found in both for e, b in found.step_error.values() if b)
    spikes = typical.spikes
    text = (
        f"{spikes['fixed']} spikes in {typical.steps:,} steps, float has {spikes['float']}; a step "
        f"is off by {worst:.0%} of its bound at most"
    )
    ok = typical.traces_agree and all(found.within_bound for found in both)
    return ok, text, {"typical": typical.figures(), "adversarial": hostile.figures()}


def _rounding(fixed: FixedNeuron) -> _Found:
    found = recompute(fixed)
    worst = max(found.largest.values(), default=0.0)
    text = "; ".join(found.failures) or (
        f"{found.vectors:,} states computed again: off by {worst:.2f} LSB of a register at most"
    )
    return found.ok, text, found.figures()


def _gates(neuron: Neuron, board: Board, typical: Parity, hostile: Parity) -> _Found:
    fixed, steps = typical.fixed, typical.steps + hostile.steps
    bits = steps * (1 + 16 + sum(r.width for r in fixed.lowered.registers.values()))
    ok = typical.bit_exact and hostile.bit_exact
    text = f"{steps:,} steps, {bits:,} bits, {'0' if ok else 'SOME'} differ"
    figures: dict[str, Any] = {"steps": steps, "bits": bits}
    if neuron.hardware(fixed) is None:
        vectors = vector_parity(fixed, _VECTORS, dsp=board.dsp, progress=False)
        text += f"; {vectors.vectors:,} random states, {vectors.mismatches} differ"
        ok = ok and vectors.ok
        figures |= {"vectors": vectors.vectors, "vectors_that_differ": vectors.mismatches}
    return ok, text, figures


def _generated(neuron: Neuron) -> FixedNeuron:
    """The integers of a neuron whose hardware is ours: of other gates there is no proof.

    Raises
    ------
    ScneuroError
        If the neuron brings its own.
    """
    fixed = neuron.fixed()
    if neuron.hardware(fixed) is not None:
        raise hand_written(neuron.name)
    return fixed


def _proof(neuron: Neuron, board: Board, progress: bool) -> _Found:
    from .proof import prove

    found = prove(_generated(neuron), board.form, progress=progress)
    if found.ok:
        states, inputs = math.log2(found.states), math.log2(found.inputs)
        text = f"equal for all 2^{states:.0f} states and 2^{inputs:.0f} inputs"
    else:
        late = [f"time ran out: {claim}" for claim in found.undecided]
        text = "; ".join([*found.failures, *late])
    return found.ok or (False if found.failures else None), text, found.figures()


def _invariants(neuron: Neuron, board: Board, progress: bool) -> _Found:
    from .proof.invariants import prove_invariants

    fixed = _generated(neuron)
    rates = None
    with suppress(LoweringError):  # it cannot live in real time there, which is for building to say
        latency = schedule(fixed.lowered, board.form).latency + 1
        rates = plan(fixed, latency, [0, 0], clock_hz=board.clock_hz)
    found = prove_invariants(fixed, dsp=board.dsp, plan=rates, progress=progress)
    broken = [str(claim) for claim in found if not claim.ok]
    text = "; ".join(broken) or f"{len(found)} claims on streams, registers, resets and UART hold"
    return not broken, text, {"claims": len(found), "broken": broken}


def _netlist(neuron: Neuron, board: Board, steps: int, progress: bool) -> _Found:
    found = netlist_parity(neuron, board.chip, steps=steps, progress=progress)
    verdict = "0 differ" if found.ok else f"DIFFERS at step {found.steps - 1}"
    return found.ok, f"{found.steps:,} steps, {found.bits:,} bits, {verdict}", found.figures()


def _bitstream(neuron: Neuron, board: Board, steps: int, progress: bool) -> _Found:
    found = bitstream_parity(neuron, board, steps=steps, progress=progress)
    verdict = found.difference or "0 differ"
    text = f"{found.what}: {found.steps:,} steps through the pins, {found.bits:,} bits, {verdict}"
    return found.ok, text, found.figures()
