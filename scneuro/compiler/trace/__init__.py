"""Tracing: ``update()``, called with traced values, yields the graph of what it computes."""

from .composed import PERIODS
from .refuse import refuse
from .traced import Power, Traced, returned, trace

__all__ = ["PERIODS", "Power", "Traced", "refuse", "returned", "trace"]
