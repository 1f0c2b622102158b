// The tile as blocks of their own, a core and a router: their Verilated models are called once a
// clock edge, and not at all while they sleep. Sound because no path leads from a block's inputs to
// its outputs within a cycle, and because an idle one that receives nothing does not change
// (hw/tile.py). A core of a user's need not keep to that, so it never sleeps.
`timescale 1ns / 1ns

`include "nc64c_spec.svh"  // FLIT_BITS and the like, generated from hw/spec.py

module nc64c_tile (
    input logic clk,
    input logic reset,
    input logic [COORD_BITS-1:0] x,
    input logic [COORD_BITS-1:0] y,
    input logic go,
    output logic idle,
    input logic [FLIT_BITS-1:0] inputs__0__payload,
    input logic [FLIT_BITS-1:0] inputs__1__payload,
    input logic [FLIT_BITS-1:0] inputs__2__payload,
    input logic [FLIT_BITS-1:0] inputs__3__payload,
    input logic inputs__0__valid,
    input logic inputs__1__valid,
    input logic inputs__2__valid,
    input logic inputs__3__valid,
    output logic inputs__0__ready,
    output logic inputs__1__ready,
    output logic inputs__2__ready,
    output logic inputs__3__ready,
    output logic [FLIT_BITS-1:0] outputs__0__payload,
    output logic [FLIT_BITS-1:0] outputs__1__payload,
    output logic [FLIT_BITS-1:0] outputs__2__payload,
    output logic [FLIT_BITS-1:0] outputs__3__payload,
    output logic outputs__0__valid,
    output logic outputs__1__valid,
    output logic outputs__2__valid,
    output logic outputs__3__valid,
    input logic outputs__0__ready,
    input logic outputs__1__ready,
    input logic outputs__2__ready,
    input logic outputs__3__ready
);
  import "DPI-C" function chandle nc64c_tile_new(input string scope);
  // `control`: 0 reset, 1 go, 4-7 input valid, 8-11 output ready, from 16 x, from 24 y.
  // Returns: 0 idle, 4-7 input ready, 8-11 output valid.
  import "DPI-C" function int nc64c_tile_clock(
      input chandle tile, input int control,
      input longint in_0, input longint in_1, input longint in_2, input longint in_3
  );
  // What comes out at a port; to be asked for only where the output is valid.
  import "DPI-C" function longint nc64c_tile_payload(input chandle tile, input int port);

  chandle tile;
  initial tile = nc64c_tile_new($sformatf("%m"));

  wire [3:0] arriving = {
    inputs__3__valid, inputs__2__valid, inputs__1__valid, inputs__0__valid
  };
  wire [3:0] taken = {
    outputs__3__ready, outputs__2__ready, outputs__1__ready, outputs__0__ready
  };
  int status = 0;
  assign idle = status[0];
  assign {inputs__3__ready, inputs__2__ready, inputs__1__ready, inputs__0__ready} = status[7:4];
  assign {outputs__3__valid, outputs__2__valid, outputs__1__valid, outputs__0__valid} =
      status[11:8];

  int next_status;
  always @(posedge clk)
    if ((FOREIGN_CORE != 0) | reset | go | ~idle | (|arriving)) begin
      next_status = nc64c_tile_clock(
          tile, {8'(y), 8'(x), 4'b0, taken, arriving, 2'b0, go, reset},
          inputs__0__payload, inputs__1__payload, inputs__2__payload, inputs__3__payload
      );
      status <= next_status;
      if (next_status[8]) outputs__0__payload <= nc64c_tile_payload(tile, 0);
      if (next_status[9]) outputs__1__payload <= nc64c_tile_payload(tile, 1);
      if (next_status[10]) outputs__2__payload <= nc64c_tile_payload(tile, 2);
      if (next_status[11]) outputs__3__payload <= nc64c_tile_payload(tile, 3);
    end
endmodule
