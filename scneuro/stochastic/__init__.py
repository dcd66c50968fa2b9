"""Randomness that hardware and software share, draw for draw."""

from .lfsr import LFSR

__all__ = ["LFSR"]
