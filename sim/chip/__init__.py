"""The chip itself: its netlist and its bitstream, against the integer model."""

from .bitstream import BitstreamParity, bitstream_parity
from .netlist import NetlistParity, netlist_parity

__all__ = ["BitstreamParity", "NetlistParity", "bitstream_parity", "netlist_parity"]
