import numpy as np

from scneuro import Input, Neuron, State


class Aihara(Neuron):
    """Chaotic neuron map (Aihara, Takabe and Toyoda 1990, Phys. Lett. A 144:333)."""

    k: float = 0.7
    alpha: float = 1.0
    epsilon: float = 0.02
    dt: float = 1.0
    y = State()
    a = Input()
    currents = (0.1, 0.3, 0.6, 0.9)

    def update(self, y, a):
        x = 1 / (1 + np.exp(-y / self.epsilon))
        y_next = self.k * y - self.alpha * x + a
        spike = y_next >= 0  # output f(y) of 1/2 or more
        return spike, y_next
