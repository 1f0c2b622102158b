// The back door of event_core.sv: where a word of the memory map lies in its memories.

#include <cstdint>

#include "Vcore.h"
#include "Vcore___024root.h"
#include "nc64c_spec.h"

#define MEMORY(name) core.rootp->event_core__DOT__##name

namespace {

// Bit `row` of an axon's column, which Verilator keeps in as few machine words as it needs.
template <typename Word>
void put(Word& column, uint32_t row, bool bit) {
    column = (column & ~(Word{1} << row)) | (Word{bit} << row);
}

template <std::size_t Words>
void put(VlWide<Words>& column, uint32_t row, bool bit) {
    put(column[row / 32], row % 32, bit);
}

}  // namespace

bool nc64c_store(Vcore& core, uint32_t region, uint32_t offset, uint32_t data) {
    using namespace nc64c;
    const uint32_t neuron = offset / NEURON_STRIDE;
    switch (region) {
        case REGION_SYNAPSE:
            if (offset % ROW_WORDS >= AXONS / 32) return false;
            for (uint32_t bit = 0; bit < 32; bit++)
                put(MEMORY(column)[offset % ROW_WORDS * 32 + bit], offset / ROW_WORDS, data >> bit & 1);
            return true;
        case REGION_NEURON:
            switch (offset % NEURON_STRIDE) {
                case NEURON_THRESHOLD: MEMORY(threshold)[neuron] = data; return true;
                case NEURON_BIAS: MEMORY(bias)[neuron] = data; return true;
                case NEURON_FANOUT: MEMORY(range)[neuron] = data; return true;
                default: return false;
            }
        case REGION_FANOUT:
            MEMORY(fanout)[offset] = data;
            return true;
        default:
            return false;
    }
}
