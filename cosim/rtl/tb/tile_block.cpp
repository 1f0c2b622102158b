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

#include "tile.h"
#ifdef NC64C_TRACE
#include "verilated_fst_c.h"
#endif

// Stores a word of a core's memory map in its memories; false if it cannot. This one has none.
__attribute__((weak)) bool nc64c_store(Vcore&, uint32_t, uint32_t, uint32_t) { return false; }

namespace {

using namespace nc64c;

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

    // The edge, for what is awake, by Verilator's `eval`: it notes which signals the file must show.
    void rise(bool core, bool router) {
        if (core) {
            tile_->core.clk = 1;
            tile_->core.eval();
        }
        if (router) {
            tile_->router.clk = 1;
            tile_->router.eval();
        }
        file_.dump(chip_->time());
    }

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

constexpr uint32_t LINKS = 0xff0;  // of `control`

void put_links(Vrouter& router, uint32_t control) {
    router.LINK(inputs, 0, valid) = control >> 4 & 1;
    router.LINK(inputs, 1, valid) = control >> 5 & 1;
    router.LINK(inputs, 2, valid) = control >> 6 & 1;
    router.LINK(inputs, 3, valid) = control >> 7 & 1;
    router.LINK(outputs, 0, ready) = control >> 8 & 1;
    router.LINK(outputs, 1, ready) = control >> 9 & 1;
    router.LINK(outputs, 2, ready) = control >> 10 & 1;
    router.LINK(outputs, 3, ready) = control >> 11 & 1;
}

uint32_t status_of(const Vrouter& router) {
    return router.LINK(inputs, 0, ready) << 4 | router.LINK(inputs, 1, ready) << 5
           | router.LINK(inputs, 2, ready) << 6 | router.LINK(inputs, 3, ready) << 7
           | router.LINK(outputs, 0, valid) << 8 | router.LINK(outputs, 1, valid) << 9
           | router.LINK(outputs, 2, valid) << 10 | router.LINK(outputs, 3, valid) << 11;
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
                     long long in_3) {
    auto& tile = *static_cast<Tile*>(handle);
    Vcore& core = tile.core;
    Vrouter& router = tile.router;
    fetch_next(tile);
    const uint32_t bits = static_cast<uint32_t>(control);
    const bool reset = bits & 1;
    const bool go = bits >> 1 & 1;
    const bool arrives = (bits >> 4 & 0xf) != 0;
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
    const bool router_wakes = reset | arrives | !router.idle | core.PORT(outbound, valid)
                              | core.clear_counters;
    bool router_pins = reset;
    if (router_wakes) {
        router_pins |= put(router.reset, reset);
        if (put(tile.links, bits & LINKS)) {
            put_links(router, bits);
            router_pins = true;
        }
        router_pins |= put(router.LINK(inputs, 0, payload), in_0);
        router_pins |= put(router.LINK(inputs, 1, payload), in_1);
        router_pins |= put(router.LINK(inputs, 2, payload), in_2);
        router_pins |= put(router.LINK(inputs, 3, payload), in_3);
        router_pins |= put(router.LINK(inputs, 4, valid), core.PORT(outbound, valid));
        router_pins |= put(router.LINK(inputs, 4, payload), core.PORT(outbound, payload));
        router_pins |= put(router.LINK(outputs, 4, ready), core.PORT(inbound, ready));
        router_pins |= put(router.clear_counters, core.clear_counters);
    }
#ifdef NC64C_TRACE
    if (Recorder::instance().records(&tile, go)) {
        Recorder::instance().settle();
        Recorder::instance().rise(core_wakes, router_wakes);
    } else
#endif
    {
        if (core_wakes) rise_core(core, core_pins);
        if (router_wakes)
            rise(router, *router.rootp, router_pins, Vrouter___024root___eval_ico, Vrouter___024root___eval_nba);
    }
    if (router_wakes) tile.status = status_of(router);
    return tile.status | (core.idle & router.idle);
}

// What the router gives out at a port whose output valid is set.
long long nc64c_tile_payload(void* handle, int port) {
    const Vrouter& router = static_cast<Tile*>(handle)->router;
    switch (port) {
        case 0: return router.LINK(outputs, 0, payload);
        case 1: return router.LINK(outputs, 1, payload);
        case 2: return router.LINK(outputs, 2, payload);
        default: return router.LINK(outputs, 3, payload);
    }
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
