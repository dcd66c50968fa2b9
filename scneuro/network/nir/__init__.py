"""The door to other frameworks: networks as NIR files."""

from .read import read_nir
from .write import write_nir

__all__ = ["read_nir", "write_nir"]
