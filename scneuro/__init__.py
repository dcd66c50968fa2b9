"""Write a spiking neuron once; get float, Q8.8, gates, parity and a bitstream."""

from .errors import LoweringError, ScneuroError, ToolError, TraceError
from .fixed import FixedNeuron
from .model import Input, Recording, State
from .neuron import Derived, Neuron
from .neurons.adex import AdEx
from .neurons.izhikevich import Izhikevich
from .neurons.lif import LIF
from .stochastic import Noise

__all__ = [
    "LIF",
    "AdEx",
    "Derived",
    "FixedNeuron",
    "Input",
    "Izhikevich",
    "LoweringError",
    "Neuron",
    "Noise",
    "Recording",
    "ScneuroError",
    "State",
    "ToolError",
    "TraceError",
]
