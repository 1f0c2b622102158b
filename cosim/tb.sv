// The test bench around the chip: it plays flits into the host ports and keeps what comes out, so
// that the Python side wakes once a batch, not once a packet.
//
// Each row's port has a stimulus buffer, filled in one wide write. A word is a flit; a word of kind
// HOST (never sent by a host) is the end of a phase: the port waits until all ports have come to
// theirs and the chip is idle; then, if bit 0 is set, a tick runs. Responses go to a buffer per
// port, an all-ones word at the end of each phase. `attention` rises when a stimulus buffer that is
// needed has run out or a response buffer is full; Python then empties the responses, fills the
// exhausted buffers, says so in `refilled`, and toggles `resume`.
`timescale 1ns / 1ns

`include "nc64c_spec.svh"  // FLIT_BITS and the like, generated from hw/spec.py

module tb;
  parameter int DEPTH = 1024;  // words of each buffer
  parameter int PATIENCE = 1 << 23;  // cycles in which nothing happens at the chip's pins

  // Written from Python.
  logic [FLIT_BITS*DEPTH-1:0] stimulus[ROWS];
  logic [31:0] stimulus_words[ROWS];
  logic [ROWS-1:0] refilled = 0;
  logic resume = 0;

  // Read from Python.
  logic [FLIT_BITS*DEPTH-1:0] response[ROWS];
  logic [31:0] response_words[ROWS];
  logic [ROWS-1:0] exhausted;
  logic attention = 0;
  logic [63:0] cycles = 0;
  logic [63:0] ticks = 0;

  logic clk = 0;
  logic rst = 1;
  always #1 clk = ~clk;

  logic [FLIT_BITS-1:0] in_payload[ROWS], out_payload[ROWS];
  logic [ROWS-1:0] in_valid, in_ready, out_valid, out_ready;
  logic go, idle;

  nc64c_chip chip (
      .clk,
      .rst,
      .go,
      .idle,
`include "tb_ports.svh"
  );

  logic [31:0] position[ROWS];
  logic [FLIT_BITS-1:0] word[ROWS];
  logic [ROWS-1:0] at_end, full;
  logic resumed = 0;
  logic ending = 0;  // the tick of this phase has been given: only idle is awaited

  logic [31:0] silence = 0;  // cycles since something last happened at the pins

  wire halted = attention | rst;
  // Nothing more can happen before Python has filled or emptied a buffer.
  wire starved = |exhausted & (&(exhausted | at_end));

  always_comb
    for (int p = 0; p < ROWS; p++) begin
      exhausted[p] = position[p] == stimulus_words[p];
      word[p] = stimulus[p][FLIT_BITS*position[p][15:0]+:FLIT_BITS];
      at_end[p] = !exhausted[p] && word[p][FLIT_KIND+:FLIT_KIND_BITS] == KIND_HOST;
      // Room for the flit that may come in this cycle and for the end of the phase.
      full[p] = response_words[p] >= DEPTH - 2;
      in_payload[p] = word[p];
      in_valid[p] = !exhausted[p] && !at_end[p] && !halted;
      out_ready[p] = !full[p] && !halted;
    end

  wire quiet = &at_end & idle & ~halted;
  wire with_tick = word[0][0];
  assign go = quiet & with_tick & ~ending;
  wire phase_done = quiet & (ending | ~with_tick);

  always_ff @(posedge clk) begin
    rst <= cycles < 4;
    cycles <= cycles + 1;
    ticks <= ticks + 64'(go);
    if (go) ending <= 1;
    if (phase_done) ending <= 0;
    for (int p = 0; p < ROWS; p++) begin
      if (rst) begin
        position[p] <= 0;
        response_words[p] <= 0;
      end else if (resume != resumed) begin
        response_words[p] <= 0;
        if (refilled[p]) position[p] <= 0;
      end else begin
        if ((in_valid[p] && in_ready[p]) || phase_done) position[p] <= position[p] + 1;
        if (out_valid[p] && out_ready[p]) begin
          response[p][FLIT_BITS*response_words[p][15:0]+:FLIT_BITS] <= out_payload[p];
          response_words[p] <= response_words[p] + 1;
        end else if (phase_done) begin
          response[p][FLIT_BITS*response_words[p][15:0]+:FLIT_BITS] <= '1;
          response_words[p] <= response_words[p] + 1;
        end
      end
    end
    silence <= silence + 1;
    if (halted | go | phase_done | (|(in_valid & in_ready)) | (|(out_valid & out_ready)))
      silence <= 0;
    if (silence == PATIENCE) begin
      $display("NC64C: the chip has not come to rest in %0d cycles of tick %0d", PATIENCE, ticks);
      $finish;
    end
    resumed <= resume;
    if (resume != resumed) attention <= 0;
    else if (!rst && !attention && (starved || |full)) attention <= 1;
  end
endmodule
