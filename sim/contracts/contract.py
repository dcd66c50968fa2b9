"""Gates and the integers that they must be: what engines drive and parity compares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from amaranth import Shape
from amaranth.lib import data

from ...errors import ScneuroError
from ..engines.packing import CHUNK, packed, unpack_chunks

__all__ = ["Contract", "Integers", "Seen", "Signature", "Tables", "rows_written"]

#: Values after each step, (T,) or (T, N), by name, in a network ``population.name``. What is there
#: once for several steps has fewer rows.
Tables: TypeAlias = dict[str, np.ndarray]


@dataclass(frozen=True)
class Seen:
    """A port that is recorded.

    It is in every clock in which one of its fields called ``valid`` is 1; one that has none is as
    something leaves ``o``.

    Attributes
    ----------
    path : str
        The port as an attribute of the hardware: ``written``, or ``o.payload``.
    shape : ShapeLike
    most : int
        Records of a frame, at most.
    """

    path: str
    shape: Any
    most: int

    @cached_property
    def fields(self) -> dict[str, Shape]:
        """The fields of all structs and arrays within, lowest first: ``V.values.0``."""
        return dict(_fields(self.shape, ""))

    @cached_property
    def chunks(self) -> int:
        """Of a record, each of 32 bits."""
        return -(-int(Shape.cast(self.shape).width) // CHUNK)

    @cached_property
    def mask(self) -> np.ndarray | None:
        """The bits that say that there is something, uint32 of shape (chunks,)."""
        flags = [(np.array([-int(n.split(".")[-1] == "valid")]), f.width) for n, f in
                 self.fields.items()]  # fmt: skip
        (mask,) = packed(flags)
        return mask if mask.any() else None

    def unpacked(self, records: np.ndarray) -> dict[str, np.ndarray]:
        """The fields of records (K, chunks), int64 of shape (K,)."""
        found = unpack_chunks(records, {n: field.width for n, field in self.fields.items()})
        return {
            n: values if self.fields[n].signed else values & ((1 << self.fields[n].width) - 1)
            for n, values in found.items()
        }


def _fields(shape: Any, at: str) -> Sequence[tuple[str, Shape]]:
    if isinstance(shape, data.StructLayout | data.ArrayLayout):
        inner = [(f"{at}.{name}" if at else str(name), field.shape) for name, field in shape]
        return [found for name, part in inner for found in _fields(part, name)]
    return [(at, Shape.cast(shape))]


@dataclass(frozen=True)
class Signature:
    """How gates are driven, by their streams ``i`` and ``o``, and what is seen of them.

    What goes in comes in frames: of a step, or of all steps that are taken together. Gates with a
    port ``tick`` begin one when it is 1 (and ``ready``, where they have that), and say ``done``;
    others answer each frame on ``o``, which is then given the next one.

    Attributes
    ----------
    seen : tuple of Seen
    patience : int
        Clocks in which nothing happens, after which nothing will.
    answers : int
        What leaves for each frame, of gates without a ``tick``.
    asleep : int
        Clocks from a payload's coming in which nothing is taken, and which need not be looked at.
    rest : int
        Clocks that are looked at after the last frame: nothing may leave, or the last has time to.
    """

    seen: tuple[Seen, ...]
    patience: int
    answers: int = 0
    asleep: int = 0
    rest: int = 0


@dataclass(frozen=True)
class Integers:
    """What the integers do.

    Attributes
    ----------
    tables : dict of str to ndarray
        What the gates must show.
    run : object
        The run they are of, for those who look at more than that.
    """

    tables: Tables
    run: Any


class Contract(ABC):
    """Gates of one kind.

    Attributes
    ----------
    name : str
    gates : Component
        Its hardware: ours, or one of the same ports.
    signature : Signature
    silence : tuple of (str, str)
        What is said of gates that stop answering, and what they must do.
    """

    name: str
    gates: Any
    signature: Signature
    silence: tuple[str, str]

    @property
    def excess(self) -> tuple[str, str]:
        """What is said of gates that show more than was asked for, and what they must do."""
        said = f"{self.name}: the hardware gave more than there is to give"
        return said, "each value is written, and each spike leaves, once"

    @abstractmethod
    def words(self, given: Mapping[str, np.ndarray], begin: int) -> tuple[np.ndarray, np.ndarray]:
        """What goes in: payloads of ``i``, and the number of them up to the end of each frame.

        Parameters
        ----------
        given : mapping of str to ndarray, shape (T, ...)
        begin : int
            Frames before these.

        Returns
        -------
        ndarray of uint32, shape (payloads, chunks)
        ndarray of int64, shape (T,)
        """

    @abstractmethod
    def tables(self, seen: Sequence[dict[str, np.ndarray]], begin: int, frames: int) -> Tables:
        """What the gates show, by what the integers call it; what is a cause comes first.

        Parameters
        ----------
        seen : sequence of dict of str to ndarray, shape (K,)
            The fields of the records of each port.
        begin, frames : int

        Raises
        ------
        ScneuroError
            What was seen makes no table.
        """

    @abstractmethod
    def compute(self, given: Mapping[str, np.ndarray], *, progress: bool = False) -> Integers:
        """What the integers do, from reset."""


def rows_written(
    name: str,
    seen: Mapping[str, np.ndarray],
    at: str,
    rows: int,
    steps: int,
    values: str = "values",
) -> np.ndarray:
    """What was written row by row, all lanes of a row together: int64 of shape (steps, neurons).

    Parameters
    ----------
    name : str
        Whose, for the message.
    seen : mapping of str to ndarray
        Fields of records.
    at : str
        What was written: a struct of ``valid``, ``row`` and an array.
    rows, steps : int
    values : str
        What the array is called.

    Raises
    ------
    ScneuroError
        Rows are missing, or come in another order.
    """
    at = f"{at}." if at else ""
    valid = seen[f"{at}valid"] != 0
    if not np.array_equal(seen[f"{at}row"][valid], np.tile(np.arange(rows), steps)):
        raise ScneuroError(
            f"{name}: the hardware writes {at.rstrip('.') or values} of rows in another order",
            "each row is written once a step, in turn",
        )
    lanes = [v[valid] for n, v in seen.items() if n.rpartition(".")[0] == f"{at}{values}"]
    return np.stack(lanes, axis=1).reshape(steps, rows * len(lanes))
