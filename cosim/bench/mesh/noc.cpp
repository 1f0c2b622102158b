// Traffic on the mesh: one Verilated router per node, the links between them, and sources and sinks
// in place of the cores. The router's `ready` and `valid` depend on its registers alone, so that all
// links can be set first and all routers clocked then.
//
//   noc MATRIX SEED WARM_UP CYCLES LOAD...
//
// MATRIX holds, for each node, the cumulative probabilities (64-bit floats) of its flits' nodes; a
// row of zeros is a node that sends nothing. Each sending node makes a flit with probability LOAD in
// each cycle, and keeps it in a queue without end until the mesh takes it. Latency counts from there
// to the cycle in which the sink sees it. For each LOAD a line is printed:
//
//   load, flits delivered per cycle and sending node, flits made in the measured cycles, how many of
//   them came out in time, their mean and 99th percentile of latency, stalls per cycle and node

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <memory>
#include <random>
#include <vector>

#include "Vnc64c_router.h"
#include "nc64c_spec.h"  // generated from hw/spec.py
#include "verilated.h"

namespace {

using namespace nc64c;

constexpr int NODES = COLUMNS * ROWS;
constexpr int WEST = 0, EAST = 1, SOUTH = 2, NORTH = 3, LOCAL = 4, PORTS = 5;  // hw.mesh.router.Port
constexpr int OPPOSITE[] = {EAST, WEST, NORTH, SOUTH};
constexpr uint64_t PATIENCE = 2;  // measured flits have so many times their cycles to come out

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "NC64C: %s\n", what);
    std::exit(1);
}

struct Link {
    QData* payload;
    CData* valid;
    CData* ready;
};

// Verilator spells `__` in a port's name `___05F`.
#define LINK(way, port)                                            \
    Link {                                                         \
        &router->way##___05F##port##___05Fpayload,                 \
            &router->way##___05F##port##___05Fvalid,               \
            &router->way##___05F##port##___05Fready                \
    }

struct Node {
    std::unique_ptr<Vnc64c_router> router;
    std::array<Link, PORTS> in, out;
    std::deque<uint64_t> waiting;
    std::vector<double> towards;  // cumulative probabilities
    bool sends = false;

    Node(VerilatedContext& context, int x, int y)
        : router{std::make_unique<Vnc64c_router>(&context, "")},
          in{LINK(inputs, 0), LINK(inputs, 1), LINK(inputs, 2), LINK(inputs, 3), LINK(inputs, 4)},
          out{LINK(outputs, 0), LINK(outputs, 1), LINK(outputs, 2), LINK(outputs, 3), LINK(outputs, 4)} {
        router->x = x;
        router->y = y;
        router->clear_counters = 0;
        for (Link& link : in) *link.payload = *link.valid = 0;
        for (Link& link : out) *link.ready = 1;
        router->rst = 1;
        clock();
        router->rst = 0;
    }

    void clock() {
        router->clk = 0;
        router->eval();
        router->clk = 1;
        router->eval();
    }
};

uint64_t field(uint64_t flit, int offset, int width) {
    return flit >> offset & ((uint64_t{1} << width) - 1);
}

class Mesh {
  public:
    Mesh(VerilatedContext& context, const std::vector<double>& matrix, uint64_t seed) : random_{seed} {
        for (int node = 0; node < NODES; node++) {
            Node& made = nodes_.emplace_back(context, node % COLUMNS, node / COLUMNS);
            made.towards.assign(matrix.begin() + node * NODES, matrix.begin() + (node + 1) * NODES);
            made.sends = made.towards.back() > 0;
            senders += made.sends;
        }
        if (!senders) fail("no node sends");
    }

    // One cycle: flits are made, links set, sinks emptied, routers clocked.
    void cycle(double load) {
        for (int node = 0; node < NODES; node++)
            if (nodes_[node].sends && chance_(random_) < load) make(nodes_[node]);
        for (int node = 0; node < NODES; node++) join(node);
        for (Node& node : nodes_) {
            Link& source = node.in[LOCAL];
            *source.valid = !node.waiting.empty();
            if (*source.valid) {
                *source.payload = node.waiting.front();
                if (*source.ready) {
                    node.waiting.pop_front();
                    inside++;
                }
            }
            if (*node.out[LOCAL].valid) take(node);
        }
        for (Node& node : nodes_) node.clock();
        now++;
    }

    // No new flits: those that are inside must all come out.
    void empty() {
        for (Node& node : nodes_) node.waiting.clear();
        for (int patience = 100 * NODES; inside && patience; patience--) cycle(0);
        if (inside) fail("flits were lost");
        for (const Node& node : nodes_)
            if (!node.router->idle) fail("a router without flits is not idle");
    }

    uint64_t stalls() const {
        uint64_t total = 0;
        for (const Node& node : nodes_) total += node.router->stalls;
        return total;
    }

    uint64_t now = 0, delivered = 0, inside = 0;
    uint64_t first = UINT64_MAX, end = UINT64_MAX;  // flits made from `first` up to `end` are measured
    uint64_t made = 0;
    int senders = 0;
    std::vector<uint32_t> latencies;

  private:
    void make(Node& node) {
        const auto found = std::upper_bound(node.towards.begin(), node.towards.end(), chance_(random_));
        const auto to = static_cast<uint64_t>(std::min<ptrdiff_t>(found - node.towards.begin(), NODES - 1));
        const uint64_t x = to % COLUMNS, y = to / COLUMNS;
        node.waiting.push_back(static_cast<uint64_t>(KIND_SPIKE) << FLIT_KIND | x << FLIT_X0 | x << FLIT_X1
                               | y << FLIT_Y0 | y << FLIT_Y1 | (now & UINT32_MAX) << FLIT_DATA);
        made += now >= first && now < end;
    }

    void take(Node& node) {
        const uint64_t flit = *node.out[LOCAL].payload;
        if (field(flit, FLIT_X0, COORD_BITS) != node.router->x || field(flit, FLIT_Y0, COORD_BITS) != node.router->y)
            fail("a flit came out at the wrong node");
        const uint64_t when = field(flit, FLIT_DATA, FLIT_DATA_BITS);
        if (when >= first && when < end) latencies.push_back(static_cast<uint32_t>(now - when));
        delivered++;
        inside--;
    }

    void join(int node) {
        const int x = node % COLUMNS, y = node / COLUMNS;
        const int next[] = {x > 0 ? node - 1 : -1, x < COLUMNS - 1 ? node + 1 : -1,
                            y > 0 ? node - COLUMNS : -1, y < ROWS - 1 ? node + COLUMNS : -1};
        for (int side = WEST; side < LOCAL; side++) {
            if (next[side] < 0) continue;
            const Link& from = nodes_[node].out[side];
            const Link& to = nodes_[next[side]].in[OPPOSITE[side]];
            *to.payload = *from.payload;
            *to.valid = *from.valid;
            *from.ready = *to.ready;
        }
    }

    std::vector<Node> nodes_;
    std::mt19937_64 random_;
    std::uniform_real_distribution<double> chance_{0.0, 1.0};
};

void measure(const std::vector<double>& matrix, uint64_t seed, uint64_t warm_up, uint64_t cycles, double load) {
    VerilatedContext context;
    Mesh mesh{context, matrix, seed};
    while (mesh.now < warm_up) mesh.cycle(load);
    mesh.first = mesh.now;
    mesh.end = mesh.now + cycles;
    const uint64_t delivered = mesh.delivered, stalls = mesh.stalls();
    while (mesh.now < mesh.end) mesh.cycle(load);
    const double nodes_cycles = static_cast<double>(mesh.senders) * static_cast<double>(cycles);
    const double accepted = static_cast<double>(mesh.delivered - delivered) / nodes_cycles;
    const double stalled = static_cast<double>(mesh.stalls() - stalls) / NODES / static_cast<double>(cycles);
    while (mesh.latencies.size() < mesh.made && mesh.now < warm_up + PATIENCE * cycles) mesh.cycle(load);
    const uint64_t came = mesh.latencies.size();
    double sum = 0;
    for (const uint32_t latency : mesh.latencies) sum += latency;
    uint32_t tail = 0;
    if (came) {
        const auto place = mesh.latencies.begin() + static_cast<ptrdiff_t>(came * 99 / 100);
        std::nth_element(mesh.latencies.begin(), place, mesh.latencies.end());
        tail = *place;
    }
    mesh.first = mesh.end = UINT64_MAX;
    mesh.empty();
    std::printf("%.17g %.17g %llu %llu %.17g %u %.17g\n", load, accepted,
                static_cast<unsigned long long>(mesh.made), static_cast<unsigned long long>(came),
                came ? sum / static_cast<double>(came) : 0.0, tail, stalled);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 6) fail("usage: noc MATRIX SEED WARM_UP CYCLES LOAD...");
    std::vector<double> matrix(NODES * NODES);
    std::ifstream file{argv[1], std::ios::binary};
    file.read(reinterpret_cast<char*>(matrix.data()), static_cast<std::streamsize>(8 * matrix.size()));
    if (!file) fail("the matrix's file is too short");
    for (int i = 5; i < argc; i++)
        measure(matrix, std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10),
                std::strtoull(argv[4], nullptr, 10), std::strtod(argv[i], nullptr));
    return 0;
}
