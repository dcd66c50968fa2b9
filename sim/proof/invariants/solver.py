"""The proof of what is claimed of blocks: SymbiYosys, and a counterexample where there is one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vcd.reader import TokenKind, tokenize

from ....errors import ToolError
from ....tools.toolchain import find_tools
from .harness import SOLVER, Harness

__all__ = ["Invariant", "check"]

_TIMEOUT = 300
_TOOLS = {
    "YOSYS": "yosys",
    "SMTBMC": "yosys-smtbmc",
    "WITNESS": "yosys-witness",
}
_PASSED, _FAILED, _UNKNOWN = 0, 2, 4
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
    """Where SymbiYosys finds its tools."""
    found = find_tools((*_TOOLS.values(), "sby"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    if shutil.which(SOLVER, path=path) is None:
        raise ToolError(
            f"no {SOLVER}: looked for {SOLVER} on PATH",
            'pip install "scneuro[proof]" brings it, from PyPI',
        )
    named = {variable: found[name].command for variable, name in _TOOLS.items()}
    return {**os.environ, **named, "PATH": path, "SBY": found["sby"].command}


def check(harness: Harness) -> list[Invariant]:
    """Prove the claims of a harness by induction.

    Raises
    ------
    ToolError
        If a tool is missing, or fails.
    """
    environment = tools()
    begin = time.monotonic()
    how, trace, failed = f"{harness.depth}-induction by z3", "", set[str]()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "top.il").write_text(harness.rtlil())
        ok, _ = _run(harness, "prove", environment, folder)
        if not ok:
            _, log = _run(harness, "bmc", environment, folder)
            failed = set(re.findall(r"Assert failed in top: (\w+?)__\d+", log))
            trace = _table(Path(folder) / "bmc" / "engine_0" / "trace.vcd")
            how = f"not inductive; {', '.join(sorted(failed)) or 'nothing'} broken"
            how += f" within {harness.search} clocks of the start"
    seconds = time.monotonic() - begin
    return [
        Invariant(
            f"{harness.name}, {name}", statement, ok, seconds, how, trace if name in failed else ""
        )
        for name, statement in harness.claims.items()
    ]


def _run(harness: Harness, mode: str, environment: dict[str, str], folder: str) -> tuple[bool, str]:
    """Whether SymbiYosys passes a harness, and what it said."""
    Path(folder, f"{mode}.sby").write_text(harness.task(mode))
    try:
        done = subprocess.run(
            [environment["SBY"], "-f", "-d", mode, f"{mode}.sby"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{harness.name}: z3 needs more than {_TIMEOUT} s") from None
    log = done.stdout + done.stderr
    if done.returncode not in (_PASSED, _FAILED, _UNKNOWN):
        tail = " | ".join(log.strip().splitlines()[-4:])
        raise ToolError(f"SymbiYosys failed on {harness.name}: {tail}")
    return done.returncode == _PASSED, log


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
