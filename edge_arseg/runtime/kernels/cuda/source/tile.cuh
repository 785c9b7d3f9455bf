// What one block computes, and where it keeps what in shared memory.
//
// A block fuses HEIGHT x WIDTH pixels; a warp of it 8 columns of 2 rows, which is what a tensor core takes at once.
// Channels come in chunks of 8 words per pixel: 16 halves or 8 floats. Of a chunk, shared memory holds
//   moved  the keyframe feature sampled along the flow, with 4 pixels around (attention 3, convolution 1)
//   base   the LR feature resized, with 1 pixel around
//   seen   keys, later values, with 3 pixels around; two columns more stay zero, so that a warp's window is 16 wide
//   query
// Values of as many chunks as fit are kept from the first pass over the channels to the second.
#pragma once
#include "primitives.cuh"

constexpr int WINDOW = 7;
constexpr int GROUP_WIDTH = 8;
constexpr int GROUP_HEIGHT = 2;
constexpr int WINDOW_ROWS = GROUP_HEIGHT + WINDOW - 1;
constexpr int WORDS = 8;
// Words from one pixel to the next. Lanes that gather write consecutive pixels: an odd step spreads them over all banks.
// Lanes that convolve and tensor cores take 8 pixels at 4 words: 12 spreads those.
constexpr int MOVED_STEP = 9;
constexpr int SEEN_STEP = 12;
constexpr int TAPS = 12;  // nine taps and the bias of a channel's convolution, filled up to three loads

struct HalfCell {
    static constexpr int PER_WORD = 2;
    DEVICE static void unpack(unsigned word, float (&values)[2]) { floats_from(word, values[0], values[1]); }
    DEVICE static unsigned pack(const float (&values)[2]) { return halves_from(values[0], values[1]); }
};

struct FloatCell {
    static constexpr int PER_WORD = 1;
    DEVICE static void unpack(unsigned word, float (&values)[1]) { values[0] = __uint_as_float(word); }
    DEVICE static unsigned pack(const float (&values)[1]) { return __float_as_uint(values[0]); }
};

template <class Feature>
struct Problem {
    Feature *out;         // [channels][height][width]
    const Feature *key;   // [channels][height][width]
    const float *flow;    // [flow_height][flow_width][2], luma pixels, x then y
    const Feature *lr;    // [channels][lr_height][lr_width]
    const Four *weights;  // [query, key, value][channels, up to whole chunks][TAPS], then the bias [WINDOW][WINDOW]
    int channels, height, width, lr_height, lr_width, flow_height, flow_width;
    int kept;             // chunks whose values stay in shared memory
    float lr_rows, lr_columns;  // LR pixels from one row or column to the next
    float flow_factor;    // feature pixels in a luma pixel
};

template <int TILE_HEIGHT, int TILE_WIDTH>
struct Tile {
    static constexpr int HEIGHT = TILE_HEIGHT;
    static constexpr int WIDTH = TILE_WIDTH;
    static constexpr int GROUPS_ACROSS = WIDTH / GROUP_WIDTH;
    static constexpr int WARPS = GROUPS_ACROSS * HEIGHT / GROUP_HEIGHT;
    static constexpr int THREADS = 32 * WARPS;
    static constexpr int MOVED_HEIGHT = HEIGHT + 8;
    static constexpr int MOVED_WIDTH = WIDTH + 8;
    static constexpr int MOVED = MOVED_HEIGHT * MOVED_WIDTH;
    static constexpr int BASE_HEIGHT = HEIGHT + 2;
    static constexpr int BASE_WIDTH = WIDTH + 2;
    static constexpr int BASE = BASE_HEIGHT * BASE_WIDTH;
    static constexpr int SEEN_HEIGHT = HEIGHT + WINDOW - 1;
    static constexpr int SEEN_WIDTH = WIDTH + 8;
    static constexpr int SEEN = SEEN_HEIGHT * SEEN_WIDTH;
    // Where things lie, in words of shared memory.
    static constexpr int SHARES_AT = 0;                                  // Four[MOVED]
    static constexpr int SEEN_AT = SHARES_AT + 4 * MOVED;                // [SEEN][SEEN_STEP]
    static constexpr int QUERY_AT = SEEN_AT + SEEN * SEEN_STEP;          // [HEIGHT * WIDTH][SEEN_STEP]
    static constexpr int MOVED_AT = QUERY_AT + HEIGHT * WIDTH * SEEN_STEP;  // [MOVED][MOVED_STEP]
    static constexpr int BASE_AT = MOVED_AT + MOVED * MOVED_STEP;        // [BASE][MOVED_STEP]
    static constexpr int PLACES_AT = BASE_AT + BASE * MOVED_STEP;        // int[MOVED]
    static constexpr int ROWS_AT = PLACES_AT + MOVED;                    // Between[BASE_HEIGHT]
    static constexpr int COLUMNS_AT = ROWS_AT + 3 * BASE_HEIGHT;         // Between[BASE_WIDTH]
    static constexpr int END = COLUMNS_AT + 3 * BASE_WIDTH;
    static constexpr int KEPT_AT = (END + 3) / 4 * 4;                    // [kept][SEEN][SEEN_STEP]
    static constexpr int KEPT = SEEN * SEEN_STEP;
    static_assert(HEIGHT % GROUP_HEIGHT == 0 && WIDTH % GROUP_WIDTH == 0, "a tile is made of whole groups");
};
