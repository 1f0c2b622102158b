// The test bench's other side without cocotb and Python: what cosim/bench.py does, in C++, on the
// same Verilated model. It plays a job from a file of 64-bit words and writes what came back.
//
//   job       rows, back-door flits, for each row its words; then these flits, then each row's words
//   response  cycles, ticks, for each row its words; then each row's words

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "Vtop___024root.h"
#include "nc64c_spec.h"  // generated from hw/spec.py
#include "verilated.h"

extern "C" int nc64c_backdoor(const uint64_t* flits, int count);

namespace {

using Words = std::vector<uint64_t>;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "NC64C: %s\n", what);
    std::exit(1);
}

Words take(std::ifstream& file, size_t count) {
    Words words(count);
    file.read(reinterpret_cast<char*>(words.data()), static_cast<std::streamsize>(8 * count));
    if (!file) fail("the job's file is too short");
    return words;
}

void put(std::ofstream& file, const Words& words) {
    file.write(reinterpret_cast<const char*>(words.data()), static_cast<std::streamsize>(8 * words.size()));
}

class Player {
  public:
    Player(Vtop___024root& tb, std::vector<Words> waiting)
        : tb_{tb}, waiting_{std::move(waiting)}, played_(waiting_.size()), received(waiting_.size()) {}

    // What the test bench asks for: responses taken, exhausted buffers filled, and on it goes.
    // False once everything has been played and answered.
    bool serve() {
        for (size_t row = 0; row < waiting_.size(); row++) {
            const uint32_t* words = tb_.tb__DOT__response[row].data();
            for (uint32_t i = 0; i < tb_.tb__DOT__response_words[row]; i++)
                received[row].push_back(words[2 * i] | static_cast<uint64_t>(words[2 * i + 1]) << 32);
        }
        const uint32_t exhausted = tb_.tb__DOT__exhausted;
        bool more = false;
        for (size_t row = 0; row < waiting_.size(); row++) {
            if (!(exhausted >> row & 1)) {
                more = true;
                continue;
            }
            uint32_t* words = tb_.tb__DOT__stimulus[row].data();
            uint32_t count = 0;
            for (; count < CAPACITY && played_[row] < waiting_[row].size(); count++, played_[row]++) {
                words[2 * count] = static_cast<uint32_t>(waiting_[row][played_[row]]);
                words[2 * count + 1] = static_cast<uint32_t>(waiting_[row][played_[row]] >> 32);
            }
            tb_.tb__DOT__stimulus_words[row] = count;
            more = more || count;
        }
        tb_.tb__DOT__refilled = exhausted;
        tb_.tb__DOT__resume ^= 1;
        return more;
    }

    Vtop___024root& tb_;
    std::vector<Words> waiting_;
    std::vector<size_t> played_;
    std::vector<Words> received;

  private:
    static constexpr size_t CAPACITY = sizeof(tb_.tb__DOT__stimulus[0]) / 8;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) fail("usage: Vtop JOB RESPONSE");
    static_assert(nc64c::FLIT_BITS == 64);
    std::ifstream job{argv[1], std::ios::binary};
    const size_t rows = take(job, 1)[0];
    if (rows != nc64c::ROWS) fail("the job is for another chip");
    const size_t stored = take(job, 1)[0];
    const Words counts = take(job, rows);
    const Words backdoor = take(job, stored);
    std::vector<Words> waiting;
    for (size_t row = 0; row < rows; row++) waiting.push_back(take(job, counts[row]));

    VerilatedContext context;
    const auto top = std::make_unique<Vtop>(&context, "");
    Player player{*top->rootp, std::move(waiting)};
    bool first = true;
    bool attended = false;
    while (!context.gotFinish()) {
        top->eval();
        const bool attention = top->rootp->tb__DOT__attention;
        if (attention && !attended) {
            if (first && nc64c_backdoor(backdoor.data(), static_cast<int>(stored))) fail("a refused flit");
            first = false;
            if (!player.serve()) break;
            top->eval();
        }
        attended = attention;
        if (!top->eventsPending()) fail("the clock stands still");
        context.time(top->nextTimeSlot());
    }
    if (context.gotFinish()) fail("the chip has not come to rest");

    std::ofstream response{argv[2], std::ios::binary};
    put(response, {top->rootp->tb__DOT__cycles, top->rootp->tb__DOT__ticks});
    for (const Words& words : player.received) put(response, {words.size()});
    for (const Words& words : player.received) put(response, words);
    return response ? 0 : 1;
}
