"""Izhikevich (2001) Neural Networks, reset to 0. Periodic above I about 0.6, silent at 0.4."""

import numpy as np

from scneuro import Input, Neuron, State


class ResonateAndFire(Neuron):
    """Izhikevich (2001): z' = (b + i omega) z + I, a spike when Im z crosses 1."""

    b: float = -0.1  # /ms
    omega: float = 1.0  # rad/ms
    dt: float = 0.05  # ms
    x = State()  # current-like
    y = State()  # voltage-like
    I = Input()
    currents = (0.7, 1.0, 2.0, 0.4)  # the last is too little

    def update(self, x, y, I):
        x_next = x + self.dt * (self.b * x - self.omega * y + I)
        y_next = y + self.dt * (self.omega * x + self.b * y)
        spike = (y < 1.0) & (y_next >= 1.0)
        return spike, np.where(spike, 0.0, x_next), np.where(spike, 0.0, y_next)
