// The memory map of event_core.sv, a part of that module.

  // The word of a WRITE.
  task store;
    case (region)
      SYNAPSES:
      for (i = 0; i < 32; i = i + 1)
        if (place[4:0] < AXONS / 32) column[place[4:0]*32+i][place[14:5]] <= data[i];
      NEURONS:
      case (place[1:0])
        2'd0: threshold[place[14:2]] <= data;
        2'd1: bias[place[14:2]] <= data;
        2'd2: range[place[14:2]] <= data[23:0];
        default: ;
      endcase
      FANOUT: fanout[place[11:0]] <= data[25:0];
      REGISTERS:
      case (place)
        0: begin
          if (data[1]) no_counts;
          if (data[0]) restart(seed);
        end
        1: planes <= data[3:0];
        2: page_shift <= data[1:0];
        3: neurons <= data[10:0];
        4: leak <= data[5:0];
        5: reset_mode <= data[1:0];
        6: noise_mask <= data[15:0];
        7: seed <= data[15:0];
        8: lowest <= data;
        9: first_tick <= data;
        10: last_tick <= data;
        11: trace <= data[0];
        16, 17, 18, 19, 20, 21, 22, 23: weight[place[2:0]] <= data[15:0];
        default: ;
      endcase
      default: ;
    endcase
  endtask

  // The word that a READ asks for.
  reg [63:0] counter;
  function [31:0] word(input [2:0] region, input [14:0] place);
    integer b;
    begin
      word = 0;
      case (region)
        SYNAPSES:
        for (b = 0; b < 32; b = b + 1)
          if (place[4:0] < AXONS / 32) word[b] = column[place[4:0]*32+b][place[14:5]];
        NEURONS:
        case (place[1:0])
          2'd0: word = threshold[place[14:2]];
          2'd1: word = bias[place[14:2]];
          2'd2: word = {8'd0, range[place[14:2]]};
          default: ;
        endcase
        FANOUT: word = {6'd0, fanout[place[11:0]]};
        MEMBRANES: if (place < neurons) word = membrane[place];
        REGISTERS:
        case (place)
          1: word = {28'd0, planes};
          2: word = {30'd0, page_shift};
          3: word = {21'd0, neurons};
          4: word = {26'd0, leak};
          5: word = {30'd0, reset_mode};
          6: word = {16'd0, noise_mask};
          7: word = {16'd0, seed};
          8: word = lowest;
          9: word = first_tick;
          10: word = last_tick;
          11: word = {31'd0, trace};
          16, 17, 18, 19, 20, 21, 22, 23: word = {{16{weight[place[2:0]][15]}}, weight[place[2:0]]};
          default: ;
        endcase
        COUNTERS: begin
          case (place[14:1])
            0: counter = ticks;
            1: counter = busy_cycles;
            2: counter = spikes_in;
            3: counter = spikes_out;
            4: counter = synaptic_ops;
            5: counter = flits;
            6: counter = stalls;
            default: counter = 0;
          endcase
          word = place[0] ? counter[63:32] : counter[31:0];
        end
        default: ;
      endcase
    end
  endfunction
