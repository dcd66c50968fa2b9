"""A design as text in Verilog-2001, and its memories as files beside it."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from amaranth.back import rtlil

from ...hdl.flat import Flat
from ...tools.toolchain import YOSYS, find_tools, run_yosys

__all__ = ["KEYWORDS", "verilog"]

_KEYWORDS = """always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config
    deassign default defparam design disable edge else end endcase endconfig endfunction endgenerate
    endmodule endprimitive endspecify endtable endtask event for force forever fork function
    generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer join
    large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
    pulldown pullup pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat
    rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
    strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand trior
    trireg unsigned use vectored wait wand weak0 weak1 while wire wor xnor xor"""
#: What no module may be called.
KEYWORDS = frozenset(_KEYWORDS.split())

# no row of a memory is read in the clock in which it is written: synthesis need not care
_SCRIPT = """\
read_rtlil design.il
hierarchy -top {name}
proc
flatten
opt_clean
setattr -set no_rw_check 1 m:*
write_verilog -extmem {name}.v
"""
_KEPT = "no_rw_check|ram_style"
_ATTRIBUTE = re.compile(rf"(?:^ *)?\(\* (?!{_KEPT})\w+ = [^*]*\*\)[ \n]", re.MULTILINE)
_MEMORY = re.compile(r"^( *reg \[\d+:0\] \S+ +)\[(\d+):0\];$", re.MULTILINE)
_READS = re.compile(r'\$readmemb\("([^"]+)"')


def verilog(top: Flat, name: str, says: str) -> dict[str, str]:
    """The text of a module and of the files its memories are filled from.

    Parameters
    ----------
    top : Flat
    name : str
        Of the module.
    says : str
        Its first line, a comment.

    Returns
    -------
    dict of str to str
        By file name: ``NAME.v``, then ``NAME-1.mem`` and so on, in hexadecimal.

    Raises
    ------
    ToolError
        If yosys is missing or fails.
    """
    ports = {port: (signal, None) for port, signal in top.signals.items()}
    text = rtlil.convert(top, name=name, ports=ports, emit_src=False)
    yosys = find_tools((YOSYS,))[YOSYS.name].command
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "design.il").write_text(text)
        run_yosys(yosys, _SCRIPT.format(name=name), work)
        text = (work / f"{name}.v").read_text()
        bits = {file: (work / file).read_text() for file in _READS.findall(text)}
    module = text[text.index("\nmodule ") :]
    module = _ATTRIBUTE.sub("", module).replace("32'sd1 *)", "1 *)")
    module = _MEMORY.sub(r"\1[0:\2];", module)  # that rows are filled upwards is beyond doubt then
    module = _READS.sub(r'$readmemh("\1"', module)
    return {f"{name}.v": f"// {says}\n{module}", **{n: _hex(b) for n, b in bits.items()}}


def _hex(bits: str) -> str:
    """A memory's rows in hexadecimal, as they are in binary."""
    rows = []
    for row in bits.split():
        if row.startswith("@"):  # an address
            rows.append(row)
            continue
        whole = row.zfill(-(-len(row) // 4) * 4)
        digits = [whole[k : k + 4] for k in range(0, len(whole), 4)]
        rows.append("".join("x" if "x" in d else f"{int(d, 2):x}" for d in digits))
    return "\n".join(rows) + "\n"
