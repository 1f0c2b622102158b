// The C++ side of tile_block.sv: a Verilated core and a Verilated router per place, wired as
// hw/tile.py wires them and clocked by a call; and the back door, which stores WRITE flits straight
// into the cores' memories: core_memories.cpp knows ours, a user's C++ may know theirs. Built with
// NC64C_TRACE it records the waves of one tile, see `Recorder`.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "Vcore.h"
#include "Vcore___024root.h"
#include "Vrouter.h"
#include "Vrouter___024root.h"
#include "nc64c_spec.h"  // generated from hw/spec.py
#include "verilated.h"
#ifdef NC64C_TRACE
#include "verilated_fst_c.h"
#endif

// Verilator spells `__` in a port's name `___05F`, and `.` in a hierarchical one `__DOT__`.
#define PORT(name, signal) name##___05F##signal
#define LINK(side, port, signal) side##___05F##port##___05F##signal

// Stores a word of a core's memory map in its memories; false if it cannot. This one has none.
__attribute__((weak)) bool nc64c_store(Vcore&, uint32_t, uint32_t, uint32_t) { return false; }

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

#ifdef NC64C_TRACE
// Writes waves.fst, the waves of the tile that +WAVES=x,y,first,last names, while the number of `go`s
// that it has seen is within first..last. A cycle shows twice: at its edge with the registers' new
// values, and half a cycle later, when its inputs have come and all that follows from them has
// settled. While a block sleeps nothing in it changes, so nothing is written, and its clock rests.
class Recorder {
  public:
    Recorder() {
        const char* asked = chip_->commandArgsPlusMatch("WAVES=");
        if (std::sscanf(asked, "+WAVES=%d,%d,%ld,%ld", &x_, &y_, &first_, &last_) != 4) x_ = -1;
    }

    // All models of a context are recorded: the wanted tile has one of its own.
    Tile* make(const std::string& scope, int x, int y) {
        if (x != x_ || y != y_) return new Tile{chip_, scope};
        own_.traceEverOn(true);
        tile_ = new Tile{&own_, scope};
        Verilated::threadContextp(chip_);
        return tile_;
    }

    bool records(const Tile* tile, bool go) {
        if (tile != tile_) return false;
        gos_ += go;
        const bool now = first_ <= gos_ && gos_ <= last_;
        if (now && !file_.isOpen()) {
            own_.trace(&file_, 99);
            file_.set_time_unit("1ns");
            file_.set_time_resolution("1ns");
            file_.open("waves.fst");
            std::atexit([] { instance().file_.close(); });  // also when a hanging chip ends the run
        }
        return now;
    }

    // Before an edge: lets the inputs of the cycle that ends there take effect.
    void settle() {
        tile_->core.clk = tile_->router.clk = 0;
        tile_->core.eval();
        tile_->router.eval();
        file_.dump(chip_->time() - 1);
    }

    void edge() { file_.dump(chip_->time()); }

    static Recorder& instance() {
        static Recorder* const only = new Recorder;  // never destroyed: it outlives the models
        return *only;
    }

  private:
    VerilatedContext* const chip_ = Verilated::threadContextp();
    VerilatedContext own_;
    VerilatedFstC file_;
    Tile* tile_ = nullptr;
    int x_ = -1;
    int y_ = -1;
    long first_ = 0;
    long last_ = 0;
    long gos_ = 0;
};
#endif

std::array<std::array<Tile*, ROWS>, COLUMNS> tiles{};

uint32_t field(uint64_t flit, int offset, int width) {
    return static_cast<uint32_t>(flit >> offset & ((uint64_t{1} << width) - 1));
}

}  // namespace

extern "C" {

void* nc64c_tile_new(const char* scope) {
    int x = 0;
    int y = 0;
    const char* place = std::strstr(scope, "tile_");
    if (!place || std::sscanf(place, "tile_%d_%d", &x, &y) != 2 || x >= COLUMNS || y >= ROWS) {
        VL_FATAL_MT(__FILE__, __LINE__, "", "a tile whose place its scope does not tell");
    }
#ifdef NC64C_TRACE
    Tile* tile = Recorder::instance().make(scope, x, y);
#else
    Tile* tile = new Tile{Verilated::threadContextp(), scope};
#endif
    tiles[x][y] = tile;
    return tile;
}

int nc64c_tile_clock(void* handle, int control, long long in_0, long long in_1, long long in_2,
                     long long in_3, long long* out_0, long long* out_1, long long* out_2,
                     long long* out_3) {
    auto& tile = *static_cast<Tile*>(handle);
    Vcore& core = tile.core;
    Vrouter& router = tile.router;
    fetch_next(tile);
    const uint32_t bits = static_cast<uint32_t>(control);
    const bool reset = bits & 1;
    const bool go = bits >> 1 & 1;
    const uint32_t arriving = bits >> 4 & 0xf;
    const bool core_wakes = FOREIGN_CORE || reset || go || !core.idle || router.LINK(outputs, 4, valid);
    if (reset) {  // its place does not change
        core.x = router.x = bits >> 16 & 0xff;
        core.y = router.y = bits >> 24 & 0xff;
    }
    bool core_pins = reset;  // any of them has changed
    if (core_wakes) {
        core_pins |= put(core.reset, reset);
        core_pins |= put(core.go, go);
        core_pins |= put(core.PORT(inbound, valid), router.LINK(outputs, 4, valid));
        core_pins |= put(core.PORT(inbound, payload), router.LINK(outputs, 4, payload));
        core_pins |= put(core.PORT(outbound, ready), router.LINK(inputs, 4, ready));
        core_pins |= put(core.flits, router.flits);
        core_pins |= put(core.stalls, router.stalls);
        settle(core);
    }
    const bool router_wakes = reset | (arriving != 0) | !router.idle | core.PORT(outbound, valid)
                              | core.clear_counters;
    bool router_pins = reset;
    if (router_wakes) {
        router_pins |= put(router.reset, reset);
        router_pins |= put(router.LINK(inputs, 0, valid), arriving & 1);
        router_pins |= put(router.LINK(inputs, 1, valid), arriving >> 1 & 1);
        router_pins |= put(router.LINK(inputs, 2, valid), arriving >> 2 & 1);
        router_pins |= put(router.LINK(inputs, 3, valid), arriving >> 3 & 1);
        router_pins |= put(router.LINK(inputs, 0, payload), in_0);
        router_pins |= put(router.LINK(inputs, 1, payload), in_1);
        router_pins |= put(router.LINK(inputs, 2, payload), in_2);
        router_pins |= put(router.LINK(inputs, 3, payload), in_3);
        router_pins |= put(router.LINK(outputs, 0, ready), bits >> 8 & 1);
        router_pins |= put(router.LINK(outputs, 1, ready), bits >> 9 & 1);
        router_pins |= put(router.LINK(outputs, 2, ready), bits >> 10 & 1);
        router_pins |= put(router.LINK(outputs, 3, ready), bits >> 11 & 1);
        router_pins |= put(router.LINK(inputs, 4, valid), core.PORT(outbound, valid));
        router_pins |= put(router.LINK(inputs, 4, payload), core.PORT(outbound, payload));
        router_pins |= put(router.LINK(outputs, 4, ready), core.PORT(inbound, ready));
        router_pins |= put(router.clear_counters, core.clear_counters);
    }
#ifdef NC64C_TRACE
    const bool recorded = Recorder::instance().records(static_cast<Tile*>(handle), go);
    if (recorded) Recorder::instance().settle();
#endif
    if (core_wakes) rise_core(core, core_pins);
    if (router_wakes)
        rise(router, *router.rootp, router_pins, Vrouter___024root___eval_ico, Vrouter___024root___eval_nba);
#ifdef NC64C_TRACE
    if (recorded) Recorder::instance().edge();
#endif
    *out_0 = router.LINK(outputs, 0, payload);
    *out_1 = router.LINK(outputs, 1, payload);
    *out_2 = router.LINK(outputs, 2, payload);
    *out_3 = router.LINK(outputs, 3, payload);
    return (core.idle & router.idle) | router.LINK(inputs, 0, ready) << 4
           | router.LINK(inputs, 1, ready) << 5 | router.LINK(inputs, 2, ready) << 6
           | router.LINK(inputs, 3, ready) << 7 | router.LINK(outputs, 0, valid) << 8
           | router.LINK(outputs, 1, valid) << 9 | router.LINK(outputs, 2, valid) << 10
           | router.LINK(outputs, 3, valid) << 11;
}

// Stores the WRITE flits that go to memories; returns how many of `count` it could not store.
__attribute__((visibility("default"))) int nc64c_backdoor(const uint64_t* flits, int count) {
    int refused = 0;
    for (int i = 0; i < count; i++) {
        const uint64_t flit = flits[i];
        const uint32_t region = field(flit, FLIT_REGION, FLIT_REGION_BITS);
        const uint32_t offset = field(flit, FLIT_OFFSET, FLIT_OFFSET_BITS);
        const uint32_t data = field(flit, FLIT_DATA, FLIT_DATA_BITS);
        bool stored = true;
        for (uint32_t x = field(flit, FLIT_X0, FLIT_X0_BITS); x <= field(flit, FLIT_X1, FLIT_X1_BITS); x++)
            for (uint32_t y = field(flit, FLIT_Y0, FLIT_Y0_BITS); y <= field(flit, FLIT_Y1, FLIT_Y1_BITS); y++)
                stored = stored && x < COLUMNS && y < ROWS && nc64c_store(tiles[x][y]->core, region, offset, data);
        refused += !stored;
    }
    return refused;
}
}
