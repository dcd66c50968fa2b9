"""The bit-true model: a neuron in integers, with the surface of the float one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .compiler.datapath import ARRAYS, INTEGERS
from .compiler.lowered import Lowered
from .engine.emit import Body, of_datapath
from .engine.traces import Scaled, collapsed
from .runner import Runner, filled, numbers
from .stochastic import LFSR, NoiseSource
from .tools.notebook import fixed_html, fixed_text
from .words import quantize, rounded

__all__ = ["FixedNeuron", "need_fixed"]


class FixedNeuron(Runner):
    """The Q8.8 twin of a neuron: what its hardware computes, bit for bit.

    States read as the words a user of the hardware reads; :attr:`registers` are the integers
    with their guard bits, and ``noise`` the last random draws.

    Parameters
    ----------
    name : str
    dt : float
        Time step in ms.
    defaults : mapping of str to float
        Default of every input.
    lowered : Lowered
    seed : int
        Of the draws. Noise and stochastic rounding each have a sequence of their own, so that the
        noise is the same however states are rounded. N neurons draw in turn.
    """

    def __init__(
        self,
        name: str,
        dt: float,
        defaults: Mapping[str, float],
        lowered: Lowered,
        *,
        seed: int = 1,
    ) -> None:
        self.name, self.dt, self.lowered, self.seed = name, dt, lowered, seed
        self.state_names = tuple(lowered.registers)
        self.input_defaults = dict(defaults)
        self._stopped = {f"{stop.state} as it would be": stop for stop in lowered.stops}
        roots = lowered.path.outputs | {n: stop.node for n, stop in self._stopped.items()}
        self._step = {a is ARRAYS: lowered.path.evaluator(roots, a) for a in (ARRAYS, INTEGERS)}
        self.reset()

    def __repr__(self) -> str:
        return fixed_text(self)

    def _repr_html_(self) -> str:
        return fixed_html(self)

    def reset(self) -> None:
        """Return to the initial registers and the seed."""
        lowered = self.lowered
        self._sources = (
            NoiseSource(lowered.drawn, LFSR.apart(self.seed)),
            NoiseSource(lowered.dither, self.seed),
        )
        self.noise: dict[str, Any] = {}
        self._shape = ()
        self._stops = dict.fromkeys(lowered.registers, 0)
        self._registers: dict[str, Any] = {n: r.init for n, r in self.lowered.registers.items()}

    @property
    def registers(self) -> dict[str, Any]:
        """The state registers: ints, or int64 arrays (N,)."""
        shape = self._shape
        return {n: np.broadcast_to(v, shape) if shape else v for n, v in self._registers.items()}

    @registers.setter
    def registers(self, values: Mapping[str, Any]) -> None:
        for name, r in self.lowered.registers.items():
            array = np.asarray(values[name])
            if array.dtype.kind not in "iu":
                raise TypeError(f"{self.name}: the register of {name} must be integers")
            if np.any((array < r.low) | (array > r.high)):
                raise ValueError(
                    f"{self.name}: the register of {name} holds {r.low} to {r.high}, "
                    f"not {array.min()} to {array.max()}"
                )
        shapes = np.broadcast_shapes(*(np.shape(values[n]) for n in self.state_names))
        self._shape = shapes
        self._registers = {
            n: np.broadcast_to(np.asarray(values[n], dtype=np.int64), shapes).copy()
            if shapes
            else int(values[n])
            for n in self.state_names
        }

    @property
    def words(self) -> dict[str, Any]:
        """The states as 16-bit words: ints, or int64 arrays (N,)."""
        return {n: r.to_word(self._registers[n]) for n, r in self.lowered.registers.items()}

    def read(self, name: str) -> Any:
        r = self.lowered.registers[name]
        return r.to_word(self._registers[name]) * r.word.lsb

    def write(self, name: str, value: Any) -> None:
        r = self.lowered.registers[name]
        array = numbers(value, f"{self.name}: {name}")
        integers = rounded(array, r.fraction).astype(np.int64)
        outside = (integers < r.low) | (integers > r.high)
        if np.any(outside):
            raise ValueError(
                f"{self.name}: {name} = {array[outside].flat[0]:g} is outside the "
                f"{r.low * 2.0**-r.fraction:g} to {r.high * 2.0**-r.fraction:g} it can reach"
            )
        if integers.shape:
            self._fit(integers.shape)
        elif self._shape:
            integers = np.full(self._shape, integers)
        self._registers[name] = integers if self._shape else int(integers)

    # -- a run, by either engine -------------------------------------------------------------
    _kept = np.int16

    def _sample(self, name: str) -> Any:
        return self.lowered.registers[name].to_word(self._registers[name])

    def _as_states(self, recorded: dict[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return Scaled(recorded, {n: self.lowered.registers[n].word.lsb for n in recorded})

    def _beyond(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        counts = {}
        lowered = self.lowered
        for name, limits in lowered.input_limits.items():
            low, high = (np.array(limits) + np.array((-0.5, 0.5))) * lowered.input_words[name].lsb
            given = collapsed(inputs[name])
            if given.size and (given.min() <= low or given.max() >= high):
                times = inputs[name].size // given.size
                counts[name] = int(np.sum((given <= low) | (given >= high))) * times
        return counts

    def _body(self) -> Body:
        return of_datapath(self.lowered)

    def _drawing(self) -> tuple[NoiseSource, ...]:
        return self._sources

    def _table(self) -> np.ndarray:
        rows = (np.broadcast_to(v, self._shape or (1,)) for v in self._registers.values())
        return np.array(list(rows), dtype=np.int64)

    def _set_table(self, states: np.ndarray, steps: int) -> None:
        for source in self._sources:
            source.skip(steps - 1, states.shape[1])
        self.noise = {n: v for s in self._sources for n, v in s.draw(self._shape).items()}
        self._registers = {
            n: row.copy() if self._shape else int(row[0])
            for n, row in zip(self.state_names, states, strict=True)
        }

    def _convert(self, name: str, values: np.ndarray) -> np.ndarray:
        unit, word = self.lowered.inputs[name], self.lowered.input_words[name]
        return quantize(values, f"{self.name}: {name}", word, unit, np.int16)

    def _resize(self, count: int) -> None:
        self._registers = {n: np.full(count, v, dtype=np.int64) for n, v in self._registers.items()}

    def _advance(self, inputs: dict[str, Any]) -> Any:
        if not self._shape:
            inputs = {name: int(value) for name, value in inputs.items()}
        else:
            inputs = {name: np.asarray(value, np.int64) for name, value in inputs.items()}
        self.noise = {n: v for s in self._sources for n, v in s.draw(self._shape).items()}
        result = self._step[bool(self._shape)]({**self._registers, **inputs, **self.noise})
        spike = result.pop("spike")
        for name, stop in self._stopped.items():
            value = result.pop(name)
            beyond = (value < stop.least) | (value > stop.most)
            self._stops[stop.state] += int(np.count_nonzero(beyond) if self._shape else beyond)
        self._registers = {n: filled(v, self._shape) for n, v in result.items()}
        return filled(spike, self._shape)


def need_fixed(fixed: Any, caller: str) -> None:
    """Refuse what is no integer model, such as the neuron it is made of.

    Raises
    ------
    TypeError
    """
    if not isinstance(fixed, FixedNeuron):
        raise TypeError(
            f"{caller} takes an integer model, such as neuron.fixed(), "
            f"not {fixed.__name__ if isinstance(fixed, type) else type(fixed).__name__}"
        )
