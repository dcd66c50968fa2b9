"""Figures of the kinds papers show, drawn with matplotlib where it is installed."""

from .curve import plot_fi
from .network import plot_confusion, plot_network
from .page import require
from .phase import plot_phase
from .population import plot_population
from .presets import plot_presets
from .trace import plot_recordings, plot_trace

__all__ = [
    "plot_confusion",
    "plot_fi",
    "plot_network",
    "plot_phase",
    "plot_population",
    "plot_presets",
    "plot_recordings",
    "plot_trace",
    "require",
]
