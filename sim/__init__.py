"""Run the gates and compare them: engines, parity, the pytest plugin."""

from .conformance import conformance
from .engine import SimulatedNeuron, simulate_steps
from .parity import Parity, parity
from .vectors import VectorParity, vector_parity

__all__ = [
    "Parity",
    "SimulatedNeuron",
    "VectorParity",
    "conformance",
    "parity",
    "simulate_steps",
    "vector_parity",
]
