// The test bench's other side without cocotb and Python: what cosim/rtl/tb/testbench.py does, in
// C++, on the same Verilated model. It plays a file of 64-bit words and writes what came back.
//
//   input     rows, back-door flits, stimuli, for each row its words; then these flits, and words
//   output    cycles, ticks, flits, steps; then the flits, and how many had come at each step's end

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "Vtop___024root.h"
#include "nc64c_spec.h"  // generated from hw/spec.py
#include "verilated.h"

extern "C" {
int nc64c_backdoor(const uint64_t* flits, int count);
void nc64c_play(int port, const uint64_t* words, size_t count);
void nc64c_heard(const uint64_t** flits, size_t* flit_count, const uint64_t** ends, size_t* step_count);
}

namespace {

using Words = std::vector<uint64_t>;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "NC64C: %s\n", what);
    std::exit(1);
}

Words take(std::ifstream& file, size_t count) {
    Words words(count);
    file.read(reinterpret_cast<char*>(words.data()), static_cast<std::streamsize>(8 * count));
    if (!file) fail("the input file is too short");
    return words;
}

void put(std::ofstream& file, const uint64_t* words, size_t count) {
    file.write(reinterpret_cast<const char*>(words), static_cast<std::streamsize>(8 * count));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) fail("usage: Vtop INPUT OUTPUT");
    std::ifstream input{argv[1], std::ios::binary};
    const Words head = take(input, 3);
    const size_t rows = head[0], stored = head[1], stimuli = head[2];
    if (rows != nc64c::ROWS) fail("the input is for another chip");
    const Words counts = take(input, rows);
    const Words backdoor = take(input, stored);
    std::vector<Words> played;
    for (size_t row = 0; row < rows; row++) played.push_back(take(input, counts[row]));

    VerilatedContext context;
    context.commandArgs(argc, argv);  // tb.sv asks for +PATIENCE
    const auto top = std::make_unique<Vtop>(&context, "");
    auto& tb = *top->rootp;
    size_t wakes = 0;  // once out of reset, and at the end of each stimulus
    bool attended = false;
    while (!context.gotFinish()) {
        top->eval();
        const bool attention = tb.tb__DOT__attention;
        if (attention && !attended) {
            if (wakes == stimuli) break;
            if (wakes == 0) {
                if (nc64c_backdoor(backdoor.data(), static_cast<int>(stored))) fail("a refused flit");
                for (size_t row = 0; row < rows; row++)
                    nc64c_play(static_cast<int>(row), played[row].data(), played[row].size());
            }
            tb.tb__DOT__refilled = wakes++ == 0;
            tb.tb__DOT__resume ^= 1;
            top->eval();
        }
        attended = attention;
        if (!top->eventsPending()) fail("the clock stands still");
        context.time(top->nextTimeSlot());
    }
    if (context.gotFinish()) fail("the chip has not come to rest");

    const uint64_t *flits, *ends;
    size_t flit_count, step_count;
    nc64c_heard(&flits, &flit_count, &ends, &step_count);
    std::ofstream response{argv[2], std::ios::binary};
    const Words sizes{tb.tb__DOT__cycles, tb.tb__DOT__ticks, flit_count, step_count};
    put(response, sizes.data(), sizes.size());
    put(response, flits, flit_count);
    put(response, ends, step_count);
    return response ? 0 : 1;
}
