"""The gates of a layer, in Amaranth's simulator or compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import ScneuroError
from ...hdl.stochastic import Layer
from ...stochastic.layers import FixedSCDenseLayer
from .bench import run_bench
from .compiled import Compiled, compile_hardware
from .packing import chunked, packed, unpack_chunks, valid_bits
from .population import Layout

__all__ = ["LAYER_ENGINES", "LayerRun"]

_PATIENCE = 100_000
_SLOW = 8  # times as many clocks as rows and stages, if spikes wait to be counted


@dataclass(frozen=True)
class LayerRun:
    """What a layer's gates did for some inputs, one after the other from reset.

    Attributes
    ----------
    counts : ndarray of int64, shape (T, neurons)
        Products that were 1 in each step of all inputs.
    registers : dict of str to ndarray of int64, shape (T, neurons)
    fired : ndarray of bool, shape (T, neurons)
    rates : ndarray of int64, shape (inputs, neurons)
        The spikes that were sent of each input.
    clocks : int
    """

    counts: np.ndarray
    registers: dict[str, np.ndarray]
    fired: np.ndarray
    rates: np.ndarray
    clocks: int


class _Records:
    """What is recorded of a layer, and what it says."""

    def __init__(self, hardware: Layer, layer: FixedSCDenseLayer, runs: int) -> None:
        self.layer, self.steps = layer, runs * layer.projection.steps
        self.layout = Layout(hardware.population, layer.population)
        lanes = self.layout.lanes
        width = len(hardware.counted.counts.as_value()) // lanes
        self.fields = {"valid": 1, "row": self.layout.row_bits}
        self.fields |= {f"count {lane}": width for lane in range(lanes)}
        self._width = width

    @property
    def mask(self) -> np.ndarray:
        """Of ``counted``."""
        return valid_bits(self.fields)

    @property
    def chunks(self) -> tuple[int, int]:
        """Of a record of ``counted``, and of one of ``written``."""
        return len(self.mask), len(self.layout.mask)

    @property
    def most(self) -> tuple[int, int]:
        """How many records there are of both at most."""
        rows = self.steps * self.layout.rows
        return rows, rows * len(self.layout.names)

    def run(
        self, counted: np.ndarray, written: np.ndarray, rates: np.ndarray, clocks: int
    ) -> LayerRun:
        name, rows, lanes = self.layer.population.name, self.layout.rows, self.layout.lanes
        found = unpack_chunks(counted, self.fields)
        row = found["row"] & ((1 << self.layout.row_bits) - 1)
        if not np.array_equal(row, np.tile(np.arange(rows), self.steps)):
            raise ScneuroError(
                f"{name}: the hardware counts rows in another order",
                "each row is counted once a step, in turn",
            )
        columns = [found[f"count {lane}"] & ((1 << self._width) - 1) for lane in range(lanes)]
        counts = np.stack(columns, axis=1).reshape(self.steps, rows * lanes)
        registers, fired = self.layout.states(written, self.steps)
        return LayerRun(counts[:, : self.layer.n_neurons], registers, fired, rates, clocks)


def _compiled(hardware: Layer, layer: FixedSCDenseLayer, words: np.ndarray) -> LayerRun:
    design = Compiled(compile_hardware(hardware))
    records = _Records(hardware, layer, len(words))
    payloads = packed([(words, len(hardware.i.payload))])
    counted, written = (
        np.zeros((most, chunks), dtype=np.uint32)
        for most, chunks in zip(records.most, records.chunks, strict=True)
    )
    rates = np.zeros((len(words), layer.n_neurons), dtype=np.uint32)
    done = design.layer(
        payloads, rates, (records.mask, counted), (records.layout.mask, written), _PATIENCE
    )
    if done is None:
        raise ScneuroError(
            f"{layer.population.name}: the hardware of the layer stopped answering",
            "it must send a count for each neuron",
        )
    whole = rates.astype(np.int64)
    return records.run(counted[: done[0]], written[: done[1]], whole, design.clocks)


def _simulated(hardware: Layer, layer: FixedSCDenseLayer, words: np.ndarray) -> LayerRun:
    records = _Records(hardware, layer, len(words))
    counted: list[int] = []
    written: list[int] = []
    rates: list[int] = []
    clocks = 0

    async def feed(ctx: Any) -> None:
        ctx.set(hardware.i.valid, 1)
        for word in words.ravel().tolist():
            ctx.set(hardware.i.payload, word)
            *_, ready = await ctx.tick().sample(hardware.i.ready)
            while not ready:
                *_, ready = await ctx.tick().sample(hardware.i.ready)
        ctx.set(hardware.i.valid, 0)

    async def watch(ctx: Any) -> None:
        nonlocal clocks
        ctx.set(hardware.o.ready, 1)
        valid = [hardware.written[n].valid for n in records.layout.names]
        while len(rates) < len(words) * layer.n_neurons:
            _, _, count, row, rate, is_rate, counts, *writes = await ctx.tick().sample(
                hardware.counted.as_value(),
                hardware.written.as_value(),
                hardware.o.payload,
                hardware.o.valid,
                hardware.counted.valid,
                *valid,
            )
            clocks += 1
            if counts:
                counted.append(count)
            if any(writes):
                written.append(row)
            if is_rate:
                rates.append(rate)

    inner = hardware.population
    step = 2 * hardware.rows * inner.form.interval + inner.latency + 64 + 2 * layer.n_neurons
    run_bench(
        hardware, feed, watch, max_cycles=_SLOW * (records.steps + 2) * step, what=f"{layer!r}"
    )
    narrow, wide = records.chunks
    return records.run(
        chunked(counted, narrow),
        chunked(written, wide),
        np.array(rates, dtype=np.int64).reshape(len(words), layer.n_neurons),
        clocks,
    )


#: What takes a layer's gates through inputs, by its name: from the hardware, the integers and the
#: words of the inputs (runs, inputs).
LAYER_ENGINES: dict[str, Callable[[Layer, FixedSCDenseLayer, np.ndarray], LayerRun]] = {
    "amaranth": _simulated,
    "cxxrtl": _compiled,
}
