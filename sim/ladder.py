"""The whole ladder for one neuron on one board: a rung for each step from the paper to the pins."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from ..boards.build import Build, finished_build
from ..boards.fit import in_words
from ..boards.memory import network_form, stored_form
from ..boards.network import network_hardware
from ..boards.placement import read_placement
from ..boards.table import Board
from ..errors import LoweringError, ScneuroError
from ..fixed import FixedNeuron
from ..hdl import build, hand_written, latency
from ..hdl.network import Network as Gates
from ..hdl.top import plan
from ..network import Network, need_network
from ..neuron import Neuron, need_neuron
from ..population import Population, need_population
from ..reference import compare
from ..reference.equations import equations_of
from ..signals.stimulus import adversarial
from ..tools.toolchain import find
from .chip.bitstream import bitstream_parity
from .chip.netlist import netlist_library, netlist_parity, population_netlist_parity
from .compare.figures import Parity
from .compare.many.network import NetworkParity, network_parity, random_spikes
from .compare.many.population import PopulationParity, population_parity
from .compare.parity import parity
from .compare.recompute import recompute
from .compare.vectors import vector_parity
from .engines.compiled import compiler

if TYPE_CHECKING:
    from .proof import Proof
    from .proof.invariants import Invariant

__all__ = ["Rung", "climb", "climb_network", "climb_population", "lacking"]

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


def lacking(board: Board, *, population: bool = False) -> list[str]:
    """What this machine lacks for some rungs on a board, in a line each with how to get it.

    Asking a tool for its version also compiles YoWASP's, where that was not done before.
    """
    rungs: dict[str, str] = {}
    readers = () if population else board.part.family.reads_back_with
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
    values with a recomputation that rounds once; ``gates`` the RTL with the integer model, in
    Amaranth's simulator, or compiled if it runs a program, of hundreds of clocks a step; ``proof``
    shows their equality for all states and inputs, and ``invariants`` what holds of the registers
    and streams around them; ``netlist`` runs what yosys made of them,
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
        word = next(iter(neuron.input_words.values()))
        driven = {n: v[:count] if np.ndim(v) else v for n, v in given.items()}
        if not any(np.ndim(v) for v in driven.values()):
            driven = {n: np.full(count, v) for n, v in driven.items()}
        typical, hostile = (
            parity(
                neuron,
                stimulus,
                fixed=fixed,
                make=lambda: build(neuron, fixed, board.form),
                engine="cxxrtl" if board.form.microcode else "amaranth",
                progress=progress,
            )
            for stimulus in (driven, adversarial(count, word=word))
        )
        return typical, hostile

    yield from _tried(rungs, progress)


def climb_population(
    population: Population, board: Board, *, steps: int = 1_000, progress: bool = True
) -> Iterator[Rung]:
    """The rungs for a population on a board, each as soon as it is done.

    ``integers`` and ``gates`` compare every neuron's float, integers and RTL, held at currents from
    half the first typical one to half as much again, with spikes taken now and then; ``proof``
    shows the datapath in the population's form for all states and inputs, and ``invariants`` what
    holds of the memories and streams around it; ``netlist`` runs what yosys made of it, and
    ``bitstream`` builds the board's design and looks at its clock.

    Parameters
    ----------
    population : Population
    board : Board
    steps : int
        Of the runs in compiled simulation.
    progress : bool
    """
    need_population(population, "climb_population()")

    @cache
    def run() -> PopulationParity:
        fixed = population.fixed()
        form = stored_form(fixed, board.part)
        return population_parity(
            population, steps=steps, fixed=fixed, form=form, stall=1, progress=progress
        )

    yield from _tried(
        {
            "integers": lambda: _many_integers(run()),
            "gates": lambda: _many_gates(run()),
            "proof": lambda: _many_proof(population, board, progress),
            "invariants": lambda: _many_invariants(population, progress),
            "netlist": lambda: _many_netlist(population, board, steps, progress),
            "bitstream": lambda: _many_bitstream(population, board, progress),
        },
        progress,
    )


def _tried(rungs: Mapping[str, Callable[[], _Found]], progress: bool) -> Iterator[Rung]:
    """Each rung, as soon as it is done."""
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
    if neuron.hardware(fixed) is None and not board.form.microcode:
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

    return _as_rung(prove(_generated(neuron), board.form, progress=progress))


def _as_rung(found: Proof) -> _Found:
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
        clocks = latency(fixed, board.form)
        rates = plan(fixed, clocks, [0, 0], clock_hz=board.clock_hz)
    found = prove_invariants(fixed, form=board.form, plan=rates, progress=progress)
    return _claimed(found, "streams, registers, resets and UART")


def _claimed(found: Sequence[Invariant], on: str) -> _Found:
    broken = [str(claim) for claim in found if not claim.ok]
    text = "; ".join(broken) or f"{len(found)} claims on {on} hold"
    return not broken, text, {"claims": len(found), "broken": broken}


def _netlist(neuron: Neuron, board: Board, steps: int, progress: bool) -> _Found:
    found = netlist_parity(neuron, board.chip, steps=steps, form=board.form, progress=progress)
    verdict = "0 differ" if found.ok else f"DIFFERS at step {found.steps - 1}"
    return found.ok, f"{found.steps:,} steps, {found.bits:,} bits, {verdict}", found.figures()


def _bitstream(neuron: Neuron, board: Board, steps: int, progress: bool) -> _Found:
    found = bitstream_parity(neuron, board, steps=steps, progress=progress)
    verdict = found.difference or "0 differ"
    text = f"{found.what}: {found.steps:,} steps through the pins, {found.bits:,} bits, {verdict}"
    return found.ok, text, found.figures()


# -- of a network ---------------------------------------------------------------------------------
def climb_network(
    network: Network,
    board: Board,
    *,
    stimulus: Mapping[str, Any] | None = None,
    steps: int = 100,
    lanes: int | None = None,
    progress: bool = True,
) -> Iterator[Rung]:
    """The rungs for a network on a board.

    ``integers`` compares the integers with float, a step of every neuron at a time and in a whole
    run; ``gates`` the RTL, compiled, with the integers: every register, spike and sum; ``proof``
    shows the datapath of every population for all states and inputs, and ``invariants`` what holds
    for ever around them; ``netlist`` runs what yosys made of it all, and ``build`` is what its
    bitstream takes on the board.

    Parameters
    ----------
    network : Network
    board : Board
    stimulus : mapping of str to array (T, *shape), optional
        By default random spikes, for ``steps`` steps.
    lanes : int, optional
        Weights that are added in a clock.
    """
    need_network(network, "climb_network()")
    given = stimulus or random_spikes(network, steps)
    compared: list[NetworkParity] = []

    def once() -> NetworkParity:
        if not compared:
            gates = _judged(network, board, lanes)
            compared.append(network_parity(network, given, gates=gates, progress=progress))
        return compared[0]

    rungs: dict[str, Callable[[], _Found]] = {
        "integers": lambda: _net_integers(once()),
        "gates": lambda: _net_gates(once()),
        "proof": lambda: _net_proof(network, board, progress),
        "invariants": lambda: _net_invariants(network, progress),
        "netlist": lambda: _net_netlist(network, board, given, lanes, progress),
        "build": lambda: _net_bitstream(network, board, lanes),
    }
    yield from _tried(rungs, progress)


def _judged(network: Network, board: Board, lanes: int | None) -> Gates:
    """The hardware as it is on the board; where its weights are loaded, with no link to do that."""
    gates = network_hardware(network.fixed(), board.part, lanes=lanes)
    if gates.loaded:
        gates = network_hardware(network.fixed(), board.part, lanes=lanes, linked=False)
    return gates


def _net_integers(found: NetworkParity) -> _Found:
    said = [
        f"{name} {layer.spikes[1]:,} spikes of float's {layer.spikes[0]:,}, {layer.unlike:.2%} of "
        "the bits differ"
        for name, layer in found.layers.items()
    ]
    return found.within_bound and found.traces_agree, "; ".join(said), found.figures()


def _net_gates(found: NetworkParity) -> _Found:
    text = (
        f"{found.steps:,} steps, {found.compared:,} registers, spikes and sums, {found.differing} "
        f"differ; {found.clocks / found.steps:,.1f} clocks a step, {found.worst_clocks:,} at most"
    )
    return found.bit_exact, text, {"compared": found.compared, "differing": found.differing}


def _net_proof(network: Network, board: Board, progress: bool) -> _Found:
    from .proof import prove

    fixed, form = network.fixed(), network_form(board.part)
    found = {
        n: _as_rung(prove(p.one, form, progress=progress)) for n, p in fixed.populations.items()
    }
    verdicts = [ok for ok, _, _ in found.values()]
    ok = False if False in verdicts else None if None in verdicts else True
    text = "; ".join(f"{name}: {said}" for name, (_, said, _) in found.items())
    return ok, text, {name: figures for name, (_, _, figures) in found.items()}


def _net_invariants(network: Network, progress: bool) -> _Found:
    from .proof.invariants import prove_network

    claims = prove_network(network, linked=True, progress=progress)
    return _claimed(claims, "sums, frames, spikes, steps and what a host reaches")


def _net_netlist(
    network: Network, board: Board, given: Mapping[str, Any], lanes: int | None, progress: bool
) -> _Found:
    gates = _judged(network, board, lanes)
    library = netlist_library(gates, board.chip)
    found = network_parity(network, given, gates=gates, library=library, stall=1, progress=progress)
    verdict = f"{found.differing} differ"
    text = f"{found.steps:,} steps, {found.compared:,} registers, spikes and sums, {verdict}"
    return found.bit_exact, text, {"compared": found.compared, "differing": found.differing}


def _net_bitstream(network: Network, board: Board, lanes: int | None) -> _Found:
    build = finished_build(network, board, lanes=lanes, flat_out=True, progress=False)
    return _placed(build, board)


def _placed(build: Build, board: Board) -> _Found:
    fmax, used = read_placement(build.folder / "report.json", board.part.family)
    needed = board.clock_hz / 1e6
    text = f"{in_words(used)}; {fmax:.1f} MHz possible, {needed:g} MHz needed"
    return fmax >= needed, text, {"fmax_mhz": fmax, "clock_mhz": needed, "utilization": used}


# -- of a population -----------------------------------------------------------------------------
def _many_integers(found: PopulationParity) -> _Found:
    worst = max(e / b for e, b in found.step_error.values() if b)
    spikes = found.spikes
    counts = found.fixed_run.spikes == found.float_run.spikes
    text = (
        f"{spikes['fixed']:,} spikes, float has {spikes['float']:,}; {counts.sum():,} of "
        f"{found.neurons:,} neurons have float's count; a step is off by {worst:.0%} of its bound "
        "at most"
    )
    return found.within_bound and found.traces_agree, text, found.figures()


def _many_gates(found: PopulationParity) -> _Found:
    steps = found.steps * found.neurons
    text = (
        f"{found.steps:,} steps of {found.neurons:,} neurons, {found.differing} registers, flags "
        f"and spikes differ; {found.clocks / found.steps:.1f} clocks a step"
    )
    return found.bit_exact, text, {"updates": steps, "differing": found.differing}


def _many_proof(population: Population, board: Board, progress: bool) -> _Found:
    from .proof import prove

    fixed = population.fixed()
    return _as_rung(prove(fixed.one, stored_form(fixed, board.part), progress=progress))


def _many_invariants(population: Population, progress: bool) -> _Found:
    from .proof.invariants import prove_population

    found = prove_population(population, progress=progress)
    return _claimed(found, "memories, sums, spikes and steps")


def _many_netlist(population: Population, board: Board, steps: int, progress: bool) -> _Found:
    found = population_netlist_parity(population, board.chip, steps=steps, progress=progress)
    verdict = "0 differ" if found.ok else "SOME DIFFER"
    return found.ok, f"{found.steps:,} steps, {found.bits:,} bits, {verdict}", found.figures()


def _many_bitstream(population: Population, board: Board, progress: bool) -> _Found:
    return _placed(finished_build(population, board, progress=False), board)
