"""A network in gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import ScneuroError
from ...hdl.network import Network
from ...network import FixedNetwork, NetworkRecording
from ...network.counts import running
from ...network.plan import frames_of, loads_of, unpacked
from .contract import Contract, Integers, Seen, Signature, Tables, rows_written
from .population import LEAVES

__all__ = ["Exact", "NetworkContract", "in_turn"]

_SLOW = 4  # times as many clocks as a step takes, if words come and leave now and then


class NetworkContract(Contract):
    """A network: frames in; of every population its sums, states, spikes and counts, and who fired.

    Parameters
    ----------
    gates : scneuro.hdl.network.Network
    fixed : FixedNetwork
    steps : int
        Of a run: what is given are runs one after the other, each from the initial states.
    """

    def __init__(self, gates: Network, fixed: FixedNetwork, steps: int) -> None:
        self.gates, self.fixed, self.name, self._steps = gates, fixed, gates.name, steps
        rows = sum(len(gates.written[n].shape().members) * c.rows for n, c in gates.cores.items())
        self.signature = Signature(
            (
                Seen("o.payload", gates.o.payload.shape(), gates.plan.output_words),
                Seen("written", gates.written.shape(), rows),
            ),
            patience=_SLOW * gates.worst_clocks + 1_000,
        )
        self.silence = (
            f"the hardware of {self.name} stopped answering",
            "done must rise once a step",
        )

    def names(self, layer: str) -> list[str]:
        """What is written of a population: all that is shown but for inputs that nothing reads."""
        inputs = self.fixed.populations[layer].lowered.inputs
        unread = inputs.keys() - self.gates.cores[layer].pipeline.reads
        return [name for name in self.gates.written[layer].shape().members if name not in unread]

    def words(self, given: Mapping[str, np.ndarray], begin: int) -> tuple[np.ndarray, np.ndarray]:
        made, count = self.gates.plan, len(next(iter(given.values())))
        anew = (begin + np.arange(count)) % self._steps == 0
        frames = frames_of(self.fixed, made, dict(given), anew)
        loads = np.zeros(0, dtype=np.int64)
        if not begin and self.gates.loaded and not self.gates.linked:  # else from elsewhere
            loads = loads_of(made).reshape(-1)
        payloads = np.concatenate([loads, frames.reshape(-1)]).astype(np.uint32)
        return payloads[:, None], len(loads) + made.frame_words * (1 + np.arange(count))

    def tables(self, seen: Sequence[dict[str, np.ndarray]], begin: int, frames: int) -> Tables:
        sent, written = seen
        tables: Tables = {}
        for layer, core in self.gates.cores.items():
            inputs = self.fixed.populations[layer].lowered.inputs
            for name in sorted(self.names(layer), key=lambda n: n not in inputs):
                at = f"{layer}.{name}"
                values = rows_written(self.name, written, at, core.rows, frames)
                tables[at] = self._own(layer, values)
        made, place = self.gates.plan, 0
        if len(sent[""]) != frames * made.output_words:
            raise ScneuroError(
                f"{len(sent[''])} words left the hardware in {frames} steps",
                f"{made.output_words} leave in each",
            )
        words = sent[""].reshape(frames, made.output_words)
        for layer in made.outputs:
            many = made.spikes[layer].words
            spikes = unpacked(words[:, place : place + many], self.gates.cores[layer].rows)
            tables[f"{layer}.{LEAVES}"] = self._own(layer, spikes)
            place += many
        return tables

    def _own(self, layer: str, values: np.ndarray) -> np.ndarray:
        """Neurons in their own order."""
        found = np.empty_like(values)
        found[:, self.gates.plan.places[layer].order] = values
        return found

    def compute(self, given: Mapping[str, np.ndarray], *, progress: bool = False) -> Integers:
        """As of all; ``run`` is a recording of registers and words, and what drew it."""
        steps = self._steps
        several = len(next(iter(given.values()))) > steps
        inputs: dict[str, Any] = dict(given)
        if several:
            inputs = {
                n: a.reshape(-1, steps, *a.shape[1:]).swapaxes(0, 1) for n, a in given.items()
            }
        exact = Exact(self.fixed)
        found = in_turn(exact.run(progress=progress, **inputs), several)
        tables: Tables = {}
        for layer, spikes in found.spike.items():
            values = {**found.sums[layer], **found.states[layer], "spike": spikes, LEAVES: spikes}
            tables |= {f"{layer}.{name}": table for name, table in values.items()}
        for layer in self.fixed.network.counted:
            each = np.split(found.spike[layer], len(found.spike[layer]) // steps)
            tables[f"{layer}.counts"] = np.concatenate([running(run) for run in each])
        return Integers(tables, (found, exact))


class Exact(FixedNetwork):
    """The integers, recorded as they are: registers with their guard bits, words of inputs."""

    def __init__(self, fixed: FixedNetwork) -> None:
        self.__dict__.update(vars(fixed))
        self.noise: dict[str, list[dict[str, np.ndarray]]] = {n: [] for n in fixed.populations}

    def sample(self, name: str, state: str) -> np.ndarray:
        one = self.populations[name].one
        if state == one.state_names[0] and one.noise:
            self.noise[name].append({n: np.array(v) for n, v in one.noise.items()})
        values: np.ndarray = one.registers[state]
        return values

    def sampled(self, name: str, state: str, recorded: np.ndarray) -> np.ndarray:
        return recorded

    def sums(self, name: str, to: str, given: np.ndarray) -> np.ndarray:
        return given


def in_turn(found: NetworkRecording, several: bool) -> NetworkRecording:
    """Runs that were side by side, (T, B, N), one after the other, (B * T, N)."""
    if not several:
        return found

    def turned(values: np.ndarray) -> np.ndarray:
        return values.swapaxes(0, 1).reshape(-1, values.shape[-1])

    def each(tables: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
        return {name: {n: turned(v) for n, v in own.items()} for name, own in tables.items()}

    spike = {n: turned(v) for n, v in found.spike.items()}
    return replace(found, spike=spike, states=each(found.states), sums=each(found.sums), steps=None)
