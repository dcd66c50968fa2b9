"""The proof of what is claimed of blocks by induction, and a counterexample where there is one.

yosys writes a block as formulas, yosys-smtbmc puts them to z3 clock by clock.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from vcd.reader import TokenKind, tokenize

from ....errors import ToolError
from ....tools.progress import progress as bar
from ....tools.toolchain import find_tools, run_yosys
from .harness import SOLVER, Harness

__all__ = ["Invariant", "Make", "check", "prove_claims"]

#: A harness, made when its turn comes.
Make: TypeAlias = Callable[[], Harness]

_TIMEOUT = 300
_STATUS = re.compile(r"Status: (\w+)")
_CLOCKS_SHOWN = 12
_SHOWN = re.compile(r"(?!was_|smt_)[a-z]\w*")


@dataclass(frozen=True)
class Invariant:
    """What holds at every clock, or for every step.

    Attributes
    ----------
    name : str
        The block and the claim.
    statement : str
        The claim in words.
    ok : bool
    seconds : float
        What it took; claims of one block are proved together.
    how : str
        How it was proved, or why it was not.
    counterexample : str
        The clocks that lead to where it fails, as a table.
    """

    name: str
    statement: str
    ok: bool
    seconds: float
    how: str
    counterexample: str = ""

    def __str__(self) -> str:
        verdict = "proved" if self.ok else "FAILS "
        return f"{verdict}  {self.name}: {self.statement} ({self.how}, {self.seconds:.1f} s)"


def tools() -> dict[str, str]:
    """yosys and yosys-smtbmc; z3 is one that yosys-smtbmc finds."""
    found = find_tools(("yosys", "yosys-smtbmc"))
    if shutil.which(SOLVER, path=_path()) is None:
        raise ToolError(
            f"no {SOLVER}: looked for {SOLVER} on PATH",
            'pip install "scneuro[proof]" brings it, from PyPI',
        )
    return {name: tool.command for name, tool in found.items()}


def _path() -> str:
    """Where tools are looked for: first where Python is, with what came from PyPI."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


def prove_claims(
    name: str, wanted: Iterable[Make], *, once: Sequence[Make] = (), progress: bool = True
) -> list[Invariant]:
    """Prove a suite: the claims of one harness after the other.

    Parameters
    ----------
    name : str
        Of what they are claimed.
    wanted : iterable of callable
    once : sequence of callable
        Those that are the same for all that has such a suite; they are proved once.
    progress : bool

    Raises
    ------
    ToolError
        As :func:`check`.
    """
    results: list[Invariant] = []
    makes = [*wanted, *once]
    for make in bar(makes, f"{name}: invariants", wanted=progress):
        results += _checked(make) if make in once else check(make())
    return results


@cache
def _checked(make: Make) -> tuple[Invariant, ...]:
    return tuple(check(make()))


def check(harness: Harness) -> list[Invariant]:
    """Prove the claims of a harness by induction.

    Raises
    ------
    ToolError
        If a tool is missing, or fails.
    """
    commands = tools()
    begin = time.monotonic()
    how, trace, failed = f"{harness.depth}-induction by z3", "", set[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.il").write_text(harness.rtlil())
        run_yosys(commands["yosys"], harness.task("prove"), folder)
        # from the start, where also what is assumed must be possible; then from anywhere
        steps = (("--presat",), ("-i",))
        ok = all(
            _holds(harness, commands, folder, "prove", harness.depth, *options)[0]
            for options in steps
        )
        if not ok:
            run_yosys(commands["yosys"], harness.task("bmc"), folder)
            vcd = ("--dump-vcd", "trace.vcd")
            _, log = _holds(harness, commands, folder, "bmc", harness.search, *vcd)
            failed = set(re.findall(r"Assert failed in top: (\w+?)__\d+", log))
            trace = _table(folder / "trace.vcd")
            how = f"not inductive; {', '.join(sorted(failed)) or 'nothing'} broken"
            how += f" within {harness.search} clocks of the start"
    seconds = time.monotonic() - begin
    return [
        Invariant(
            f"{harness.name}, {name}", statement, ok, seconds, how, trace if name in failed else ""
        )
        for name, statement in harness.claims.items()
    ]


def _holds(
    harness: Harness, tools: dict[str, str], folder: Path, mode: str, depth: int, *options: str
) -> tuple[bool, str]:
    """Whether the formulas hold for so many clocks, and what yosys-smtbmc said."""
    command = [tools["yosys-smtbmc"], "-s", SOLVER, "--noprogress", "-t", str(depth), *options]
    try:
        done = subprocess.run(
            [*command, f"{mode}.smt2"],
            cwd=folder,
            env={**os.environ, "PATH": _path()},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{harness.name}: z3 needs more than {_TIMEOUT} s") from None
    log = done.stdout + done.stderr
    status = [found.lower() for found in _STATUS.findall(log)][-1:]
    if status not in (["passed"], ["failed"]):
        tail = " | ".join(log.strip().splitlines()[-4:])
        raise ToolError(f"yosys-smtbmc failed on {harness.name}: {tail}")
    return status == ["passed"], log


def _number(value: int | str) -> int:
    """Bits as pyvcd gives them; what is unknown is 0."""
    return value if isinstance(value, int) else int(re.sub("[xz]", "0", value), 2)


def _table(path: Path) -> str:
    """The last clocks of a trace, in hexadecimal, a line for each signal of the top."""
    if not path.exists():
        return ""
    names: dict[str, str] = {}
    rows: dict[int, dict[str, int]] = {}
    depth, values = 0, dict[str, int]()
    with path.open("rb") as stream:
        for token in tokenize(stream):
            match token.kind:
                case TokenKind.SCOPE | TokenKind.UPSCOPE:
                    depth += 1 if token.kind is TokenKind.SCOPE else -1
                case TokenKind.VAR if depth <= 1 and _SHOWN.fullmatch(token.var.reference):
                    names[token.var.id_code] = token.var.reference
                case TokenKind.CHANGE_TIME:
                    rows[token.time_change] = values = dict(values)
                case TokenKind.CHANGE_SCALAR | TokenKind.CHANGE_VECTOR:
                    change: Any = token.data
                    if change.id_code in names:
                        values[change.id_code] = _number(change.value)
    clocks = [rows[stamp] for stamp in sorted(rows)][::2][-_CLOCKS_SHOWN:]
    return "\n".join(
        f"{name:24s} " + " ".join(f"{clock.get(code, 0):>6x}" for clock in clocks)
        for code, name in sorted(names.items(), key=lambda item: item[1])
    )
