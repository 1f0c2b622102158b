// The test bench's other side without cocotb and Python: what cosim/bench.py does, in C++, on the
// same Verilated model. It plays a job from a file of 64-bit words and writes what came back.
//
//   job       rows, back-door flits, for each row its words; then these flits, then each row's words
//   response  cycles, ticks, flits, phases; then the flits heard, and how many at each phase's end

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
void nc64c_heard(const uint64_t** flits, size_t* flit_count, const uint64_t** ends, size_t* phase_count);
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
    if (!file) fail("the job's file is too short");
    return words;
}

void put(std::ofstream& file, const Words& words) {
    file.write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(8 * words.size()));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) fail("usage: Vtop JOB RESPONSE");
    static_assert(nc64c::FLIT_BITS == 64);
    std::ifstream job{argv[1], std::ios::binary};
    const size_t rows = take(job, 1)[0];
    if (rows != nc64c::ROWS) fail("the job is for another chip");
    const size_t stored = take(job, 1)[0];
    const Words counts = take(job, rows);
    const Words backdoor = take(job, stored);
    std::vector<Words> waiting;
    for (size_t row = 0; row < rows; row++) waiting.push_back(take(job, counts[row]));

    VerilatedContext context;
    const auto top = std::make_unique<Vtop>(&context, "");
    for (size_t row = 0; row < rows; row++) nc64c_play(static_cast<int>(row), waiting[row].data(), waiting[row].size());
    bool attended = false;
    for (int calls = 0; !context.gotFinish();) {
        top->eval();
        const bool attention = top->rootp->tb__DOT__attention;
        if (attention && !attended) {
            // The first call is for the first words, the second one for the end of the last phase.
            if (calls++) break;
            if (nc64c_backdoor(backdoor.data(), static_cast<int>(stored))) fail("a refused flit");
            top->rootp->tb__DOT__refilled = 1;
            top->rootp->tb__DOT__resume ^= 1;
            top->eval();
        }
        attended = attention;
        if (!top->eventsPending()) fail("the clock stands still");
        context.time(top->nextTimeSlot());
    }
    if (context.gotFinish()) fail("the chip has not come to rest");

    std::ofstream response{argv[2], std::ios::binary};
    const uint64_t* flits = nullptr;
    const uint64_t* ends = nullptr;
    size_t flit_count = 0;
    size_t phase_count = 0;
    nc64c_heard(&flits, &flit_count, &ends, &phase_count);
    put(response, {top->rootp->tb__DOT__cycles, top->rootp->tb__DOT__ticks, flit_count, phase_count});
    put(response, Words(flits, flits + flit_count));
    put(response, Words(ends, ends + phase_count));
    return response ? 0 : 1;
}
