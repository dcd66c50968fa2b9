"""Rulkov (2002) Phys Rev E. Bursts (0.16) to spiking (0.6)."""

import numpy as np

from scneuro import Input, Neuron, State


class Rulkov(Neuron):
    """Rulkov (2002), the two-dimensional map: silence, spikes, or bursts of spikes."""

    alpha: float = 4.6
    mu: float = 0.001
    dt: float = 1.0
    x = State(init=-1.0)
    y = State(init=-3.0)
    x_prev = State(init=-1.0)
    I = Input()  # sigma
    currents = (0.16, 0.3, 0.6)

    def update(self, x, y, x_prev, I):
        top = self.alpha + y
        fire = (x > 0) & (x < top) & (x_prev <= 0)
        x_next = np.where(x <= 0, self.alpha / (1 - x) + y, np.where(fire, top, -1.0))
        y_next = y - self.mu * (x + 1 - I)
        return fire, x_next, y_next, x
