"""Proof that the gates compute what the integer model computes, for every state and input."""

from .prove import Proof, prove

__all__ = ["Proof", "prove"]
