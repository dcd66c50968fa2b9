"""How far a neuron is from its differential equations: by its time step, and by Q8.8."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileTrouble, ScneuroError
from ..neuron import Neuron, need_neuron
from ..neurons import builtin
from ..runner import Recording, numbers
from ..signals.stimulus import as_words
from . import adaptive
from .equations import equations_of

__all__ = ["BRIAN_DT", "STORED", "Comparison", "TrainError", "brian_times", "compare", "stored"]

#: Brian2's time step, ms.
BRIAN_DT = 0.001
#: The standard runs, as ``make.py`` wrote them.
STORED = Path(__file__).with_name("stored.json")
_SCRIPT = Path(__file__).with_name("brian.py")
_MOST_STEPS = 1_000_000
_INSTALL = "name a Python with Brian2: python3 -m venv brian; brian/bin/pip install brian2"


@dataclass(frozen=True)
class TrainError:
    """How far a spike train is from another, the k-th spike from the k-th, in ms.

    Attributes
    ----------
    spikes, expected : int
        How many there are, and how many the other has.
    first, mean, max : float or None
        Of the absolute time errors of the spikes that both have; None if there is none.
    """

    spikes: int
    expected: int
    first: float | None
    mean: float | None
    max: float | None

    @classmethod
    def between(cls, times: np.ndarray, expected: np.ndarray) -> TrainError:
        """Of ``times`` against ``expected``, both in ms and ascending."""
        common = min(len(times), len(expected))
        counts = len(times), len(expected)
        if not common:
            return cls(*counts, None, None, None)
        errors = np.abs(times[:common] - expected[:common])
        return cls(*counts, float(errors[0]), float(errors.mean()), float(errors.max()))

    def __str__(self) -> str:
        shown = ("-" if e is None else f"{e:.4f}" for e in (self.first, self.mean, self.max))
        return f"{self.spikes:7d} {self.expected:9d} " + " ".join(f"{e:>9s}" for e in shown)


@dataclass(frozen=True)
class Comparison:
    """A neuron against its references, under a current held from t = 0.

    Attributes
    ----------
    neuron : str
    current : float
        The Q8.8 word that everybody was given, in ``unit``.
    duration, dt : float
        ms.
    solve_ivp, float_model, fixed_model : ndarray of float
        Spike times, ms.
    brian : ndarray of float or None
        Brian2's.
    """

    neuron: str
    current: float
    unit: str
    duration: float
    dt: float
    solve_ivp: np.ndarray
    float_model: np.ndarray
    fixed_model: np.ndarray
    brian: np.ndarray | None

    @property
    def discretisation(self) -> TrainError:
        """The float model, at its dt, against SciPy's adaptive integration."""
        return TrainError.between(self.float_model, self.solve_ivp)

    @property
    def quantisation(self) -> TrainError:
        """The Q8.8 model against the float model."""
        return TrainError.between(self.fixed_model, self.float_model)

    @property
    def references(self) -> TrainError | None:
        """Brian2 against SciPy: what the references themselves differ by."""
        return None if self.brian is None else TrainError.between(self.brian, self.solve_ivp)

    def figures(self) -> dict[str, Any]:
        """Everything but the spike times, as JSON takes it."""
        return {
            "neuron": self.neuron,
            "current": self.current,
            "duration_ms": self.duration,
            "dt_ms": self.dt,
            "discretisation_ms": asdict(self.discretisation),
            "quantisation_ms": asdict(self.quantisation),
            "references_ms": asdict(self.references) if self.references else None,
        }

    def __str__(self) -> str:
        rows = [
            f"{self.neuron}: {self.current:g} {self.unit} for {self.duration:g} ms, dt "
            f"{self.dt:g} ms; the k-th spike against the k-th, ms",
            f"  {'':36s} spikes  expected     first      mean       max",
            f"  discretisation  float / solve_ivp   {self.discretisation}",
            f"  quantisation    Q8.8 / float        {self.quantisation}",
        ]
        if self.references:
            rows.append(f"  references      Brian2 / solve_ivp  {self.references}")
        return "\n".join(rows)


def compare(
    neuron: Neuron,
    *,
    current: float | None = None,
    duration: float = 1000.0,
    brian: str | None = None,
    live: bool = True,
) -> Comparison:
    """Compare a neuron's float and Q8.8 models with its differential equations.

    All that a step tells of its spike is that it fell within it, so it is dated at the middle
    (Brian2 takes the step's beginning, NEST its end).

    The spike of AdEx and the exponential model is their runaway, as in the papers: that
    ``V_peak`` cuts it short counts as discretisation.

    Parameters
    ----------
    neuron : Neuron
        A deterministic built-in one, with any parameters.
    current : float, optional
        Held from t = 0 on the first input, as the Q8.8 word nearest to it; by default the
        neuron's first typical current.
    duration : float
        ms.
    brian : str, optional
        A Python that has Brian2, to integrate the equations a second time.
    live : bool
        Integrate now, which takes SciPy; otherwise read the standard runs that are stored.

    Raises
    ------
    ScneuroError
        There are no equations for the neuron, SciPy or Brian2 is missing, or the run is not
        among those stored.
    ValueError
        A current that does not fit Q8.8, a duration below one step, or ``brian`` without ``live``.
    """
    need_neuron(neuron, "compare()")
    if brian is not None and not live:
        raise ValueError("brian runs Brian2 now; with live=False its stored spike times are read")
    equations_of(neuron)
    value = numbers(neuron.currents[0] if current is None else current, "current")
    name = next(iter(neuron.input_defaults))
    word = float(as_words(value, name, neuron.units[name]))
    if not (np.isfinite(duration) and duration >= neuron.dt):
        raise ValueError(f"duration must be at least one step of {neuron.dt:g} ms, not {duration}")
    if duration > _MOST_STEPS * neuron.dt:
        raise ValueError(f"duration must be at most {_MOST_STEPS:,} steps, not {duration:g} ms")
    second: np.ndarray | None
    if live:
        first = adaptive.spike_times(neuron, word, duration)
        second = brian_times(brian, [neuron], [word], duration)[0][0] if brian else None
    else:
        run = _find(stored(), neuron, word, duration)
        first, second = run.solve_ivp, run.brian2
    stimulus = np.full(round(duration / neuron.dt), word)
    return Comparison(
        neuron.name,
        word,
        neuron.units[name],
        duration,
        neuron.dt,
        first,
        _times(neuron.run(stimulus)),
        _times(neuron.fixed().run(stimulus)),
        second,
    )


def _times(recording: Recording) -> np.ndarray:
    """The spikes of a recording, each dated at the middle of the step it falls within."""
    times: np.ndarray = recording.t[recording.spike_steps] - recording.dt / 2
    return times


# -- Brian2 ---------------------------------------------------------------------------------------
def brian_times(
    python: str, neurons: Sequence[Neuron], currents: Sequence[float], duration: float
) -> tuple[list[np.ndarray], dict[str, str]]:
    """Spike times (ms) by Brian2, and the versions that made them.

    Parameters
    ----------
    python : str
        An interpreter that has Brian2; it need not have scneuro.
    neurons : sequence of Neuron
        Of one class.
    currents : sequence of float
        One for each.
    duration : float
        ms.

    Raises
    ------
    ScneuroError
        If it cannot be run, or fails.
    """
    equations = equations_of(neurons[0])
    starts = [equations.start(neuron) for neuron in neurons]
    columns = {p: [neuron.parameters[p] for neuron in neurons] for p in _constants(neurons[0])}
    job = asdict(equations.brian) | {
        "parameters": columns | {"I": list(currents)},
        "start": dict(zip(equations.states, zip(*starts, strict=True), strict=True)),
        "duration": duration,
        "dt": BRIAN_DT,
    }
    try:
        done = subprocess.run(
            [python, str(_SCRIPT)], input=json.dumps(job), capture_output=True, text=True
        )
    except OSError as error:
        raise ScneuroError(f"cannot run {python}: {error.strerror}", _INSTALL) from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ScneuroError(f"Brian2 by {python} failed: {said[-1]}", _INSTALL)
    try:
        answer = json.loads(done.stdout)
        return [np.array(times, dtype=float) for times in answer["spikes"]], answer["versions"]
    except (ValueError, TypeError, KeyError):
        raise ScneuroError(f"{python} did not answer in JSON; is it a Python?", _INSTALL) from None


def _constants(neuron: Neuron) -> list[str]:
    """The parameters of the equations: all but the time step of our models."""
    return [name for name in neuron.parameters if name != "dt"]


# -- what is stored -------------------------------------------------------------------------------
@dataclass(frozen=True)
class StoredRun:
    """A run of ``stored.json``: what was run, and the spike times (ms) from both sources."""

    neuron: str
    parameters: dict[str, float]
    current: float
    duration: float
    solve_ivp: np.ndarray
    brian2: np.ndarray


def stored(path: Path = STORED) -> list[StoredRun]:
    """The standard runs.

    Raises
    ------
    FileTrouble
        If the file cannot be read, or holds something else.
    """
    hint = "make it again: python -m scneuro.reference.make --brian PYTHON"
    try:
        runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
        return [
            StoredRun(
                **run | {key: np.array(run[key], dtype=float) for key in ("solve_ivp", "brian2")}
            )
            for run in runs
        ]
    except OSError as error:
        raise FileTrouble(f"cannot read {path}: {error.strerror or error}", hint) from None
    except (ValueError, TypeError, KeyError) as error:
        what = f"{type(error).__name__}: {error}"
        raise FileTrouble(f"{path} holds no references: {what}", hint) from None


def _find(runs: list[StoredRun], neuron: Neuron, word: float, duration: float) -> StoredRun:
    parameters = {name: neuron.parameters[name] for name in _constants(neuron)}
    for run in runs:
        same = type(neuron) is builtin(run.neuron) and run.parameters == parameters
        if same and (run.current, run.duration) == (word, duration):
            return run
    raise ScneuroError(
        f"{neuron.name}: no reference is stored for these parameters at {word:g} for "
        f"{duration:g} ms",
        "integrate it now, with live=True",
    )
