"""Finding a neuron by what a user types: a built-in name, or ``path/to/file.py:Class``.

A built-in neuron answers to its class's name, too, and a file with one neuron needs no ``:Class``.
A network is ``net.nir``, or ``path/to/file.py:network``: a variable, or a function that makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import FileTrouble, ScneuroError, did_you_mean
from .neuron import Neuron
from .neurons import builtin, builtins, called
from .tools.places import is_nir, load_file
from .tools.source import line_of, said

if TYPE_CHECKING:
    from .channel import Channel
    from .network import Network

__all__ = ["load_network", "load_neuron", "make_neuron"]


def load_neuron(name: str) -> type[Neuron]:
    """The class a name stands for.

    Raises
    ------
    ScneuroError
        An unknown name.
    FileTrouble
        A file that is missing, fails when it is run, or holds no such neuron.
    """
    if ":" not in name and not name.endswith(".py"):
        found = called(name)
        if found is None:
            own = f"{name}.py" if Path(f"{name}.py").is_file() else "path/to/file.py:Class"
            near = did_you_mean(name, builtins())
            raise ScneuroError(
                f"no neuron {name!r}; there are {', '.join(builtins())}",
                f"{near} your own is {own}".strip(),
            )
        return builtin(found)
    file, _, wanted = (name, "", "") if name.endswith(".py") else name.rpartition(":")
    module = load_file(file)
    there = {
        n: v
        for n, v in vars(module).items()
        if isinstance(v, type) and issubclass(v, Neuron) and v.__module__ == module.__name__
    }
    if not wanted and len(there) == 1:
        return next(iter(there.values()))
    if wanted not in there:
        has = f"it has {', '.join(there)}" if there else "it has none"
        if networks := _networks(module):
            there |= networks
            what = f"no neuron or network {wanted!r}" if wanted else f"{len(there)} of them"
            hint = f"{did_you_mean(wanted, there)} name one as {file}:{next(iter(networks))}"
            raise FileTrouble(f"{file} has {what}; it has {', '.join(there)}", hint.strip())
        if not there:
            hint = "a neuron is a class that derives from scneuro.Neuron"
        else:
            hint = f"{did_you_mean(wanted, there)} name one as {file}:{next(iter(there))}".strip()
        what = f"no neuron {wanted!r}" if wanted or not there else f"{len(there)} neurons"
        raise FileTrouble(f"{file} has {what}; {has}", hint)
    return there[wanted]


def _networks(module: Any) -> dict[str, Any]:
    """The networks of a file, by name."""
    from .network import Network

    return {n: v for n, v in vars(module).items() if isinstance(v, Network)}


def load_network(name: str, **options: Any) -> Network | None:
    """The network a name stands for; None where it stands for a neuron, or for nothing.

    Parameters
    ----------
    name : str
        ``net.nir``, ``path/to/file.py:network``, or ``path/to/file.py`` if it has one network and
        no neuron.
    **options
        Of :func:`scneuro.network.nir.read_nir`, for a NIR file.

    Raises
    ------
    FileTrouble, ScneuroError, ValueError, TypeError
        A file that is missing, damaged, or fails when it is run.
    """
    if is_nir(name):
        from .network.nir import read_nir

        return read_nir(name, **options)
    if ":" not in name and not name.endswith(".py"):
        return None
    from .network import Network

    file, _, wanted = (name, "", "") if name.endswith(".py") else name.rpartition(":")
    module = load_file(file)
    if not wanted:
        own = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Neuron)]
        own = [v for v in own if v.__module__ == module.__name__]
        there = {id(v): v for v in _networks(module).values()}
        found: Any = next(iter(there.values())) if len(there) == 1 and not own else None
    else:
        found = vars(module).get(wanted)
    if isinstance(found, type) or not (isinstance(found, Network) or callable(found)):
        return None
    if not isinstance(found, Network):
        try:
            found = found()
        except ScneuroError:
            raise
        except Exception as error:
            where, text = line_of(error)
            at = ": ".join(part for part in (where, text) if part)
            raise FileTrouble(
                f"{name}() fails: {said(error)}" + f" ({at})" * bool(at),
                "a function that makes a network takes no arguments"
                if isinstance(error, TypeError) and "argument" in str(error)
                else f"it is to return a network: try it in Python, {wanted}()",
            ) from None
        if not isinstance(found, Network):
            raise FileTrouble(
                f"{name}() returns {type(found).__name__}, no network",
                "a network of your own is a scneuro.Network, or a function that returns one",
            )
    # words that are chosen for it are not chosen for the file's own
    return replace(found, inputs=dict(found.inputs), layers=dict(found.layers))


def make_neuron(
    name: str, *, preset: str | None = None, settings: list[str] | None = None
) -> Neuron:
    """The neuron a command line asks for.

    Parameters
    ----------
    name : str
        As for :func:`load_neuron`.
    preset : str, optional
    settings : list of str
        Parameters to override, each ``name=value``; a channel's are ``channel.g=value`` and
        ``channel.E=value``.

    Raises
    ------
    ScneuroError, ValueError, TypeError
        An unknown neuron, preset, parameter or channel, or a value that is illegal.
    """
    cls = load_neuron(name)
    parameters: dict[str, Any] = {}
    for setting in settings or []:
        key, equals, text = setting.partition("=")
        try:
            parameters[key] = float(text)
        except ValueError:
            raise ValueError(f"--set {setting}: write name=value, with a number") from None
        if not equals:
            raise ValueError(f"--set {setting}: write name=value, with a number")
    of_channels = {key: parameters.pop(key) for key in list(parameters) if "." in key}
    make = partial(cls.preset, preset) if preset else cls
    if of_channels:
        channels = getattr(make(**parameters), "channels", ())
        parameters["channels"] = _changed(cls.__name__, channels, of_channels)
    return make(**parameters)


def _changed(
    neuron: str, channels: Sequence[Channel], settings: Mapping[str, float]
) -> tuple[Channel, ...]:
    """Channels with other values, each named ``channel.g`` or ``channel.E``."""
    changed = {channel.name: channel for channel in channels}
    for key, value in settings.items():
        name, _, of = key.partition(".")
        if name not in changed or of not in ("g", "E"):
            there = ", ".join(f"{n}.g, {n}.E" for n in changed) or "no channels"
            raise ValueError(f"--set {key}: {neuron} has {there}")
        changed[name] = changed[name].but(**{of: value})
    return tuple(changed.values())
