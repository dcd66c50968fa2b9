"""A neuron, written once: its ``update()`` is the float reference and the source of all else."""

from __future__ import annotations

import ast
import copyreg
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, ClassVar, Self, TypeVar

import numpy as np

from .compiler.bounds.precision import Working
from .compiler.graph import Expr
from .compiler.lower import lower
from .compiler.lowered import Lowered
from .compiler.program import Program
from .compiler.trace import Traced, refuse, returned, trace
from .declare import Input, State, declarations, names_of, refuse_taken
from .engine.emit import Body, of_graph
from .errors import ScneuroError, UpdateError
from .fixed import FixedNeuron
from .runner import Recording, Runner, filled, numbers
from .signals.stimulus import as_words
from .spec import FixedSpec, Spec, others
from .stochastic import LFSR, Noise, NoiseSource, totals
from .tools.notebook import neuron_html, neuron_text
from .tools.source import line_of, place_of, said
from .words import Q8_8, Word
from .working import working

__all__ = ["Derived", "Neuron", "need_neuron"]


_Made = TypeVar("_Made")
_LOWERED: dict[tuple[Any, ...], Lowered] = {}
_WORKING: dict[tuple[Any, ...], Working] = {}
_MOST_KEPT = 64  # of each
_COLUMNS = 3
_CALLS = 500  # of an update, before it is traced again


class _Derived:
    def __init__(self, function: Callable[[Any], float]) -> None:
        self.function = function


def Derived(function: Callable[[Any], float]) -> Any:  # noqa: N802 - reads as a kind of default
    """A parameter's default, computed from the other parameters: ``Derived(lambda p: 2 * p.a)``."""
    return _Derived(function)


class Neuron(Runner):
    """Base class of every neuron.

    A subclass declares parameters (numbers), :class:`State`, :class:`Input` and
    :class:`~scneuro.Noise` variables, and ``update``, in NumPy. Called on numbers it is the float
    model; called on traced values it yields the dataflow graph that the Q8.8 model and the gates
    are made of.

    Parameters
    ----------
    *values, **parameters : float
        Override the class's defaults, in the order of declaration or by name. ``dt`` is the time
        step in ms.

    Attributes
    ----------
    budget : float or None
        What one step of a state may be off by in integers, in LSB of its word; 1 if None. It can
        be set, on a neuron: a larger one is smaller hardware.
    constraints : tuple of str
        What must hold between parameters (``"tau_m > 0"``), checked on construction.
    presets : dict of str to dict
        Named parameter sets, for :meth:`preset`; one may bring its own ``currents``.
    currents : tuple of float
        Values of the first input that show the neuron at work; the first is the default stimulus
        of the command line, and a board's button steps through them.
    equations : dict of str to str
        Differential equations for ``scneuro reference`` where ``update`` is not explicit Euler: the
        slope of every state per ms, ``{"V": "(I - V) / tau"}``; where ``update`` does not show them
        as its dt goes to 0, also ``"spike": "V >= V_th"``, ``"reset": "V = 0; w += b"`` and
        ``"refractory": "t_ref"``, in ms.

    Raises
    ------
    TypeError
        An unknown parameter, or one that is no number.
    ValueError
        A parameter that is not finite, or breaks a constraint.

    Examples
    --------
    >>> class Leaky(Neuron):
    ...     tau: float = 10.0
    ...     dt: float = 0.1
    ...     V = State(unit="mV")
    ...     I = Input(unit="mV")
    ...     def update(self, V, I):
    ...         V = V + self.dt / self.tau * (I - V)
    ...         return V >= 15.0, np.where(V >= 15.0, 0.0, V)
    >>> spike, V = Leaky().step(I=20.0)
    """

    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = ()
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    currents: ClassVar[tuple[float, ...]] = (1.0,)
    equations: ClassVar[Mapping[str, str]] = {}
    _states: ClassVar[dict[str, State]] = {}
    _inputs: ClassVar[dict[str, Input]] = {}
    _noises: ClassVar[dict[str, Noise]] = {}
    _defaults: ClassVar[dict[str, Any]] = {}
    _kinds: ClassVar[dict[str, type]] = {}
    # what it was made with: the arguments, and the preset with what overrides it
    __signature__: ClassVar[inspect.Signature]
    _call: tuple[tuple[Any, ...], dict[str, Any]]
    _preset: ClassVar[tuple[str | None, dict[str, Any]]] = (None, {})
    _start: ClassVar[Mapping[str, float]] = {}  # the initial states that were set
    _words: ClassVar[Mapping[str, str]] = {}  # those that were set
    _spans: ClassVar[Mapping[str, tuple[float, float]]] = {}  # where those of several neurons lie
    # what it is then
    parameters: dict[str, float]
    state_variables: dict[str, State]
    initial: dict[str, float]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(vars(cls).get("currents"), int | float):  # not a parameter of that name
            _check_currents(cls.__name__, cls.currents)
        declared = declarations(cls, Neuron, _surface())
        cls._states, cls._inputs = declared.states, declared.inputs
        cls._noises, cls._defaults = declared.noises, declared.defaults
        cls._kinds = declared.kinds
        _, *given = inspect.signature(cls.__init__).parameters.values()
        cls.__signature__ = inspect.Signature(given)  # not that of __new__

    def __new__(cls, *arguments: Any, **keywords: Any) -> Self:
        neuron = super().__new__(cls)
        neuron.__dict__["_call"] = arguments, keywords
        return neuron

    def __init__(self, *values: float, **parameters: float) -> None:
        cls = type(self)
        self.name = cls.__name__
        if cls.update is Neuron.update or not cls._states or not cls._inputs:
            raise TypeError(
                f"{self.name} must declare a State and an Input, and define update(); one that is "
                "driven by nothing declares an Input that it does not use"
            )
        if len(values) > len(cls._defaults):
            raise TypeError(f"{self.name} has {len(cls._defaults)} parameters, not {len(values)}")
        for name, value in zip(cls._defaults, values, strict=False):
            if name in parameters:
                raise TypeError(f"{self.name}: {name} is given twice")
            parameters[name] = value
        for name in parameters:
            if name not in cls._defaults:
                raise TypeError(
                    f"{self.name} has no parameter {name!r}; it has {', '.join(cls._defaults)}"
                )
        chosen = {**cls._defaults, **parameters}
        for name, value in chosen.items():
            if not isinstance(value, _Derived):
                self.__dict__[name] = self._parameter(name, value)
        for name, value in chosen.items():
            if isinstance(value, _Derived):
                self.__dict__[name] = self._parameter(name, self._asked(value.function, name))
        self.parameters = {name: self.__dict__[name] for name in cls._defaults}
        further = self.further_states()
        taken = {*_surface(), *cls._inputs, *cls._noises, *cls._defaults}
        refuse_taken(self.name, further.items(), taken)
        self.state_variables = {**cls._states, **further}
        for name, state in self.state_variables.items():
            state.name = name
        _check_currents(self.name, cls.currents)
        if isinstance(cls.constraints, str):
            raise TypeError(
                f"{self.name}: constraints must be a tuple of texts: ({cls.constraints!r},)"
            )
        for rule in ("dt > 0", *cls.constraints):
            self._require(rule)
        self.state_names = tuple(self.state_variables)
        self.input_defaults = {i.name: i.default for i in cls._inputs.values()}
        self.initial = {s.name: self._initial(s) for s in self.state_variables.values()}
        self._check_arguments()
        self._values: dict[str, Any] = {}
        self.reset()

    def update(self, *values: Any) -> tuple[Any, ...]:
        """One time step, in NumPy, to be overridden.

        Parameters
        ----------
        *values : float or array of shape (N,)
            The states, then the inputs, then the noises, in the order of their declaration.

        Returns
        -------
        tuple
            The spike flag, then the next value of every state, in order.
        """
        raise NotImplementedError

    def further_states(self) -> dict[str, State]:
        """States that this instance has besides its class's, by name, to be overridden."""
        return {}

    @classmethod
    def preset(cls, name: str, **parameters: float) -> Self:
        """The neuron with a published parameter set; ``parameters`` override it."""
        if name not in cls.presets:
            raise ValueError(
                f"{cls.__name__} has no preset {name!r}; it has {', '.join(cls.presets) or 'none'}"
            )
        chosen = dict(cls.presets[name])
        currents = chosen.pop("currents", cls.currents)
        _check_currents(f"{cls.__name__}, preset {name}", currents)
        neuron = cls(**{**chosen, **parameters})
        neuron.__dict__.update(currents=currents, _preset=(name, parameters))
        return neuron

    def set_initial(self, **states: float) -> None:
        """Let some states start elsewhere than they declare, and reset.

        Parameters
        ----------
        **states : float
            By name, in their units.

        Raises
        ------
        TypeError
            An unknown state, or a value that is no number.
        ValueError
            A value that is not finite; one that its register does not hold is refused by
            :meth:`fixed`.
        """
        for name in states:
            if name not in self.state_names:
                raise TypeError(
                    f"{self.name} has no state {name!r}; it has {', '.join(self.state_names)}"
                )
        chosen = {n: self._number(f"initial {n}", value) for n, value in states.items()}
        self.__dict__["_start"] = {**self._start, **chosen}
        self.initial = {**self.initial, **chosen}
        self.reset()

    def set_words(self, **words: str) -> None:
        """Give some states and inputs other words than they declare, and reset.

        Parameters
        ----------
        **words : str
            By name: ``V="Q4.12"``.

        Raises
        ------
        TypeError
            No such state or input.
        ValueError
            No word.
        """
        self._redeclare("word", words)
        self.__dict__["_words"] = {**self._words, **words}

    def set_ranges(self, **ranges: tuple[float, float]) -> None:
        """Give some states and inputs other ranges than they declare, and reset.

        Parameters
        ----------
        **ranges : (float, float)
            By name: ``V=(-100, 40)``, the limits at which it saturates.

        Raises
        ------
        TypeError
            No such state or input.
        ValueError
            No range.
        """
        self._redeclare("range", ranges)

    def _redeclare(self, what: str, given: dict[str, Any]) -> None:
        """Declare something of some states and inputs otherwise."""
        variables: dict[str, Any] = {**self.state_variables, **self._inputs}
        for name, value in given.items():
            if name not in variables:
                raise TypeError(
                    f"{self.name} has no state or input {name!r}; it has {', '.join(variables)}"
                )
            variables[name] = other = replace(variables[name], **{what: value})
            other.name = name
        self.state_variables = {n: variables[n] for n in self.state_variables}
        self.__dict__["_inputs"] = {n: variables[n] for n in self._inputs}
        for made_of_them in ("program", "graph"):
            self.__dict__.pop(made_of_them, None)
        self.reset()

    @property
    def spec(self) -> Spec:
        """What it is made of, as data: its class, preset, parameters and seed."""
        arguments, keywords = self._call
        rest = others(type(self), arguments, keywords, self.parameters)
        preset, overrides = self._preset
        if preset is not None:
            arguments, keywords = (), overrides
        return Spec(
            type(self),
            preset,
            tuple(self.parameters.items()),
            rest,
            self.seed,
            self.budget,
            arguments,
            tuple(keywords.items()),
            tuple((n, self._start[n]) for n in self.state_names if n in self._start),
            tuple(sorted(self._words.items())),
        )

    def __eq__(self, other: object) -> bool:
        """Whether both are made of the same; what they have run does not count."""
        if not isinstance(other, Neuron):
            return NotImplemented
        return self.spec == other.spec

    def __hash__(self) -> int:
        return hash((type(self), *self.parameters.values()))

    def __repr__(self) -> str:
        return neuron_text(self)

    def _repr_html_(self) -> str:
        return neuron_html(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.spec.make, (), _carried(self, "_values", "_source", "currents")

    @property
    def noises(self) -> dict[str, Noise]:
        """The declared noises, by name."""
        return dict(self._noises)

    @property
    def units(self) -> dict[str, str]:
        """The units of the states and inputs, by name."""
        states = {s.name: s.unit for s in self.state_variables.values()}
        return states | {i.name: i.unit for i in self._inputs.values()}

    @property
    def input_words(self) -> dict[str, Word]:
        """The words of the inputs, by name."""
        return {n: i.format for n, i in self._inputs.items()}

    def carried(self, name: str, values: Any) -> np.ndarray:
        """What the port of an input carries: each value as the word nearest to it.

        Raises
        ------
        ValueError
            A value that its word does not hold.
        """
        word, what = self.input_words.get(name, Q8_8), f"{self.name}: {name}"
        return as_words(np.asarray(values), what, self.units.get(name, ""), word)

    # -- the other fidelities ----------------------------------------------------------------
    @cached_property
    def graph(self) -> tuple[Expr, ...]:
        """The traced ``update``: the spike flag, then the next value of every state.

        Raises
        ------
        TraceError
            If ``update`` does something that cannot become hardware.
        """
        return self.program.roots

    @cached_property
    def program(self) -> Program:
        """What it is compiled from: its ports, and the traced ``update``."""
        limits = {n: s.range or _ends(s.format) for n, s in self.state_variables.items()}
        limits |= {n: i.range or _ends(i.format) for n, i in self._inputs.items()}
        with self._alone():
            spike, *states = trace(
                self.update,
                self.state_names,
                tuple(self._inputs),
                self.name,
                self._noises,
                limits,
                self._exercise,
            )
        following = dict(zip(self.state_names, states, strict=True))
        return Program(
            self.name,
            self.state_variables,
            self.initial,
            self._inputs,
            self._noises,
            spike,
            following,
            self._spans,
        )

    def _exercise(self) -> None:
        """Call ``update`` often, so that what it counts in secret shows."""
        noise = [n.scaled(len(n.draws) / 2) for n in self._noises.values()]
        start = [np.float64(v) for v in (*self.initial.values(), *self.input_defaults.values())]
        with np.errstate(all="ignore"), suppress(Exception):  # a run says what it raises
            for _ in range(_CALLS):
                self.update(*start, *noise)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While ``update`` runs: it has its arguments, and neither reads nor sets a state."""
        before, self.__dict__["_updating"] = self.__dict__.get("_updating", False), True
        try:
            yield
        finally:
            self.__dict__["_updating"] = before

    def following(self, *values: Any) -> tuple[Any, ...]:
        """What ``update`` makes of its arguments, which stay as they are whatever it does.

        Parameters
        ----------
        *values : float or array of shape (N,)
            The states, the inputs and the noises, in the order of their declaration.

        Returns
        -------
        tuple
            The spike flag, and the next value of every state.
        """
        with self._alone():
            return self.update(*(v.copy() if np.ndim(v) else v for v in values))

    def fixed(
        self,
        *,
        rounding: str = "nearest",
        guard: int | None = None,
        table_error: float | None = None,
        budget: float | None = None,
        seed: int | None = None,
    ) -> FixedNeuron:
        """The Q8.8 twin: integers inside, the same surface.

        Parameters
        ----------
        rounding : {"nearest", "floor", "stochastic"}
            How a state is rounded when it is written.
        guard : int, optional
            Guard bits of every state, instead of those the rule gives.
        table_error : float, optional
            Error budget of the tables, instead of one LSB of a 16-bit word.
        budget : float, optional
            What one step of every state may be off by, in LSB of its word; by default the
            neuron's own ``budget``, or 1.
        seed : int, optional
            Of noise and stochastic rounding, instead of the neuron's own.
        """
        options: tuple[tuple[str, Any], ...] = (
            ("rounding", rounding),
            ("guard", guard),
            ("table_error", table_error),
            ("budget", self.budget if budget is None else budget),
        )
        lowered = self._lowered(options)
        options = (*options, ("seed", seed))
        seed = self.seed if seed is None else seed
        fixed = FixedNeuron(self.name, self.dt, self.input_defaults, lowered, seed=seed)
        fixed.__dict__["origin"] = FixedSpec(self.spec, options)
        return fixed

    def _lowered(self, options: tuple[tuple[str, Any], ...]) -> Lowered:
        """The integer form; that of a neuron made of the same is not made again."""
        states = tuple(map(repr, (*self.state_variables.values(), *self._inputs.values())))
        key = self.spec, states, type(self).update, tuple(self._spans.items())
        return _kept(
            _LOWERED,
            (*key, options),
            lambda: lower(
                self.program,
                measure=lambda: _kept(_WORKING, key, self._measured),
                **dict(options),
            ),
        )

    def _measured(self) -> Working:
        """Where and how it works."""
        return working(self)

    def hardware(self, fixed: FixedNeuron) -> Any:
        """A hand-written ``Elaboratable`` to use as this neuron's hardware; None for ours.

        It must have the signature of ``scneuro.hdl.Neuron`` and is checked against ``fixed``
        by the same parity tests.
        """
        return None

    # -- the float model ---------------------------------------------------------------------
    def reset(self) -> None:
        """Return every state to its initial value (one neuron), and the noise to its seed."""
        draws = tuple(draw for noise in self._noises.values() for draw in noise.draws)
        self._source = NoiseSource(draws, LFSR.apart(self.seed))
        self._shape = ()
        self._values = {name: np.float64(value) for name, value in self.initial.items()}

    def read(self, name: str) -> Any:
        if self.__dict__.get("_updating"):
            raise refuse(
                f"{self.name}.update() reads self.{name}, which is not what it is given",
                f"use its argument: {name}",
            )
        value = self._values[name]
        return value.copy() if self._shape else value

    def write(self, name: str, value: Any) -> None:
        if isinstance(value, Traced):
            raise refuse(
                f"update() cannot set {name} itself", "return the next value of every state"
            )
        array = numbers(value, f"{self.name}: {name}")
        if array.shape:
            self._fit(array.shape)
        self._values[name] = np.broadcast_to(array, self._shape).copy()[()]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self)._defaults:
            raise AttributeError(
                f"{type(self).__name__}.{name} is fixed on construction; make a new neuron: "
                f"{type(self).__name__}({name}=...)"
            )
        super().__setattr__(name, value)

    def _convert(self, name: str, values: np.ndarray) -> np.ndarray:
        return values

    def _resize(self, count: int) -> None:
        if count > 1 and not self.__dict__.get("_apart"):
            self._check_apart()
            self.__dict__["_apart"] = True
        self._values = {name: np.full(count, value) for name, value in self._values.items()}

    def _check_apart(self) -> None:
        """Refuse an ``update`` that is not on N neurons what it is on each, as a sum over all is.

        By a few values near where the neuron starts; a difference within rounding is none.
        """
        rng = np.random.default_rng(0)
        start = [*self.initial.values(), *self.input_defaults.values()]
        near = [x + (1 + 0.1 * abs(x)) * rng.uniform(-1, 1, _COLUMNS) for x in start]
        near += [
            n.scaled(len(n.draws) * rng.uniform(0, 1, _COLUMNS)) for n in self._noises.values()
        ]
        with np.errstate(all="ignore"):
            try:
                together = self.following(*near)
                alone = [self.following(*(np.float64(x[k]) for x in near)) for k in range(_COLUMNS)]
                same = all(map(_alike, together, zip(*alone, strict=True)))
            except ScneuroError:
                raise
            except Exception as error:
                raise self._raised(error, f"update() on {_COLUMNS} neurons, or on each,") from error
        if same:
            return
        raise UpdateError(
            f"{place_of(type(self).update)}: {self.name}.update() is not on {_COLUMNS} neurons "
            "what it is on each: it adds up or reorders across neurons",
            "reduce over a list alone, np.sum([V, w], axis=0) or W @ np.array([V, w])",
        )

    def _advance(self, inputs: dict[str, Any]) -> Any:
        given = [filled(np.float64(value), self._shape) for value in inputs.values()]
        drawn = totals(self._noises, self._source.draw(self._shape))
        noise = (self._noises[name].scaled(total) for name, total in drawn.items())
        try:
            result = self.following(*self._values.values(), *given, *noise)
        except ScneuroError:
            raise
        except Exception as error:
            raise self._raised(error, "update()") from error
        spike, *states = returned(result, self.state_names, self.update, self.name, UpdateError)
        try:
            for name, value in zip(self.state_names, states, strict=True):
                self._values[name] = filled(np.float64(value), self._shape)
            return filled(np.asarray(spike, dtype=bool), self._shape)
        except (TypeError, ValueError):
            shapes = ", ".join(f"{type(v).__name__} {np.shape(v)}" for v in result)
            raise UpdateError(
                f"{place_of(self.update)}: {self.name}.update() must return a number or a "
                f"condition for each neuron, of shape {self._shape}, not {shapes}",
                "a vector is a State for each of its elements; several spike flags are one: a | b",
            ) from None

    def _sample(self, name: str) -> Any:
        return self._values[name]

    # -- a whole run -------------------------------------------------------------------------
    def _body(self) -> Body:
        roots = self.graph
        return of_graph(self.name, roots, self.state_names, tuple(self._inputs), self._noises)

    def _drawing(self) -> tuple[NoiseSource, ...]:
        return (self._source,)

    def _table(self) -> np.ndarray:
        rows = (np.broadcast_to(v, self._shape or (1,)) for v in self._values.values())
        return np.array(list(rows), dtype=np.float64)

    def _set_table(self, states: np.ndarray, steps: int) -> None:
        self._source.skip(steps, states.shape[1])
        self._values = {
            n: row.copy() if self._shape else row[0]
            for n, row in zip(self.state_names, states, strict=True)
        }

    # -- checks ------------------------------------------------------------------------------
    def _check_arguments(self) -> None:
        """Refuse an ``update`` that takes its arguments in another order than they are declared."""
        try:
            given = [*inspect.signature(self.update).parameters.values()]
        except (TypeError, ValueError):
            return  # not to be looked into
        declared = [*self.state_names, *self._inputs, *self._noises]
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [p.name for p in given if p.kind in positional and p.default is p.empty]
        if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in given):
            expected = declared[: len(names)]
        else:
            expected = declared
        same = (a.strip("_") in ("", d.strip("_")) for a, d in zip(names, expected, strict=False))
        if len(names) != len(expected) or not all(same):
            raise UpdateError(
                f"{place_of(type(self).update)}: {self.name}.update() takes {', '.join(names)}, "
                f"and would be given {', '.join(declared)}",
                f"write def update(self, {', '.join(declared)}): the states, the inputs and the "
                "noises, in the order of their declaration",
            )

    def _raised(self, error: Exception, what: str) -> UpdateError:
        """The error to raise where the user's own code raised one."""
        where, text = line_of(error)
        return UpdateError(
            f"{where or place_of(type(self).update)}: {self.name}: {what} raises {said(error)}"
            + (f": {text}" if text else "")
        )

    def _asked(self, function: Callable[[Any], Any], what: str) -> Any:
        """What a function of the neuron returns."""
        try:
            return function(self)
        except ScneuroError:
            raise
        except Exception as error:
            raise self._raised(error, what) from error

    def _parameter(self, name: str, value: Any) -> Any:
        """The value of a parameter; a whole number stays one, so that ``range()`` takes it."""
        number, kind = self._number(name, value), self._kinds.get(name, type(self._defaults[name]))
        if kind is bool and number in (0, 1):
            return bool(number)
        if kind is int and number == int(number):
            return int(number)
        if kind is int and name in self._kinds:
            raise ValueError(f"{self.name}: {name} must be a whole number, not {number:g}")
        return number

    def _number(self, name: str, value: Any) -> float:
        what = f"{self.name}: {name}"
        array = numbers(value, what)
        if array.ndim:
            raise TypeError(f"{what} must be one number, not an array of shape {array.shape}")
        return float(array)

    def _initial(self, state: State) -> float:
        init = state.init
        if isinstance(init, str):
            if init not in self._defaults:
                raise TypeError(f"{self.name}: {state.name} starts at {init!r}, no parameter")
            init = self.__dict__[init]
        what = f"initial {state.name}"
        return self._number(what, self._asked(init, what) if callable(init) else init)

    def _require(self, rule: str) -> None:
        try:
            names = {n.id for n in ast.walk(ast.parse(rule)) if isinstance(n, ast.Name)}
            given = {n: self.__dict__[n] for n in names if n in self.__dict__}
            holds = eval(rule, {"__builtins__": {}, "exp": math.exp}, given)
        except Exception as error:
            raise TypeError(f"{self.name}: the constraint {rule!r} fails: {said(error)}") from None
        if not holds:
            facts = " and ".join(f"{n} = {v:g}" for n, v in sorted(given.items()))
            raise ValueError(f"{self.name}: {rule} must hold, but {facts}")


def _kept(
    known: dict[tuple[Any, ...], _Made], key: tuple[Any, ...], make: Callable[[], _Made]
) -> _Made:
    """What was made for this key before, or is now; the last few that were asked for are kept."""
    made = known.pop(key, None)
    if made is None:
        made = make()
        while len(known) >= _MOST_KEPT:
            known.pop(next(iter(known)), None)
    known[key] = made  # behind all that were asked for before
    return made


def need_neuron(neuron: Any, caller: str) -> None:
    """Refuse what is no neuron, such as its class, for a function that takes one.

    Raises
    ------
    TypeError
    """
    if isinstance(neuron, type) and issubclass(neuron, Neuron):
        name = neuron.__name__
        raise TypeError(f"{caller} takes a neuron, and {name} is its class: write {name}()")
    if not isinstance(neuron, Neuron):
        raise TypeError(f"{caller} takes a neuron, not {type(neuron).__name__}")


def _alike(together: Any, alone: tuple[Any, ...]) -> bool:
    """Whether something is on several neurons what it is on each, but for rounding."""
    expected = np.array(alone, dtype=float)
    if expected.ndim > 1:
        return False
    found = np.broadcast_to(np.asarray(together, dtype=float), expected.shape)
    return bool(np.allclose(found, expected, rtol=1e-6, atol=1e-9, equal_nan=True))


def _ends(word: Word) -> tuple[float, float]:
    return word.least, word.greatest


def _check_currents(owner: str, currents: Any) -> None:
    array = numbers(currents, f"{owner}: currents")
    if array.ndim != 1 or not len(array):
        raise TypeError(
            f"{owner}: currents must be a tuple of numbers such as (25.0, 20.0), not {currents!r}"
        )


@cache
def _surface() -> frozenset[str]:
    """The names that have a meaning at some fidelity, or in what a run produced."""
    own = {"lowered", "noise", "origin"}  # an integer model's
    own |= {"progress", "engine", "record", "file"}  # what run() takes besides inputs
    return names_of(Neuron, FixedNeuron, Recording) | own


def _carried(runner: Runner, *names: str) -> dict[str, Any]:
    """What a copy has of its original besides what both are made of: the run so far."""
    names = (*names, "_shape", "name", "seed")
    return {name: runner.__dict__[name] for name in names if name in runner.__dict__}


def _reduce_fixed(fixed: FixedNeuron) -> Any:
    origin = fixed.__dict__.get("origin")
    if origin is None:  # made by hand
        return fixed.__reduce_ex__(2)
    return origin.make, (), _carried(fixed, "_registers", "_sources", "noise")


copyreg.pickle(FixedNeuron, _reduce_fixed)
