"""Hindmarsh and Rose (1984) Proc R Soc B. Slow spikes at 1.5, bursts at 2.5, chaos at 3.25, fast
at 4.
"""

from scneuro import Input, Neuron, State


class HindmarshRose(Neuron):
    """Hindmarsh and Rose (1984): bursts, chaos, or tonic spikes, as I grows."""

    a: float = 1.0
    b: float = 3.0
    c: float = 1.0
    d: float = 5.0
    s: float = 4.0
    x_R: float = -1.6
    r: float = 0.006
    dt: float = 0.05
    x = State(init=-1.6)
    y = State(init=-10.0)
    z = State(init=2.0)
    I = Input()
    currents = (1.5, 2.5, 3.25, 4.0)

    def update(self, x, y, z, I):
        x_next = x + self.dt * (y - self.a * x**3 + self.b * x**2 - z + I)
        y_next = y + self.dt * (self.c - self.d * x**2 - y)
        z_next = z + self.dt * self.r * (self.s * (x - self.x_R) - z)
        spike = (x < 1.0) & (x_next >= 1.0)
        return spike, x_next, y_next, z_next
