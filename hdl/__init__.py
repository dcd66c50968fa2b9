"""Gates: the same graph as Amaranth components."""

from .lfsr import LFSR
from .neuron import Neuron, build, hand_written, signature
from .step import Step

__all__ = ["LFSR", "Neuron", "Step", "build", "hand_written", "signature"]
