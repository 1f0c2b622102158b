// The test bench around the chip: it plays flits into the host ports and keeps what comes out, so
// that Python wakes once an image, not once a packet.
//
// The words that the ports play lie in memory, where host_ports.cpp fetches them. A word is a flit;
// a word of kind HOST (never sent by a host) is the end of a step: the port waits until all ports
// have come to theirs and the chip is idle; then, if bit END_TICK is set, a tick runs. With bit
// END_OVERLAP the next step's flits, spikes for the next tick, are played while it runs; it is over
// when all of them have arrived as well. Behind a step whose end has bit END_WAKE, `attention`
// rises and time stands still for the chip until Python toggles `resume`; with `refilled` set the
// ports have then been given new words. The first time it rises when the chip is idle behind its
// reset. With bit END_RESET the reset pin is pulled in the tick, and with END_PRESSURE the host takes
// no flit in some cycles from here on.
`timescale 1ns / 1ns

`include "nc64c_spec.svh"  // FLIT_BITS and the like, generated from hw/spec.py

module tb;
  int patience = 1 << 23;  // cycles in which nothing happens at the chip's pins; +PATIENCE=...
  initial void'($value$plusargs("PATIENCE=%d", patience));

  // What a port plays next; what it has heard.
  import "DPI-C" function longint nc64c_next(input int port);
  import "DPI-C" function void nc64c_hear(input int port, input longint flit);
  import "DPI-C" function void nc64c_step_end();

  // Written from Python.
  logic resume = 0;
  logic refilled = 0;

  // Read from Python.
  logic attention = 0;
  logic [63:0] cycles = 0;
  logic [63:0] ticks = 0;

  logic clk = 0;
  logic rst = 1;
  always #1 clk = ~clk;

  logic [FLIT_BITS-1:0] in_payload[ROWS], out_payload[ROWS];
  logic [ROWS-1:0] in_valid, in_ready, out_valid, out_ready;
  logic go, idle;

`include "chip_instance.svh"  // the chip, ours or a user's, all pins connected

  logic [FLIT_BITS-1:0] word[ROWS];
  logic [ROWS-1:0] at_end;
  logic resumed = 0;
  logic started = 0;
  logic ending = 0;  // a tick has been given, and its end is awaited
  logic overlapping = 0;  // the words are those of the step behind that tick's
  logic [GO_CYCLES-1:0] settling = 0;  // a flit now might still be for the tick just given

  logic fuse_burns = 0;  // the reset pin will be pulled in this tick
  logic [END_AFTER_BITS-1:0] fuse = 0;  // in so many cycles
  int pulled = 0;  // cycles for which it stays pulled

  logic [END_SHARE_BITS-1:0] share = 0;  // of 256 cycles in which a port takes nothing
  logic [31:0] pattern = 0;

  function automatic logic [31:0] following(logic [31:0] x);
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ x << 5;
  endfunction

  logic [31:0] silence = 0;  // cycles since something last happened at the pins
  logic [31:0] answers = 0;  // flits heard in this step

  wire halted = attention | rst | ~started;

  always_comb
    for (int p = 0; p < ROWS; p++) begin
      at_end[p] = word[p][FLIT_KIND+:FLIT_KIND_BITS] == KIND_HOST;
      in_payload[p] = word[p];
      in_valid[p] = !at_end[p] && !halted && settling == 0;
      out_ready[p] = !halted && pattern[3*p+:8] >= share;
    end

  wire quiet = &at_end & idle & ~halted & ~fuse_burns;
  wire with_tick = word[0][END_TICK];
  assign go = quiet & with_tick & ~ending;
  wire step_done = quiet & (ending | ~with_tick);
  wire overlap = go & word[0][END_OVERLAP];
  wire obeyed = quiet & ~ending;  // the words at the ports are a step's end, and count now

  always_ff @(posedge clk) begin
    rst <= cycles < 4 || pulled != 0;
    if (pulled != 0) pulled <= pulled - 1;
    if (fuse_burns) begin
      fuse <= fuse - 1;
      if (fuse == 0) begin
        fuse_burns <= 0;
        rst <= 1;
        pulled <= RESET_CYCLES - 1;
      end
    end
    if (go && word[0][END_RESET]) begin
      fuse_burns <= 1;
      fuse <= word[0][END_AFTER+:END_AFTER_BITS];
    end
    if (share != 0 && !halted) pattern <= following(pattern);
    if (obeyed && word[0][END_PRESSURE]) begin
      share <= word[0][END_SHARE+:END_SHARE_BITS];
      pattern <= {16'd1, word[0][END_SEED+:END_SEED_BITS]};
    end
    cycles <= cycles + 1;
    ticks <= ticks + 64'(go);
    if (go) ending <= 1;
    if (step_done) {ending, overlapping} <= 0;
    if (overlap) overlapping <= 1;
    settling <= GO_CYCLES'({settling, go});
    for (int p = 0; p < ROWS; p++) begin
      if (out_valid[p] && out_ready[p]) nc64c_hear(p, out_payload[p]);
      if ((in_valid[p] && in_ready[p]) || (step_done && !overlapping) || overlap
          || (resume != resumed && refilled))
        word[p] <= nc64c_next(p);
    end
    if (step_done) nc64c_step_end();
    silence <= silence + 1;
    if (attention | rst | go | step_done | (|(in_valid & in_ready)) | (|(out_valid & out_ready)))
      silence <= 0;
    if (silence == patience) begin
      $display("NC64C: the chip has not come to rest in %0d cycles of tick %0d", patience, ticks);
      $finish;
    end
    answers <= step_done ? 0 : answers + 32'($countones(out_valid & out_ready));
    if (answers > MOST_ANSWERS) begin
      $display("NC64C: the chip has sent %0d flits in tick %0d, and goes on", answers, ticks);
      $finish;
    end
    resumed <= resume;
    if (resume != resumed) {started, attention} <= 2'b10;
    else if (!rst && (started ? step_done && !overlapping && word[0][END_WAKE] : idle))
      attention <= 1;
  end
endmodule
