// A neuron core for the NC64C's mesh, written by hand from the rules in hw/spec.py: another one than
// ours, to show that the co-simulation tests what a core does, and not how.
//
// It is driven by events. A spike is put into a queue as it arrives, once a tick and axon. A tick takes
// one spike of the queue a cycle and adds the synapses of its axon, a bit a dendrite, to the counts of
// all dendrites at once; then it passes the neurons, one a cycle. The counts stand upright: digit k of
// all of them is one word. A neuron that fires sends its flits before the next one has its turn.
//
// Plain SystemVerilog, for Verilator and for Icarus Verilog (-g2012). How spikes arrive stands in
// event_spikes.svh, what WRITEs and READs reach in event_memory_map.svh.

module event_core #(
    parameter AXONS = 1024,  // of a page
    parameter DENDRITES = 1024
) (
    input wire clk,
    input wire reset,
    input wire [2:0] x,
    input wire [2:0] y,
    input wire go,
    output wire idle,
    input wire [63:0] inbound__payload,
    input wire inbound__valid,
    output wire inbound__ready,
    output reg [63:0] outbound__payload,
    output reg outbound__valid,
    input wire outbound__ready,
    input wire [63:0] flits,
    input wire [63:0] stalls,
    output reg clear_counters
);
  localparam SPIKE = 2'd0, WRITE = 2'd1, READ = 2'd2, HOST = 2'd3;
  localparam SYNAPSES = 3'd0, NEURONS = 3'd1, FANOUT = 3'd2, MEMBRANES = 3'd3, REGISTERS = 3'd4,
      COUNTERS = 3'd5, GROUP = 3'd6, FIRED = 3'd7;
  localparam PAGES = 8, PLANES = 8, ENTRIES = 4096;
  localparam DIGITS = $clog2(AXONS) + 1;  // of a count: 0 .. AXONS
  localparam EVENTS = PAGES * AXONS;

  // ---------------------------------------------------------------- what it holds
  reg [DENDRITES-1:0] column[0:AXONS-1];  // the synapses of an axon
  reg [31:0] threshold[0:DENDRITES-1];
  reg [31:0] bias[0:DENDRITES-1];
  reg [23:0] range[0:DENDRITES-1];  // of its fan-out: count, start
  reg [25:0] fanout[0:ENTRIES-1];
  reg [31:0] membrane[0:DENDRITES-1];

  reg [3:0] planes;
  reg [1:0] page_shift;
  reg [10:0] neurons;
  reg [5:0] leak;  // enable, shift
  reg [1:0] reset_mode;
  reg [15:0] noise_mask;
  reg [15:0] seed;
  reg [31:0] lowest;
  reg [31:0] first_tick;
  reg [31:0] last_tick;
  reg trace;
  reg [15:0] weight[0:PLANES-1];

  reg [63:0] ticks, busy_cycles, spikes_in, spikes_out, synaptic_ops;

  // What has arrived: in one half for the next tick, in the other for the one that runs.
  reg [12:0] queue[0:2*EVENTS-1];  // page, axon
  reg [13:0] arrived[0:1];
  reg [AXONS-1:0] seen[0:2*PAGES-1];
  reg half;  // that collects
  reg [31:0] together;  // of a group's axons those whose spikes are still to arrive
  reg [7:0] group;  // page, group

  // ---------------------------------------------------------------- what it does
  localparam CLEAR = 3'd0, REST = 3'd1, ADD = 3'd2, UPDATE = 3'd3, SEND = 3'd4, REPLY = 3'd5;
  reg [2:0] state;
  reg [31:0] tick, now;  // of the next `go`, of the tick that runs
  reg active;
  reg [15:0] lfsr;
  reg [DENDRITES-1:0] digit[0:DIGITS-1];
  reg [13:0] turn;  // place in the queue, neuron, or word to clear
  reg [9:0] sender;
  reg trace_due;
  reg [11:0] entry, entries;
  reg [2:0] asked;  // region
  reg [14:0] offset;
  reg [15:0] words;

  assign idle = state == REST && !outbound__valid && !clear_counters && together == 0;
  assign inbound__ready = state != CLEAR && state != REPLY && together == 0;

  wire [31:0] data = inbound__payload[31:0];
  wire [14:0] place = inbound__payload[46:32];
  wire [2:0] region = inbound__payload[49:47];
  wire [1:0] kind = inbound__payload[63:62];
  wire take = inbound__valid && inbound__ready;
  wire free = !outbound__valid || outbound__ready;
  wire [3:0] pages = 4'd1 << page_shift;
  wire [14:0] page_rows = neurons * planes;

  integer i;
  initial begin
    for (i = 0; i < AXONS; i = i + 1) column[i] = 0;
    for (i = 0; i < ENTRIES; i = i + 1) fanout[i] = 0;
    for (i = 0; i < DENDRITES; i = i + 1) begin
      threshold[i] = 0;
      bias[i] = 0;
      range[i] = 0;
    end
  end

  always @(posedge clk) begin
    clear_counters <= 0;
    if (outbound__ready) outbound__valid <= 0;
    if (!idle) busy_cycles <= busy_cycles + 1;
    case (state)
      CLEAR: begin
        membrane[turn] <= 0;
        if (turn < 2 * PAGES) seen[turn] <= 0;
        turn <= turn + 1;
        if (turn == DENDRITES - 1) state <= REST;
      end
      REST:
      if (go) begin
        ticks <= ticks + 1;
        tick <= tick + 1;
        now <= tick;
        active <= first_tick <= tick && tick < last_tick && neurons != 0;
        half <= !half;
        turn <= 0;
        for (i = 0; i < DIGITS; i = i + 1) digit[i] <= 0;
        state <= ADD;
      end
      ADD:
      if (turn == arrived[!half]) begin
        arrived[!half] <= 0;
        turn <= 0;
        state <= active ? UPDATE : REST;
      end else begin
        add(queue[!half*EVENTS+turn]);
        turn <= turn + 1;
      end
      UPDATE: begin
        update(turn[9:0]);
        turn <= turn + 1;
        state <= fired && (trace || range[turn][23:12] != 0) ? SEND
            : turn == neurons - 1 ? REST : UPDATE;
      end
      SEND:
      if (free) begin
        if (trace_due) begin
          send({HOST, 6'd0, y, x, FIRED, 5'd0, sender, now});
          trace_due <= 0;
        end else if (entries != 0) begin
          if (fanout[entry][25]) send({HOST, 6'd0, y, x, FIRED, 5'd0, sender, now});
          else send({SPIKE, fanout[entry][24:13], 18'd0, 19'd0, fanout[entry][12:0]});
          entry <= entry + 1;
          entries <= entries - 1;
        end else state <= turn == neurons ? REST : UPDATE;
      end
      REPLY:
      if (free) begin
        if (words != 0) send({HOST, 6'd0, y, x, asked, offset, word(asked, offset)});
        else state <= REST;
        offset <= offset + 1;
        words <= words - 1;
      end
      default: state <= CLEAR;
    endcase
    if (together != 0) begin
      together <= together & together - 1;
      if (group[7:5] >> page_shift == 0) arrive({group, first_of(together)});
    end
    if (take)
      case (kind)
        SPIKE:
        if (region == GROUP) {group, together} <= {place[7:0], data};
        else if (data[12:10] >> page_shift == 0) arrive(data[12:0]);
        WRITE: store;
        READ: begin
          asked <= region;
          offset <= place;
          words <= data[15:0];
          state <= REPLY;
        end
        default: ;
      endcase
    if (reset) begin
      planes <= 1;
      page_shift <= 0;
      neurons <= 0;
      leak <= 0;
      reset_mode <= 0;
      noise_mask <= 0;
      seed <= 1;
      lowest <= 32'h80000000;
      first_tick <= 0;
      last_tick <= 32'hffffffff;
      trace <= 0;
      for (i = 0; i < PLANES; i = i + 1) weight[i] <= 0;
      half <= 0;
      outbound__valid <= 0;
      together <= 0;
      no_counts;
      restart(1);
    end
  end

  // The synapses of a spike's axon count, those of its page.
  reg [DENDRITES-1:0] carry, both;
  task add(input [12:0] spike);
    begin
      seen[{!half, spike[12:10]}][spike[9:0]] <= 0;
      if (active && spike[12:10] < pages) begin
        carry = column[spike[9:0]] & (~({DENDRITES{1'b1}} << page_rows) << spike[12:10] * page_rows);
        for (i = 0; i < DIGITS; i = i + 1) begin
          both = digit[i] & carry;
          digit[i] <= digit[i] ^ carry;
          carry = both;
        end
      end
    end
  endtask

  // A neuron's turn: what its dendrites have counted, leak and bias; it may fire.
  reg signed [33:0] v, limit;
  reg [63:0] met;
  reg [10:0] count;
  reg [14:0] row;
  reg fired;
  integer f, p;
  task update(input [9:0] n);
    begin
      v = $signed(membrane[n]);
      if (leak[5]) v = v - (v >>> leak[4:0]);
      v = v + $signed(bias[n]);
      met = 0;
      for (f = 0; f < pages; f = f + 1)
        for (p = 0; p < planes; p = p + 1) begin
          row = (f * neurons + n) * planes + p;
          count = 0;
          for (i = 0; i < DIGITS; i = i + 1) count[i] = digit[i][row];
          v = v + $signed(weight[p]) * $signed({1'b0, count});
          met = met + count;
        end
      v = saturated(v);
      limit = $signed(threshold[n]);
      fired = v >= limit + $signed({1'b0, lfsr & noise_mask});
      if (fired)
        case (reset_mode)
          2'd0: v = 0;
          2'd1: v = saturated(v - limit);
          default: ;
        endcase
      if (v < $signed(lowest)) v = $signed(lowest);
      membrane[n] <= v[31:0];
      lfsr <= {1'b0, lfsr[15:1]} ^ (lfsr[0] ? 16'hb400 : 16'h0000);
      synaptic_ops <= synaptic_ops + met;
      spikes_out <= spikes_out + fired;
      sender <= n;
      trace_due <= trace;
      {entries, entry} <= range[n];
    end
  endtask

  function signed [33:0] saturated(input signed [33:0] value);
    saturated = value > 34'sd2147483647 ? 34'sd2147483647
        : value < -34'sd2147483648 ? -34'sd2147483648 : value;
  endfunction

  task send(input [63:0] flit);
    begin
      outbound__payload <= flit;
      outbound__valid <= 1;
    end
  endtask

  task no_counts;
    begin
      clear_counters <= 1;
      {ticks, busy_cycles, spikes_in, spikes_out, synaptic_ops} <= 0;
    end
  endtask

  // Tick 0; membranes and what has arrived are forgotten. `start` is the LFSR's.
  task restart(input [15:0] start);
    begin
      tick <= 0;
      active <= 0;
      lfsr <= start;
      arrived[0] <= 0;
      arrived[1] <= 0;
      turn <= 0;
      state <= CLEAR;
    end
  endtask

`include "event_spikes.svh"
`include "event_memory_map.svh"
endmodule
