"""Nagumo and Sato (1972) Kybernetik. Mode-locked firing, rate is a devil's staircase of a."""

import numpy as np

from scneuro import Input, Neuron, State


class NagumoSato(Neuron):
    """Nagumo and Sato (1972): y' = k y - alpha H(y) + a; a devil's staircase of rates."""

    k: float = 0.8
    alpha: float = 1.0
    dt: float = 1.0
    y = State()
    I = Input()  # a
    currents = (0.1, 0.35, 0.8)

    def update(self, y, I):
        out = np.where(y >= 0, 1.0, 0.0)
        y_next = self.k * y - self.alpha * out + I
        return y_next >= 0, y_next
