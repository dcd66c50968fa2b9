"""Chialvo (1995) Chaos Solitons Fractals. Periodic spikes of the 2-D map, more with k (beyond
0.06 it settles).
"""

import numpy as np

from scneuro import Input, Neuron, State


class Chialvo(Neuron):
    """Chialvo (1995), the two-dimensional map of an excitable cell."""

    a: float = 0.89
    b: float = 0.6
    c: float = 0.28
    dt: float = 1.0
    x = State(init=0.1)
    y = State(init=2.0)
    I = Input()  # k
    currents = (0.03, 0.045, 0.06)

    def update(self, x, y, I):
        x_next = x**2 * np.exp(y - x) + I
        y_next = self.a * y - self.b * x + self.c
        spike = (x < 1.0) & (x_next >= 1.0)
        return spike, x_next, y_next
