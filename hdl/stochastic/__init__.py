"""Stochastic computing as gates: sources, products, counts, and a layer of neurons behind them."""

from .layer import Layer
from .sources import Sources
from .synapses import Synapses

__all__ = ["Layer", "Sources", "Synapses"]
