"""Randomness that hardware and software share, draw for draw."""

from .lfsr import LFSR
from .noise import Noise, NoiseSource, totals

__all__ = ["LFSR", "Noise", "NoiseSource", "totals"]
