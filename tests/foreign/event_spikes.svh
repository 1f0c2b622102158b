  // Spikes come one a flit, or those of 32 axons in one: these arrive one a cycle, and nothing else
  // is taken until they have. Inside event_core.

  // A spike for the next tick; two on one axon are one.
  task arrive(input [12:0] spike);
    begin
      spikes_in <= spikes_in + 1;
      if (!seen[{half, spike[12:10]}][spike[9:0]]) begin
        seen[{half, spike[12:10]}][spike[9:0]] <= 1;
        queue[half*EVENTS+arrived[half]] <= spike;
        arrived[half] <= arrived[half] + 1;
      end
    end
  endtask

  // The lowest bit that is set.
  function [4:0] first_of(input [31:0] bits);
    begin
      first_of = 0;
      for (i = 31; i >= 0; i = i - 1) if (bits[i]) first_of = i[4:0];
    end
  endfunction
