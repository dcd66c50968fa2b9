// ECP5 cells as nextpnr writes them after routing, where they have parameters that yosys' own models
// lack. The global set/reset is left out: it holds every register at the value that it starts with.
// Sources: Lattice's ECP5 family data sheet (FPGA-DS-02012), and the database of Project Trellis.

// A register of a slice. SD says where its data is from: the LUT beside it, or the pin M.
module TRELLIS_FF(input CLK, LSR, CE, DI, M, output reg Q);
  parameter GSR = "ENABLED";
  parameter [127:0] CEMUX = "1";
  parameter CLKMUX = "CLK";
  parameter LSRMUX = "LSR";
  parameter SRMODE = "LSR_OVER_CE";
  parameter REGSET = "RESET";
  parameter [127:0] SD = "1";

  wire enabled = CEMUX == "1" ? 1'b1 : CEMUX == "0" ? 1'b0 : CEMUX == "INV" ? ~CE : CE;
  wire reset = LSRMUX == "INV" ? ~LSR : LSR;
  wire clock = CLKMUX == "INV" ? ~CLK : CLK;
  wire data = SD == "1" ? DI : M;
  localparam VALUE = REGSET == "SET";

  initial Q = VALUE;
  generate
    if (SRMODE == "ASYNC") begin
      always @(posedge clock, posedge reset)
        if (reset) Q <= VALUE;
        else if (enabled) Q <= data;
    end else begin
      always @(posedge clock)
        if (reset) Q <= VALUE;
        else if (enabled) Q <= data;
    end
  endgenerate
endmodule

// A LUT of a slice, alone or as half a CCU2C, and the multiplexer behind it: of two LUTs, or in the
// upper half (IS_Z1) of two such multiplexers.
module TRELLIS_COMB(input A, B, C, D, M, FCI, F1, FXA, FXB, output F, FCO, OFX);
  parameter MODE = "LOGIC";
  parameter [15:0] INITVAL = 16'h0;
  parameter CCU2_INJECT1 = "NO";
  parameter WREMUX = "WRE";
  parameter IS_Z1 = 0;

  wire lut = INITVAL[{D, C, B, A}];
  generate
    if (MODE == "CCU2") begin
      wire into = CCU2_INJECT1 == "YES" ? 1'b0 : FCI;
      wire made = CCU2_INJECT1 == "YES" ? 1'b0 : INITVAL[{2'b00, B, A}];
      assign F = lut ^ into;
      assign FCO = lut ? FCI : made;
    end else if (MODE == "LOGIC") begin
      assign F = lut;
      assign FCO = 1'b0;
    end else
      unsupported_use of_trellis_comb();
  endgenerate
  assign OFX = IS_Z1 ? (M ? FXB : FXA) : (M ? F1 : F);
endmodule

// A pin that is only read or only driven.
module TRELLIS_IO(input from_pad, output to_pad, input I, T, output O);
  parameter DIR = "INPUT";
  generate
    if (DIR != "INPUT" && DIR != "OUTPUT") unsupported_use of_trellis_io();
  endgenerate
  assign O = from_pad;
  assign to_pad = I;
endmodule

// A PLL. What it makes is counted in clocks of its own, so it is the clock it is given here.
module EHXPLLL(
    input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
    input PLLWAKESYNC, ENCLKOP, ENCLKOS, ENCLKOS2, ENCLKOS3,
    output CLKOP, CLKOS, CLKOS2, CLKOS3, LOCK, INTLOCK, REFCLK, CLKINTFB);
  parameter FEEDBK_PATH = "CLKOP";
  parameter CLKOP_ENABLE = "ENABLED";
  parameter CLKI_DIV = 1;
  parameter CLKFB_DIV = 1;
  parameter CLKOP_DIV = 8;
  parameter CLKOP_CPHASE = 0;
  assign CLKOP = CLKI;
  assign LOCK = ~RST;
endmodule
