// The memories of our core (hw/core), for the back door: where a word of the memory map lies in them.

#include <cstddef>
#include <cstdint>

#include "Vcore.h"
#include "Vcore___024root.h"
#include "nc64c_spec.h"  // generated from hw/spec.py

// Verilator spells `.` in a hierarchical name `__DOT__`.
#define MEMORY(block, name) rootp->nc64c_core_block__DOT__core__DOT__##block##__DOT__##name

using namespace nc64c;

namespace {

// A word of a dendrite's row; hw/verilog/nc64c_synapse_lines.v keeps a line's rows one behind the other.
bool store_synapses(Vcore& core, uint32_t dendrite, uint32_t column, uint32_t data) {
    constexpr uint32_t words = AXONS / FLIT_DATA_BITS;
    if (column >= words) return false;
    core.MEMORY(synapses, lines__DOT__sram)[dendrite / LINE_ROWS][dendrite % LINE_ROWS * words + column] = data;
    return true;
}

}  // namespace

void nc64c_fetch_ahead(const Vcore& core) {
    constexpr uint32_t ahead = 8;  // neurons; a cache line has 8 membranes, or 16 of the other words
    const uint32_t neuron = core.MEMORY(sequencer, neuron);
    if (neuron % ahead == 0) {
        const uint32_t next = (neuron + ahead) % std::size(core.MEMORY(soma, membranes).m_storage);
        __builtin_prefetch(&core.MEMORY(soma, membranes)[next]);
        __builtin_prefetch(&core.MEMORY(soma, biases)[next]);
        __builtin_prefetch(&core.MEMORY(soma, thresholds)[next]);
        __builtin_prefetch(&core.MEMORY(soma, fanouts)[next]);
    }
    if (!core.MEMORY(synapses, line_ready)) return;
    const auto& line = core.MEMORY(synapses, lines__DOT__sram)[core.MEMORY(synapses, lines__DOT__line)];
    constexpr size_t words = LINE_ROWS * AXONS / 32;
    constexpr size_t cached = 64 / sizeof(line[0]);  // words of a cache line
    for (size_t word = 0; word < words; word += cached) __builtin_prefetch(&line[word]);
    __builtin_prefetch(&line[words - 1]);  // the SRAM need not begin where a cache line does
}

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
