// A tile: a Verilated core and a Verilated router, when each is evaluated and how it is clocked.

#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "Vcore.h"
#include "Vcore___024root.h"
#include "Vrouter.h"
#include "Vrouter___024root.h"
#include "nc64c_spec.h"  // generated from hw/spec.py
#include "verilated.h"

// Verilator spells `__` in a port's name `___05F`, and `.` in a hierarchical one `__DOT__`.
#define PORT(name, signal) name##___05F##signal
#define LINK(side, port, signal) side##___05F##port##___05F##signal

// Asks the processor for what the core reads at its next edge; by then 63 others have been evaluated.
__attribute__((weak)) void nc64c_fetch_ahead(const Vcore&) {}

// What Verilator makes of a block's clocked and of its combinational logic; in a version that names
// them otherwise they are not there.
__attribute__((weak)) void Vcore___024root___eval_nba(Vcore___024root*);
__attribute__((weak)) void Vcore___024root___eval_ico(Vcore___024root*);
__attribute__((weak)) void Vrouter___024root___eval_nba(Vrouter___024root*);
__attribute__((weak)) void Vrouter___024root___eval_ico(Vrouter___024root*);

namespace {

using namespace nc64c;

// A block is evaluated at a rising edge, and not at all while it is idle and nothing arrives: it
// would not change. What it reads of the other block is what that gave after the last edge; no path
// leads through a block within a cycle. Of a user's core neither is known: it sees both edges of
// every cycle, and before the rising one its outputs follow its inputs.
struct Tile {
    Vcore core;
    Vrouter router;
    std::array<const void*, 2> next{};  // blocks clocked after it, as it was in the last cycle
    uint32_t links = 0;   // valid and ready of the router's neighbours, as `control` has them
    uint32_t status = 0;  // the router's part of what `nc64c_tile_clock` returns

    Tile(VerilatedContext* context, const std::string& scope)
        : core{context, (scope + ".core").c_str()}, router{context, (scope + ".router").c_str()} {
        core.eval();  // initial values
        router.eval();
    }
};

// Tiles are clocked in one order in every cycle, and what they all hold is more than a processor has
// at hand: while one of them is evaluated, it is asked for the registers of the next one.
void fetch_next(Tile& tile) {
    static Tile* before = nullptr;
    if (before) before->next = {tile.core.rootp, tile.router.rootp};
    before = &tile;
    for (const void* block : tile.next)
        for (int line = 0; line < 4; line++)  // more of them cost more than they save
            __builtin_prefetch(static_cast<const char*>(block) + 64 * line);
}

// A pin's new value; says whether it is another one.
template <typename Pin, typename Value>
bool put(Pin& pin, Value value) {
    const bool changes = pin != static_cast<Pin>(value);
    pin = static_cast<Pin>(value);
    return changes;
}

// A rising edge at every call; the falling one, at which nothing happens, is not evaluated.
// Verilator's `eval` finds out that the clock has risen, takes locks and asks again whether anything
// is left to do. A block of ours has one clock and no loops, so its two steps are called instead:
// what follows from its pins, unless they are as before, and then its next state.
template <typename Block, typename Root>
void rise(Block& block, Root& root, bool pins, void (*ico)(Root*), void (*nba)(Root*)) {
    block.clk = 1;
    if constexpr (requires { root.__VicoTriggered[0] = root.__VnbaTriggered[0] = 1; }) {
        if (ico && nba) {
            if (pins) {
                root.__VicoTriggered[0] = 1;
                ico(&root);
            }
            root.__VnbaTriggered[0] = 1;
            nba(&root);
            root.__VnbaTriggered[0] = 0;  // or else `eval`, which a recorded tile has too, clocks it again
            return;
        }
    }
    root.__Vtrigprevexpr___TOP__clk__0 = 0;
    block.eval();
}

template <typename Core>
void settle(Core& core) {
    if constexpr (FOREIGN_CORE) {
        core.clk = 0;
        core.eval();
    }
}

template <typename Core>
void rise_core(Core& core, bool pins) {
    if constexpr (FOREIGN_CORE) {
        core.clk = 1;
        core.eval();
    } else {
        rise(core, *core.rootp, pins, Vcore___024root___eval_ico, Vcore___024root___eval_nba);
        nc64c_fetch_ahead(core);
    }
}

}  // namespace
