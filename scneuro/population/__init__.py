"""Populations: many neurons of one kind, in float and in integers."""

from .parameters import with_parameters
from .population import FixedPopulation, Population, need_population

__all__ = ["FixedPopulation", "Population", "need_population", "with_parameters"]
