"""Gates in an engine: frames of words go in, tables of what they show come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contracts.contract import Contract, Tables
from .amaranth import SimulatedGates
from .compiled import CompiledGates

__all__ = ["ENGINES", "Driven", "Stretch", "need_engine"]

_FRAMES = 20_000  # in one call, so that Ctrl-C and a progress bar have their turn
_RECORDS = 1 << 18  # in one call
_FEW = 32  # frames in one call of Amaranth's simulator, if it may stop between any two

#: What simulates gates, by its name: Amaranth's simulator, or a compiled program.
ENGINES: dict[str, Callable[..., Any]] = {"amaranth": SimulatedGates, "cxxrtl": CompiledGates}


@dataclass(frozen=True)
class Stretch:
    """What gates did in some frames.

    Attributes
    ----------
    tables : dict of str to ndarray
    frames, clocks : int
    """

    tables: Tables
    frames: int
    clocks: int


class Driven:
    """Gates that run in an engine, from power-on.

    Parameters
    ----------
    contract : Contract
        Of the gates.
    engine : {"cxxrtl", "amaranth"}
    **options
        ``stall``, the seed of the clocks in which words come and leave, which they always do where
        it is 0; ``library``, a design that is compiled already.

    Attributes
    ----------
    gates : CompiledGates or SimulatedGates
    at_once : int
        Frames in one call of the engine.
    """

    def __init__(self, contract: Contract, engine: str = "cxxrtl", **options: Any) -> None:
        self.contract, self.gates, self._begun = contract, ENGINES[engine](contract, **options), 0
        most = max(1, *(seen.most for seen in contract.signature.seen))
        self.at_once = max(1, min(_FRAMES, _RECORDS // most))
        if engine == "amaranth" and contract.signature.answers:
            self.at_once = _FEW

    def stretches(self, given: Mapping[str, np.ndarray]) -> Iterator[Stretch]:
        """Go on with what is given, (T, ...): what the gates show, some frames at a time.

        Raises
        ------
        ScneuroError
            The gates stop answering, or show what makes no sense.
        """
        contract, count = self.contract, len(next(iter(given.values())))
        for begin in range(0, count, self.at_once):
            some = {n: values[begin : begin + self.at_once] for n, values in given.items()}
            words, ends = contract.words(some, self._begun)
            before = self.gates.clocks
            records = self.gates.run(words, ends)
            ports = zip(contract.signature.seen, records, strict=True)
            seen = [port.unpacked(rows) for port, rows in ports]
            tables = contract.tables(seen, self._begun, len(ends))
            self._begun += len(ends)
            yield Stretch(tables, len(ends), self.gates.clocks - before)

    def run(self, given: Mapping[str, np.ndarray]) -> Stretch:
        """The same as one."""
        return joined(list(self.stretches(given)))


def joined(stretches: list[Stretch]) -> Stretch:
    """Stretches, one behind the other."""
    return Stretch(
        {key: np.concatenate([s.tables[key] for s in stretches]) for key in stretches[0].tables},
        sum(s.frames for s in stretches),
        sum(s.clocks for s in stretches),
    )


def need_engine(name: str) -> None:
    """Refuse an engine that there is not.

    Raises
    ------
    ValueError
    """
    if name not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, not {name!r}")
