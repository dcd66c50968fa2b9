# PYTHON_ARGCOMPLETE_OK
"""The command line: one face over models, gates, parity and boards, and a file for each command.

A command's file has ``add``, which adds its parser, and ``run``, which does it and returns the exit
code. What takes long to import is imported by ``run``, so that no command pays for another's.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from .. import __version__
from ..errors import ScneuroError
from ..tools.source import line_of, said

__all__ = ["main"]

_COMMANDS = (
    "list",
    "show",
    "simulate",
    "plot",
    "parity",
    "prove",
    "verify",
    "reference",
    "build",
    "export",
    "explore",
    "flash",
    "board",
    "run",
    "live",
    "demo",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 0 is good, 1 a check that failed, 2 misuse or trouble."""
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what could be typed
        try:
            import argcomplete
        except ImportError:  # it is another Python's that the shell was taught by
            return 2
        argcomplete.autocomplete(parser)
    options = parser.parse_args(arguments)
    before = _clean_up_when_stopped()
    # designs of which only a part is looked at, or what they take, are never elaborated
    warnings.filterwarnings("ignore", ".* created but never used")
    if isinstance(sys.stdout, io.TextIOWrapper):  # a locale may not know all that units are made of
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("scneuro: interrupted; nothing half-written was left", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("SCNEURO_DEBUG"):
            raise
        message, hint = _told(error)
        print(f"scneuro: {message}", file=sys.stderr)
        if hint:
            print(f"  {hint}", file=sys.stderr)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 2


def _told(error: Exception) -> tuple[str, str]:
    """What went wrong, and the way out."""
    if isinstance(error, ScneuroError):
        return error.message, error.hint
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}", "take fewer --steps, or a shorter --stimulus"
    if isinstance(error, ValueError | TypeError) and str(error):
        return str(error), ""
    where, text = line_of(error)
    at = ": ".join(part for part in (where, said(error), text) if part)
    return at, "SCNEURO_DEBUG=1 in the environment shows how it came to that"


def _clean_up_when_stopped() -> dict[int, Any]:
    """Have what ends a process clean up as Ctrl-C does; what there was to be done instead."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [n for name in ("SIGTERM", "SIGHUP") if (n := getattr(signal, name, None))]
    before = {n: signal.getsignal(n) for n in numbers}
    before = {n: handler for n, handler in before.items() if handler is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, _interrupt)
    return before


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


class _Parser(argparse.ArgumentParser):
    """One that says what is wrong, and not all that could have been right."""

    def error(self, message: str) -> NoReturn:
        self._refuse(message, self.prog)

    def _refuse(self, message: str, of: str) -> NoReturn:
        self.exit(2, f"{of}: {message}\n  {of} --help lists what it takes\n")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As it is, but what a command does not take is refused by its name."""
        options, rest = self.parse_known_args(args, namespace)
        if rest:
            command = options.run.__module__.rpartition(".")[2]
            self._refuse(f"unrecognized arguments: {' '.join(rest)}", f"{self.prog} {command}")
        return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scneuro",
        description="A spiking neuron, or a network of them (net.nir, file.py:network), written "
        "once: float, integers, gates, parity, bitstream.",
    )
    parser.add_argument("--version", action="version", version=f"scneuro {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in _COMMANDS:
        import_module(f".{name}", __name__).add(commands)
    return parser
