"""What a shell completes where argcomplete is installed: names that depend on what was typed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..neuron import Neuron

__all__ = ["boards", "inputs", "neurons", "offer", "parameters", "presets", "states"]

Names = Callable[..., Iterable[str]]


def offer(action: argparse.Action, names: Names) -> None:
    """Let a shell complete an argument with ``names``, a function of what was typed before."""
    action.completer = names  # type: ignore[attr-defined]


def neurons(prefix: str, **_: Any) -> list[str]:
    """The built-in neurons, or files."""
    from ..neurons import builtins

    found = [name for name in builtins() if name.startswith(prefix)]
    if found:
        return found
    from argcomplete.completers import FilesCompleter

    return list(FilesCompleter(["py", "nir"])(prefix))


def boards(**_: Any) -> list[str]:
    """The boards."""
    from ..boards import BOARDS

    return list(BOARDS)


def presets(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Of the neuron that was named."""
    return _of(parsed_args, lambda neuron: neuron.presets)


def parameters(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Of the neuron that was named, each to be set."""
    return [f"{name}=" for name in _of(parsed_args, lambda neuron: neuron.parameters)]


def inputs(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Of the neuron that was named, each to be set."""
    return [f"{name}=" for name in _of(parsed_args, lambda neuron: neuron.input_defaults)]


def states(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """Of the neuron that was named, each to be set."""
    return [f"{name}=" for name in _of(parsed_args, lambda neuron: neuron.state_names)]


def _of(options: argparse.Namespace, names: Callable[[Neuron], Iterable[str]]) -> list[str]:
    """Names of the neuron that was typed; none if there is no such neuron."""
    from ..load import load_neuron

    with suppress(Exception):
        return list(names(load_neuron(options.neuron)()))
    return []
