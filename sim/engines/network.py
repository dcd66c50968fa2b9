"""The gates of a network, in Amaranth's simulator or compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ScneuroError
from ...hdl.network import Network
from ...network import FixedNetwork, NetworkRecording
from ...network.plan import LANES, frames_of, loads_of, unpacked
from ...network.run import given_inputs
from .bench import run_bench
from .compiled import Compiled, compile_hardware
from .packing import CHUNK, chunked, unpack_chunks, valid_bits

__all__ = ["NETWORK_ENGINES", "Steps", "run_network"]

_PATIENCE = 1_000_000
_RECORDS = 1 << 19
_SLOW = 4


@dataclass(frozen=True)
class Steps:
    """What gates did in some steps.

    Attributes
    ----------
    written : dict of str to dict of str to ndarray of int64, shape (T, N)
        By population, what was written of each state, the spike flags, the words of its inputs,
        and its counts where it is counted.
    sent : dict of str to ndarray of bool, shape (T, N)
        The spikes of the outputs, as they left.
    clocks : int
    """

    written: dict[str, dict[str, np.ndarray]]
    sent: dict[str, np.ndarray]
    clocks: int


class _Layout:
    """How what a network writes is packed."""

    def __init__(self, hardware: Network) -> None:
        self.hardware = hardware
        self.fields: dict[str, int] = {}
        self.signed: dict[tuple[str, str], bool] = {}
        self.names: dict[str, list[str]] = {}
        for layer in hardware.cores:
            self.names[layer] = list(hardware.written[layer].shape().members)
            for name in self.names[layer]:
                view = hardware.written[layer][name]
                at = f"{layer}.{name}"
                self.fields |= {
                    f"{at} valid": 1,
                    f"{at} row": len(view.row),
                    f"{at} value": len(view.values.as_value()),
                }
                self.signed[layer, name] = name != "spike" and view.values[0].shape().signed
        self.chunks = -(-sum(self.fields.values()) // CHUNK)
        self.mask = valid_bits(self.fields)

    @property
    def records(self) -> int:
        """The most clocks of a step in which something is written."""
        return sum(
            len(self.names[layer]) * core.rows for layer, core in self.hardware.cores.items()
        )

    def _own(self, layer: str, values: np.ndarray) -> np.ndarray:
        """Neurons in their own order."""
        found = np.empty_like(values)
        found[:, self.hardware.plan.places[layer].order] = values
        return found

    def steps(self, written: np.ndarray, sent: np.ndarray, count: int, clocks: int) -> Steps:
        found = unpack_chunks(written, self.fields)
        tables: dict[str, dict[str, np.ndarray]] = {}
        for layer, core in self.hardware.cores.items():
            tables[layer] = {}
            for name in self.names[layer]:
                at = f"{layer}.{name}"
                valid = found[f"{at} valid"] != 0
                mask = (1 << self.fields[f"{at} row"]) - 1
                rows = found[f"{at} row"][valid] & mask
                if not np.array_equal(rows, np.tile(np.arange(core.rows), count)):
                    raise ScneuroError(
                        f"the hardware of {layer} writes {name} of neurons in another order",
                        "each is written once a step, in turn",
                    )
                values = found[f"{at} value"][valid].reshape(count, core.rows)
                if not self.signed[layer, name]:
                    values = values & ((1 << self.fields[f"{at} value"]) - 1)
                tables[layer][name] = self._own(layer, values)
        made = self.hardware.plan
        if len(sent) != count * made.output_words:
            raise ScneuroError(
                f"{len(sent)} words left the hardware in {count} steps",
                f"{made.output_words} leave in each",
            )
        words = sent.astype(np.int64).reshape(count, made.output_words)
        left, place = {}, 0
        for name in made.outputs:
            cells = made.spikes[name]
            counted = self.hardware.cores[name].rows
            spikes = unpacked(words[:, place : place + cells.words], counted)
            left[name] = self._own(name, spikes)
            place += cells.words
        return Steps(tables, left, clocks)


def _loads(hardware: Network) -> np.ndarray:
    """The words that load the weights; what is linked has them from elsewhere."""
    if not hardware.loaded or hardware.linked:
        return np.zeros(0, dtype=np.int64)
    return loads_of(hardware.plan).reshape(-1)


def _compiled(
    hardware: Network,
    frames: np.ndarray,
    *,
    stall: int = 0,
    library: Path | None = None,
) -> Steps:
    layout = _Layout(hardware)
    design = Compiled(library or compile_hardware(hardware))
    parts = []
    most = max(1, _RECORDS // layout.records)
    load = _loads(hardware)
    for begin in range(0, len(frames), most):
        some = frames[begin : begin + most]
        written = np.zeros((len(some) * layout.records, layout.chunks), dtype=np.uint32)
        sent = np.zeros(len(some) * hardware.plan.output_words, dtype=np.uint32)
        counts = design.network(
            len(some),
            np.concatenate([load, some.reshape(-1)]).astype(np.uint32),
            layout.mask,
            written,
            sent,
            stall,
            _PATIENCE,
        )
        if counts is None:
            raise ScneuroError(
                f"the hardware of {hardware.name} stopped answering", "done must rise once a step"
            )
        parts.append(layout.steps(written[: counts[0]], sent[: counts[1]], len(some), counts[2]))
        load = load[:0]
    return _joined(parts)


def _joined(parts: list[Steps]) -> Steps:
    first = parts[0]
    return Steps(
        {
            layer: {n: np.concatenate([p.written[layer][n] for p in parts]) for n in table}
            for layer, table in first.written.items()
        },
        {n: np.concatenate([p.sent[n] for p in parts]) for n in first.sent},
        sum(p.clocks for p in parts),
    )


def _simulated(hardware: Network, frames: np.ndarray, *, stall: int = 0) -> Steps:
    layout = _Layout(hardware)
    steps = len(frames)
    rng = np.random.default_rng(stall)
    written: list[int] = []
    sent: list[int] = []
    given = np.concatenate([_loads(hardware), frames.reshape(-1)]).tolist()
    clocks = 0

    async def feed(ctx: Any) -> None:
        for word in given:
            while stall and rng.integers(2):
                await ctx.tick()
            ctx.set(hardware.i.valid, 1)
            ctx.set(hardware.i.payload, word)
            *_, ready = await ctx.tick().sample(hardware.i.ready)
            while not ready:
                *_, ready = await ctx.tick().sample(hardware.i.ready)
            ctx.set(hardware.i.valid, 0)

    async def watch(ctx: Any) -> None:
        nonlocal clocks
        finished = 0
        ctx.set(hardware.tick, 1)
        flags = [
            hardware.written[layer][name].valid
            for layer, names in layout.names.items()
            for name in names
        ]
        while finished < steps:
            taking = int(rng.integers(2)) if stall else 1
            ctx.set(hardware.o.ready, taking)
            _, _, row, leaves, word, done, *valid = await ctx.tick().sample(
                hardware.written.as_value(),
                hardware.o.valid,
                hardware.o.payload,
                hardware.done,
                *flags,
            )
            clocks += 1
            if any(valid):
                written.append(row)
            if leaves and taking:
                sent.append(word)
            finished += done

    most = _SLOW * steps * hardware.worst_clocks + 8 * len(given) + 1000
    run_bench(hardware, feed, watch, max_cycles=most, what=hardware.name)
    records = chunked(written, layout.chunks)
    return layout.steps(records, np.array(sent, dtype=np.uint32), steps, clocks)


#: What takes a network's gates through steps, by its name: from the hardware and frames (T,
#: words), with words that come and leave now and then where ``stall`` is not 0.
NETWORK_ENGINES: dict[str, Callable[..., Steps]] = {"amaranth": _simulated, "cxxrtl": _compiled}


def run_network(
    fixed: FixedNetwork, *, engine: str = "cxxrtl", lanes: int = LANES, **inputs: Any
) -> NetworkRecording:
    """Run a network's gates from reset.

    Parameters
    ----------
    fixed : FixedNetwork
    engine : {"cxxrtl", "amaranth"}
    lanes : int
        Weights that are added in a clock.
    **inputs : array of shape (T, *shape)

    Returns
    -------
    NetworkRecording
        As of :meth:`FixedNetwork.run`.

    Raises
    ------
    ValueError, TypeError
        As there; several runs at once.
    ToolError
        The compiled engine without a C++ compiler.
    """
    network = fixed.network
    if engine not in NETWORK_ENGINES:
        raise ValueError(f"engine must be one of {', '.join(NETWORK_ENGINES)}, not {engine!r}")
    given, several = given_inputs(network, inputs)
    if several:
        raise ValueError(f"{network.name}: gates do one run at a time: arrays (T, ...)")
    hardware = Network(fixed, lanes)
    single = {name: array[:, 0] for name, array in given.items()}
    found = NETWORK_ENGINES[engine](hardware, frames_of(fixed, hardware.plan, single))
    spike = {name: written["spike"] != 0 for name, written in found.written.items()}
    inputs_of = {name: p.lowered.inputs for name, p in fixed.populations.items()}
    words = {
        name: {n: values for n, values in written.items() if n in inputs_of[name]}
        for name, written in found.written.items()
    }
    counts = {name: found.written[name]["counts"][-1] for name in network.counted}
    return fixed.recorded(spike, found.written, words, counts=counts)
