"""Ermentrout and Kopell (1986) SIAM J Appl Math. Period pi/sqrt(I); silent at -0.2."""

import numpy as np

from scneuro import Input, Neuron, State


class ThetaNeuron(Neuron):
    """Ermentrout and Kopell (1986): a phase on the circle, a spike when it passes pi."""

    dt: float = 0.02
    theta = State()
    I = Input()
    currents = (0.1, 0.5, 2.0, -0.2)  # the last is below the saddle-node

    def update(self, theta, I):
        theta_next = theta + self.dt * (1 - np.cos(theta) + (1 + np.cos(theta)) * I)
        spike = theta_next >= np.pi
        return spike, np.where(spike, theta_next - 2 * np.pi, theta_next)
