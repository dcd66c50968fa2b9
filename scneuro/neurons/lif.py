"""The leaky integrate-and-fire neuron."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron

__all__ = ["LIF"]


class LIF(Neuron):
    """Leaky integrate-and-fire neuron (Lapicque 1907; Gerstner et al. 2014, eq. 1.5).

    tau_m dV/dt = E_L - V + R I;  at V >= V_th: spike, V <- V_reset, held there for t_ref

    Parameters
    ----------
    tau_m : float
        Membrane time constant, ms.
    R : float
        Membrane resistance, MOhm (times nA is mV).
    E_L, V_th, V_reset : float
        Resting, threshold and reset potential, mV.
    t_ref : float
        Absolute refractory period, ms, rounded to whole steps; a second state r counts them.
    dt : float
        Time step of explicit Euler, ms.
    """

    tau_m: float = 10.0
    R: float = 10.0
    E_L: float = -70.0
    V_th: float = -50.0
    V_reset: float = -65.0
    t_ref: float = 0.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "tau_m > 0",
        "dt <= tau_m",
        "V_reset < V_th",
        "t_ref >= 0",
        "t_ref / dt < 32767",
    )
    presets: ClassVar[dict[str, dict[str, Any]]] = {"refractory": {"t_ref": 2.0}}
    currents: ClassVar[tuple[float, ...]] = (2.5, 2.1, 3.0, 4.0)

    V = State(init="E_L", unit="mV")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol

    def further_states(self) -> dict[str, State]:
        """The steps of the refractory period that are left, if there is one."""
        counter = State(unit="steps", word="Q16.0", guard=0, range=(0.0, 32767.0))
        return {"r": counter} if self.t_ref > 0 else {}

    def update(self, V: Any, *others: Any) -> tuple[Any, ...]:
        *left, I = others  # noqa: E741 - the field's symbol
        V_next = V + self.dt / self.tau_m * (self.E_L - V + self.R * I)
        crossed = V_next >= self.V_th
        if not left:
            return crossed, np.where(crossed, self.V_reset, V_next)
        (r,) = left
        held = r >= 1
        spike = crossed & ~held
        r_next = np.where(spike, np.rint(self.t_ref / self.dt), np.maximum(r - 1, 0))
        return spike, np.where(crossed | held, self.V_reset, V_next), r_next
