"""What a family of devices has to say: how its bitstreams are made, and read back."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ...tools.toolchain import Wanted
from ..clocks import Divided

if TYPE_CHECKING:
    from amaranth import Module, Signal

    from ..build import Build
    from ..table import Board

__all__ = ["NO_CLASHES", "CellDesign", "Family", "ReadBack"]


@dataclass(frozen=True)
class CellDesign:
    """A design that is nothing but a family's cells, as yosys reads it.

    Attributes
    ----------
    files : mapping of str to str
        By file name.
    read : str
        Commands that read them; its top is ``top``.
    over : str
        Commands that read other models of cells over the usual ones.
    """

    files: Mapping[str, str]
    read: str
    over: str = ""


@dataclass(frozen=True)
class ReadBack:
    """A bitstream turned back into logic.

    Attributes
    ----------
    build : Build
        That of the bitstream.
    design : CellDesign
        With the board's pins.
    what : str
        What was turned back.
    """

    build: Build = field(repr=False)
    design: CellDesign = field(repr=False)
    what: str


class Family(ABC):
    """A family of devices.

    Attributes
    ----------
    name : str
        As yosys calls it: in ``synth_NAME`` and in the folder of its models.
    tools : tuple of Wanted
        What a build needs, in order of use: synthesis, place and route, packing.
    suffix : str
        Of a bitstream.
    mark : bytes
        What every bitstream has near its start, to tell the device that it begins.
    cells : dict of str to str
        What nextpnr's report calls ``logic``, ``dsp`` and ``ram`` cells, and ``flip_flops`` where
        they are cells of their own.
    ram_bits : int
        Of a block RAM.
    ram_shapes : tuple of (int, int)
        The widths and depths it can have, one port reading and another writing.
    complements : bool
        Whether it inverts a bit before a register for nothing, but not before an adder.
    refinement : str
        The source of what refines netlists: with another, builds are others.
    models : str
        yosys' commands that read the simulation models of all cells.
    reads_back_with : tuple of Wanted
        What :meth:`read_back` needs besides.
    """

    name: ClassVar[str]
    tools: ClassVar[tuple[Wanted, Wanted, Wanted]]
    suffix: ClassVar[str]
    mark: ClassVar[bytes]
    cells: ClassVar[dict[str, str]]
    ram_bits: ClassVar[int]
    ram_shapes: ClassVar[tuple[tuple[int, int], ...]]
    complements: ClassVar[bool]
    refinement: ClassVar[str] = ""
    models: ClassVar[str]
    reads_back_with: ClassVar[tuple[Wanted, ...]] = ()

    @abstractmethod
    def synth_options(self, dsps: int) -> str:
        """Options of yosys' synthesis for a device with so many DSP cells to use."""

    @abstractmethod
    def least(self, cells: Mapping[str, int]) -> dict[str, int]:
        """How many ``logic``, ``dsp`` and ``ram`` cells a synthesised design takes at least.

        Parameters
        ----------
        cells : mapping of str to int
            By type, as yosys counts them.
        """

    @abstractmethod
    def pll(self, source: int, wanted: int) -> Divided | None:
        """The settings of a PLL that come nearest to a clock in Hz, and not above it."""

    @abstractmethod
    def clock(self, m: Module, pin: Any, pll: Divided) -> tuple[Signal, Signal]:
        """A PLL on a clock's pin: what it makes, and whether it is steady."""

    def model_files(self) -> dict[str, str]:
        """Models of our own that :attr:`models` reads, by file name."""
        return {}

    def refined(self, netlist: dict[str, Any]) -> dict[str, Any]:
        """yosys' netlist, from its JSON, as it goes to place and route: as it is by default."""
        return netlist

    def refine(self, path: Path) -> None:
        """Write a file of yosys' anew with the netlist :meth:`refined`, if that is another."""
        netlist = json.loads(path.read_text())
        refined = self.refined(netlist)
        if refined is not netlist:
            path.write_text(json.dumps(refined))

    @abstractmethod
    def read_back(self, board: Board, make: Callable[..., Build]) -> ReadBack:
        """Build a bitstream and turn it back into logic.

        Parameters
        ----------
        board : Board
        make : callable
            As :func:`~scneuro.boards.build.finished_build`, of a board, with ``options`` for
            nextpnr.

        Raises
        ------
        ToolError
            If a tool is missing, or fails.
        """

    def __reduce__(self) -> str:
        return self.name.upper()  # the one of its module, in another process, too

    def __repr__(self) -> str:
        return f"<family {self.name}>"


#: yosys' commands, before synthesis, that tell it that no row is read in the clock in which it is
#: written; without them, it keeps such a row with a register, a comparator and a multiplexer for
#: every memory. And a memory of one port has no contents at first, as an iCE40's SPRAM.
NO_CLASHES = (
    "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:COLLISION_X_MASK=1'0 %i; "
    "delete t:$meminit_v2 r:MEMID=*single_* %i"
)


def beside(name: str) -> str:
    """The text of a file in this folder."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
