"""Terman and Wang (1995) Physica D. Relaxation oscillation, a hysteresis flag marks upstrokes;
silent at -0.5.
"""

import numpy as np

from scneuro import Input, Neuron, State


class TermanWang(Neuron):
    """Terman and Wang (1995), the relaxation oscillator of LEGION."""

    eps: float = 0.02
    gamma: float = 6.0
    beta: float = 0.1
    dt: float = 0.05
    x = State(init=-2.0)
    y = State(init=1.0)
    active = State()  # 1 while on the right branch
    I = Input()
    currents = (0.2, 0.8, 1.5, -0.5)  # below 0 it is excitable only

    def update(self, x, y, active, I):
        x_next = x + self.dt * (3 * x - x**3 + 2 - y + I)
        y_next = y + self.dt * self.eps * (self.gamma * (1 + np.tanh(x / self.beta)) - y)
        now = np.where(x_next > 0.5, 1.0, np.where(x_next < -0.5, 0.0, active))
        spike = (now > 0.5) & (active < 0.5)
        return spike, x_next, y_next, now
