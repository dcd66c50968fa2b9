"""The design space of a neuron or a network on a board: area, speed and fidelity of every way."""

from .network import NetworkExploration, NetworkSpace
from .points import Point, Space
from .results import Exploration, Row
from .search import explore

__all__ = ["Exploration", "NetworkExploration", "NetworkSpace", "Point", "Row", "Space", "explore"]
