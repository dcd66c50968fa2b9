"""How far a neuron is from its differential equations: by its time step, and by its integers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileTrouble, ScneuroError
from ..neuron import Neuron, need_neuron
from ..neurons import builtin
from ..runner import Recording, numbers
from ..tools.notebook import table
from . import adaptive
from .equations import equations_of

__all__ = ["BRIAN_DT", "STORED", "Comparison", "TrainError", "brian_times", "compare", "stored"]

#: Brian2's time step, ms.
BRIAN_DT = 0.001
#: The standard runs, as ``make.py`` wrote them.
STORED = Path(__file__).with_name("stored.json")
_SCRIPT = Path(__file__).with_name("brian.py")
_MOST_STEPS = 1_000_000
_WIDTH = 96
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
        The Q8.8 word that everybody was given, in ``unit``; None if it was not held.
    duration, dt : float
        ms.
    solve_ivp : ndarray of float or None
        Spike times of the differential equations, ms; None where ``given`` stand for them.
    float_model, fixed_model : ndarray of float
        Spike times, ms.
    brian, given : ndarray of float or None
        Brian2's, and those that were given to compare with.
    equations : tuple of str
        The differential equations that were derived from ``update()``.
    """

    neuron: str
    current: float | None
    unit: str
    duration: float
    dt: float
    solve_ivp: np.ndarray | None
    float_model: np.ndarray
    fixed_model: np.ndarray
    brian: np.ndarray | None
    given: np.ndarray | None = None
    equations: tuple[str, ...] = ()

    @property
    def discretisation(self) -> TrainError | None:
        """The float model, at its dt, against SciPy's adaptive integration."""
        if self.solve_ivp is None:
            return None
        return TrainError.between(self.float_model, self.solve_ivp)

    @property
    def quantisation(self) -> TrainError:
        """The integer model against the float model."""
        return TrainError.between(self.fixed_model, self.float_model)

    @property
    def references(self) -> TrainError | None:
        """Brian2 against SciPy: what the references themselves differ by."""
        if self.brian is None or self.solve_ivp is None:
            return None
        return TrainError.between(self.brian, self.solve_ivp)

    @property
    def to_given(self) -> dict[str, TrainError]:
        """The float model and the integers against the spike times that were given."""
        if self.given is None:
            return {}
        models = {"float": self.float_model, "integers": self.fixed_model}
        return {name: TrainError.between(times, self.given) for name, times in models.items()}

    def _errors(self) -> list[tuple[str, str, TrainError]]:
        """What is compared with what."""
        found = {
            "discretisation": ("float / solve_ivp", self.discretisation),
            "quantisation": ("integers / float", self.quantisation),
            "references": ("Brian2 / solve_ivp", self.references),
        }
        said = [(name, what, error) for name, (what, error) in found.items() if error is not None]
        return [*said, *(("given", f"{n} / file", error) for n, error in self.to_given.items())]

    def figures(self) -> dict[str, Any]:
        """Everything but the spike times, as JSON takes it."""
        return {
            "neuron": self.neuron,
            "current": self.current,
            "duration_ms": self.duration,
            "dt_ms": self.dt,
            "discretisation_ms": asdict(self.discretisation) if self.discretisation else None,
            "quantisation_ms": asdict(self.quantisation),
            "references_ms": asdict(self.references) if self.references else None,
            "given_ms": {n: asdict(error) for n, error in self.to_given.items()} or None,
            "equations": list(self.equations),
        }

    def __repr__(self) -> str:
        return f"<Comparison of {self.neuron} with its references over {self.duration:g} ms>"

    def _repr_html_(self) -> str:
        rows = [(name, what, *vars(error).values()) for name, what, error in self._errors()]
        head = ("", "", "spikes", "expected", "first, ms", "mean, ms", "greatest, ms")
        return table(repr(self)[1:-1], rows, head)

    def __str__(self) -> str:
        under = "its inputs" if self.current is None else f"{self.current:g} {self.unit}".rstrip()
        rows = [
            f"{self.neuron}: {under} for {self.duration:g} ms, dt "
            f"{self.dt:g} ms; the k-th spike against the k-th, ms",
            f"  {'':36s} spikes  expected     first      mean       max",
        ]
        rows += [f"  {name:14s}  {what:20s}{error}" for name, what, error in self._errors()]
        if self.equations:
            rows.append("  the differential equations that update() integrates")
            for said in self.equations:
                rows.append(f"    {said if len(said) <= _WIDTH else said[: _WIDTH - 3] + '...'}")
        return "\n".join(rows)


def compare(
    neuron: Neuron,
    *,
    current: float | None = None,
    duration: float = 1000.0,
    brian: str | None = None,
    live: bool = True,
    inputs: Mapping[str, Any] | None = None,
    spikes: Any = None,
) -> Comparison:
    """Compare a neuron's float and integer models with its differential equations.

    They are those of the papers for a built-in neuron, those it says itself
    (:attr:`~scneuro.Neuron.equations`), or those that ``update()`` integrates by explicit Euler. Or
    compare it with spike times from elsewhere, such as a script for Brian2.

    All that a step tells of its spike is that it fell within it, so it is dated at the middle
    (Brian2 takes the step's beginning, NEST its end).

    The spike of AdEx and the exponential model is their runaway, as in the papers: that
    ``V_peak`` cuts it short counts as discretisation.

    Parameters
    ----------
    neuron : Neuron
        A deterministic one; with ``spikes``, any.
    current : float, optional
        Held from t = 0 on the first input, as the Q8.8 word nearest to it; by default the
        neuron's first typical current.
    duration : float
        ms.
    brian : str, optional
        A Python that has Brian2, to integrate the equations a second time.
    live : bool
        Integrate now, which takes SciPy; otherwise read the standard runs that are stored.
    inputs : mapping of str to float or array of shape (T,), optional
        What other inputs are held at; with ``spikes``, values of any input, a step each.
    spikes : array of float, optional
        Spike times to compare with, in ms, ascending; no equations are needed then.

    Raises
    ------
    ScneuroError
        There are no equations for the neuron, SciPy or Brian2 is missing, or the run is not
        among those stored.
    ValueError
        A current that does not fit Q8.8, a duration below one step, ``brian`` without ``live``,
        inputs that are not held without ``spikes``, or spike times that do not ascend.
    """
    need_neuron(neuron, "compare()")
    if brian is not None and not live:
        raise ValueError("brian runs Brian2 now; with live=False its stored spike times are read")
    given = None if spikes is None else _given(spikes)
    name = next(iter(neuron.input_defaults))
    driven = {name: neuron.currents[0] if current is None else current, **(inputs or {})}
    if given is None and not live:
        equations_of(neuron, derive=False)
    words = {
        n: neuron.carried(n, numbers(v, "current" if n == name else n)) for n, v in driven.items()
    }
    lengths = {len(v) for v in words.values() if v.ndim}
    if lengths and given is None:
        raise ValueError("the equations are integrated under inputs that are held: give numbers")
    if not (np.isfinite(duration) and duration >= neuron.dt):
        raise ValueError(f"duration must be at least one step of {neuron.dt:g} ms, not {duration}")
    if duration > _MOST_STEPS * neuron.dt:
        raise ValueError(f"duration must be at most {_MOST_STEPS:,} steps, not {duration:g} ms")
    steps = min(lengths, default=round(duration / neuron.dt))
    duration = steps * neuron.dt if lengths else duration
    stimulus: dict[str, Any] = {
        n: v[:steps] if v.ndim else np.full(steps, v) for n, v in words.items()
    }
    word = None if words[name].ndim else float(words[name])
    first, second = None, None
    text: tuple[str, ...] = ()
    if given is None:
        assert word is not None
        others = {n: float(v) for n, v in words.items() if n != name}
        if live:
            text = equations_of(neuron, others).text
            first = adaptive.spike_times(neuron, word, duration, others)
            if brian:
                second = brian_times(brian, [neuron], [word], duration, others)[0][0]
        else:
            run = _find(stored(), neuron, word, duration)
            first, second = run.solve_ivp, run.brian2
    else:
        _check_unit(given, duration)
        given = given[given <= duration]
    return Comparison(
        neuron.name,
        word,
        neuron.units[name],
        duration,
        neuron.dt,
        first,
        _times(neuron.run(**stimulus)),
        _times(neuron.fixed().run(**stimulus)),
        second,
        given,
        text,
    )


def _given(spikes: Any) -> np.ndarray:
    times = numbers(spikes, "spikes")
    if times.ndim != 1 or np.any(np.diff(times) < 0) or np.any(times < 0):
        raise ValueError("spikes must be times in ms, of shape (N,), ascending and not negative")
    return times


def _check_unit(spikes: np.ndarray, duration: float) -> None:
    """Refuse seconds: Brian2's ``monitor.t`` has them."""
    if len(spikes) > 1 and spikes[-1] <= duration / 500:
        raise ValueError(
            f"all {len(spikes)} spikes are within {spikes[-1]:g} ms of {duration:g}: if they are "
            "seconds, save milliseconds, as Brian2's monitor.t/ms"
        )


def _times(recording: Recording) -> np.ndarray:
    """The spikes of a recording, each dated at the middle of the step it falls within."""
    times: np.ndarray = recording.t[recording.spike_steps] - recording.dt / 2
    return times


# -- Brian2 ---------------------------------------------------------------------------------------
def brian_times(
    python: str,
    neurons: Sequence[Neuron],
    currents: Sequence[float],
    duration: float,
    others: Mapping[str, float] | None = None,
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
    others : mapping of str to float, optional
        What their other inputs are held at.

    Raises
    ------
    ScneuroError
        If it cannot be run, or fails, or the equations are none that Brian2 can be given.
    """
    equations = equations_of(neurons[0], others)
    if equations.brian is None:
        raise ScneuroError(
            f"{neurons[0].name}: Brian2 is given equations as strings, and there are none",
            "write them: equations = {'V': '(I - V) / tau', 'spike': ..., 'reset': ...}",
        )
    starts = [equations.begin(neuron) for neuron in neurons]
    columns = {n: [float(v)] * len(neurons) for n, v in _held(neurons[0], others).items()}
    columns |= {p: [neuron.parameters[p] for neuron in neurons] for p in _constants(neurons[0])}
    text = asdict(equations.brian)
    job = text | {
        "parameters": columns | {text.pop("current"): list(currents)},
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


def _held(neuron: Neuron, others: Mapping[str, float] | None) -> dict[str, float]:
    """All inputs but the first, where a neuron's own equations may name them."""
    _, *names = neuron.input_defaults
    held = {name: neuron.input_defaults[name] for name in names} if neuron.equations else {}
    return {**held, **(others or {})}


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
    for run in runs if not neuron._start else ():
        same = type(neuron) is builtin(run.neuron) and run.parameters == parameters
        if same and (run.current, run.duration) == (word, duration):
            return run
    raise ScneuroError(
        f"{neuron.name}: no reference is stored for these parameters at {word:g} for "
        f"{duration:g} ms",
        "integrate it now, with live=True",
    )
