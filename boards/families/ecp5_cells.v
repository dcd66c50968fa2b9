// The ECP5 cells that yosys ships no model of, as far as scneuro's designs use them. Written
// from Lattice's "ECP5 and ECP5-5G Memory Usage Guide" (FPGA-TN-02204) and "sysDSP Usage Guide"
// (FPGA-TN-02205). Any other use is an error: `unsupported_use` is no module.

// An 18 by 18 bit multiplier, whose output may have a register.
module MULT18X18D(
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input CE3, CE2, CE1, CE0, CLK3, CLK2, CLK1, CLK0, RST3, RST2, RST1, RST0,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    output P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0);
  parameter REG_INPUTA_CLK = "NONE";
  parameter REG_INPUTA_CE = "CE0";
  parameter REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE";
  parameter REG_INPUTB_CE = "CE0";
  parameter REG_INPUTB_RST = "RST0";
  parameter REG_INPUTC_CLK = "NONE";
  parameter REG_INPUTC_CE = "CE0";
  parameter REG_INPUTC_RST = "RST0";
  parameter REG_PIPELINE_CLK = "NONE";
  parameter REG_PIPELINE_CE = "CE0";
  parameter REG_PIPELINE_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE";
  parameter REG_OUTPUT_CE = "CE0";
  parameter REG_OUTPUT_RST = "RST0";
  parameter CLK0_DIV = "ENABLED";
  parameter CLK1_DIV = "ENABLED";
  parameter CLK2_DIV = "ENABLED";
  parameter CLK3_DIV = "ENABLED";
  parameter HIGHSPEED_CLK = "NONE";
  parameter GSR = "ENABLED";
  parameter CAS_MATCH_REG = "FALSE";
  parameter SOURCEB_MODE = "B_SHIFT";
  parameter MULT_BYPASS = "DISABLED";
  parameter RESETMODE = "SYNC";

  generate
    if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_PIPELINE_CLK != "NONE" ||
        (REG_OUTPUT_CLK != "NONE" && (REG_OUTPUT_CLK != "CLK0" || REG_OUTPUT_CE != "CE0" ||
                                      REG_OUTPUT_RST != "RST0")) || MULT_BYPASS != "DISABLED")
      unsupported_use of_mult18x18d();
  endgenerate

  wire signed [18:0] a = {SIGNEDA & A17, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5,
                          A4, A3, A2, A1, A0};
  wire signed [18:0] b = {SIGNEDB & B17, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5,
                          B4, B3, B2, B1, B0};
  wire signed [35:0] product = a * b;
  reg signed [35:0] registered = 0;
  always @(posedge CLK0)
    if (RST0) registered <= 0;
    else if (CE0) registered <= product;
  wire signed [35:0] p = REG_OUTPUT_CLK == "NONE" ? product : registered;
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
          P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = p;
endmodule

// A block RAM of 1024 rows of 18 bits: by 18 bits, 9 or 4 at each port, or by 36 at once, where port A
// writes two rows and port B reads two, of which the lower comes out at port A. An output may have a
// register. A port that writes does not read. A row that is read while it is written comes out wrong:
// nothing may rely on it.
module DP16KD(
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0);
  parameter DATA_WIDTH_A = 18;
  parameter REGMODE_A = "NOREG";
  parameter CSDECODE_A = "0b000";
  parameter CLKAMUX = "CLKA";
  parameter WRITEMODE_A = "NORMAL";
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_B = "NOREG";
  parameter CSDECODE_B = "0b000";
  parameter CLKBMUX = "CLKB";
  parameter WRITEMODE_B = "NORMAL";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter GSR = "ENABLED";
  parameter INIT_DATA = "STATIC";
  parameter WID = 0;
  parameter INITVAL_00 = 320'h0;
  parameter INITVAL_01 = 320'h0;
  parameter INITVAL_02 = 320'h0;
  parameter INITVAL_03 = 320'h0;
  parameter INITVAL_04 = 320'h0;
  parameter INITVAL_05 = 320'h0;
  parameter INITVAL_06 = 320'h0;
  parameter INITVAL_07 = 320'h0;
  parameter INITVAL_08 = 320'h0;
  parameter INITVAL_09 = 320'h0;
  parameter INITVAL_0A = 320'h0;
  parameter INITVAL_0B = 320'h0;
  parameter INITVAL_0C = 320'h0;
  parameter INITVAL_0D = 320'h0;
  parameter INITVAL_0E = 320'h0;
  parameter INITVAL_0F = 320'h0;
  parameter INITVAL_10 = 320'h0;
  parameter INITVAL_11 = 320'h0;
  parameter INITVAL_12 = 320'h0;
  parameter INITVAL_13 = 320'h0;
  parameter INITVAL_14 = 320'h0;
  parameter INITVAL_15 = 320'h0;
  parameter INITVAL_16 = 320'h0;
  parameter INITVAL_17 = 320'h0;
  parameter INITVAL_18 = 320'h0;
  parameter INITVAL_19 = 320'h0;
  parameter INITVAL_1A = 320'h0;
  parameter INITVAL_1B = 320'h0;
  parameter INITVAL_1C = 320'h0;
  parameter INITVAL_1D = 320'h0;
  parameter INITVAL_1E = 320'h0;
  parameter INITVAL_1F = 320'h0;
  parameter INITVAL_20 = 320'h0;
  parameter INITVAL_21 = 320'h0;
  parameter INITVAL_22 = 320'h0;
  parameter INITVAL_23 = 320'h0;
  parameter INITVAL_24 = 320'h0;
  parameter INITVAL_25 = 320'h0;
  parameter INITVAL_26 = 320'h0;
  parameter INITVAL_27 = 320'h0;
  parameter INITVAL_28 = 320'h0;
  parameter INITVAL_29 = 320'h0;
  parameter INITVAL_2A = 320'h0;
  parameter INITVAL_2B = 320'h0;
  parameter INITVAL_2C = 320'h0;
  parameter INITVAL_2D = 320'h0;
  parameter INITVAL_2E = 320'h0;
  parameter INITVAL_2F = 320'h0;
  parameter INITVAL_30 = 320'h0;
  parameter INITVAL_31 = 320'h0;
  parameter INITVAL_32 = 320'h0;
  parameter INITVAL_33 = 320'h0;
  parameter INITVAL_34 = 320'h0;
  parameter INITVAL_35 = 320'h0;
  parameter INITVAL_36 = 320'h0;
  parameter INITVAL_37 = 320'h0;
  parameter INITVAL_38 = 320'h0;
  parameter INITVAL_39 = 320'h0;
  parameter INITVAL_3A = 320'h0;
  parameter INITVAL_3B = 320'h0;
  parameter INITVAL_3C = 320'h0;
  parameter INITVAL_3D = 320'h0;
  parameter INITVAL_3E = 320'h0;
  parameter INITVAL_3F = 320'h0;

  localparam [20479:0] ROWS = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
    INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32,
    INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B,
    INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
    INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
    INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
    INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F,
    INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};

  generate
    if ((DATA_WIDTH_A != 36 && DATA_WIDTH_A != 18 && DATA_WIDTH_A != 9 && DATA_WIDTH_A != 4) ||
        (DATA_WIDTH_B != 36 && DATA_WIDTH_B != 18 && DATA_WIDTH_B != 9 && DATA_WIDTH_B != 4) ||
        (DATA_WIDTH_A == 4) != (DATA_WIDTH_B == 4) ||
        (DATA_WIDTH_A == 36 && REGMODE_A != REGMODE_B) ||
        CSDECODE_A != "0b000" || CSDECODE_B != "0b000" || CLKAMUX == "INV" || CLKBMUX == "INV" ||
        (DATA_WIDTH_A == 36) != (DATA_WIDTH_B == 36))
      unsupported_use of_dp16kd();
  endgenerate

  // every INITVAL holds 16 rows, each in 20 bits of which the upper two are nothing
  reg [17:0] rows [0:1023];
  integer i;
  initial for (i = 0; i < 1024; i = i + 1) rows[i] = ROWS[20 * i +: 18];

  wire [9:0] row_A = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4};
  wire [9:0] row_B = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4};
  wire [17:0] data_A = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9,
                        DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] data_B = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9,
                        DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};

  // what is written, by bytes of 9 bits, or by 4 bits of one: the address' low bits say which
  wire wide = DATA_WIDTH_A == 36;
  wire write_A = CEA & WEA & (CSA2 | CSA1 | CSA0) == 0;
  wire write_B = CEB & WEB & ~wide;
  wire [1:0] bytes_A = DATA_WIDTH_A <= 9 ? {ADA3, ~ADA3} : {ADA1, ADA0};
  wire [1:0] bytes_B = DATA_WIDTH_B <= 9 ? {ADB3, ~ADB3} : {ADB1, ADB0};
  wire [1:0] upper_A = {ADA3, ADA2};
  wire [8:0] part_A = DATA_WIDTH_A != 4 ? 9'h1FF : ADA2 ? 9'h0F0 : 9'h00F;
  wire [8:0] part_B = DATA_WIDTH_B != 4 ? 9'h1FF : ADB2 ? 9'h0F0 : 9'h00F;
  wire [17:0] mask_A = {{9{bytes_A[1]}} & part_A, {9{bytes_A[0]}} & part_A};
  wire [17:0] mask_B = {{9{bytes_B[1]}} & part_B, {9{bytes_B[0]}} & part_B};
  wire [17:0] mask_upper = {{9{upper_A[1]}}, {9{upper_A[0]}}};
  wire [8:0] byte_A = DATA_WIDTH_A == 4 ? {1'b0, data_A[3:0], data_A[3:0]} : data_A[8:0];
  wire [8:0] byte_B = DATA_WIDTH_B == 4 ? {1'b0, data_B[3:0], data_B[3:0]} : data_B[8:0];
  wire [17:0] given_A = DATA_WIDTH_A <= 9 ? {byte_A, byte_A} : data_A;
  wire [17:0] given_B = DATA_WIDTH_B <= 9 ? {byte_B, byte_B} : data_B;
  wire [9:0] first_A = wide ? {row_A[9:1], 1'b0} : row_A;
  wire [9:0] first_B = wide ? {row_B[9:1], 1'b0} : row_B;

  always @(posedge CLKA) begin
    if (write_A) begin
      rows[first_A] <= rows[first_A] & ~mask_A | given_A & mask_A;
      if (wide) rows[first_A | 10'd1] <= rows[first_A | 10'd1] & ~mask_upper | data_B & mask_upper;
    end
    if (write_B) rows[row_B] <= rows[row_B] & ~mask_B | given_B & mask_B;
  end

  wire [1:0] asked_A = DATA_WIDTH_A <= 9 ? {ADA3, ~ADA3} : 2'b11;
  wire [1:0] asked_B = DATA_WIDTH_B <= 9 ? {ADB3, ~ADB3} : 2'b11;
  wire other = DATA_WIDTH_A == 4 && ADA2 != ADB2;
  wire clash_A = write_B & row_B == row_A & |(asked_A & bytes_B) & ~other;
  wire clash_B = write_A & first_A == first_B & |(asked_B & bytes_A) & ~other;
  wire [17:0] whole_A = rows[row_A] ^ {18{clash_A}};
  wire [17:0] whole_B = rows[row_B] ^ {18{clash_B}};
  wire [8:0] found_A = ADA3 ? whole_A[17:9] : whole_A[8:0];
  wire [8:0] found_B = ADB3 ? whole_B[17:9] : whole_B[8:0];
  wire [8:0] few_A = DATA_WIDTH_A == 4 ? (ADA2 ? found_A[7:4] : found_A[3:0]) : found_A;
  wire [8:0] few_B = DATA_WIDTH_B == 4 ? (ADB2 ? found_B[7:4] : found_B[3:0]) : found_B;
  reg [17:0] read_A = 0, read_B = 0;
  reg [35:0] both = 0;
  always @(posedge CLKA)
    if (CEA & ~WEA)
      read_A <= DATA_WIDTH_A <= 9 ? few_A : whole_A;
  always @(posedge CLKB)
    if (CEB & ~WEB) begin
      read_B <= DATA_WIDTH_B <= 9 ? few_B : whole_B;
      both <= {rows[first_B | 10'd1], rows[first_B]} ^ {36{clash_B}};
    end

  // what is read, and in registers; of 36 bits those of port B have all
  wire [17:0] there_A = DATA_WIDTH_B == 36 ? both[17:0] : read_A;
  wire [17:0] there_B = DATA_WIDTH_B == 36 ? both[35:18] : read_B;
  reg [17:0] registered_A = 0, registered_B = 0;
  always @(posedge CLKA) if (DATA_WIDTH_B == 36 ? OCEB : OCEA) registered_A <= there_A;
  always @(posedge CLKB) if (OCEB) registered_B <= there_B;

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9,
          DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0}
    = REGMODE_A == "OUTREG" ? registered_A : there_A;
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9,
          DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0}
    = REGMODE_B == "OUTREG" ? registered_B : there_B;
endmodule

// Sixteen rows of 4 bits in LUTs: written at the clock, read at once.
module TRELLIS_DPR16X4(input [3:0] DI, WAD, RAD, input WRE, WCK, output [3:0] DO);
  parameter WCKMUX = "WCK";
  parameter WREMUX = "WRE";
  parameter [63:0] INITVAL = 64'h0;

  generate
    if (WCKMUX == "INV" || WREMUX == "INV") unsupported_use of_trellis_dpr16x4();
  endgenerate

  reg [3:0] rows [0:15];
  integer i;
  initial for (i = 0; i < 16; i = i + 1) rows[i] = INITVAL[4 * i +: 4];
  wire write = WREMUX == "1" ? 1'b1 : WREMUX == "0" ? 1'b0 : WRE;
  always @(posedge WCK) if (write) rows[WAD] <= DI;
  assign DO = rows[RAD];
endmodule

// A clock's way to the global network.
module DCCA(input CLKI, CE, output CLKO);
  assign CLKO = CLKI;
endmodule
