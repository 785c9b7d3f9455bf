// Depthwise 3x3 convolution of a chunk of channels, from shared memory to shared memory.
#pragma once
#include "tile.cuh"

// Write `out [OUT_HEIGHT][OUT_WIDTH]` from `in`, whose rows have IN_WIDTH pixels and which starts one pixel further up
// and left. Pixels outside the image, and columns from USED_WIDTH on, become zero: not even the bias is left there.
// `top` and `left` are the image's row and column of out's first pixel; `taps` belong to the chunk's first channel.
//
// A warp takes 8 columns and 4 words; a lane goes down ROWS rows with three sums under way, one per row of taps.
template <class T, class Cell, int IN_WIDTH, int OUT_HEIGHT, int OUT_WIDTH, int USED_WIDTH, int ROWS>
DEVICE void convolve(const unsigned *in, unsigned *out, const Four *taps, int top, int left, int height, int width) {
    constexpr int PARTS = Cell::PER_WORD;
    constexpr int ACROSS = OUT_WIDTH / 8;
    constexpr int BANDS = (OUT_HEIGHT + ROWS - 1) / ROWS;
    const int lane = threadIdx.x % 32;
    for (int unit = threadIdx.x / 32; unit < 2 * ACROSS * BANDS; unit += T::WARPS) {
        const int column = unit % ACROSS * 8 + lane % 8;
        const int word = unit / ACROSS % 2 * 4 + lane / 8;
        const int first = unit / (2 * ACROSS) * ROWS;
        const bool used = column < USED_WIDTH && left + column >= 0 && left + column < width;
        const unsigned *from = in + (first * IN_WIDTH + min(column, USED_WIDTH - 1)) * MOVED_STEP + word;
        unsigned *to = out + (first * OUT_WIDTH + column) * SEEN_STEP + word;
        Four tap[PARTS][3];
#pragma unroll
        for (int part = 0; part < PARTS; ++part)
#pragma unroll
            for (int i = 0; i < 3; ++i) tap[part][i] = read_only(taps + (word * PARTS + part) * 3 + i);
        float upper[PARTS], middle[PARTS], done[PARTS];
#pragma unroll
        for (int part = 0; part < PARTS; ++part) upper[part] = middle[part] = 0.0f;
#pragma unroll 1
        for (int row = 0; row < ROWS + 2 && first + row < OUT_HEIGHT + 2; ++row) {
            float a[PARTS], b[PARTS], c[PARTS];
            Cell::unpack(from[0], a);
            Cell::unpack(from[MOVED_STEP], b);
            Cell::unpack(from[2 * MOVED_STEP], c);
            from += IN_WIDTH * MOVED_STEP;
#pragma unroll
            for (int part = 0; part < PARTS; ++part) {
                const Four &p = tap[part][0], &q = tap[part][1], &r = tap[part][2];
                done[part] = middle[part] + (q.c * a[part] + q.d * b[part] + r.a * c[part]);
                middle[part] = upper[part] + (p.d * a[part] + q.a * b[part] + q.b * c[part]);
                upper[part] = r.b + (p.a * a[part] + p.b * b[part] + p.c * c[part]);
            }
            if (row < 2) continue;
            const int y = top + first + row - 2;
            const bool inside = used && y >= 0 && y < height;
#pragma unroll
            for (int part = 0; part < PARTS; ++part) done[part] = inside ? done[part] : 0.0f;
            *to = Cell::pack(done);
            to += OUT_WIDTH * SEEN_STEP;
        }
    }
}
