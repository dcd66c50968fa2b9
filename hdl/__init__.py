"""Gates: the same graph as Amaranth components."""

from ..compiler.pipeline.form import Form
from .lfsr import LFSR
from .microcoded import Microcoded
from .neuron import Neuron, build, generated, hand_written, latency
from .signature import signature
from .step import Step

__all__ = [
    "LFSR",
    "Form",
    "Microcoded",
    "Neuron",
    "Step",
    "build",
    "generated",
    "hand_written",
    "latency",
    "signature",
]
