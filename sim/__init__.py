"""Run the gates and compare them: engines, parity, the pytest plugin."""

from .conformance import conformance
from .engine import SimulatedNeuron, simulate_steps
from .figures import Mismatch, Parity
from .parity import parity
from .vectors import VectorParity, vector_parity

__all__ = [
    "Mismatch",
    "Parity",
    "SimulatedNeuron",
    "VectorParity",
    "conformance",
    "parity",
    "simulate_steps",
    "vector_parity",
]
