"""From a bitstream to a board: the right programmer, found and run."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

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
    """

    board: str
    bitstream: str
    sha256: str
    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.bitstream} is on the {self.board}"


def flash(bitstream: Path | str, board: str | None = None) -> Flashed:
    """Give a bitstream to the board it is for, with the programmer its row names.

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
    target = _as_reported(path, digest, target)
    if target.part.family.mark not in content[:_HEADER]:
        raise FileTrouble(
            f"{path} is no bitstream of an {target.device}",
            f"{target.title} takes what scneuro build --board {target.name} wrote",
        )
    name, *options = shlex.split(target.program)
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
    return Flashed(target.name, str(path), digest, command)


def _as_reported(path: Path, digest: str, target: Board | None) -> Board:
    """The board that the report beside a bitstream names; ``target`` where there is none."""
    report = path.with_suffix(".json")
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        name, expected = found["board"], found["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        if target is None:
            raise FileTrouble(
                f"{report} does not say which board {path} is for", "name it with --board"
            ) from None
        return target
    if digest != expected:
        raise FileTrouble(
            f"{path} is not the bitstream that {report.name} is about: its SHA-256 is another",
            "build it again, or remove the report and name the board with --board",
        )
    if target is not None and target.name != name:
        raise FileTrouble(f"{path} is for {name}, not for {target.name}", "leave out --board")
    return board_called(name)
