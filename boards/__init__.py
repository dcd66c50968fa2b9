"""Make it real: the board table, the toolchain finder, builds and the host's side of the link."""

from ..tools.toolchain import Tool, find_tools
from .build import BuildReport, build_bitstream
from .host import read_samples
from .table import BOARDS, Board, board

__all__ = [
    "BOARDS",
    "Board",
    "BuildReport",
    "Tool",
    "board",
    "build_bitstream",
    "find_tools",
    "read_samples",
]
