"""The whole ladder: from the float model to the bits of the bitstream."""

from .netlist import NetlistParity, netlist_parity

__all__ = ["NetlistParity", "netlist_parity"]
