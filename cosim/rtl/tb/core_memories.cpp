// The memories of our core (hw/core), for the back door: where a word of the memory map lies in them.

#include <cstdint>

#include "Vcore.h"
#include "Vcore___024root.h"
#include "nc64c_spec.h"  // generated from hw/spec.py

// Verilator spells `.` in a hierarchical name `__DOT__`.
#define MEMORY(block, name) rootp->nc64c_core_block__DOT__core__DOT__##block##__DOT__##name

using namespace nc64c;

namespace {

// A word of a dendrite's row; hw/core/synapse_array.py keeps the rows of a line lane by lane.
bool store_synapses(Vcore& core, uint32_t dendrite, uint32_t column, uint32_t data) {
    if (column >= AXONS / FLIT_DATA_BITS) return false;
    auto& line = core.MEMORY(synapses, sram)[dendrite / LINE_ROWS];
    uint32_t* const words = &line[column * LINE_ROWS];
    for (uint32_t lane = 0; lane < FLIT_DATA_BITS / LANE; lane++) {
        const uint32_t bit = (lane * LINE_ROWS + dendrite % LINE_ROWS) * LANE;
        const uint32_t place = bit % 32;
        const uint32_t mask = ((uint32_t{1} << LANE) - 1) << place;
        uint32_t& word = words[bit / 32];
        word = (word & ~mask) | ((data >> (lane * LANE) << place) & mask);
    }
    return true;
}

}  // namespace

bool nc64c_store(Vcore& core, uint32_t region, uint32_t offset, uint32_t data) {
    switch (region) {
        case REGION_SYNAPSE:
            return store_synapses(core, offset / ROW_WORDS, offset % ROW_WORDS, data);
        case REGION_NEURON:
            switch (offset % NEURON_STRIDE) {
                case NEURON_THRESHOLD: core.MEMORY(soma, thresholds)[offset / NEURON_STRIDE] = data; break;
                case NEURON_BIAS: core.MEMORY(soma, biases)[offset / NEURON_STRIDE] = data; break;
                case NEURON_FANOUT: core.MEMORY(soma, fanouts)[offset / NEURON_STRIDE] = data; break;
                default: return false;
            }
            return true;
        case REGION_FANOUT:
            core.MEMORY(emitter, table)[offset] = data;
            return true;
        default:
            return false;
    }
}
