// The limit: the same ticks as a program written by hand, without a chip around them. It reads from
// a file of 64-bit words
//
//   cores, neurons, planes, words of a row, leak, ticks
//   plane weights; the axons' bits; thresholds, biases and rows of each core
//
// and writes the membranes. Rows are ordered by neuron and plane; the axons are the same for every
// core and tick.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

using Words = std::vector<uint64_t>;

static Words take(std::ifstream& file, size_t count) {
    Words words(count);
    file.read(reinterpret_cast<char*>(words.data()), static_cast<std::streamsize>(8 * count));
    if (!file) {
        std::fputs("the file is too short\n", stderr);
        std::exit(1);
    }
    return words;
}

struct Core {
    Words threshold, bias, rows;
    std::vector<int64_t> membrane;
};

static int64_t saturate(int64_t v) {
    return std::clamp<int64_t>(v, INT32_MIN, INT32_MAX);
}

template <size_t WORDS>
static void tick(Core& core, const Words& weights, const uint64_t* axons, int leak) {
    const uint64_t* row = core.rows.data();
    for (size_t n = 0; n < core.membrane.size(); n++) {
        int64_t current = 0;
        for (const uint64_t weight : weights) {
            int64_t count = 0;
            for (size_t i = 0; i < WORDS; i++) count += __builtin_popcountll(row[i] & axons[i]);
            current += static_cast<int64_t>(weight) * count;
            row += WORDS;
        }
        int64_t v = core.membrane[n];
        v = saturate(v - (v >> leak) + current + static_cast<int64_t>(core.bias[n]));
        core.membrane[n] = v >= static_cast<int64_t>(core.threshold[n]) ? 0 : v;
    }
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    std::ifstream file{argv[1], std::ios::binary};
    const Words head = take(file, 6);
    const size_t neurons = head[1], planes = head[2], words = head[3];
    const Words weights = take(file, planes);
    const Words axons = take(file, words);
    std::vector<Core> cores(head[0]);
    for (Core& core : cores) {
        core.threshold = take(file, neurons);
        core.bias = take(file, neurons);
        core.rows = take(file, neurons * planes * words);
        core.membrane.resize(neurons);
    }
    const auto run = words == 16 ? tick<16> : words == 8 ? tick<8> : words == 4 ? tick<4>
                   : words == 2 ? tick<2> : tick<1>;
    for (uint64_t t = 0; t < head[5]; t++)
        for (Core& core : cores) run(core, weights, axons.data(), static_cast<int>(head[4]));

    std::ofstream out{argv[2], std::ios::binary};
    for (const Core& core : cores)
        out.write(reinterpret_cast<const char*>(core.membrane.data()),
                  static_cast<std::streamsize>(8 * neurons));
    return out ? 0 : 1;
}
