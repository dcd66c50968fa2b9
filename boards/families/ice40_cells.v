// The iCE40 cell whose model in yosys clears 16,384 rows one by one, which takes minutes to read, and
// the one it has no model of. Written from Lattice's "iCE40 SPRAM Usage Guide" (FPGA-TN-02022) and
// "iCE40 sysCLOCK PLL Design and User Guide" (FPGA-TN-02052).

// A memory of 16,384 rows of 16 bits with one port, which nothing fills before it is written. It
// reads or writes in a clock, four bits at a time where only some are to be written; what it shows
// after a write is nothing to rely on.
module SB_SPRAM256KA(
    input [13:0] ADDRESS,
    input [15:0] DATAIN,
    input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF,
    output reg [15:0] DATAOUT);
  reg [15:0] rows [0:16383];
  wire on = CHIPSELECT & ~STANDBY & ~SLEEP & POWEROFF;
  wire [15:0] mask = {{4{MASKWREN[3]}}, {4{MASKWREN[2]}}, {4{MASKWREN[1]}}, {4{MASKWREN[0]}}};
  wire [15:0] row = rows[ADDRESS];
  always @(posedge CLOCK)
    if (on) begin
      if (WREN) rows[ADDRESS] <= row & ~mask | DATAIN & mask;
      DATAOUT <= WREN ? ~row : row;
    end
endmodule

// A PLL on a clock's pin. What it makes is counted in clocks of its own, so it is the pin's here.
module SB_PLL40_PAD(
    input PACKAGEPIN, EXTFEEDBACK, BYPASS, RESETB, LATCHINPUTVALUE, SDI, SCLK,
    input [7:0] DYNAMICDELAY,
    output PLLOUTCORE, PLLOUTGLOBAL, LOCK, SDO);
  parameter FEEDBACK_PATH = "SIMPLE";
  parameter DELAY_ADJUSTMENT_MODE_FEEDBACK = "FIXED";
  parameter DELAY_ADJUSTMENT_MODE_RELATIVE = "FIXED";
  parameter SHIFTREG_DIV_MODE = 1'b0;
  parameter FDA_FEEDBACK = 4'b0000;
  parameter FDA_RELATIVE = 4'b0000;
  parameter PLLOUT_SELECT = "GENCLK";
  parameter DIVR = 4'b0000;
  parameter DIVF = 7'b0000000;
  parameter DIVQ = 3'b000;
  parameter FILTER_RANGE = 3'b000;
  parameter ENABLE_ICEGATE = 1'b0;
  parameter TEST_MODE = 1'b0;
  parameter EXTERNAL_DIVIDE_FACTOR = 1;
  assign PLLOUTCORE = PACKAGEPIN;
  assign PLLOUTGLOBAL = PACKAGEPIN;
  assign LOCK = RESETB;
endmodule
