// The iCE40 cell whose model in yosys clears 16,384 rows one by one, which takes minutes to read.
// Written from Lattice's "iCE40 SPRAM Usage Guide" (FPGA-TN-02022).

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
