# PYTHON_ARGCOMPLETE_OK
"""The command line: one face over models, gates, parity and boards, and a file for each command.

A command's file has ``add``, which adds its parser, and ``run``, which does it and returns the exit
code. What takes long to import is imported by ``run``, so that no command pays for another's.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from .. import __version__
from ..errors import ScneuroError

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
    "flash",
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
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, _interrupt)  # to clean up then, too
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("scneuro: interrupted; nothing half-written was left", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ScneuroError, ValueError, TypeError) as error:
        if os.environ.get("SCNEURO_DEBUG"):
            raise
        message = error.message if isinstance(error, ScneuroError) else str(error)
        print(f"scneuro: {message}", file=sys.stderr)
        if isinstance(error, ScneuroError) and error.hint:
            print(f"  {error.hint}", file=sys.stderr)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return 2


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scneuro",
        description="A spiking neuron, written once: float, integers, gates, parity, bitstream.",
    )
    parser.add_argument("--version", action="version", version=f"scneuro {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in _COMMANDS:
        import_module(f".{name}", __name__).add(commands)
    return parser
