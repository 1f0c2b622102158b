// A chip in plain Verilog, for simulators that know X: it is reset, then the words of a file are
// played into the host port of row 0, and what comes out of all ports is printed. A word of kind
// HOST waits for the chip to be idle; with bit 0 set it then starts a tick, and waits again. From
// the reset on no pin may be X or Z, a payload only while it is not valid.
`timescale 1ns / 1ns

module four_state;
  parameter WORDS = 1;
  localparam QUIET = 8;  // cycles in which the reset gets to every tile

  reg [`FLIT_BITS-1:0] stimulus[0:WORDS-1];
  reg clk, rst, ticking;
  integer cycle, position, row;

  initial begin
    $readmemh("stimulus.hex", stimulus);
    clk = 0;
    rst = 1;
    ticking = 0;
    cycle = 0;
    position = 0;
    forever #1 clk = ~clk;
  end

  wire [`FLIT_BITS-1:0] word = stimulus[position];
  wire mark = word[`FLIT_KIND+:`FLIT_KIND_BITS] == `KIND_HOST;
  wire running = cycle >= QUIET;
  wire idle;
  wire [`ROWS-1:0] in_ready, out_valid;
  wire [`ROWS*`FLIT_BITS-1:0] out_payload;
  wire reached = running & mark & idle;
  wire go = reached & word[0] & ~ticking;
  wire next = reached & (ticking | ~word[0]) | running & ~mark & in_ready[0];

  nc64c_chip chip (
      .clk(clk),
      .rst(rst),
      .go(go),
      .idle(idle),
`include "ports.vh"
  );

  always @(posedge clk) begin
    cycle <= cycle + 1;
    rst <= cycle < 4;
    if (running) begin
      if (^{idle, in_ready, out_valid} === 1'bx) unknown;
      for (row = 0; row < `ROWS; row = row + 1)
        if (out_valid[row] === 1'b1) begin
          if (^out_payload[row*`FLIT_BITS+:`FLIT_BITS] === 1'bx) unknown;
          $display("%h", out_payload[row*`FLIT_BITS+:`FLIT_BITS]);
        end
      ticking <= ticking ? ~reached : go;
      if (next && position == WORDS - 1) $finish;
      if (next) position <= position + 1;
    end
  end

  task unknown;
    begin
      $display("unknown in cycle %0d: idle %b, ready %b, valid %b, payload %h", cycle, idle,
               in_ready, out_valid, out_payload);
      $finish;
    end
  endtask
endmodule
