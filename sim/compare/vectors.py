"""Bit parity from arbitrary states: the pipeline against the integer model, a vector a clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiler.datapath import ARRAYS
from ...fixed import FixedNeuron, need_fixed
from ...hdl import Form, Step
from ...tools.progress import progress as bar
from ..engines.bench import run_bench
from ..engines.packing import unpack

__all__ = ["VectorParity", "random_vectors", "vector_parity"]

_SPARE = 10  # clocks that the last vector may take besides


@dataclass(frozen=True)
class VectorParity:
    """The result of :func:`vector_parity`.

    Attributes
    ----------
    vectors : int
        How many (state, input) pairs were compared.
    mismatches : int
        In how many of them any bit differed.
    first : dict or None
        The first of these: ``inputs``, ``model`` and ``hardware``.
    latency : int
    """

    vectors: int
    mismatches: int
    first: dict[str, dict[str, int]] | None
    latency: int

    @property
    def ok(self) -> bool:
        return self.mismatches == 0


def random_vectors(fixed: FixedNeuron, count: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """States and inputs for the datapath: a quarter at or next to an extreme, the rest uniform.

    Registers stay within what they can reach; inputs take all 65,536 words.
    """
    rng = np.random.default_rng(seed)
    vectors = {}
    for name, node in fixed.lowered.path.inputs.items():
        values = rng.integers(node.low, node.high + 1, size=count)
        special = np.array([node.low, node.low + 1, node.high - 1, node.high, 0, 1, -1])
        special = special[(special >= node.low) & (special <= node.high)]
        extreme = rng.random(count) < 0.25
        vectors[name] = np.where(extreme, rng.choice(special, size=count), values)
    return vectors


def vector_parity(
    fixed: FixedNeuron,
    count: int = 2000,
    *,
    seed: int = 0,
    form: Form | None = None,
    dsp: bool | int = False,
    progress: bool = True,
    step: Any = None,
    vectors: Mapping[str, Any] | None = None,
) -> VectorParity:
    """Drive vectors into the datapath, one a clock if it is pipelined, and compare every bit.

    Parameters
    ----------
    fixed : FixedNeuron
    count : int
        Number of vectors.
    seed : int
    form : Form, optional
        Of the datapath.
    dsp : bool or int
        The same by a keyword; see :class:`~scneuro.hdl.Step`.
    progress : bool
    step : Step, optional
        The pipeline, if not the one generated from ``fixed``.
    vectors : mapping of str to array of int, shape (count,), optional
        The registers, input words and draws to compare, instead of random ones.
    """
    need_fixed(fixed, "vector_parity()")
    lowered = fixed.lowered
    step = step or Step(lowered, form, dsp=None if form else dsp)
    if vectors is None:
        vectors = random_vectors(fixed, count, seed=seed)
    else:
        vectors = {name: np.asarray(values, dtype=np.int64) for name, values in vectors.items()}
        count = len(next(iter(vectors.values())))
    model = lowered.path.evaluator(lowered.path.outputs, ARRAYS)(vectors)
    expected = {n: np.broadcast_to(model[n], count) for n in step.pipeline.outputs}
    found = {n: np.zeros(count, dtype=np.int64) for n in expected}
    drive = _stored if step.form.stored else _given
    bench = drive(step, vectors, found, fixed.name, progress)
    clocks = (step.latency + 1) * count + step.latency
    clocks = max(clocks, step.form.interval * count + step.latency)
    run_bench(step, bench, max_cycles=clocks + _SPARE, what=f"vectors for {fixed.name}")
    differ = np.any([found[n] != expected[n] for n in expected], axis=0)
    if not differ.any():
        return VectorParity(count, 0, None, step.latency)
    at = int(np.argmax(differ))
    first = {
        kind: {name: int(values[at]) for name, values in those.items()}
        for kind, those in (("inputs", vectors), ("model", expected), ("hardware", found))
    }
    return VectorParity(count, int(differ.sum()), first, step.latency)


def _clocks(count: int, name: str, progress: bool) -> Iterable[int]:
    return bar(range(count), f"{name}: random vectors", wanted=progress)


def _packed(values: Mapping[str, int], widths: Mapping[str, int]) -> int:
    """Integers as the fields of a packed struct."""
    packed, shift = 0, 0
    for name, width in widths.items():
        packed |= (values[name] & ((1 << width) - 1)) << shift
        shift += width
    return packed


def _given(
    step: Any, vectors: Mapping[str, Any], found: dict[str, Any], name: str, progress: bool
) -> Any:
    """A bench that gives a Step its states and inputs at once, and notes what comes of them."""
    lowered = step.lowered
    widths = {n: r.width for n, r in lowered.registers.items()}
    words, draws = dict.fromkeys(lowered.inputs, 16), dict.fromkeys(lowered.noise, 16)
    given = [(step.state.as_value(), widths), (step.inputs.as_value(), words)]
    given += [(step.noise, draws)] if draws else []
    count = len(found["spike"])
    apart = step.latency + 1 if step.form.held else 1

    async def drive(ctx: Any) -> None:
        for clock in _clocks(apart * (count - 1) + step.latency + 1, name, progress):
            t, wait = divmod(clock, apart)
            if wait == 0 and t < count:
                values = {n: int(vectors[n][t]) for n in vectors}
                for port, fields in given:
                    ctx.set(port, _packed(values, fields))
            if step.form.folds:
                ctx.set(step.enable, 1 << wait % step.form.interval)
            t, wait = divmod(clock - step.latency, apart)
            if wait == 0 and t >= 0:
                got = unpack(ctx.get(step.next.as_value()), widths)
                for n, value in (*got.items(), ("spike", ctx.get(step.spike))):
                    found[n][t] = value
            await ctx.tick()

    return drive


def _stored(
    step: Any, vectors: Mapping[str, Any], found: dict[str, Any], name: str, progress: bool
) -> Any:
    """The same for one whose states and inputs are stored: each comes in its stage."""
    pipe, every = step.pipeline, step.form.interval
    at, count = pipe.schedule.at, len(found["spike"])
    back = {pipe.cells[w.port].name: w.clocks for w in pipe.waits}
    waits: dict[str, list[int]] = {n: [0] * clocks for n, clocks in back.items()}
    ports = {cell.name: cell.node.width for cell in pipe.ports}
    entering = {n: ports[n] for n in back}
    widths = {n: step.lowered.registers[n].width for n in step.written}

    async def drive(ctx: Any) -> None:
        for clock in _clocks(every * count + step.latency + 1, name, progress):
            values = {}
            for cell in pipe.ports:
                t = min(max((clock - cell.stage) // every, 0), count - 1)
                values[cell.name] = (
                    waits[cell.name][0] if cell.name in back else int(vectors[cell.node.meta][t])
                )
            ctx.set(step.ports.as_value(), _packed(values, ports))
            if every > 1:
                ctx.set(step.enable, 1 << clock % every)
            if waits:
                left = unpack(ctx.get(step.waiting.as_value()), entering)
                for n, value in left.items():
                    waits[n] = [*waits[n][1:], value]
            got = unpack(ctx.get(step.next.as_value()), widths) if widths else {}
            for n, value in (*got.items(), ("spike", ctx.get(step.spike))):
                t, wait = divmod(clock - at[n], every)
                if wait == 0 and 0 <= t < count:
                    found[n][t] = value
            await ctx.tick()

    return drive
