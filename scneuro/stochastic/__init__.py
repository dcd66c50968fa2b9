"""Randomness that hardware and software share, draw for draw, and computing with its streams.

The noise is what neurons declare, and is here at once; the rest, which is made of neurons, when it
is asked for.
"""

from typing import TYPE_CHECKING

from ..tools.on_demand import on_demand
from .lfsr import LFSR
from .noise import Noise, NoiseSource, totals

if TYPE_CHECKING:
    from .bitstreams import BitstreamEncoder, BitstreamSynapse
    from .layers import AdExLayer, FixedSCDenseLayer, SCDenseLayer
    from .projection import Stochastic
    from .sources import Source, places, sources_for
    from .streams import correlation, overlap

__all__ = [
    "LFSR",
    "AdExLayer",
    "BitstreamEncoder",
    "BitstreamSynapse",
    "FixedSCDenseLayer",
    "Noise",
    "NoiseSource",
    "SCDenseLayer",
    "Source",
    "Stochastic",
    "correlation",
    "overlap",
    "places",
    "sources_for",
    "totals",
]

_WHERE = {
    "AdExLayer": "layers",
    "BitstreamEncoder": "bitstreams",
    "BitstreamSynapse": "bitstreams",
    "FixedSCDenseLayer": "layers",
    "SCDenseLayer": "layers",
    "Source": "sources",
    "Stochastic": "projection",
    "correlation": "streams",
    "overlap": "streams",
    "places": "sources",
    "sources_for": "sources",
}

__getattr__, __dir__ = on_demand(__name__, _WHERE)
