"""Networks: populations of any neurons, and the projections between them."""

from .fixed import FixedNetwork
from .maps import AvgPool2d, Conv1d, Conv2d, Dense, Flatten, Map, Scale, Sparse, SumPool2d
from .network import Network, need_network, network_of
from .recording import NetworkRecording

__all__ = [
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "Dense",
    "FixedNetwork",
    "Flatten",
    "Map",
    "Network",
    "NetworkRecording",
    "Scale",
    "Sparse",
    "SumPool2d",
    "need_network",
    "network_of",
]
