"""Gates: the same graph as Amaranth components."""

from ..compiler.pipeline.form import Form
from .lfsr import LFSR
from .neuron import Neuron, build, hand_written, signature
from .step import Step

__all__ = ["LFSR", "Form", "Neuron", "Step", "build", "hand_written", "signature"]
