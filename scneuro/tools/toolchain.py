"""Finding yosys, nextpnr and the packers: native ones first, if they are good, then YoWASP's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import FileTrouble, ToolError

__all__ = [
    "YOSYS",
    "Tool",
    "Wanted",
    "announced",
    "find",
    "find_tools",
    "need_sound",
    "run_tool",
    "run_yosys",
    "say",
]

_COMPILING = "  compiling {} for this machine: once, up to a minute"
_PATIENCE = 2.0  # seconds without a word
_INSTALL = 'pip install "scneuro[toolchain]" brings all of them, from PyPI'


@dataclass(frozen=True)
class Wanted:
    """A tool to look for, and what is known of it beforehand.

    Attributes
    ----------
    name : str
        Its native name.
    stage : str
        What it does in a build.
    ask : str
        The option that makes it tell its version; empty if none does.
    package : str
        Where its version is found then, if it is YoWASP's.
    oldest : (int, int)
        The first version that will do.
    broken : set of (int, int)
        Versions that will not.
    log : str
        The file in a build's folder that has what it says.
    install : str
        How to get it.
    """

    name: str
    stage: str = ""
    ask: str = ""
    package: str = ""
    oldest: tuple[int, int] = (0, 0)
    broken: frozenset[tuple[int, int]] = frozenset()
    log: str = ""
    install: str = _INSTALL


#: Every family's synthesis, and what the proofs and the compiled engine read designs with.
YOSYS = Wanted(
    "yosys",
    "synthesis",
    ask="-V",
    oldest=(0, 40),
    broken=frozenset({(0, 54), (0, 55), (0, 56), (0, 64)}),
    log="top.rpt",
)


@dataclass(frozen=True)
class Tool:
    """A tool that was found.

    Attributes
    ----------
    name : str
        Its native name.
    command : str
        Path of the program to run.
    version : str
        What it says of itself; if it says nothing, its package's version or its size.
    """

    name: str
    command: str
    version: str


def _is_yowasp(command: str) -> bool:
    return Path(command).name.startswith("yowasp-")


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _candidates(name: str) -> list[str]:
    """Programs that might be the tool: the one the environment names, native, YoWASP's."""
    if chosen := os.environ.get(_variable(name)):
        return [path] if (path := shutil.which(chosen)) else []
    beside = str(Path(sys.executable).parent)
    where = os.environ.get("PATH", os.defpath)
    found = [
        shutil.which(name, path=where),
        shutil.which(f"yowasp-{name}", path=f"{beside}{os.pathsep}{where}"),
    ]
    return [path for path in found if path]


def _version(wanted: Wanted, command: str) -> str:
    made = Path(command).stat()
    return _asked(wanted, command, made.st_mtime_ns, made.st_size)


@cache
def _asked(wanted: Wanted, command: str, *made: int) -> str:
    """The version a program tells; it is asked once for as long as its file stays as it was."""
    if not wanted.ask:
        return _package_version(wanted, command) or f"of {Path(command).stat().st_size} bytes"
    first = _is_yowasp(command) and not _compiled(command)
    try:
        with announced(_COMPILING.format(wanted.name), wanted=first):
            done = subprocess.run(
                [command, wanted.ask], capture_output=True, text=True, timeout=600, check=False
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(f"{command} does not run: {error}", _INSTALL) from None
    match = re.search(
        r"(?:Yosys |nextpnr-|Version |)v?(\d+\.\d+[^\s)]*)", done.stdout + done.stderr
    )
    if done.returncode or not match:
        raise ToolError(
            f"{command} {wanted.ask} failed: {(done.stderr or done.stdout)[-200:]}", _INSTALL
        )
    return match[1]


def _compiled(command: str) -> bool:
    """Whether YoWASP's tool has been compiled for this machine.

    Raises
    ------
    ToolError
        If it has not, and the folder that keeps what that makes cannot be written.
    """
    folder = _yowasp_cache() / Path(command).name.partition(".")[0].replace("-", "_")
    if any(folder.rglob("*")):
        return True
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise FileTrouble(
            f"cannot write {folder}, where YoWASP keeps its compiled tools: "
            f"{error.strerror or error}",
            "name another place with YOWASP_CACHE_DIR=folder",
        ) from None
    return False


def _yowasp_cache() -> Path:
    if chosen := os.environ.get("YOWASP_CACHE_DIR"):
        return Path(chosen)
    try:
        from platformdirs import user_cache_dir  # YoWASP's own dependency

        return Path(user_cache_dir("YoWASP", appauthor=False))
    except ImportError:
        return Path.home() / ".cache" / "YoWASP"


def _package_version(wanted: Wanted, command: str) -> str:
    if not wanted.package or not _is_yowasp(command):
        return ""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(wanted.package)
    except PackageNotFoundError:
        return ""


def find(tool: Wanted | str) -> Tool:
    """A tool, native if it is good; by its name alone if nothing is known of it.

    Raises
    ------
    ToolError
        If there is none; it lists what was looked for.
    """
    wanted = _wanted(tool)
    name, refused = wanted.name, []
    for command in _candidates(name):
        try:
            version = _version(wanted, command)
        except ToolError as error:
            refused.append(error.message)
            continue
        numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
        if wanted.ask and numbers < wanted.oldest:
            refused.append(f"{command} is {version}, too old")
        elif numbers in wanted.broken:
            refused.append(f"{command} is {version}, known to be broken")
        else:
            return Tool(name, command, version)
    looked = f"${_variable(name)}, {name} and yowasp-{name} on PATH"
    because = f" ({'; '.join(refused)})" if refused else ""
    raise ToolError(f"no {name}: looked for {looked}{because}", wanted.install)


def _wanted(tool: Wanted | str) -> Wanted:
    if isinstance(tool, Wanted):
        return tool
    return YOSYS if tool == YOSYS.name else Wanted(tool)


def find_tools(tools: Iterable[Wanted | str]) -> dict[str, Tool]:
    """All the tools, by name.

    Raises
    ------
    ToolError
        If any is missing.
    """
    found = [find(tool) for tool in tools]
    return {tool.name: tool for tool in found}


def say(text: str) -> None:
    """Tell the user what is running, on standard error."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def announced(text: str, *, wanted: bool = True) -> Iterator[None]:
    """Say ``text`` if what is done within takes more than two seconds."""
    notice = threading.Timer(_PATIENCE, say, [text])
    if wanted:
        notice.start()
    try:
        yield
    finally:
        notice.cancel()


def run_tool(command: list[str], folder: Path, patience: float | None = None) -> str:
    """Run a tool in ``folder``; what it printed.

    Raises
    ------
    ToolError
        If it fails, with the end of what it said; or takes longer than ``patience`` seconds.
    """
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=patience
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{command[0]} was not done in {patience:g} s") from None
    if done.returncode:
        raise ToolError(f"{command[0]} failed: {(done.stderr or done.stdout)[-500:]}")
    return done.stdout


_CONFLICT = "Driver-driver conflict"  # what one cell drives, another does


def run_yosys(command: str, script: str, folder: Path) -> None:
    """Run a script of yosys commands in ``folder``, which keeps it as ``script.ys``.

    Raises
    ------
    ToolError
        If it fails; with its own words from its log, as YoWASP's yosys can lose them.
    """
    (folder / "script.ys").write_text(script)
    try:
        run_tool([command, "-l", "script.log", "script.ys"], folder)
    except ToolError as error:
        log = folder / "script.log"
        lines = log.read_text(errors="replace").splitlines() if log.is_file() else []
        said = [line for line in lines if "ERROR" in line]
        raise ToolError(f"{command} failed: {said[-1]}" if said else error.message) from None
    need_sound(folder / "script.log")


def need_sound(log: Path) -> None:
    """Whether yosys says that it made a netlist which does something else than the design.

    Raises
    ------
    ToolError
        If one of its own cells drives what another one drives.
    """
    if log.is_file() and _CONFLICT in (text := log.read_text(errors="replace")):
        line = next(line for line in text.splitlines() if _CONFLICT in line)
        raise ToolError(
            f"yosys made a wrong netlist: {line.strip()}",
            "please report it, with the neuron; --budget or another form may go around it",
        )
