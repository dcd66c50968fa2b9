"""Spike times that nobody here wrote: every deterministic neuron by SciPy and by Brian2.

:func:`compare` splits how far a neuron is from its differential equations into two errors: the
float model's time step, and the integers. ``stored.json`` holds the standard runs, and
``python -m scneuro.reference.make`` makes it.
"""

from .compare import Comparison, TrainError, compare

__all__ = ["Comparison", "TrainError", "compare"]
