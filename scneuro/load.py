"""Finding a neuron by what a user types: a built-in name, or ``path/to/file.py:Class``."""

from __future__ import annotations

from .errors import FileTrouble, ScneuroError
from .neuron import Neuron
from .neurons import builtin, builtins
from .tools.places import load_file

__all__ = ["load_neuron", "make_neuron"]


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
        try:
            return builtin(name)
        except KeyError:
            raise ScneuroError(
                f"no neuron {name!r}; there are {', '.join(builtins())}",
                "your own is path/to/file.py:Class",
            ) from None
    file, _, wanted = name.rpartition(":") if ":" in name else (name, "", "")
    module = load_file(file)
    found = {
        n: v
        for n, v in vars(module).items()
        if isinstance(v, type) and issubclass(v, Neuron) and v.__module__ == module.__name__
    }
    if wanted not in found:
        there = f"it has {', '.join(found)}" if found else "it has none"
        raise FileTrouble(f"{file} has no neuron {wanted!r}; {there}", f"name one as {file}:Class")
    return found[wanted]


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
        Parameters to override, each ``name=value``.

    Raises
    ------
    ScneuroError, ValueError, TypeError
        An unknown neuron, preset or parameter, or a value that is illegal.
    """
    cls = load_neuron(name)
    parameters = {}
    for setting in settings or []:
        key, equals, text = setting.partition("=")
        try:
            parameters[key] = float(text)
        except ValueError:
            raise ValueError(f"--set {setting}: write name=value, with a number") from None
        if not equals:
            raise ValueError(f"--set {setting}: write name=value, with a number")
    return cls.preset(preset, **parameters) if preset else cls(**parameters)
