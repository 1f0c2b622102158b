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
std::vector<uint64_t> heard;   // phase by phase, in no order within one
std::vector<uint64_t> phases;  // how many flits had been heard at the end of each phase

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

void nc64c_phase_end() { phases.push_back(heard.size()); }

// For the program around it.

#define VISIBLE __attribute__((visibility("default")))

VISIBLE int nc64c_rows() { return ROWS; }

VISIBLE void nc64c_play(int port, const uint64_t* words, size_t count) { ports[port] = {words, count}; }

// Points at the flits heard and at the phases' ends, and says how many there are; they stay until
// nc64c_forget.
VISIBLE void nc64c_heard(const uint64_t** flits, size_t* flit_count, const uint64_t** ends,
                         size_t* phase_count) {
    *flits = heard.data();
    *flit_count = heard.size();
    *ends = phases.data();
    *phase_count = phases.size();
}

VISIBLE void nc64c_forget() {
    heard.clear();
    phases.clear();
}
}
