"""What is exported of a neuron, a population and a network: ports, vectors, how they are judged.

The vectors are the integer model's: the testbench does not take the gates' word for anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...compiler.lowered import Lowered
from ...fixed import FixedNeuron
from ...hdl import Form, build
from ...hdl.flat import Flat, Path
from ...hdl.network import Network as NetworkGates
from ...hdl.population import Population as PopulationGates
from ...network import Network
from ...network.plan import LANES, packed
from ...network.run import given_inputs
from ...neuron import Neuron
from ...population import Population
from ...signals.stimulus import adversarial
from ...words import quantize
from ..compare.many.network import random_spikes
from ..compare.many.population import input_values as population_values
from ..compare.parity import input_values
from ..contracts.network import NetworkContract
from ..contracts.neuron import NeuronContract
from ..contracts.population import PopulationContract
from .testbench import Table, Watch

__all__ = ["Design", "design_of"]

Fact: TypeAlias = tuple[int | None, str, str]

_PATIENCE = 10_000  # clocks besides those that a step takes
_TAKEN = "o_valid && o_ready"


@dataclass(frozen=True)
class Design:
    """A module to be written, and what its testbench compares.

    Attributes
    ----------
    top : Flat
    says, use : str
        What it is, and how it is used.
    steps : int
        Time steps of the vectors.
    given : Table
    watched : tuple of Watch
    tick : (int, int) or None
    patience : int
        As :func:`~.testbench.testbench` takes them.
    """

    top: Flat
    says: str
    use: str
    steps: int
    given: Table
    watched: tuple[Watch, ...]
    tick: tuple[int, int] | None
    patience: int


def design_of(
    target: Neuron | Population | Network,
    stimulus: Any = None,
    *,
    steps: int,
    lanes: int | None = None,
    form: Form | None = None,
) -> Design:
    """What is to be written of a neuron, a population or a network.

    As :func:`~.write.export_verilog` takes them.
    """
    if form is not None and isinstance(target, Population | Network):
        raise ValueError("a form is of a single neuron")
    if isinstance(target, Network):
        return _network(target, stimulus, steps, LANES if lanes is None else lanes)
    if lanes is not None:
        raise ValueError("lanes are of a network; a population has its own")
    if isinstance(target, Population):
        return _population(target, stimulus, steps)
    return _neuron(target, stimulus, steps, form)


# -- what ports are --------------------------------------------------------------------------------
_STREAM = {
    "valid": "there is something",
    "ready": "it is taken in this clock, if there is something",
    "payload": "a word",
}
_CONTROL = {
    "tick": "start a time step",
    "ready": "a time step starts in this clock if tick is 1",
    "done": "a time step is over",
    "busy": "a time step is being computed",
}


def _number(lowered: Lowered, units: Mapping[str, str], name: str, says: str) -> Fact:
    """A register or the word of an input."""
    if name in lowered.registers:
        return lowered.registers[name].fraction, units.get(name, ""), says
    return lowered.input_words[name].fraction, units.get(name, ""), says


def _control(at: Path) -> Fact:
    return None, "", _CONTROL[at[0]] if len(at) == 1 else _STREAM[at[1]]


def _shown(lowered: Lowered, units: Mapping[str, str], at: Path) -> Fact:
    """A field of what is written of neurons: a name, what of it, and in which lane."""
    name, what, *lane = at
    if what == "valid":
        return None, "", f"{name} of a row is written in this clock"
    if what == "row":
        return None, "", f"which row: {name}"
    if name == "spike":
        return None, "", f"whether the neuron of lane {lane[0]} fires"
    if name not in lowered.registers and name not in lowered.inputs:
        return None, "", f"spikes of the neuron of lane {lane[0]} since all began anew"
    kind = "register" if name in lowered.registers else "sum of its input"
    return _number(lowered, units, name, f"{kind} of the neuron of lane {lane[0]}")


def _table(top: Flat, name: str, columns: Mapping[Path, Any], known: Any = None) -> Table:
    """Columns of values, by the ports they are of."""
    values = np.stack([np.asarray(c).astype(np.int64) for c in columns.values()], axis=1)
    return Table(name, tuple(top.ports[at] for at in columns), values, known)


def _written(top: Flat, at: Path, name: str, values: np.ndarray, rows: int, lanes: int) -> Watch:
    """What is written of all neurons, (T, N), row after row in each step."""
    steps, count = values.shape
    whole = np.zeros((steps, rows * lanes), dtype=np.int64)
    whole[:, :count] = values
    there = np.broadcast_to(np.arange(rows * lanes) < count, whole.shape).reshape(-1, lanes)
    whole = whole.reshape(-1, lanes)
    columns = {(*at, name, "row"): np.tile(np.arange(rows), steps)}
    columns |= {(*at, name, "values", str(k)): whole[:, k] for k in range(lanes)}
    known = np.hstack([np.ones((len(there), 1), dtype=bool), there])
    valid = top.ports[*at, name, "valid"].name
    return Watch(valid, _table(top, valid.removesuffix("_valid"), columns, known))


# -- a neuron --------------------------------------------------------------------------------------
def _neuron(neuron: Neuron, stimulus: Any, steps: int, form: Form | None) -> Design:
    fixed = neuron.fixed()
    lowered, units = fixed.lowered, neuron.units
    first = next(iter(lowered.registers))

    def facts(at: Path) -> Fact:
        match at:
            case ("o", "payload", "spike"):
                return None, "", "whether it fires"
            case ("o", "payload", _):
                return lowered.registers[first].word.fraction, units[first], "its first state"
            case ("i", "payload", name):
                return _number(lowered, units, name, "input")
            case ("state", name):
                return _number(lowered, units, name, "register, of the result while o_valid is 1")
        return _control(at)

    hardware = build(neuron, fixed, form)
    top = Flat(hardware, facts)
    if stimulus is None:
        words = _typical(neuron, fixed, steps)
    else:
        values = input_values(neuron, stimulus)
        words = {n: quantize(v, n, lowered.input_words[n]).astype(int) for n, v in values.items()}
    shown = NeuronContract(hardware, fixed).compute(words).tables
    model: dict[Path, Any] = {
        ("o", "payload", "spike"): shown["spike"],
        ("o", "payload", first): shown["word"],
        **{("state", name): shown[name] for name in lowered.registers},
    }
    given: dict[Path, Any] = {("i", "payload", name): words[name] for name in lowered.inputs}
    return Design(
        top,
        f"{neuron.name}, steps of {neuron.dt:g} ms",
        "Put the inputs of a time step on i_* and hold them, with i_valid, until i_ready. Its "
        "result is on o_* when o_valid is 1, until o_ready.",
        len(shown["spike"]),
        _table(top, "stimulus", given),
        (Watch(_TAKEN, _table(top, "expected", model)),),
        None,
        _PATIENCE + int(getattr(hardware, "latency", 0)),
    )


def _typical(neuron: Neuron, fixed: FixedNeuron, steps: int) -> dict[str, np.ndarray]:
    """Words for every input: typical ones in the first half, in the second hostile ones."""
    half = -(-steps // 2)
    at = np.arange(half) * len(neuron.currents) // half
    found = {}
    for k, name in enumerate(fixed.lowered.inputs):
        word = fixed.lowered.input_words[name]
        usual = np.full(half, neuron.input_defaults[name])
        if k == 0:
            usual = np.asarray(neuron.currents, dtype=float)[at]
        hostile = adversarial(steps - half, seed=k, word=word)
        found[name] = quantize(np.concatenate([usual, hostile]), name, word).astype(int)
    return found


# -- a population ----------------------------------------------------------------------------------
def _population(population: Population, stimulus: Any, steps: int) -> Design:
    fixed = population.fixed()
    hardware = PopulationGates(fixed)
    lowered, units = fixed.lowered, population.neuron.units

    def facts(at: Path) -> Fact:
        match at:
            case ("i", "payload", "row"):
                return None, "", "whose inputs: those of the neurons row * lanes + lane"
            case ("i", "payload", name, lane):
                return _number(lowered, units, name, f"is added to the input of lane {lane}")
            case ("o", "payload", "neuron"):
                return None, "", "which has fired"
            case ("o", "payload", "step"):
                return None, "", "in which time step, modulo 65,536"
            case ("written", *rest):
                return _shown(lowered, units, tuple(rest))
        return _control(at)

    top = Flat(hardware, facts)
    values = population_values(population, stimulus, steps)
    words = {n: quantize(v, n, lowered.input_words[n]).astype(int) for n, v in values.items()}
    steps = len(next(iter(words.values())))
    contract = PopulationContract(hardware, fixed)
    model = contract.compute(words).tables
    added = [part.reshape(-1) for part, _ in contract.added(words)]
    fields: list[Path] = [("i", "payload", "row")]
    for name in lowered.inputs:
        fields += [("i", "payload", name, str(lane)) for lane in range(contract.lanes)]
    fired = np.argwhere(model["spike"])
    sent: dict[Path, Any] = {
        ("o", "payload", "neuron"): fired[:, 1],
        ("o", "payload", "step"): fired[:, 0] & 0xFFFF,
    }
    return Design(
        top,
        f"{population.count:,} {population.name}, steps of {population.dt:g} ms",
        "Add to the inputs of rows on i_*, as often as wanted: an input begins at its default in "
        "every step. Then tick, until ready: it starts a time step, which has what was added "
        "before. Spikes leave on o_*. done is 1 as a step's last state is written, and written_* "
        "shows every state as it is.",
        steps,
        _table(top, "stimulus", dict(zip(fields, added, strict=True))),
        (
            *(
                _written(top, ("written",), name, model[name], contract.rows, contract.lanes)
                for name in contract.names
            ),
            Watch(_TAKEN, _table(top, "spikes", sent)),
        ),
        (contract.rows, steps),
        _PATIENCE + 4 * hardware.clocks_a_step,
    )


# -- a network -------------------------------------------------------------------------------------
def _network(network: Network, stimulus: Any, steps: int, lanes: int) -> Design:
    fixed = network.fixed()
    hardware = NetworkGates(fixed, lanes)
    plan = hardware.plan
    lowered = {name: p.lowered for name, p in fixed.populations.items()}
    units = {name: layer.population.neuron.units for name, layer in network.layers.items()}

    def facts(at: Path) -> Fact:
        match at:
            case ("i", "payload"):
                return None, "", f"the {plan.frame_words} words of a time step's frame in turn"
            case ("o", "payload"):
                return None, "", "spikes of the outputs, 16 in a word, the first one lowest"
            case ("written", layer, *rest):
                fraction, unit, says = _shown(lowered[layer], units[layer], tuple(rest))
                return fraction, unit, f"{layer}: {says}"
        return _control(at)

    top = Flat(hardware, facts)
    stimulus = random_spikes(network, steps) if stimulus is None else stimulus
    given, several = given_inputs(network, stimulus)
    if several:
        raise ValueError(f"{network.name}: vectors are of one run: arrays (T, ...)")
    single = {name: array[:, 0] for name, array in given.items()}
    steps = len(next(iter(single.values())))
    contract = NetworkContract(hardware, fixed, steps)
    model = contract.compute(single).tables
    frames, _ = contract.words(single, 0)
    watched = []
    for layer, core in hardware.cores.items():
        for name in contract.names(layer):
            values = model[f"{layer}.{name}"][:, plan.places[layer].order]
            watched.append(_written(top, ("written", layer), name, values, core.rows, 1))
    sent = [packed(model[f"{n}.spike"][:, plan.places[n].order]) for n in plan.outputs]
    leaves = "nothing leaves on o_*: counts are shown on written_* as they are written"
    if sent:
        leaves = "its output words leave on o_*"
        words: dict[Path, Any] = {("o", "payload"): np.hstack(sent).reshape(-1)}
        watched.append(Watch(_TAKEN, _table(top, "sent", words)))
    return Design(
        top,
        f"{network.name}, steps of {network.dt:g} ms",
        "Give the words of a frame on i_*: the first is 1 where all neurons begin anew, the others "
        "are the inputs' spikes, 16 in a word, or currents, a word each. A time step starts when "
        f"its frame is there and tick is 1; {leaves}, and done is 1 as it ends.",
        steps,
        _table(top, "stimulus", {("i", "payload"): frames.reshape(-1)}),
        tuple(watched),
        None,
        _PATIENCE + 4 * hardware.worst_clocks,
    )
