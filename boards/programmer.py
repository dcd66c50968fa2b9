"""From a bitstream to a board: the right programmer, found and run."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FileTrouble, ToolError
from ..tools.toolchain import Wanted, find
from .table import Board
from .table import board as board_called

__all__ = ["Flashed", "flash"]

_PROGRAMMERS = {
    wanted.name: wanted
    for wanted in (
        Wanted("iceprog", install="apt install fpga-icestorm (Project IceStorm) has it"),
        Wanted(
            "openFPGALoader",
            install="apt install openfpgaloader, or brew install openfpgaloader, has it",
        ),
        Wanted("icesprog", install="github.com/wuxx/icesugar and the OSS CAD Suite have it"),
        Wanted("dfu-util", install="apt install dfu-util, or brew install dfu-util, has it"),
        Wanted("cp", install="every Unix has it"),
    )
}
_HEADER = 512  # bytes in which a bitstream has its family's mark


@dataclass(frozen=True)
class Flashed:
    """A bitstream that a board was given.

    Attributes
    ----------
    board, bitstream, sha256 : str
    command : tuple of str
        What was run.
    weights : str or None
        The file that its flash was given before that, where its weights come from there.
    weights_command : tuple of str
        What was run then.
    """

    board: str
    bitstream: str
    sha256: str
    command: tuple[str, ...]
    weights: str | None = None
    weights_command: tuple[str, ...] = ()

    def __str__(self) -> str:
        weights = f", and {self.weights} in its flash" if self.weights is not None else ""
        return f"{self.bitstream} is on the {self.board}{weights}"


def flash(bitstream: Path | str, board: str | None = None) -> Flashed:
    """Give a bitstream to the board it is for, with the programmer its row names.

    Before it the weights, where its report has a file of them for the board's flash.

    Parameters
    ----------
    bitstream : path
        As :func:`~scneuro.boards.build_bitstream` wrote it.
    board : str, optional
        The board's name; by default the one in the report that lies beside the bitstream.

    Raises
    ------
    FileTrouble
        No such file, a file that is no bitstream for the board or is not the one its report is
        about, or no report that says which board it is for.
    ValueError
        No such board.
    ToolError
        The programmer is missing, or failed: then it has said why.
    """
    path = Path(bitstream)
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "scneuro build NEURON --board BOARD -o DIR makes one"
        raise FileTrouble(f"cannot read {path}: {error.strerror or error}", hint) from None
    digest = hashlib.sha256(content).hexdigest()
    target = board_called(board) if board else None
    target, report = _as_reported(path, digest, target)
    if target.part.family.mark not in content[:_HEADER]:
        raise FileTrouble(
            f"{path} is no bitstream of an {target.device}",
            f"{target.title} takes what scneuro build --board {target.name} wrote",
        )
    weights = _weights(path, target, report)
    first: tuple[str, ...] = ()
    if weights is not None:  # first: the board begins with the bitstream
        offset = f"{report['weights_offset']:#x}"
        first = _run(target, target.program_weights.replace("OFFSET", offset), weights)
    command = _run(target, target.program, path)
    if weights is None:
        return Flashed(target.name, str(path), digest, command)
    return Flashed(target.name, str(path), digest, command, str(weights), first)


def _run(target: Board, program: str, path: Path) -> tuple[str, ...]:
    """Run a programmer on a file; what was run."""
    name, *options = shlex.split(program)
    if "FILE" not in options:
        options.append("FILE")
    options = [str(path) if option == "FILE" else option for option in options]
    command = (find(_PROGRAMMERS[name]).command, *options)
    code = subprocess.run(command, check=False).returncode
    if code:
        raise ToolError(
            f"{name} failed with code {code}: {shlex.join(command)}",
            f"is the {target.title} plugged in, and may you use its USB port?",
        )
    return command


def _weights(path: Path, target: Board, report: dict[str, Any]) -> Path | None:
    """The weights that a report has for the flash, beside the bitstream, as they were built."""
    if report.get("weights") is None:
        return None
    found = path.with_name(Path(report["weights"]).name)
    hint = "build it again: weights and bitstream belong together"
    try:
        digest = hashlib.sha256(found.read_bytes()).hexdigest()
    except OSError as error:
        raise FileTrouble(f"cannot read {found}: {error.strerror or error}", hint) from None
    if digest != report.get("weights_sha256") or not target.program_weights:
        raise FileTrouble(f"{found} is not the weights that the report of {path} is about", hint)
    return found


def _as_reported(path: Path, digest: str, target: Board | None) -> tuple[Board, dict[str, Any]]:
    """The board that the report beside a bitstream names, and the report.

    ``target`` and nothing where there is none.
    """
    report = path.with_suffix(".json")
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        name, expected = found["board"], found["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        if target is None:
            raise FileTrouble(
                f"{report} does not say which board {path} is for", "name it with --board"
            ) from None
        return target, {}
    if digest != expected:
        raise FileTrouble(
            f"{path} is not the bitstream that {report.name} is about: its SHA-256 is another",
            "build it again, or remove the report and name the board with --board",
        )
    if target is not None and target.name != name:
        raise FileTrouble(f"{path} is for {name}, not for {target.name}", "leave out --board")
    return board_called(name), found
