"""The whole ladder: from the float model to the bits of the bitstream."""

from .bitstream import BitstreamParity, bitstream_parity
from .ladder import Rung, climb
from .netlist import NetlistParity, netlist_parity

__all__ = [
    "BitstreamParity",
    "NetlistParity",
    "Rung",
    "bitstream_parity",
    "climb",
    "netlist_parity",
]
