"""Plain Verilog of a design for other tools and devices, and a testbench that judges it."""
