"""A run of a network, step by step: the same for every fidelity in software."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import did_you_mean
from ..runner import Runner, numbers
from ..tools.progress import progress as bar
from . import counts
from .recording import NetworkRecording

if TYPE_CHECKING:
    from .network import Network, Projection, Source

__all__ = ["FloatNetwork", "Runs", "given_inputs", "run", "single_inputs", "to_record"]


class Runs:
    """What a fidelity provides.

    Attributes
    ----------
    network : Network
    runners : dict of str to Runner
        What advances the neurons of each population.
    saturated : dict of str to int
        What was limited, by ``population.input``.
    """

    network: Network
    runners: Mapping[str, Runner]
    saturated: dict[str, int]

    def start(self, name: str, batch: int) -> None:
        """Let a population start, so many times side by side."""
        raise NotImplementedError

    def given(
        self, name: str, to: str, arrived: list[tuple[Projection, np.ndarray]], step: int
    ) -> np.ndarray:
        """What an input is given in a step, (B, N).

        Parameters
        ----------
        arrived : list of (Projection, ndarray of shape (B, *shape))
        step : int
            Counted from the start.
        """
        raise NotImplementedError

    def advance(self, name: str, inputs: dict[str, Any]) -> np.ndarray:
        """A step of a population on what its inputs are given, (B * N,): its spikes."""
        return np.asarray(self.runners[name]._advance(inputs))

    def sums(self, name: str, to: str, given: np.ndarray) -> np.ndarray:
        """The same as what is recorded of it."""
        raise NotImplementedError

    def sample(self, name: str, state: str) -> np.ndarray:
        """A state as it is, to be recorded."""
        values: np.ndarray = self.runners[name]._sample(state)
        return values

    def sampled(self, name: str, state: str, recorded: np.ndarray) -> np.ndarray:
        """The samples of a state as numbers."""
        raise NotImplementedError


class FloatNetwork(Runs):
    """The float models of all populations."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.runners = {n: layer.population.one for n, layer in network.layers.items()}
        self._base = {
            (n, to): network.base(n, to)
            for n, layer in network.layers.items()
            for to in layer.population.input_defaults
        }
        self.saturated: dict[str, int] = {}

    def given(
        self, name: str, to: str, arrived: list[tuple[Projection, np.ndarray]], step: int
    ) -> np.ndarray:
        total = self._base[name, to]
        for p, spikes in arrived:
            total = total + p.map.at(step).apply(spikes).reshape(len(spikes), -1)
        return total

    def sums(self, name: str, to: str, given: np.ndarray) -> np.ndarray:
        return given

    def start(self, name: str, batch: int) -> None:
        layer = self.network.layers[name]
        one = layer.population.one
        one.reset()
        for state, values in layer.population.start.items():
            one.write(state, np.tile(values, batch))

    def sampled(self, name: str, state: str, recorded: np.ndarray) -> np.ndarray:
        return recorded


def given_inputs(network: Network, inputs: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], bool]:
    """The inputs as arrays (T, B, *shape), and whether there are several runs.

    Raises
    ------
    ValueError, TypeError
    """
    for name in inputs:
        if name not in network.inputs:
            near = did_you_mean(str(name), network.inputs)
            if name == "reset":
                near = "a run of a network always begins anew; on a board chip.run() can go on"
            raise TypeError(
                f"{network.name} has no input {name!r}; it has "
                f"{', '.join(network.inputs) or 'none'}" + f". {near}" * bool(near)
            )
    missing = [n for n in network.inputs if n not in inputs]
    if missing:
        raise TypeError(f"{network.name}: {', '.join(missing)} must be given")
    found, several = {}, set()
    for name, values in inputs.items():
        source = network.inputs[name]
        array = numbers(values, f"{network.name}: {name}")
        found[name], batched = _shaped(array, source, network.name)
        several.add(batched)
        if source.kind == "spikes":
            bad = (found[name] != np.floor(found[name])) | (found[name] < 0)
            bad |= found[name] > source.most
            if np.any(bad):
                t, *_ = (int(x) for x in np.argwhere(bad)[0])
                raise ValueError(
                    f"{network.name}: {name} must be spikes, whole numbers from 0 to "
                    f"{source.most}, and is {found[name][bad].flat[0]:g} in step {t}; "
                    + (
                        f'input("{name}", ..., most=...) allows more'
                        if not np.any(found[name] % 1)
                        else f'input("{name}", ..., kind="current") takes numbers'
                    )
                )
    if len(several) > 1:
        raise ValueError(f"{network.name}: some inputs are of several runs, others of one")
    shapes = {n: a.shape[:2] for n, a in found.items()}
    if len({*shapes.values()}) > 1:
        text = ", ".join(f"{n} {s}" for n, s in shapes.items())
        raise ValueError(f"{network.name}: inputs are of different lengths: {text}")
    return found, several == {True}


def single_inputs(network: Network, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The inputs of one run, as a board makes it, as arrays (T, *shape).

    Raises
    ------
    ValueError, TypeError
        As for :func:`given_inputs`, or several runs.
    """
    given, several = given_inputs(network, inputs)
    if several:
        raise ValueError(f"{network.name}: a board does one run at a time: arrays (T, ...)")
    return {name: array[:, 0] for name, array in given.items()}


def _shaped(array: np.ndarray, source: Source, network: str) -> tuple[np.ndarray, bool]:
    """An input as (T, B, *shape), and whether it has a B."""
    for shape in {source.shape, (source.count,)}:
        if array.shape[-len(shape) :] != shape:
            continue
        lead = array.ndim - len(shape)
        if lead in (1, 2) and array.shape[0]:
            whole = array.reshape(*array.shape[:lead], *source.shape)
            return (whole if lead == 2 else whole[:, None]), lead == 2
    text = ", ".join(map(str, source.shape))
    flat = f" or (T, {source.count})" if len(source.shape) > 1 else ""
    raise ValueError(
        f"{network}: {source.name} must have shape (T, {text}){flat}, or (T, B, {text}) for "
        f"several runs, not {array.shape}"
    )


def to_record(network: Network, record: Any) -> dict[str, tuple[str, ...]]:
    """The states and inputs to record, by population.

    Raises
    ------
    TypeError, ValueError
    """
    every = {
        n: (*layer.population.state_names, *layer.population.input_defaults)
        for n, layer in network.layers.items()
    }
    if record is None:
        return every
    if isinstance(record, str):
        record = (record,)
    if not isinstance(record, Iterable):
        raise TypeError(
            f"{network.name}: record is populations, or a mapping from them to names of states and "
            f"inputs, not {record!r}"
        )
    asked = record if isinstance(record, Mapping) else {n: every.get(n, ()) for n in record}
    for name, states in asked.items():
        if name not in every:
            population, _, state = str(name).rpartition(".")
            near = f'{{"{population}": ["{state}"]}} records that' * (population in every)
            near = near or did_you_mean(str(name), every)
            raise ValueError(
                f"{network.name} has no population {name!r}; it has {', '.join(every)}"
                + f". {near}" * bool(near)
            )
        if not isinstance(states, Iterable):
            raise TypeError(
                f"{network.name}: record of {name} is names of states and inputs, not {states!r}"
            )
        for state in (states,) if isinstance(states, str) else states:
            if state not in every[name]:
                raise ValueError(
                    f"{network.name}: {name} has no {state!r}; it has {', '.join(every[name])}"
                )
    return {
        n: (states,) if isinstance(states := asked.get(n, ()), str) else tuple(states)
        for n in every
    }


def run(
    network: Network,
    runs: Runs,
    inputs: Mapping[str, Any],
    *,
    record: Mapping[str, Sequence[str]] | Sequence[str] | None,
    progress: bool,
) -> NetworkRecording:
    """Reset, then run over arrays of inputs; see :meth:`Network.run`."""
    dt, order = network.dt, network.order
    given, several = given_inputs(network, inputs)
    wanted = to_record(network, record)
    steps, batch = next(iter(given.values())).shape[:2]
    layers = network.layers
    if batch > 1:
        noisy = [n for n in layers if layers[n].population.one.noises]
        if noisy:
            raise ValueError(
                f"{network.name}: {', '.join(noisy)} draw noise, so that each of several runs "
                "would have another one: run one at a time"
            )
    past = {
        name: deque(
            [np.zeros((batch, *node.shape))] * most, maxlen=most
        )  # the spikes of the last steps, the latest first
        for name, node in network.nodes.items()
        if (most := max((p.delay for p in network.projections if p.source == name), default=0))
    }
    into = {n: network.into(n) for n in order}
    spike = {n: np.zeros((steps, batch, layers[n].count), dtype=bool) for n in layers}
    table: dict[str, dict[str, np.ndarray]] = {n: {} for n in layers}
    for name in order:
        runs.start(name, batch)
    runs.saturated = {}
    for t in bar(range(steps), network.name, unit="step", wanted=progress):
        now: dict[str, np.ndarray] = {n: a[t] for n, a in given.items()}
        for name in order:
            layer = layers[name]
            arrived = [
                (p, past[p.source][p.delay - 1] if p.delay else now[p.source]) for p in into[name]
            ]
            taken = {}
            for to in layer.population.input_defaults:
                words = runs.given(name, to, [(p, x) for p, x in arrived if p.to == to], t)
                whole = np.broadcast_to(words, (batch, layer.count))
                if to in wanted[name]:
                    _keep(table[name], to, runs.sums(name, to, whole), t, steps)
                taken[to] = whole.reshape(-1)
            fired = runs.advance(name, taken).reshape(batch, layer.count)
            spike[name][t] = fired
            now[name] = fired.reshape(batch, *layer.shape).astype(float)
            for state in layer.population.state_names:
                if state in wanted[name]:
                    values = np.reshape(runs.sample(name, state), (batch, layer.count))
                    _keep(table[name], state, values, t, steps)
        for name, before in past.items():
            before.appendleft(now[name])

    def flat(values: np.ndarray) -> np.ndarray:
        return values if several else values[:, 0]

    states: dict[str, dict[str, np.ndarray]] = {}
    sums: dict[str, dict[str, np.ndarray]] = {}
    for name, layer in layers.items():
        own = layer.population.state_names
        states[name] = {
            n: flat(runs.sampled(name, n, table[name][n])) for n in own if n in table[name]
        }
        sums[name] = {n: flat(a) for n, a in table[name].items() if n not in own}
    kept = {n: counts.kept(spike[n]) for n in network.counted}
    missed = {counts.where_of(n): int(spike[n].sum() - found.sum()) for n, found in kept.items()}
    saturated = {n: count for n, count in (runs.saturated | missed).items() if count}
    return NetworkRecording(
        dt,
        {n: flat(a) for n, a in spike.items()},
        states,
        sums,
        saturated,
        {n: found if several else found[0] for n, found in kept.items()},
    )


def _keep(table: dict[str, np.ndarray], name: str, values: np.ndarray, t: int, steps: int) -> None:
    if name not in table:
        table[name] = np.empty((steps, *values.shape), dtype=values.dtype)
    table[name][t] = values
