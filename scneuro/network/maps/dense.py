"""Synapses one by one: all, those that there are, or one of each neuron."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .map import Map, Shape, bias_of, finite, text

__all__ = ["Dense", "Scale", "Sparse"]


class Dense(Map):
    """Every source to every target.

    Parameters
    ----------
    weights : array of shape (targets, sources)
    bias : array of shape (targets,), optional
    """

    def __init__(self, weights: Any, bias: Any = None) -> None:
        self.weights = finite(weights, "Dense: weights")
        if self.weights.ndim != 2:
            raise ValueError(
                f"Dense: weights must have shape (targets, sources), not {self.weights.shape}"
            )
        self.bias = bias_of(bias, "Dense", len(self.weights))

    def shape_out(self, shape: Shape) -> Shape:
        targets, sources = self.weights.shape
        if math.prod(shape) != sources:
            raise ValueError(f"Dense takes {sources} neurons, not {text(shape)}")
        return (targets,)

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = self.weights if weights is None else weights
        found: np.ndarray = x.reshape(len(x), -1) @ weights.T.astype(float, copy=False)
        return found


class Sparse(Map):
    """The synapses that there are.

    Parameters
    ----------
    matrix : sparse matrix of SciPy, or (values, (targets, sources)), shape (targets, sources)
    shape : (int, int), optional
        Of the matrix, where it does not say it.
    bias : array of shape (targets,), optional
    """

    def __init__(self, matrix: Any, *, shape: tuple[int, int] | None = None, bias: Any = None):
        if hasattr(matrix, "tocoo"):
            coo = matrix.tocoo()
            values, shape = coo.data, coo.shape
            target, source = coo.coords
        else:
            try:
                values, (target, source) = matrix
            except (TypeError, ValueError):
                raise TypeError(
                    "Sparse takes a sparse matrix of SciPy, or (values, (targets, sources)), not "
                    f"{type(matrix).__name__}"
                ) from None
        values = finite(values, "Sparse: weights")
        target, source = (np.asarray(x) for x in (target, source))
        if not values.shape == target.shape == source.shape or values.ndim != 1:
            raise ValueError(
                f"Sparse: {values.shape} weights, {target.shape} targets, {source.shape} sources"
            )
        if shape is None:
            raise ValueError("Sparse: give shape=(targets, sources)")
        for name, index, count in (("target", target, shape[0]), ("source", source, shape[1])):
            if index.dtype.kind not in "iu" or np.any((index < 0) | (index >= count)):
                raise ValueError(f"Sparse: a {name} must be a whole number from 0 to {count - 1}")
        self.shape = int(shape[0]), int(shape[1])
        pairs = target.astype(np.int64) + source.astype(np.int64) * self.shape[0]
        order, where = np.unique(pairs, return_inverse=True)
        summed = np.zeros(len(order))
        np.add.at(summed, where, values)  # what is there twice adds up, as in SciPy
        self.source, self.target = np.divmod(order, self.shape[0])
        self.weights = finite(summed, "Sparse: weights")
        self.bias = bias_of(bias, "Sparse", self.shape[0])
        by_target = np.argsort(self.target, kind="stable")
        self._by_target = by_target
        self._begin = np.searchsorted(self.target[by_target], np.arange(self.shape[0]))
        self._some = np.bincount(self.target, minlength=self.shape[0]) > 0

    def shape_out(self, shape: Shape) -> Shape:
        if math.prod(shape) != self.shape[1]:
            raise ValueError(f"Sparse takes {self.shape[1]} neurons, not {text(shape)}")
        return (self.shape[0],)

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = self.weights if weights is None else weights
        by = self._by_target
        found = np.zeros((len(x), self.shape[0]))
        if len(by):
            products = x.reshape(len(x), -1)[:, self.source[by]] * weights[by]
            found[:, self._some] = np.add.reduceat(products, self._begin[self._some], axis=1)
        return found


class Scale(Map):
    """One to one, times a number, or times one of each neuron.

    Parameters
    ----------
    factor : float, or array of the shape that is mapped
    """

    def __init__(self, factor: Any = 1.0) -> None:
        self.weights = finite(factor, "Scale: factor")

    def shape_out(self, shape: Shape) -> Shape:
        if self.weights.ndim and self.weights.size != math.prod(shape):
            raise ValueError(f"Scale takes {text(self.weights.shape)}, not {text(shape)}")
        return shape

    def apply(self, x: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        weights = self.weights if weights is None else weights
        found: np.ndarray = x * (weights.reshape(x.shape[1:]) if weights.ndim else weights)
        return found
