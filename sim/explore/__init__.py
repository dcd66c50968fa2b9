"""The design space of a neuron on a board: area, speed and fidelity of every way to make it."""

from .points import Point, Space
from .results import Exploration, Row
from .search import explore

__all__ = ["Exploration", "Point", "Row", "Space", "explore"]
