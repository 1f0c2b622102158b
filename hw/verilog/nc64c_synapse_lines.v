// The SRAM of the synapse array, the axons that its lines are held against, and the popcounts. What
// it does is what hw/core/synapse_array.py does in Amaranth, in every cycle, but for the order of the
// bits: here the rows of a line stand one behind the other. So a simulator counts whole words.
module nc64c_synapse_lines (
    clk, load, load_index, load_word, read, read_line, count, recent_counts,
    write, write_line, write_row, write_column, write_data, word_row, word_column, word
);
  parameter AXONS = 1024;
  parameter LINES = 128;
  parameter LINE_BITS = 7;
  parameter LOAD_BITS = 4;  // of the number of a loaded word
  parameter COLUMN_BITS = 5;  // of the number of a row's word
  parameter ROW_BITS = 3;
  parameter COUNT_BITS = 11;

  localparam LINE_ROWS = 1 << ROW_BITS;
  localparam LOADED = 64;  // bits of a loaded word
  localparam DATA = 32;  // bits of a row's word
  localparam LINE_COUNTS = LINE_ROWS * COUNT_BITS;

  input clk;
  input load;  // stores a word of the axons
  input [LOAD_BITS-1:0] load_index;
  input [LOADED-1:0] load_word;
  input read;  // this line; not in a cycle in which a word is written
  input [LINE_BITS-1:0] read_line;
  input count;  // the rows of the line read last
  output [2*LINE_COUNTS-1:0] recent_counts;  // of two lines, the last one's behind the other's
  input write;  // a word of a row
  input [LINE_BITS-1:0] write_line;
  input [ROW_BITS-1:0] write_row;
  input [COLUMN_BITS-1:0] write_column;
  input [DATA-1:0] write_data;
  input [ROW_BITS-1:0] word_row;  // of the line read last
  input [COLUMN_BITS-1:0] word_column;
  output [DATA-1:0] word;

  reg [LINE_ROWS*AXONS-1:0] sram[0:LINES-1];
  reg [AXONS-1:0] axons = 0;
  reg [LINE_BITS-1:0] line = 0;
  reg [2*LINE_COUNTS-1:0] recent_counts = 0;
  reg [LINE_COUNTS-1:0] counts;
  integer index, row;

  initial for (index = 0; index < LINES; index = index + 1) sram[index] = 0;

  // In C++ it is one instruction; Verilog-2005 has no name for it.
`ifdef VERILATOR
`define NC64C_ONES $countones
`else
`define NC64C_ONES ones
  function integer ones;
    input [LOADED-1:0] bits;
    reg [LOADED-1:0] sums;  // of pairs of bits, of four, of eight, and of all
    begin
      sums = bits - ((bits >> 1) & {16{4'h5}});
      sums = (sums & {16{4'h3}}) + ((sums >> 2) & {16{4'h3}});
      sums = (sums + (sums >> 4)) & {8{8'h0f}};
      sums = sums + (sums >> 8);
      sums = sums + (sums >> 16);
      sums = sums + (sums >> 32);
      ones = sums[6:0];
    end
  endfunction
`endif

  // The synapses of a row of a line that meet a spike. It is `automatic`, so that a simulator need
  // not keep its variables in memory. The line is an argument because Yosys computes a function of
  // constants by itself, and would know no signal then.
  function automatic [COUNT_BITS-1:0] met;
    input [LINE_BITS-1:0] held_line;
    input integer held_row;
    integer place, sum;
    begin
      sum = 0;
      for (place = 0; place < AXONS; place = place + LOADED)
        sum = sum + `NC64C_ONES(sram[held_line][(held_row*AXONS+place)+:LOADED] & axons[place+:LOADED]);
      met = sum[COUNT_BITS-1:0];
    end
  endfunction

  assign word = sram[line][(word_row*AXONS)+(word_column*DATA)+:DATA];

  /* verilator lint_off BLKSEQ */  // `counts` is a name for values within a cycle
  always @(posedge clk) begin
    if (load) axons[load_index*LOADED+:LOADED] <= load_word;
    if (read) line <= read_line;
    if (write) sram[write_line][(write_row*AXONS)+(write_column*DATA)+:DATA] <= write_data;
    if (count) begin
      for (row = 0; row < LINE_ROWS; row = row + 1)
        counts[row*COUNT_BITS+:COUNT_BITS] = met(line, row);
      recent_counts <= {counts, recent_counts[2*LINE_COUNTS-1:LINE_COUNTS]};
    end
  end
  /* verilator lint_on BLKSEQ */
endmodule
`undef NC64C_ONES
