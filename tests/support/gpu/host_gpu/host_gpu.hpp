// A GPU's block imitated on the host: one fiber per thread, barriers that switch fibers, warp operations by the letter of
// the PTX manual. Slow, in one CPU thread; for tests.
//
// What it notices: threads of a warp or block that do not all reach the same barrier. Shared memory starts as "not a
// number", and the order in which threads run can be turned round: a missing barrier or initialisation changes results.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#define DEVICE inline
#define __global__
#define __launch_bounds__(...)
#define __shared__

constexpr bool TENSOR_CORES = true;
extern Four shared[];

struct Index {
    unsigned x, y, z;
};
extern Index threadIdx, blockIdx;

using std::fmaxf;
using std::max;
using std::min;

void wait_for_block();
void wait_for_warp();
extern uint32_t (*lane_words)[8];  // [32], of the warp that runs

inline unsigned __float_as_uint(float value) {
    unsigned word;
    std::memcpy(&word, &value, 4);
    return word;
}

inline float __uint_as_float(unsigned word) {
    float value;
    std::memcpy(&value, &word, 4);
    return value;
}

inline float float_from(float value) { return value; }

inline float float_from(unsigned short bits) {
    _Float16 half;
    std::memcpy(&half, &bits, 2);
    return static_cast<float>(half);
}

inline void convert(float value, float &target) { target = value; }

inline void convert(float value, unsigned short &target) {
    _Float16 half = static_cast<_Float16>(value);
    std::memcpy(&target, &half, 2);
}

inline unsigned halves_from(float first, float second) {
    unsigned short low, high;
    convert(first, low);
    convert(second, high);
    return low | static_cast<unsigned>(high) << 16;
}

inline void floats_from(unsigned halves, float &first, float &second) {
    first = float_from(static_cast<unsigned short>(halves));
    second = float_from(static_cast<unsigned short>(halves >> 16));
}

template <class T>
inline T read_only(const T *at) {
    return *at;
}

inline float two_to_the(float exponent) { return std::exp2(exponent); }

inline float from_lane_across(float value, int lane_mask) {
    const unsigned lane = threadIdx.x % 32;
    lane_words[lane][0] = __float_as_uint(value);
    wait_for_warp();
    const float found = __uint_as_float(lane_words[lane ^ lane_mask][0]);
    wait_for_warp();
    return found;
}

// Row r of matrix i is at the address that lane 8 i + r gives (PTX ISA, ldmatrix).
inline void load_matrices_either(unsigned (&words)[4], const unsigned *row, bool transposed) {
    const unsigned lane = threadIdx.x % 32;
    const auto address = reinterpret_cast<uintptr_t>(row);
    if (address % 16) std::abort();  // as the GPU would
    lane_words[lane][0] = static_cast<uint32_t>(address);
    lane_words[lane][1] = static_cast<uint32_t>(address >> 32);
    wait_for_warp();
    for (unsigned matrix = 0; matrix < 4; ++matrix) {
        unsigned short part[2];
        for (unsigned i = 0; i < 2; ++i) {
            const unsigned r = transposed ? lane % 4 * 2 + i : lane / 4, c = transposed ? lane / 4 : lane % 4 * 2 + i;
            const uint32_t *from = lane_words[8 * matrix + r];
            const auto start = static_cast<uintptr_t>(from[0] | static_cast<uint64_t>(from[1]) << 32);
            part[i] = reinterpret_cast<const unsigned short *>(start)[c];
        }
        words[matrix] = part[0] | static_cast<unsigned>(part[1]) << 16;
    }
    wait_for_warp();
}

inline void load_matrices(unsigned (&words)[4], const unsigned *row) { load_matrices_either(words, row, false); }
inline void load_matrices_transposed(unsigned (&words)[4], const unsigned *row) {
    load_matrices_either(words, row, true);
}

inline float half_of(unsigned word, unsigned which) {
    return float_from(static_cast<unsigned short>(word >> 16 * which));
}

// Fragments as the PTX ISA lays them out for mma.m16n8k16 with halves.
inline void multiply_add(float (&total)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
    const unsigned lane = threadIdx.x % 32;
    const unsigned own[6] = {a[0], a[1], a[2], a[3], b0, b1};
    std::memcpy(lane_words[lane], own, sizeof own);
    wait_for_warp();
    for (unsigned out = 0; out < 4; ++out) {
        const unsigned row = lane / 4 + out / 2 * 8, column = lane % 4 * 2 + out % 2;
        for (unsigned k = 0; k < 16; ++k) {
            const unsigned pair = k % 8 / 2;
            const unsigned left = lane_words[row % 8 * 4 + pair][row / 8 + k / 8 * 2];
            const unsigned right = lane_words[column * 4 + pair][4 + k / 8];
            total[out] += half_of(left, k % 2) * half_of(right, k % 2);
        }
    }
    wait_for_warp();
}
