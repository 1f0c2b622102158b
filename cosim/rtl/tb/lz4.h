// The two functions of LZ4 that Verilator's FST writer calls, for machines without LZ4's own header.
// They write LZ4's block format: literals, then a match at most 64 KB back, and so on; the last bytes
// are literals. One table of the last places of four bytes; no lazy matching.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

namespace nc64c_lz4 {

constexpr int MIN_MATCH = 4;
constexpr int LAST_LITERALS = 5;
constexpr int LAST_MATCH_START = 12;  // before the end
constexpr int FARTHEST = 65535;
constexpr int HASH_BITS = 14;

inline uint32_t word(const char* at) {
    uint32_t found;
    std::memcpy(&found, at, sizeof found);
    return found;
}

// What of a length does not fit the four bits in the token.
inline char* write_length(char* out, int rest) {
    for (; rest >= 255; rest -= 255) *out++ = static_cast<char>(255);
    *out++ = static_cast<char>(rest);
    return out;
}

// Literals, and a match of `match` bytes `offset` back; the last literals have no match.
inline char* write_sequence(char* out, const char* literals, int count, int match, int offset) {
    const int length = match ? match - MIN_MATCH : 0;
    const int high = count < 15 ? count : 15;
    const int low = length < 15 ? length : 15;
    *out++ = static_cast<char>(high << 4 | low);
    if (high == 15) out = write_length(out, count - 15);
    std::memcpy(out, literals, static_cast<size_t>(count));
    out += count;
    if (match) {
        *out++ = static_cast<char>(offset & 0xff);
        *out++ = static_cast<char>(offset >> 8);
        if (low == 15) out = write_length(out, length - 15);
    }
    return out;
}

}  // namespace nc64c_lz4

// `to` has room for LZ4_compressBound(size) bytes; returns how many were written.
inline int LZ4_compress_default(const char* from, char* to, int size, int) {
    using namespace nc64c_lz4;
    std::array<int, 1 << HASH_BITS> last;
    last.fill(-1);
    char* out = to;
    int begin = 0;  // of the literals that are not written yet
    for (int at = 0; at < size - LAST_MATCH_START;) {
        int& place = last[word(from + at) * 2654435761u >> (32 - HASH_BITS)];
        const int before = place;
        place = at;
        if (before < 0 || at - before > FARTHEST || word(from + before) != word(from + at)) {
            at++;
            continue;
        }
        int match = MIN_MATCH;
        while (at + match < size - LAST_LITERALS && from[before + match] == from[at + match]) match++;
        out = write_sequence(out, from + begin, at - begin, match, at - before);
        begin = at += match;
    }
    out = write_sequence(out, from + begin, size - begin, 0, 0);
    return static_cast<int>(out - to);
}
