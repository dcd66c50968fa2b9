"""Tracing: ``update()``, called with traced values, yields the graph of what it computes."""

from .refuse import refuse
from .traced import Traced, returned, trace

__all__ = ["Traced", "refuse", "returned", "trace"]
