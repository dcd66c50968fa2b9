"""A datapath as a program: one operation after another, by one multiplier and one adder."""

from .link import Microcode, microcode

__all__ = ["Microcode", "microcode"]
