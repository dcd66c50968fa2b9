import numpy as np

from scneuro import Input, Neuron, State


class Quartic(Neuron):
    """Quartic integrate-and-fire (Touboul 2008, SIAM J. Appl. Math. 68:1045), dimensionless.

    dv/dt = v^4 + 2 a v - w + I, dw/dt = a (b v - w)
    """

    a: float = 1.0
    b: float = 1.0
    d: float = 0.5
    v_peak: float = 5.0
    v_reset: float = -1.0
    dt: float = 0.01
    v = State(init=-1.0)
    w = State(init=-1.0)
    I = Input()
    currents = (1.0, 2.0, 4.0)

    def update(self, v, w, I):
        v_next = v + self.dt * (v**4 + 2 * self.a * v - w + I)
        w_next = w + self.dt * self.a * (self.b * v - w)
        spike = v_next > self.v_peak
        return (
            spike,
            np.where(spike, self.v_reset, v_next),
            np.where(spike, w_next + self.d, w_next),
        )
