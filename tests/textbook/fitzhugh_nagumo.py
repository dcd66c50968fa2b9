"""FitzHugh (1961) Biophys J. Relaxation oscillation."""

from scneuro import Input, Neuron, State


class FitzHughNagumo(Neuron):
    """FitzHugh (1961): the cubic relaxation oscillator, dimensionless."""

    a: float = 0.7
    b: float = 0.8
    eps: float = 0.08
    dt: float = 0.1
    v = State(init=-1.2)
    w = State(init=-0.6)
    I = Input()
    currents = (0.5, 0.8, 1.0)

    def update(self, v, w, I):
        v_next = v + self.dt * (v - v**3 / 3 - w + I)
        w_next = w + self.dt * self.eps * (v + self.a - self.b * w)
        spike = (v < 1.0) & (v_next >= 1.0)
        return spike, v_next, w_next
