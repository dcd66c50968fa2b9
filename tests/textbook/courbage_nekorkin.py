"""Courbage, Nekorkin and Vdovin (2007) Chaos. Chaotic spike-bursts of a piecewise linear map."""

import numpy as np

from scneuro import Input, Neuron, State


class CourbageNekorkin(Neuron):
    """Courbage, Nekorkin and Vdovin (2007): a piecewise linear map with a discontinuity."""

    m0: float = 0.864
    m1: float = 0.65
    a: float = 0.2
    d: float = 0.35
    beta: float = 0.3
    eps: float = 0.005
    dt: float = 1.0
    x = State()
    y = State()
    I = Input()  # J
    currents = (0.1, 0.2, 0.3)

    def update(self, x, y, I):
        J_min = self.a * self.m1 / (self.m0 + self.m1)
        J_max = (self.m0 + self.a * self.m1) / (self.m0 + self.m1)
        F = np.where(
            x <= J_min,
            -self.m0 * x,
            np.where(x < J_max, self.m1 * (x - self.a), -self.m0 * (x - 1)),
        )
        H = np.where(x >= self.d, 1.0, 0.0)
        x_next = x + F - y - self.beta * H
        y_next = y + self.eps * (x - I)
        spike = (x < self.d) & (x_next >= self.d)
        return spike, x_next, y_next
