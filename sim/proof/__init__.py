"""Proof that the gates compute what the integer model computes, for every state and input."""

from ...errors import ScneuroError

try:
    import bitwuzla  # noqa: F401
except ImportError:
    raise ScneuroError("the proof needs bitwuzla", 'pip install "scneuro[proof]"') from None

from .prove import Proof, prove

__all__ = ["Proof", "prove"]
