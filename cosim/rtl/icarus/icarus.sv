// The chip in Icarus Verilog: one host port plays the words of a file, as cosim/rtl/tb/tb.sv does, and what
// comes out is printed. A word of kind HOST ends a phase; its bit END_TICK asks for a tick, and its
// bit END_OVERLAP lets the words behind it be played while that runs.
`timescale 1ns / 1ns

module icarus;
  parameter WORDS = 1;

  reg [`FLIT_BITS-1:0] stimulus[0:WORDS-1];
  initial $readmemh("stimulus.hex", stimulus);

  reg clk = 0;
  reg rst = 1;
  reg halted = 1;  // behind a reset too: the tiles see it a cycle later
  always #1 clk = ~clk;

  integer position = 0;
  integer cycles = 0;
  reg ending = 0;  // the tick of this phase has been given: only idle is awaited
  wire [`FLIT_BITS-1:0] word = stimulus[position];
  wire at_end = word[`FLIT_KIND+:`FLIT_KIND_BITS] == `KIND_HOST;
  wire idle, in_ready, out_valid;
  wire [`FLIT_BITS-1:0] out_payload;
  wire quiet = at_end & idle & ~halted;
  wire overlap = word[`END_OVERLAP];
  wire go = quiet & word[`END_TICK] & ~ending;
  wire phase_done = quiet & (ending | ~word[`END_TICK] | overlap);

  nc64c_chip chip (
      .clk(clk),
      .rst(rst),
      .go(go),
      .idle(idle),
      .host_in__0__payload(word),
      .host_in__0__valid(~at_end & ~halted),
      .host_in__0__ready(in_ready),
      .host_out__0__payload(out_payload),
      .host_out__0__valid(out_valid),
      .host_out__0__ready(1'b1)
  );

  always @(posedge clk) begin
    rst <= cycles < 4;
    halted <= cycles < 8;
    cycles <= cycles + 1;
    if (go & ~overlap) ending <= 1;
    if (phase_done) ending <= 0;
    if (out_valid) $display("%h", out_payload);
    if (phase_done) $display("phase %0d", cycles);
    if (~halted & (~at_end & in_ready | phase_done)) begin
      if (position == WORDS - 1) $finish;
      else position <= position + 1;
    end
  end
endmodule
