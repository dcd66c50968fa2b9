"""The families of devices we build for, one class to a file."""

from .ecp5 import ECP5
from .family import NO_CLASHES, CellDesign, Family, ReadBack
from .ice40 import ICE40

__all__ = ["ECP5", "ICE40", "NO_CLASHES", "CellDesign", "Family", "ReadBack"]
