"""Faults of the text: a line of the elaborated RTLIL, or a piece of a block's source."""

import inspect
import re
import sys
from collections.abc import Callable

#: A change of the RTLIL: the lines it can be made in, and what becomes of one.
TEXT: dict[str, tuple[str, Callable[[str], str]]] = {
    "$add becomes $sub": (r"cell \$add ", lambda x: x.replace("$add", "$sub")),
    "$sub becomes $add": (r"cell \$sub ", lambda x: x.replace("$sub", "$add")),
    "signed becomes not": (r"\\A_SIGNED 1", lambda x: re.sub(r"1'1|1$", "0", x)),
    "a bit of a constant": (
        r"connect .*?\d+'[01]*1",
        lambda x: re.sub(r"(\d+'[01]*?)1(?=[01]*)", r"\g<1>0", x, count=1),
    ),
    "a slice one lower": (
        r"connect \\[ABD] [^{]*\[\d+:[1-9]\d*\]",
        lambda x: re.sub(
            r"\[(\d+):(\d+)\]", lambda m: f"[{int(m[1]) - 1}:{int(m[2]) - 1}]", x, count=1
        ),
    ),
}


def lines_for(text: str, operator: str) -> list[int]:
    pattern, change = TEXT[operator]
    return [k for k, x in enumerate(text.split("\n")) if re.search(pattern, x) and change(x) != x]


def mutated(text: str, operator: str, line: int) -> str:
    lines = text.split("\n")
    lines[line] = TEXT[operator][1](lines[line])
    if "A_SIGNED" in lines[line] and "B_SIGNED" in lines[line + 1]:
        lines[line + 1] = TEXT[operator][1](lines[line + 1])  # yosys wants them alike
    return "\n".join(lines)


def rewritten(block: type, old: str, new: str) -> type:
    """The class of a block, with a piece of its source replaced."""
    source = inspect.getsource(block)
    assert source.count(old) == 1, f"{block.__name__} has no single {old!r} any more"
    namespace = dict(vars(sys.modules[block.__module__]))
    exec(source.replace(old, new), namespace)
    made: type = namespace[block.__name__]
    return made
