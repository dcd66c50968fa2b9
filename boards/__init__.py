"""Make it real: the board table, the toolchain finder, builds and the host's side of the link.

What is exported here is imported when it is asked for, so that a list of the boards does not load
Amaranth.
"""

from typing import TYPE_CHECKING

from ..tools.on_demand import on_demand

if TYPE_CHECKING:
    from ..tools.toolchain import Tool, find_tools
    from .build import BuildReport, build_bitstream, estimate
    from .host import read_samples
    from .link.chip import Chip
    from .link.connection import connect
    from .link.port import LinkError, Port
    from .programmer import Flashed, flash
    from .table import BOARDS, Board, board

__all__ = [
    "BOARDS",
    "Board",
    "BuildReport",
    "Chip",
    "Flashed",
    "LinkError",
    "Port",
    "Tool",
    "board",
    "build_bitstream",
    "connect",
    "estimate",
    "find_tools",
    "flash",
    "read_samples",
]

_WHERE = {
    "BOARDS": "table",
    "Board": "table",
    "BuildReport": "build",
    "Chip": "link.chip",
    "Flashed": "programmer",
    "LinkError": "link.port",
    "Port": "link.port",
    "Tool": ".tools.toolchain",
    "board": "table",
    "build_bitstream": "build",
    "connect": "link.connection",
    "estimate": "build",
    "find_tools": ".tools.toolchain",
    "flash": "programmer",
    "read_samples": "host",
}

__getattr__, __dir__ = on_demand(__name__, _WHERE)
