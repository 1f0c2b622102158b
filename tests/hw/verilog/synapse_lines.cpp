// Both descriptions of the synapse array side by side, for CYCLES random cycles: exit code 1, and the
// first cycle that differs, unless all of their outputs are equal in every one. A reply counts in the
// cycle after its question.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "Vpair.h"

namespace {

std::mt19937_64 draw;

bool once_in(unsigned n) { return draw() % n == 0; }

// Random bits, and often all or none of them.
uint64_t bits() { return once_in(3) ? 0 : once_in(3) ? ~uint64_t{0} : draw(); }

}  // namespace

int main(int, char** arguments) {
    draw.seed(std::strtoull(arguments[1], nullptr, 10));
    Vpair pair;
    long counted = 0;
    long replies = 0;
    bool written = false;  // in the cycle before
    for (long cycle = 0; cycle < CYCLES; cycle++) {
        pair.clk = 0;
        pair.rst = cycle < 2;
        const bool touches = once_in(2);
        pair.access___05Fwrite = touches && once_in(2);
        pair.access___05Fread = touches && !pair.access___05Fwrite;
        pair.access___05Fregion = once_in(8) ? draw() : SYNAPSE;
        pair.access___05Foffset = once_in(8) ? draw() : draw() % DENDRITES * ROW_WORDS + draw() % WORDS;
        pair.access___05Fdata = static_cast<uint32_t>(bits());
        pair.line_valid = !touches && !written && once_in(2);
        pair.line = draw() % LINES;
        pair.load = once_in(4);
        pair.load_index = draw() % LOADS;
        pair.load_word = bits();
        written = pair.access___05Fwrite;
        pair.eval();
        pair.clk = 1;
        pair.eval();
        pair.clk = 0;
        pair.eval();
        const bool answers = pair.access___05Fread && pair.access___05Fregion == SYNAPSE;
        counted += pair.counts;
        replies += answers && pair.reply != 0;
        if (pair.differ || (answers && pair.replies_differ)) {
            std::printf("they differ after cycle %ld\n", cycle);
            return 1;
        }
    }
    std::printf("%ld %ld\n", counted, replies);
    return 0;
}
