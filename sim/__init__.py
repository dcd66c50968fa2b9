"""Run the gates and compare them: engines, parity, the pytest plugin."""

from .compiled import CompiledNeuron, compiled_steps
from .conformance import conformance
from .engine import SimulatedNeuron, simulate_steps
from .figures import Mismatch, Parity
from .parity import parity
from .vectors import VectorParity, vector_parity

__all__ = [
    "CompiledNeuron",
    "Mismatch",
    "Parity",
    "SimulatedNeuron",
    "VectorParity",
    "compiled_steps",
    "conformance",
    "parity",
    "simulate_steps",
    "vector_parity",
]
