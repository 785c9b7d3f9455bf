// Attention of a warp's 16 pixels, 2 rows of 8, to the 8 rows of 16 pixels that their 7x7 windows lie in.
//
// A lane holds scores [row of the window][half of the row] as `scores[2 * row + half][4]`: of pixels lane / 4 in the
// first and in the second row of the group, at columns 2 (lane % 4) and the next of that half. This is how tensor cores
// give a product, and how they take weights as the left factor of the next one.
//
// Places outside the image need no care: keys and values are zero there. So their score is the bias of their place, they
// keep their share of the softmax, and add nothing.
#pragma once
#include "tile.cuh"

constexpr int HALVES = 2 * WINDOW_ROWS;
typedef float Scores[HALVES][4];

struct Lane {
    int pixel, pair;
    DEVICE Lane() : pixel(threadIdx.x % 32 / 4), pair(threadIdx.x % 4) {}
};

// The place of its pixel's window that a score belongs to; what a lane holds beside the windows is not seen.
struct Place {
    int row, column;
    bool seen;
    DEVICE Place(const Lane &lane, int half, int part)
        : row(half / 2 - part / 2), column(half % 2 * 8 + 2 * lane.pair + part % 2 - lane.pixel),
          seen(row >= 0 && row < WINDOW && column >= 0 && column < WINDOW) {}
};

// Scores before any product is added: what a place is worth by itself. `bias` is [WINDOW][WINDOW].
DEVICE void start_from(const float *bias, Scores &scores) {
    const Lane lane;
#pragma unroll
    for (int half = 0; half < HALVES; ++half)
#pragma unroll
        for (int part = 0; part < 4; ++part) {
            const Place place(lane, half, part);
            scores[half][part] = place.seen ? read_only(bias + place.row * WINDOW + place.column) : 0.0f;
        }
}

// Turn scores into weights that still have to be divided by their sum; returns one over the sum, for both rows.
DEVICE void softmax(Scores &scores, float (&inverse)[2]) {
    const Lane lane;
    float most[2] = {-3.0e38f, -3.0e38f};
#pragma unroll
    for (int half = 0; half < HALVES; ++half)
#pragma unroll
        for (int part = 0; part < 4; ++part) {
            scores[half][part] = Place(lane, half, part).seen ? scores[half][part] : -3.0e38f;
            most[part / 2] = fmaxf(most[part / 2], scores[half][part]);
        }
    float sum[2] = {0.0f, 0.0f};
#pragma unroll
    for (int row = 0; row < 2; ++row) {
        most[row] = fmaxf(most[row], from_lane_across(most[row], 1));
        most[row] = fmaxf(most[row], from_lane_across(most[row], 2));
    }
#pragma unroll
    for (int half = 0; half < HALVES; ++half)
#pragma unroll
        for (int part = 0; part < 4; ++part) {
            scores[half][part] = two_to_the((scores[half][part] - most[part / 2]) * 1.44269504f);
            sum[part / 2] += scores[half][part];
        }
#pragma unroll
    for (int row = 0; row < 2; ++row) {
        sum[row] += from_lane_across(sum[row], 1);
        sum[row] += from_lane_across(sum[row], 2);
        inverse[row] = 1.0f / sum[row];
    }
}

// On plain cores: any cell.
template <class Cell, bool ON_TENSOR_CORES>
struct Attention {
    static constexpr int PARTS = Cell::PER_WORD;
    typedef Scores Weights;

    // Add the products of queries and keys of a chunk. `query` is the group's first pixel, `seen` its window's.
    template <class T>
    DEVICE static void add_similarity(const unsigned *query, const unsigned *seen, Scores &scores) {
        const Lane lane;
        query += lane.pixel * SEEN_STEP;
        seen += 2 * lane.pair * SEEN_STEP;
#pragma unroll 1
        for (int word = 0; word < WORDS; ++word, ++query, ++seen) {
            float upper[PARTS], lower[PARTS];
            Cell::unpack(query[0], upper);
            Cell::unpack(query[T::WIDTH * SEEN_STEP], lower);
#pragma unroll
            for (int half = 0; half < HALVES; ++half)
#pragma unroll
                for (int next = 0; next < 2; ++next) {
                    float key[PARTS];
                    Cell::unpack(seen[(half / 2 * T::SEEN_WIDTH + half % 2 * 8 + next) * SEEN_STEP], key);
#pragma unroll
                    for (int part = 0; part < PARTS; ++part) {
                        scores[half][next] += upper[part] * key[part];
                        scores[half][2 + next] += lower[part] * key[part];
                    }
                }
        }
    }

    DEVICE static void pack(const Scores &scores, Weights &weights) {
        for (int half = 0; half < HALVES; ++half)
            for (int part = 0; part < 4; ++part) weights[half][part] = scores[half][part];
    }

    // Weighted sums of a chunk's values: `sums[i][row * PARTS + part]` belongs to channel PARTS * (4 i + lane % 4) + part.
    template <class T>
    DEVICE static void weigh(const unsigned *seen, const Weights &weights, float (&sums)[2][2 * PARTS]) {
        const Lane lane;
        seen += 2 * lane.pair * SEEN_STEP;
#pragma unroll
        for (int word = 0; word < WORDS; ++word) {
            float total[2 * PARTS] = {};
#pragma unroll
            for (int half = 0; half < HALVES; ++half)
#pragma unroll
                for (int next = 0; next < 2; ++next) {
                    float value[PARTS];
                    Cell::unpack(seen[(half / 2 * T::SEEN_WIDTH + half % 2 * 8 + next) * SEEN_STEP + word], value);
#pragma unroll
                    for (int part = 0; part < PARTS; ++part) {
                        total[part] += weights[half][next] * value[part];
                        total[PARTS + part] += weights[half][2 + next] * value[part];
                    }
                }
#pragma unroll
            for (int i = 0; i < 2 * PARTS; ++i) {
                total[i] += from_lane_across(total[i], 1);
                total[i] += from_lane_across(total[i], 2);
                if (lane.pair == word % 4) sums[word / 4][i] = total[i];
            }
        }
    }
};

// On tensor cores: halves.
template <>
struct Attention<HalfCell, true> {
    typedef unsigned Weights[HALVES][2];

    template <class T>
    DEVICE static void add_similarity(const unsigned *query, const unsigned *seen, Scores &scores) {
        const int lane = threadIdx.x % 32, row = lane % 8, matrix = lane / 8;
        unsigned queries[4];
        load_matrices(queries, query + (matrix % 2 * T::WIDTH + row) * SEEN_STEP + matrix / 2 * 4);
        seen += (matrix / 2 * 8 + row) * SEEN_STEP + matrix % 2 * 4;
#pragma unroll
        for (int line = 0; line < WINDOW_ROWS; ++line) {
            unsigned keys[4];
            load_matrices(keys, seen + line * T::SEEN_WIDTH * SEEN_STEP);
            multiply_add(scores[2 * line], queries, keys[0], keys[1]);
            multiply_add(scores[2 * line + 1], queries, keys[2], keys[3]);
        }
    }

    // Weights are at most 1; what halves lose of them is their last of eleven bits.
    DEVICE static void pack(const Scores &scores, Weights &weights) {
#pragma unroll
        for (int half = 0; half < HALVES; ++half)
#pragma unroll
            for (int row = 0; row < 2; ++row)
                weights[half][row] = halves_from(scores[half][2 * row], scores[half][2 * row + 1]);
    }

    template <class T>
    DEVICE static void weigh(const unsigned *seen, const Weights &weights, float (&sums)[2][4]) {
        const int lane = threadIdx.x % 32, row = lane % 8, matrix = lane / 8;
        seen += (matrix % 2 * 8 + row) * SEEN_STEP + matrix / 2 * 4;
#pragma unroll
        for (int i = 0; i < 4; ++i) sums[0][i] = sums[1][i] = 0.0f;
#pragma unroll
        for (int line = 0; line < WINDOW_ROWS; ++line) {
            unsigned values[4];
            load_matrices_transposed(values, seen + line * T::SEEN_WIDTH * SEEN_STEP);
            const unsigned left[4] = {weights[2 * line][0], weights[2 * line][1], weights[2 * line + 1][0],
                                      weights[2 * line + 1][1]};
            multiply_add(sums[0], left, values[0], values[1]);
            multiply_add(sums[1], left, values[2], values[3]);
        }
    }
};
