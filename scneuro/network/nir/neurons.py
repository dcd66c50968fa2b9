"""The neurons of NIR as neurons like any other.

Their parameters are those of NIR: times are in seconds, the rest in the file's units. What a step
makes of the time constants is a parameter of its own (``alpha``, ``beta``, ``gamma``): it is what
differs from neuron to neuron where the time constants do, so that hardware never divides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ...declare import Input, State
from ...neuron import Derived, Neuron

__all__ = [
    "LOST",
    "NIRI",
    "NIRIF",
    "NIRLI",
    "NIRLIF",
    "SILENT",
    "NIRCubaLI",
    "NIRCubaLIF",
    "NIRCubaLIThreshold",
    "NIRIThreshold",
    "NIRLIThreshold",
    "NIRReadout",
    "NIRThreshold",
    "decay",
    "mixing",
    "time_constant",
]

_WORD = "Q4.12"
_NEIGHBOURS = 4  # floats on either side of a time constant that rounds to it
LOST = {"tau": "alpha", "tau_mem": "alpha", "tau_syn": "beta"}
"""What ``update`` uses of each time constant: what a step loses by it."""

Levels: TypeAlias = Mapping[str, tuple[str, ...]]


def decay(tau: Any, dt: float, exact: bool) -> Any:
    """What a step of ``dt`` ms loses of what decays with ``tau`` s: dt/tau, or 1 - exp(-dt/tau)."""
    part = dt / 1000 / tau
    return -np.expm1(-part) if exact else part


def time_constant(lost: Any, dt: float, exact: bool) -> np.ndarray:
    """The time constants, in s, whose :func:`decay` that is, to the last bit where there is one."""
    lost = np.asarray(lost, dtype=float)
    with np.errstate(divide="ignore"):
        found = dt / 1000 / (-np.log1p(-lost) if exact else lost)
    best: np.ndarray = found
    for towards in (0.0, np.inf):
        near = found
        for _ in range(_NEIGHBOURS):
            near = np.nextafter(near, towards)
            fits = (decay(near, dt, exact) == lost) & (decay(best, dt, exact) != lost)
            best = np.where(fits, near, best)
    return best


def mixing(tau_syn: Any, tau_mem: Any, dt: float, exact: bool) -> Any:
    """What of a current is in the potential after an exact step: the integral of both decays."""
    if not exact:
        return 0.0 * (tau_syn + tau_mem)
    fast = dt / 1000 / tau_mem
    apart = fast - dt / 1000 / tau_syn
    near = np.abs(apart) < 1e-12
    return fast * np.exp(-fast) * np.where(near, 1.0, np.expm1(apart) / np.where(near, 1, apart))


def _reset(neuron: Any, v: Any) -> tuple[Any, Any]:
    """Whether it fires at a potential, and the potential then."""
    spike = v > neuron.v_threshold
    if neuron.subtract:
        return spike, np.where(spike, v - (neuron.v_threshold - neuron.v_reset), v)
    return spike, np.where(spike, neuron.v_reset, v)


# -- leaky ----------------------------------------------------------------------------------------
class NIRLI(Neuron):
    """Leaky integrator: tau dv/dt = v_leak - v + r I. It never fires; its state is what one reads.

    v <- v + alpha (v_leak - v + r I), alpha = dt / tau, or 1 - exp(-dt / tau) if ``exact``

    Parameters
    ----------
    tau : float
        Time constant, s.
    r, v_leak : float
        Resistance, and the potential at rest, where it starts.
    exact : bool
        The solution for an input that stays as it is during a step, instead of explicit Euler.
    alpha : float
        What a step loses.
    dt : float
        Time step, ms.
    """

    tau: float = 0.02
    r: float = 1.0
    v_leak: float = 0.0
    exact: bool = False
    alpha: float = Derived(lambda p: decay(p.tau, p.dt, p.exact))
    dt: float = 1.0
    constraints: ClassVar[tuple[str, ...]] = ("tau > 0", "alpha > 0", "alpha <= 1")
    currents: ClassVar[tuple[float, ...]] = (1.5, 1.2, 2.0)
    levels: ClassVar[Levels] = {"v": ("v_leak",)}

    v = State(init="v_leak", word=_WORD)
    I = Input(word=_WORD)  # noqa: E741 - the field's symbol

    def membrane(self, v: Any, I: Any) -> Any:  # noqa: E741
        """The potential after a step, before it fires."""
        return v + self.alpha * (self.v_leak - v + self.r * I)

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        return False, self.membrane(v, I)


class NIRLIThreshold(NIRLI):
    """Leaky integrator with a threshold behind it: it fires in every step with v > v_threshold.

    tau dv/dt = v_leak - v + r I, and no reset

    Parameters
    ----------
    tau, r, v_leak, exact, alpha, dt
        As of :class:`NIRLI`.
    v_threshold : float
    """

    v_threshold: float = 1.0
    levels: ClassVar[Levels] = {"v": ("v_leak", "v_threshold")}

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        v = self.membrane(v, I)
        return v > self.v_threshold, v


class NIRLIF(NIRLI):
    """Leaky integrate-and-fire: tau dv/dt = v_leak - v + r I; at v > v_threshold a spike.

    v <- v + alpha (v_leak - v + r I), alpha = dt / tau, or 1 - exp(-dt / tau) if ``exact``;
    at a spike v <- v_reset, or v - (v_threshold - v_reset) if ``subtract``

    Parameters
    ----------
    tau, r, v_leak, exact, alpha, dt
        As of :class:`NIRLI`.
    v_threshold, v_reset : float
    subtract : bool
        Take the threshold off at a spike, instead of setting the potential.
    """

    v_threshold: float = 1.0
    v_reset: float = 0.0
    subtract: bool = False
    levels: ClassVar[Levels] = {"v": ("v_leak", "v_threshold", "v_reset")}

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        return _reset(self, self.membrane(v, I))


# -- without a leak -------------------------------------------------------------------------------
class NIRI(Neuron):
    """Integrator: dv/dt = r I. It never fires; its state is what one reads.

    v <- v + dt r I, which is exact

    Parameters
    ----------
    r : float
        Per second.
    dt : float
        Time step, ms.
    """

    r: float = 100.0
    dt: float = 1.0
    currents: ClassVar[tuple[float, ...]] = (0.5, 0.2, 1.0)
    levels: ClassVar[Levels] = {}

    v = State(word=_WORD)
    I = Input(word=_WORD)  # noqa: E741 - the field's symbol

    def membrane(self, v: Any, I: Any) -> Any:  # noqa: E741
        """The potential after a step, before it fires."""
        return v + self.dt / 1000 * self.r * I

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        return False, self.membrane(v, I)


class NIRIThreshold(NIRI):
    """Integrator with a threshold behind it: it fires in every step with v > v_threshold.

    dv/dt = r I, and no reset

    Parameters
    ----------
    r, dt
        As of :class:`NIRI`.
    v_threshold : float
    """

    v_threshold: float = 1.0
    levels: ClassVar[Levels] = {"v": ("v_threshold",)}

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        v = self.membrane(v, I)
        return v > self.v_threshold, v


class NIRIF(NIRI):
    """Integrate-and-fire: dv/dt = r I; at v > v_threshold a spike.

    v <- v + dt r I; at a spike v <- v_reset, or v - (v_threshold - v_reset) if ``subtract``

    Parameters
    ----------
    r, dt
        As of :class:`NIRI`.
    v_threshold, v_reset : float
    subtract : bool
        Take the threshold off at a spike, instead of setting the potential.
    """

    v_threshold: float = 1.0
    v_reset: float = 0.0
    subtract: bool = False
    levels: ClassVar[Levels] = {"v": ("v_threshold", "v_reset")}

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        return _reset(self, self.membrane(v, I))


# -- with a synaptic current ----------------------------------------------------------------------
class NIRCubaLI(Neuron):
    """Leaky integrator of a current that decays. It never fires; its states are what one reads.

    tau_syn di/dt = w_in I - i,  tau_mem dv/dt = v_leak - v + r i

    Euler: i <- i + beta (w_in I - i), then v <- v + alpha (v_leak - v + r i) with the new i;
    alpha = dt / tau_mem, beta = dt / tau_syn. If ``exact``, the solution for an I that stays as it
    is during a step: alpha = 1 - exp(-dt / tau_mem), beta = 1 - exp(-dt / tau_syn), and
    v <- v + alpha (v_leak - v + r w_in I) + r gamma (i - w_in I) with the old i.

    Parameters
    ----------
    tau_syn, tau_mem : float
        Time constants, s.
    r, v_leak, w_in : float
        Resistance, the potential at rest, where it starts, and what the input is multiplied with.
    exact : bool
        The exact solution, instead of explicit Euler.
    alpha, beta, gamma : float
        What a step loses of the potential and of the current, and what of a current is in the
        potential after an exact step.
    dt : float
        Time step, ms.
    """

    tau_syn: float = 0.005
    tau_mem: float = 0.02
    r: float = 1.0
    v_leak: float = 0.0
    w_in: float = 1.0
    exact: bool = False
    alpha: float = Derived(lambda p: decay(p.tau_mem, p.dt, p.exact))
    beta: float = Derived(lambda p: decay(p.tau_syn, p.dt, p.exact))
    gamma: float = Derived(lambda p: mixing(p.tau_syn, p.tau_mem, p.dt, p.exact))
    dt: float = 1.0
    constraints: ClassVar[tuple[str, ...]] = (
        "tau_syn > 0",
        "tau_mem > 0",
        "alpha > 0",
        "alpha <= 1",
        "beta > 0",
        "beta <= 1",
    )
    currents: ClassVar[tuple[float, ...]] = (1.5, 1.2, 2.0)
    levels: ClassVar[Levels] = {"v": ("v_leak",)}

    v = State(init="v_leak", word=_WORD)
    i = State(word=_WORD)
    I = Input(word=_WORD)  # noqa: E741 - the field's symbol

    def membrane(self, v: Any, i: Any, I: Any) -> tuple[Any, Any]:  # noqa: E741
        """The potential and the current after a step, before it fires."""
        if self.exact:
            given = self.w_in * I
            v = v + self.alpha * (self.v_leak - v + self.r * given)
            return v + self.r * self.gamma * (i - given), i + self.beta * (given - i)
        i = i + self.beta * (self.w_in * I - i)
        return v + self.alpha * (self.v_leak - v + self.r * i), i

    def update(self, v: Any, i: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        return False, *self.membrane(v, i, I)


class NIRCubaLIThreshold(NIRCubaLI):
    """NIRCubaLI with a threshold behind it: it fires in every step with v > v_threshold.

    tau_syn di/dt = w_in I - i,  tau_mem dv/dt = v_leak - v + r i, and no reset

    Parameters
    ----------
    tau_syn, tau_mem, r, v_leak, w_in, exact, alpha, beta, gamma, dt
        As of :class:`NIRCubaLI`.
    v_threshold : float
    """

    v_threshold: float = 1.0
    levels: ClassVar[Levels] = {"v": ("v_leak", "v_threshold")}

    def update(self, v: Any, i: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        v, i = self.membrane(v, i, I)
        return v > self.v_threshold, v, i


class NIRCubaLIF(NIRCubaLI):
    """Leaky integrate-and-fire with a current that decays; at v > v_threshold a spike.

    tau_syn di/dt = w_in I - i,  tau_mem dv/dt = v_leak - v + r i, in steps as those of
    :class:`NIRCubaLI`; at a spike v <- v_reset, or v - (v_threshold - v_reset) if ``subtract``

    Parameters
    ----------
    tau_syn, tau_mem, r, v_leak, w_in, exact, alpha, beta, gamma, dt
        As of :class:`NIRCubaLI`.
    v_threshold, v_reset : float
    subtract : bool
        Take the threshold off at a spike, instead of setting the potential.
    """

    v_threshold: float = 1.0
    v_reset: float = 0.0
    subtract: bool = False
    levels: ClassVar[Levels] = {"v": ("v_leak", "v_threshold", "v_reset")}

    def update(self, v: Any, i: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        v, i = self.membrane(v, i, I)
        return *_reset(self, v), i


# -- without a memory -----------------------------------------------------------------------------
class NIRThreshold(Neuron):
    """It fires in every step in which more than a threshold arrives; v is what arrived.

    Parameters
    ----------
    v_threshold : float
    dt : float
        Time step, ms.
    """

    v_threshold: float = 1.0
    dt: float = 1.0
    currents: ClassVar[tuple[float, ...]] = (1.5, 0.5, 2.0)
    levels: ClassVar[Levels] = {"v": ("v_threshold",)}

    v = State(word=_WORD)
    I = Input(word=_WORD)  # noqa: E741 - the field's symbol

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        return self.v_threshold < I, I


class NIRReadout(Neuron):
    """What arrives in a step, as a state v to read: where a net ends without a neuron.

    Parameters
    ----------
    dt : float
        Time step, ms.
    """

    dt: float = 1.0
    levels: ClassVar[Levels] = {}

    v = State(word=_WORD)
    I = Input(word=_WORD)  # noqa: E741 - the field's symbol

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        return False, I


#: Those that never fire.
SILENT = (NIRLI, NIRI, NIRCubaLI, NIRReadout)
