"""The testbench of an exported module: it reads vectors, compares, and says PASS or FAIL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...hdl.flat import Port

__all__ = ["Table", "Watch", "testbench"]

_SHOWN = 10  # differences


@dataclass(frozen=True)
class Table:
    """Rows of values for some ports, as a file that ``$readmemh`` reads.

    Attributes
    ----------
    name : str
        In the file's name.
    ports : tuple of Port
    values : ndarray of int64, shape (rows, ports)
    known : ndarray of bool, of the same shape, optional
        Where a value is compared; everywhere by default.
    """

    name: str
    ports: tuple[Port, ...]
    values: np.ndarray
    known: np.ndarray | None = None

    @property
    def digits(self) -> list[int]:
        """Of each port: fields begin at whole digits."""
        return [-(-port.width // 4) for port in self.ports]

    @property
    def array(self) -> str:
        """In the testbench: no port is called so."""
        return f"vectors_{self.name}"

    def text(self) -> str:
        """The rows in hexadecimal, the first port's field lowest; an x is not compared."""
        columns = []
        for k, (port, digits) in enumerate(zip(self.ports, self.digits, strict=True)):
            bits = self.values[:, k] & np.int64((1 << port.width) - 1 if port.width < 64 else -1)
            column = [f"{int(value):0{digits}x}" for value in bits.astype(np.uint64)]
            if self.known is not None:
                unknown = "x" * digits
                known = self.known[:, k].tolist()
                column = [c if k else unknown for c, k in zip(column, known, strict=True)]
            columns.append(column)
        rows = ["".join(row) for row in zip(*reversed(columns), strict=True)]
        return "\n".join(rows or ["0"]) + "\n"

    def declared(self, file: str) -> list[str]:
        """The array, filled from the file."""
        bits, rows = 4 * sum(self.digits), max(1, len(self.values))
        return [
            f"  reg [{bits - 1}:0] {self.array} [0:{rows - 1}];",
            f'  initial $readmemh("{file}", {self.array});',
        ]

    def field(self, at: str, k: int) -> str:
        """A port's field of a row."""
        low = 4 * sum(self.digits[:k])
        return f"{self.array}[{at}][{low + self.ports[k].width - 1}:{low}]"


@dataclass(frozen=True)
class Watch:
    """Ports that have the next row of a table in every clock in which a condition holds."""

    when: str
    table: Table


def testbench(
    name: str,
    says: str,
    ports: Sequence[Port],
    given: Table,
    watched: Sequence[Watch],
    *,
    tick: tuple[int, int] | None,
    patience: int,
) -> str:
    """The testbench's text.

    Parameters
    ----------
    name, says : str
        Of the module, and a comment.
    ports : sequence of Port
        Of the module, but for ``clk`` and ``rst``.
    given : Table
        What the stream ``i`` is given, in random clocks.
    watched : sequence of Watch
        ``o`` is taken in random clocks.
    tick : (int, int) or None
        After how many rows a time step is started, and how many there are, where ``tick`` is
        answered by ``ready``; else ``tick``, if there is one, is high.
    patience : int
        Clocks to wait for anything to happen.
    """
    lines = [f"// {says}", "", f"module {name}_tb;"]
    lines += [
        "  reg clk, rst;",
        "  initial begin clk = 0; rst = 1; end",
        "  always #5 clk = ~clk;",
        "",
    ]
    for port in ports:
        sign = "signed " if port.signed else ""
        lines.append(f"  wire {sign}[{port.width - 1}:0] {port.name};")
    lines += ["", f"  {name} dut("]
    lines += [f"    .{port.name}({port.name})," for port in ports]
    lines += ["    .clk(clk), .rst(rst));", ""]
    for table in (given, *(watch.table for watch in watched)):
        lines += table.declared(f"{name}_{table.name}.mem")
    lines += ["", *_given(ports, given, tick), "", *_compared(watched, patience), "endmodule", ""]
    return "\n".join(lines)


def _given(ports: Sequence[Port], given: Table, tick: tuple[int, int] | None) -> list[str]:
    """What goes in: each row as soon as the one before is taken, or some clocks later."""
    names = {port.name for port in ports}
    rows = len(given.values)
    lines = [
        f"  // {rows} rows go in, and what comes out is taken, in clocks that dice decide",
        "  integer next;",
        "  reg offered;",
        "  reg [15:0] dice;",
        "  initial begin next = 0; offered = 0; dice = 16'hACE1; end",
        f"  wire [31:0] at = next < {rows} ? next : 0;",
    ]
    lines += [
        f"  assign {port.name} = {given.field('at', k)};" for k, port in enumerate(given.ports)
    ]
    ready = "offered"
    if tick is not None:
        each, steps = tick
        lines += [
            "  integer row, steps;",
            "  initial begin row = 0; steps = 0; end",
            f"  assign tick = row == {each} && steps < {steps};",
        ]
        ready = f"offered && row < {each}"
    elif "tick" in names:
        lines.append("  assign tick = 1;")
    lines += [
        f"  assign i_valid = {ready} && next < {rows} && !rst;",
        "  assign o_ready = dice[1];",
    ]
    lines += [
        "  always @(posedge clk) begin",
        "    dice <= {dice[14:0], dice[15] ^ dice[13] ^ dice[12] ^ dice[10]};",
        "    if (!i_valid || i_ready) offered <= dice[0];",
    ]
    if tick is None:
        lines.append("    if (i_valid && i_ready) next <= next + 1;")
    else:
        lines += [
            "    if (i_valid && i_ready) begin next <= next + 1; row <= row + 1; end",
            "    if (tick && ready && !rst) begin row <= 0; steps <= steps + 1; end",
        ]
    return [*lines, "  end"]


def _compared(watched: Sequence[Watch], patience: int) -> list[str]:
    """What comes out, each time there is some: the next row of a table, and no more than it has.

    As many values must have been compared as the tables have: a file may be missing, or cut short.
    """
    tables = [watch.table for watch in watched]
    count = sum(int(t.values.size if t.known is None else t.known.sum()) for t in tables)
    lines = [
        "  integer clocks, quiet, compared, errors;",
        "  initial begin clocks = 0; quiet = 0; compared = 0; errors = 0; end",
        "  task compare;",
        "    input integer row;",
        "    input [64*8-1:0] port;",
        "    input [63:0] got, wanted;",
        "    if (^wanted !== 1'bx) begin",
        "      compared = compared + 1;",
        "      if (got !== wanted) begin",
        "        errors = errors + 1;",
        f"        if (errors <= {_SHOWN})",
        '          $display("row %0d of %0s is %0h, and not %0h", row, port, got, wanted);',
        "      end",
        "    end",
        "  endtask",
        "  task finish;",
        "    begin",
        f"      if (errors == 0 && compared == {count})",
        '        $display("PASS: %0d values compared in %0d clocks", compared, clocks);',
        "      else",
        '        $display("FAIL: %0d errors, %0d values compared of %0d in %0d clocks", errors,',
        f"                 compared, {count}, clocks);",
        "      $finish(0);",
        "    end",
        "  endtask",
        "",
    ]
    for k, _ in enumerate(watched):
        lines += [f"  integer row_{k};", f"  initial row_{k} = 0;"]
    lines += [
        "  always @(posedge clk) begin",
        "    clocks = clocks + 1;",
        "    quiet = quiet + 1;",
        "    if (clocks == 4) rst <= 0;",
    ]
    missing = []
    for k, watch in enumerate(watched):
        table, rows = watch.table, len(watch.table.values)
        missing.append(f"{rows} - row_{k}")
        lines += [
            f"    if ({watch.when} && !rst) begin",
            f"      if (row_{k} >= {rows}) begin",
            f'        $display("{table.name}: more than {rows} rows");',
            "        errors = errors + 1;",
            "        finish;",
            "      end else begin",
            "        quiet = 0;",
        ]
        for n, port in enumerate(table.ports):
            given = f"{{{port.name}}}"  # without a sign
            wanted = table.field(f"row_{k}", n)
            lines.append(f'        compare(row_{k}, "{port.name}", {given}, {wanted});')
        lines += ["      end", f"      row_{k} = row_{k} + 1;", "    end"]
    done = " && ".join(f"row_{k} >= {len(w.table.values)}" for k, w in enumerate(watched))
    lines += [
        f"    if ({done}) begin",
        "      if (quiet > 64) finish;",
        f"    end else if (quiet > {patience}) begin",
        f'      $display("nothing more came: %0d rows are missing", {" + ".join(missing)});',
        "      errors = errors + 1;",
        "      finish;",
        "    end",
        "  end",
    ]
    return lines
