"""The design space of a network: its points, what they are compared on, what was found of them."""

from .points import NetworkPoint, NetworkSpace
from .results import NetworkExploration, NetworkRow

__all__ = ["NetworkExploration", "NetworkPoint", "NetworkRow", "NetworkSpace"]
