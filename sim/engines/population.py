"""The gates of a population, in Amaranth's simulator or compiled, a stretch of steps at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ...errors import ScneuroError
from ...hdl.population import Population
from ...population import FixedPopulation
from ...runner import Recording
from ...words import nearest
from .bench import run_bench
from .compiled import Compiled, compile_hardware
from .packing import CHUNK, chunked, packed, unpack_chunks, valid_bits

__all__ = [
    "POPULATION_ENGINES",
    "Layout",
    "Stretch",
    "run_population",
]

_RECORDS = 1 << 18  # of what is written, in one call
_PATIENCE = 100_000
_SLOW = 4  # times as many clocks as it takes, if spikes are taken now and then


@dataclass(frozen=True)
class Stretch:
    """What gates did in some steps.

    Attributes
    ----------
    registers : dict of str to ndarray of int64, shape (T, count)
        What was written of each state.
    fired : ndarray of bool, shape (T, count)
        The spike flags that were made.
    sent : ndarray of int64, shape (spikes, 2)
        What came out: the neuron and the time step, in order.
    clocks : int
    """

    registers: dict[str, np.ndarray]
    fired: np.ndarray
    sent: np.ndarray
    clocks: int


class Layout:
    """How the ports of a population are packed."""

    def __init__(self, hardware: Population, fixed: FixedPopulation) -> None:
        self.fixed, self.hardware = fixed, hardware
        self.rows, self.lanes = hardware.rows, fixed.population.lanes
        self.names = list(hardware.written.shape().members)
        self.row_bits = len(hardware.i.payload.row)
        self.fields: dict[str, int] = {}
        for name in self.names:
            view = hardware.written[name]
            width = len(view.values.as_value()) // self.lanes
            self.fields |= {f"{name} valid": 1, f"{name} row": self.row_bits}
            self.fields |= {f"{name} {lane}": width for lane in range(self.lanes)}
        self.signed = {
            n: n != "spike" and hardware.written[n].values[0].shape().signed for n in self.names
        }
        self.neuron_bits = len(hardware.o.payload.neuron)
        self.spike = {"neuron": self.neuron_bits, "step": len(hardware.o.payload.step)}

    def payloads(self, words: Mapping[str, np.ndarray]) -> np.ndarray:
        """What is added in each step, row by row: uint32 of shape (T, rows, chunks)."""
        return packed(self.added(words))

    def added(self, words: Mapping[str, np.ndarray]) -> list[tuple[np.ndarray, int]]:
        """The same as fields, lowest first: integers of shape (T, rows), and bits."""
        fixed = self.fixed
        count = len(next(iter(words.values())))
        parts = [(np.broadcast_to(np.arange(self.rows), (count, self.rows)), self.row_bits)]
        for name in fixed.lowered.inputs:
            word = fixed.lowered.input_words[name]
            default = nearest(fixed.one.input_defaults[name], word.fraction)
            given = words[name].astype(np.int64) - default
            if given.size and (given.min() < -(1 << 15) or given.max() >= 1 << 15):
                raise ScneuroError(
                    f"{fixed.name}: {name} is further from its default than a word reaches",
                    "take values nearer to it",
                )
            full = np.zeros((count, self.rows * self.lanes), dtype=np.int64)
            full[:, : given.shape[1]] = given
            table = full.reshape(count, self.rows, self.lanes)
            parts += [(table[:, :, lane], 16) for lane in range(self.lanes)]
        return parts

    @property
    def mask(self) -> np.ndarray:
        """The bits of ``written`` that say that something is, uint32 of shape (chunks,)."""
        return valid_bits(self.fields)

    def states(self, written: np.ndarray, steps: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """What records of ``written`` say: registers by state, and spike flags, (T, count)."""
        found = unpack_chunks(written, self.fields)
        registers = {}
        for name in self.names:
            valid = found[f"{name} valid"] != 0
            rows = found[f"{name} row"][valid] & ((1 << self.row_bits) - 1)
            expected = np.tile(np.arange(self.rows), steps)
            if not np.array_equal(rows, expected):
                raise ScneuroError(
                    f"{self.fixed.name}: the hardware writes {name} of rows in another order",
                    "each row is written once a step, in turn",
                )
            width = self.fields[f"{name} 0"]
            columns = [found[f"{name} {lane}"][valid] for lane in range(self.lanes)]
            values = np.stack(columns, axis=1).reshape(steps, self.rows * self.lanes)
            values = values[:, : self.fixed.count]
            registers[name] = values if self.signed[name] else values & ((1 << width) - 1)
        return registers, registers.pop("spike") != 0

    def stretch(self, written: np.ndarray, spikes: np.ndarray, steps: int, clocks: int) -> Stretch:
        """What records of ``written`` and ``o`` say."""
        registers, fired = self.states(written, steps)
        out = unpack_chunks(spikes, self.spike)
        sent = [out[n] & ((1 << bits) - 1) for n, bits in self.spike.items()]
        return Stretch(registers, fired, np.stack(sent, axis=1), clocks)


def _compiled(
    hardware: Population,
    fixed: FixedPopulation,
    words: Mapping[str, np.ndarray],
    *,
    stall: int = 0,
    library: Path | None = None,
) -> Iterator[Stretch]:
    layout = Layout(hardware, fixed)
    design = Compiled(library or compile_hardware(hardware))
    chunks = -(-sum(layout.fields.values()) // CHUNK)
    total = len(next(iter(words.values())))
    most = max(1, _RECORDS // (layout.rows * len(layout.names)))
    for begin in range(0, total, most):
        payloads = layout.payloads({n: w[begin : begin + most] for n, w in words.items()})
        steps = len(payloads)
        written = np.zeros((steps * layout.rows * len(layout.names), chunks), dtype=np.uint32)
        spikes = np.zeros((steps * fixed.count, 1), dtype=np.uint32)
        counts = design.population(payloads, layout.mask, written, spikes, stall, _PATIENCE)
        if counts is None:
            raise ScneuroError(
                f"{fixed.name}: the hardware of the population stopped answering",
                "done must rise once for each step, and ready after it",
            )
        records, sent, clocks = counts
        yield layout.stretch(written[:records], spikes[:sent], steps, clocks)


def _simulated(
    hardware: Population,
    fixed: FixedPopulation,
    words: Mapping[str, np.ndarray],
    *,
    stall: int = 0,
) -> Iterator[Stretch]:
    layout = Layout(hardware, fixed)
    payloads = layout.payloads(words)
    steps = len(payloads)
    whole = [
        [sum(int(c) << (CHUNK * k) for k, c in enumerate(row)) for row in step] for step in payloads
    ]
    written: list[int] = []
    spikes: list[int] = []
    clocks = 0
    rng = np.random.default_rng(stall)

    async def feed(ctx: Any) -> None:
        for step in whole:
            for row in step:
                ctx.set(hardware.i.valid, 1)
                ctx.set(hardware.i.payload.as_value(), row)
                *_, ready = await ctx.tick().sample(hardware.i.ready)
                while not ready:
                    *_, ready = await ctx.tick().sample(hardware.i.ready)
            ctx.set(hardware.i.valid, 0)
            ctx.set(hardware.tick, 1)
            *_, ready = await ctx.tick().sample(hardware.ready)
            while not ready:
                *_, ready = await ctx.tick().sample(hardware.ready)
            ctx.set(hardware.tick, 0)

    async def watch(ctx: Any) -> None:
        nonlocal clocks
        finished = quiet = 0
        watched = hardware.written.as_value()
        valid = [hardware.written[n].valid for n in layout.names]
        while finished < steps or quiet < 16:
            taking = int(rng.integers(2)) if stall else 1
            ctx.set(hardware.o.ready, taking)
            _, _, row, fired, spike, done, *flags = await ctx.tick().sample(
                watched, hardware.o.valid, hardware.o.payload.as_value(), hardware.done, *valid
            )
            clocks += 1
            quiet = 0 if any(flags) or fired or done else quiet + 1
            finished += done
            if any(flags):
                written.append(row)
            if fired and taking:
                spikes.append(spike)

    most = _SLOW * steps * (2 * layout.rows * hardware.form.interval + hardware.latency + 64)
    most += 2 * steps * fixed.count
    run_bench(hardware, feed, watch, max_cycles=most, what=f"{fixed.count} {fixed.name}")
    wide = -(-sum(layout.fields.values()) // CHUNK)
    yield layout.stretch(chunked(written, wide), chunked(spikes, 1), steps, clocks)


#: What takes a population's gates through steps, by its name: from the hardware, the integers and
#: the words of the inputs (T, count), with spikes taken now and then where ``stall`` is not 0.
POPULATION_ENGINES: dict[str, Callable[..., Iterator[Stretch]]] = {
    "amaranth": _simulated,
    "cxxrtl": _compiled,
}


def run_population(
    fixed: FixedPopulation, *, engine: str = "cxxrtl", progress: bool = True, **inputs: Any
) -> Recording:
    """Run a population's gates from reset.

    Parameters
    ----------
    fixed : FixedPopulation
    engine : {"cxxrtl", "amaranth"}
    progress : bool
    **inputs : array of shape (T,) or (T, count)
        In the inputs' units.

    Returns
    -------
    Recording
        Of shape (T, count).
    """
    population = fixed.population
    population.check_inputs(inputs, time=True)
    arrays = fixed.one._prepare(inputs, ndim=1)
    steps = max(a.shape[0] for a in arrays.values() if a.ndim)
    words = {
        n: np.broadcast_to(a[:, None] if a.ndim == 1 else a, (steps, fixed.count))
        for n, a in arrays.items()
    }
    bar = tqdm(
        desc=f"{fixed.name}: gates",
        total=steps,
        unit="step",
        delay=2,
        leave=False,
        disable=None if progress else True,
    )
    stretches = []
    with bar:
        for stretch in POPULATION_ENGINES[engine](Population(fixed), fixed, words):
            stretches.append(stretch)
            bar.update(len(stretch.fired))
    states = {}
    for name in fixed.state_names:
        r = fixed.lowered.registers[name]
        whole = np.concatenate([s.registers[name] for s in stretches])
        states[name] = r.to_word(whole) * r.word.lsb
    fired = np.concatenate([s.fired for s in stretches])
    given = {name: inputs.get(name, default) for name, default in fixed.input_defaults.items()}
    units = {}
    for name, values in given.items():
        array = np.asarray(values, dtype=float)
        array = array[:, None] if array.ndim == 1 else array
        units[name] = np.broadcast_to(array, fired.shape)
    return Recording(fixed.dt, fired, states, units)
