"""Parameters that differ from neuron to neuron: states that stay as they are."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ..compiler.bounds.precision import Working
from ..compiler.graph import ordered
from ..declare import State
from ..errors import ScneuroError, did_you_mean
from ..neuron import Neuron
from ..runner import numbers
from ..tools.source import said
from ..words import WORD_BITS, Word, fitting
from ..working import working

__all__ = ["checked", "initial_of_each", "with_parameters"]

_TRIED = 8  # neurons whose steps are compared with those of neurons made with their values
_FINEST = WORD_BITS - 1  # fraction bits of a word that a State can have
_TINY = 1e-9
_STEPS = 400  # of a run that is compared


def checked(neuron: Neuron, values: Mapping[str, Any], count: int) -> dict[str, np.ndarray]:
    """The parameters of every neuron, each of shape (count,).

    Raises
    ------
    TypeError, ValueError
        No such parameter, the wrong shape, values that are not finite or break a constraint.
    """
    if not isinstance(values, Mapping):
        raise TypeError(
            f"{neuron.name}: parameters must be a mapping from names, not {values!r}"[:160]
        )
    arrays = {}
    for name, given in values.items():
        if not isinstance(name, str) or name not in neuron.parameters or name == "dt":
            there = [n for n in neuron.parameters if n != "dt"]
            near = did_you_mean(str(name), there)
            raise TypeError(
                f"{neuron.name} has no parameter {name!r} that could differ from neuron to neuron; "
                f"it has {', '.join(there) or 'none'}" + f". {near}" * bool(near)
            )
        array = numbers(given, f"{neuron.name}: {name}")
        if array.shape not in ((), (count,)):
            raise ValueError(
                f"{neuron.name}: {name} has shape {array.shape}, and there are {count} neurons: "
                f"give one number, or {count}"
            )
        arrays[name] = np.broadcast_to(array, (count,)).astype(float)
    for rule in neuron.constraints:
        _require(neuron, rule, arrays)
    return arrays


def _require(neuron: Neuron, rule: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse values that break a constraint, in any neuron."""
    names = {n.id for n in ast.walk(ast.parse(rule)) if isinstance(n, ast.Name)}
    if not names & arrays.keys():
        return
    given: dict[str, Any] = {**neuron.parameters, **arrays}
    for k in range(len(next(iter(arrays.values())))):
        at = {n: float(np.ravel(given[n])[k if n in arrays else 0]) for n in names if n in given}
        if not eval(rule, {"__builtins__": {}, "exp": np.exp}, at):
            facts = " and ".join(f"{n} = {v:g}" for n, v in sorted(at.items()))
            raise ValueError(f"{neuron.name}: {rule} must hold, but neuron {k} has {facts}")


def with_parameters(neuron: Neuron, values: Mapping[str, np.ndarray]) -> Neuron:
    """A neuron of whose states some are parameters of ``neuron``, which stay as they are.

    Each has the finest 16-bit word that holds the values of all neurons, and no guard bits.

    Parameters
    ----------
    neuron : Neuron
    values : mapping of str to ndarray, shape (N,)

    Raises
    ------
    ScneuroError
        If ``update()`` does not use one of them, or uses what was made of it before.
    """
    if not values:
        return neuron
    states = {name: _state(name, array) for name, array in values.items()}
    kind = type(neuron)
    first = {n: np.float64(array[0]) for n, array in values.items()}
    body = {
        **states,
        "_first": first,
        "_members": dict(values),
        "constraints": (),
        "__module__": kind.__module__,
        "__doc__": kind.__doc__,
    }
    made: Any = type(kind.__name__, (_Varied, kind), body)
    # its own states first: what a parameter was declared before stays the first state
    made._states = {n: s for n, s in made._states.items() if n not in values} | states
    rest = {n: v for n, v in neuron.parameters.items() if n not in values}
    varied: Neuron = made(**rest, **dict(neuron.spec.others))
    varied.__dict__["currents"] = neuron.currents
    varied.seed, varied.budget = neuron.seed, neuron.budget
    varied.set_words(**neuron._words)
    varied.set_initial(**neuron._start)
    _check_used(neuron, varied, values)
    return varied


def _state(name: str, values: np.ndarray) -> State:
    """A state of the finest word that holds all values, with as many bits as it leaves unused."""
    word = fitting(float(values.min()), float(values.max()))
    if word is None:
        raise ValueError(
            f"{name} is up to {np.abs(values).max():g}, more than a 16-bit word holds; count it in "
            "a larger unit"
        )
    finer = max(0, word.fraction - _FINEST)
    return State(init=float(values[0]), word=str(Word(word.fraction - finer)), guard=finer)


class _Varied(Neuron):
    """Lets ``update`` read parameters that are states."""

    _members: ClassVar[Mapping[str, np.ndarray]]
    _first: ClassVar[Mapping[str, np.float64]]  # of each, until there are states

    def update(self, *values: Any) -> tuple[Any, ...]:
        states = dict(zip(self.state_names, values, strict=False))
        rest = values[len(states) :]
        own = [v for n, v in states.items() if n not in self._members]
        before = self.__dict__.get("_given")
        self.__dict__["_given"] = {n: states[n] for n in self._members}
        try:
            spike, *following = super().update(*own, *rest)
        finally:
            self.__dict__["_given"] = before
        after = iter(following)
        return spike, *(v if n in self._members else next(after) for n, v in states.items())

    def _initial(self, state: State) -> float:
        if isinstance(state.init, str) and state.init in self._first:
            return float(self._first[state.init])
        return super()._initial(state)

    def read(self, name: str) -> Any:
        given = self.__dict__.get("_given")
        if given is None and "_values" not in self.__dict__:
            given = self._first
        if given is not None and name in given:
            return given[name]
        return super().read(name)

    def initial_of_each(self) -> dict[str, Any]:
        """Where every neuron starts, by its own parameters: numbers, or arrays (N,)."""
        found: dict[str, Any] = dict(self.initial)
        self.__dict__["_given"] = self._members
        try:
            for name, state in self.state_variables.items():
                if name in self._start:
                    continue
                if isinstance(state.init, str) and state.init in self._members:
                    found[name] = self._members[state.init]
                elif callable(state.init):
                    found[name] = self._asked(state.init, f"initial {name}")
        finally:
            self.__dict__["_given"] = None
        return found

    def _measured(self) -> Working:
        """Where all of them work: those with the least and the greatest of each parameter."""
        chosen = {0}
        for values in self._members.values():
            chosen |= {int(np.argmin(values)), int(np.argmax(values))}
        found = []
        for k in sorted(chosen):
            twin = self.spec.make()
            starts = {**self.initial_of_each(), **self._members}
            twin.set_initial(
                **{n: float(np.ravel(x)[k if np.ndim(x) else 0]) for n, x in starts.items()}
            )
            found.append(working(twin))
        return _joined(found)


def initial_of_each(neuron: Neuron) -> Mapping[str, Any]:
    """Where every neuron of a population starts: numbers, or arrays (N,)."""
    return neuron.initial_of_each() if isinstance(neuron, _Varied) else neuron.initial


def _joined(found: list[Working]) -> Working:
    """Wherever any of them works, and as carefully as the most careful one."""
    if not all(one.ranges for one in found):
        return Working()
    ranges = {
        name: (min(one.ranges[name][0] for one in found), max(one.ranges[name][1] for one in found))
        for name in found[0].ranges
    }
    slopes = {
        name: {to: max(one.slopes[name][to] for one in found) for to in row}
        for name, row in found[0].slopes.items()
    }
    return Working(ranges, slopes, {n: min(one.pace[n] for one in found) for n in found[0].pace})


def _check_used(neuron: Neuron, varied: Neuron, values: Mapping[str, np.ndarray]) -> None:
    """Compare steps with those of neurons that were made with the values."""
    rng = np.random.default_rng(0)
    count = len(next(iter(values.values())))
    tried = np.unique(np.linspace(0, count - 1, _TRIED).astype(int))
    for k in tried:
        own = {n: float(array[k]) for n, array in values.items()}
        try:
            single = _single(neuron, own)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{said(error)} (neuron {k})") from None
        if {*single.state_names} - {*varied.state_names}:
            raise _derived(neuron, own, int(k))
        start = [*single.initial.values(), *single.input_defaults.values()]
        near = [x + (1 + 0.1 * abs(x)) * rng.uniform(-1, 1) for x in start]
        near += [n.scaled(len(n.draws) * rng.uniform()) for n in single.noises.values()]
        near = [np.float64(x) for x in near]
        states = dict(zip(single.state_names, near, strict=False))
        all_states = [np.float64({**states, **own}[n]) for n in varied.state_names]
        with np.errstate(all="ignore"):
            spike, *after = single.following(*near)
            other, *found = varied.following(*all_states, *near[len(states) :])
        expected = dict(zip(single.state_names, after, strict=True))
        got = dict(zip(varied.state_names, found, strict=True))
        same = bool(spike) == bool(other) and all(
            np.isclose(float(got[n]), float(expected[n]), rtol=_TINY, atol=_TINY, equal_nan=True)
            for n in expected
        )
        if not same:
            raise _derived(neuron, own, int(k))
    _check_runs(neuron, varied, values, tried)
    for name in values:
        others = [
            root
            for state, root in zip(("", *varied.state_names), varied.graph, strict=True)
            if state != name
        ]
        if not any(node.op == "var" and node.value == name for node in ordered(others)):
            raise ScneuroError(
                f"{neuron.name}: update() does not use {name}, so neurons cannot differ in it",
                "vary a parameter that update() uses",
            )


def _check_runs(
    neuron: Neuron, varied: Neuron, values: Mapping[str, np.ndarray], tried: np.ndarray
) -> None:
    """Compare a run of a few neurons: what is derived from a parameter may show late.

    Not where there is noise: neurons draw it in turn.
    """
    if neuron.noises:
        return
    some = {n: array[tried] for n, array in values.items()}
    steps = np.full(_STEPS, neuron.currents[0])
    starts = {n: np.ravel(x) for n, x in initial_of_each(varied).items()}
    with np.errstate(all="ignore"):
        varied.reset()
        for name, start in starts.items():
            start = start[tried] if len(start) > 1 else np.broadcast_to(start, tried.shape)
            varied.write(name, some.get(name, start))
        together = varied.run(steps, progress=False, engine="numpy", reset=False)
        varied.reset()
        for k, index in enumerate(tried):
            own = {n: float(array[k]) for n, array in some.items()}
            single = _single(neuron, own)
            single.set_initial(**neuron._start)
            alone = single.run(steps, progress=False, engine="numpy")
            if not np.array_equal(alone.spike, together.spike[:, k]):
                raise _derived(neuron, own, int(index))


def _single(neuron: Neuron, own: Mapping[str, float]) -> Neuron:
    """A neuron that is made with one neuron's own values."""
    return type(neuron)(**{**neuron.parameters, **own}, **dict(neuron.spec.others))


def _derived(neuron: Neuron, own: Mapping[str, float], index: int) -> ScneuroError:
    return ScneuroError(
        f"{neuron.name}: a neuron made with {_text(own)} does another step than one whose "
        f"update() is given these values (neuron {index})",
        "what is computed from a parameter on construction is the same for all neurons; "
        "compute it in update(), or vary what update() uses",
    )


def _text(values: Mapping[str, float]) -> str:
    return ", ".join(f"{n} = {v:g}" for n, v in values.items())
