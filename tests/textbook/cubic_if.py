"""cubic f(V) after Abbott and Kepler (1990). Regular tonic firing with reset."""

import numpy as np

from scneuro import Input, Neuron, State


class CubicIF(Neuron):
    """Integrate-and-fire with a cubic f(V), as reduced by Abbott and Kepler (1990)."""

    V_r: float = -65.0  # rest
    V_t: float = -50.0  # threshold: the middle zero
    V_p: float = 30.0  # the upper zero
    V_cut: float = 0.0
    V_reset: float = -70.0
    tau: float = 10.0  # ms, at rest
    dt: float = 0.1  # ms
    V = State(init=-65.0, unit="mV")
    I = Input(unit="mV/ms")
    currents = (0.5, 1.0, 2.0)

    def update(self, V, I):
        scale = self.tau * (self.V_r - self.V_t) * (self.V_r - self.V_p)
        f = -(V - self.V_r) * (V - self.V_t) * (V - self.V_p) / scale
        V_next = V + self.dt * (f + I)
        spike = V_next > self.V_cut
        return spike, np.where(spike, self.V_reset, V_next)
