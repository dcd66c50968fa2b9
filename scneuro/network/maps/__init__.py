"""Linear maps from the neurons of one node of a network to those of another."""

from .chain import chained, convolution
from .convolution import Conv1d, Conv2d
from .dense import Dense, Scale, Sparse
from .drawn import Drawn
from .map import Map, Shape
from .moving import AvgPool2d, Flatten, SumPool2d

__all__ = [
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "Dense",
    "Drawn",
    "Flatten",
    "Map",
    "Scale",
    "Shape",
    "Sparse",
    "SumPool2d",
    "chained",
    "convolution",
]
