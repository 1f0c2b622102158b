// The host's side of the chip's ports: tb.sv fetches the words that each port plays and leaves what
// each has heard; the program around the simulation fills and empties them while time stands still.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "nc64c_spec.h"  // generated from hw/spec.py

namespace {

using namespace nc64c;

struct Port {
    const uint64_t* words = nullptr;  // the caller's, kept alive until the next ones
    size_t left = 0;
};

std::array<Port, ROWS> ports;
std::vector<uint64_t> heard;   // step by step, in no order within one
std::vector<uint64_t> steps;  // how many flits had been heard at the end of each step

}  // namespace

extern "C" {

// For tb.sv.

long long nc64c_next(int port) {
    Port& mine = ports[port];
    if (mine.left == 0) return static_cast<long long>(uint64_t{KIND_HOST} << FLIT_KIND);
    mine.left--;
    return static_cast<long long>(*mine.words++);
}

void nc64c_hear(int, long long flit) { heard.push_back(static_cast<uint64_t>(flit)); }

void nc64c_step_end() { steps.push_back(heard.size()); }

// For the program around it.

#define VISIBLE __attribute__((visibility("default")))

VISIBLE int nc64c_rows() { return ROWS; }

VISIBLE void nc64c_play(int port, const uint64_t* words, size_t count) { ports[port] = {words, count}; }

// Points at the flits heard and at the steps' ends, and says how many there are; they stay until
// nc64c_forget.
VISIBLE void nc64c_heard(const uint64_t** flits, size_t* flit_count, const uint64_t** ends,
                         size_t* step_count) {
    *flits = heard.data();
    *flit_count = heard.size();
    *ends = steps.data();
    *step_count = steps.size();
}

VISIBLE void nc64c_forget() {
    heard.clear();
    steps.clear();
}
}
