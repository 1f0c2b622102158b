// The test bench around the chip in Icarus Verilog. It plays the words of a file into the host ports
// and prints what comes out, by the rules of cosim/rtl/tb/tb.sv: a word of kind HOST ends a step, once
// all ports have come to theirs and the chip is idle; bit END_TICK asks for a tick then, and with
// END_OVERLAP the next step's flits, spikes for the next tick, are played while it runs. END_RESET and
// END_PRESSURE: see there.
//
// A chip that hangs, or shows X at a pin once it is out of reset, ends the run: a line that begins with
// NC64C says so.
//
// The numbers in capitals are macros, from hw/spec.py. Word n of port p is stimulus[p * WORDS + n].
`timescale 1ns / 1ns

module icarus;
  parameter WORDS = 1;
  parameter STEPS = 1;
  parameter PATIENCE = 1;  // cycles without anything at the pins

  reg [`FLIT_BITS-1:0] stimulus[0:`ROWS*WORDS-1];
  reg [`FLIT_BITS-1:0] word[0:`ROWS-1];
  integer position[0:`ROWS-1];
  integer cycles = 0;
  integer ticks = 0;
  integer steps = 0;
  integer silence = 0;  // cycles since something last happened at the pins
  integer answers = 0;  // flits heard in this step

  reg clk = 0;
  reg rst = 1;
  reg halted = 1;  // behind a reset too, until the chip is idle
  reg ending = 0;  // a tick has been given, and its end is awaited
  reg overlapping = 0;  // the words are those of the step behind that tick's
  reg [`GO_CYCLES-1:0] settling = 0;  // a flit now might still be for the tick just given
  reg fuse_burns = 0;  // the reset pin will be pulled in this tick
  reg [`END_AFTER_BITS-1:0] fuse = 0;  // in so many cycles
  integer pulled = 0;  // cycles for which it stays pulled
  reg [`END_SHARE_BITS-1:0] share = 0;  // of 256 cycles in which a port takes nothing
  reg [31:0] pattern = 0;
  always #1 clk = ~clk;

  function automatic [31:0] following(input [31:0] x);
    reg [31:0] y;
    begin
      y = x ^ (x << 13);
      y = y ^ (y >> 17);
      following = y ^ (y << 5);
    end
  endfunction

  wire [`FLIT_BITS-1:0] in_payload[0:`ROWS-1];
  wire [`FLIT_BITS-1:0] out_payload[0:`ROWS-1];
  wire [`ROWS-1:0] at_end, in_valid, in_ready, out_valid;
  wire [`ROWS-1:0] out_ready;
  wire idle;

  genvar p;
  generate
    for (p = 0; p < `ROWS; p = p + 1) begin : port
      assign in_payload[p] = word[p];
      assign at_end[p] = word[p][`FLIT_KIND+:`FLIT_KIND_BITS] == `KIND_HOST;
      assign in_valid[p] = ~at_end[p] & ~halted & settling == 0;
      assign out_ready[p] = ~rst & pattern[3*p+:8] >= share;
    end
  endgenerate

  wire quiet = &at_end & idle & ~halted & ~rst & ~fuse_burns;
  wire with_tick = word[0][`END_TICK];
  wire go = quiet & with_tick & ~ending;
  wire step_done = quiet & (ending | ~with_tick);
  wire overlap = go & word[0][`END_OVERLAP];
  wire obeyed = quiet & ~ending;  // the words at the ports are a step's end, and count now
  wire refill = overlap | (step_done & ~overlapping);

`include "chip_instance.svh"  // the chip, ours or a user's, all pins connected

`include "waves.svh"

  integer i;
  initial begin
    $readmemh("stimulus.hex", stimulus);
    for (i = 0; i < `ROWS; i = i + 1) begin
      word[i] = stimulus[i*WORDS];
      position[i] = i * WORDS;
    end
  end

  always @(posedge clk) begin
    rst <= cycles < 4 || pulled != 0;
    if (pulled != 0) pulled <= pulled - 1;
    if (fuse_burns) begin
      fuse <= fuse - 1;
      if (fuse == 0) begin
        fuse_burns <= 0;
        rst <= 1;
        pulled <= `RESET_CYCLES - 1;
      end
    end
    if (go && word[0][`END_RESET]) begin
      fuse_burns <= 1;
      fuse <= word[0][`END_AFTER+:`END_AFTER_BITS];
    end
    if (share != 0 && !halted && !rst) pattern <= following(pattern);
    if (obeyed && word[0][`END_PRESSURE]) begin
      share <= word[0][`END_SHARE+:`END_SHARE_BITS];
      pattern <= {16'd1, word[0][`END_SEED+:`END_SEED_BITS]};
    end
    halted <= cycles < 8 | (halted & idle !== 1'b1);
    cycles <= cycles + 1;
    ticks <= ticks + go;
    if (go) ending <= 1;
    if (step_done) ending <= 0;
    if (step_done) overlapping <= 0;
    if (overlap) overlapping <= 1;
    settling <= {settling, go};
    for (i = 0; i < `ROWS; i = i + 1) begin
      if (out_valid[i] & out_ready[i]) $display("%h", out_payload[i]);
      if ((in_valid[i] & in_ready[i]) | refill) begin
        word[i] <= stimulus[position[i]+1];
        position[i] <= position[i] + 1;
      end
    end
    if ((rst | go | step_done | (|(in_valid & in_ready)) | (|(out_valid & out_ready))) === 1'b1) silence <= 0;
    else silence <= silence + 1;
    answers <= step_done ? 0 : answers + $countones(out_valid & out_ready);
    if (silence == PATIENCE)
      stop("hangs: the chip has not come to rest");
    if (answers > `MOST_ANSWERS)
      stop("hangs: the chip sends without end");
    if (cycles > 8 && (^{idle, in_ready, out_valid}) === 1'bx)
      stop("has X at idle, ready or valid");
    for (i = 0; i < `ROWS; i = i + 1)
      if (out_valid[i] && (^out_payload[i]) === 1'bx) stop("has X in a flit to the host");
    if (step_done) begin
      $display("step %0d %0d", cycles, ticks);
      steps <= steps + 1;
      if (steps == STEPS - 1) $finish;
    end
  end

  task stop(input [8*64-1:0] what);
    begin
      $display("NC64C: %0s, in cycle %0d, tick %0d", what, cycles, ticks);
      $finish;
    end
  endtask
endmodule
