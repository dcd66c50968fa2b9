"""Hardware with plain ports: every field of its streams and structs is one of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from amaranth import Elaboratable, Module, Shape, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import Flow

__all__ = ["CLOCK", "Flat", "Path", "Port", "plain"]

#: Where a field is: the port's name, then what leads to the field.
Path = tuple[str, ...]

_LEFT_OUT = ("payload", "values")  # of a name, where more follows


@dataclass(frozen=True)
class Port:
    """A port of the exported module.

    Attributes
    ----------
    name : str
    direction : {"in", "out"}
    width : int
        Bits.
    signed : bool
        Whether it is a number in two's complement.
    fraction : int or None
        Bits behind the binary point; None of what is no number.
    unit : str
    says : str
        What it is.
    """

    name: str
    direction: str
    width: int
    signed: bool
    fraction: int | None
    unit: str
    says: str


#: What every module has besides.
CLOCK = (
    Port("clk", "in", 1, False, None, "", "rising edge"),
    Port("rst", "in", 1, False, None, "", "synchronous, active high"),
)


class Flat(Elaboratable):
    """A component whose every field is a port.

    Parameters
    ----------
    hardware : Component
    facts : callable
        From a path to the field's fraction bits, its unit and what it is.

    Attributes
    ----------
    ports : dict of Path to Port
        In order.
    signals : dict of str to Signal
        By the port's name.
    """

    def __init__(self, hardware: Any, facts: Callable[[Path], tuple[int | None, str, str]]) -> None:
        self.hardware = hardware
        self.ports: dict[Path, Port] = {}
        self.signals: dict[str, Signal] = {}
        self._leaves: list[tuple[Port, Value]] = []
        for path, member, value in hardware.signature.flatten(hardware):
            direction = "in" if member.flow == Flow.In else "out"
            for at, leaf in _leaves(tuple(map(str, path)), value):
                self._add(at, direction, leaf, *facts(at))

    def _add(
        self, at: Path, direction: str, leaf: Value, fraction: int | None, unit: str, says: str
    ) -> None:
        shape = leaf.shape()
        parts = [p for k, p in enumerate(at) if p not in _LEFT_OUT or k + 1 == len(at)]
        name = plain("_".join(parts))
        while name in self.signals:
            name += "_"
        port = Port(name, direction, shape.width, shape.signed, fraction, unit, says)
        self.ports[at] = port
        self.signals[name] = Signal(Shape(shape.width, shape.signed), name=name)
        self._leaves.append((port, leaf))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.core = self.hardware
        for port, leaf in self._leaves:
            signal = self.signals[port.name]
            m.d.comb += leaf.eq(signal) if port.direction == "in" else signal.eq(leaf)
        return m


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Value]]:
    """The fields of a value that have none themselves."""
    if isinstance(value, data.View):
        for key, _ in value.shape():
            yield from _leaves((*path, str(key)), value[key])
    else:
        yield path, Value.cast(value)


def plain(name: str) -> str:
    """A name of ASCII letters, digits and underscores."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)
