// CReFF in one kernel: warp, depthwise convolutions, 7x7 local attention, residual (AR-Seg, section 3.2).
//
// A block makes two passes over the channels of its tile: the first sums up similarities, the second weighs values.
// Similarities stay in registers from one to the other; nothing but the result is written to global memory.
#include "attention.cuh"
#include "depthwise.cuh"
#include "gather.cuh"

template <class T, class Cell, class Feature>
DEVICE void store(const Problem<Feature> &problem, int first, int top, int left, const unsigned *shared,
                  const float (&inverse)[2], const float (&sums)[2][2 * Cell::PER_WORD]) {
    const int warp = threadIdx.x / 32, row = warp / T::GROUPS_ACROSS * GROUP_HEIGHT;
    const Lane lane;
    const int column = warp % T::GROUPS_ACROSS * GROUP_WIDTH + lane.pixel;
    const Between *rows = reinterpret_cast<const Between *>(shared + T::ROWS_AT);
    const Between across = reinterpret_cast<const Between *>(shared + T::COLUMNS_AT)[column + 1];
    const size_t plane = static_cast<size_t>(problem.height) * problem.width;
    const size_t lr_plane = static_cast<size_t>(problem.lr_height) * problem.lr_width;
#pragma unroll
    for (int line = 0; line < GROUP_HEIGHT; ++line) {
        const Between down = rows[row + line + 1];
        if (down.low < 0 || across.low < 0) continue;
        const size_t at = static_cast<size_t>(top + row + line) * problem.width + left + column;
#pragma unroll
        for (int i = 0; i < 2; ++i)
#pragma unroll
            for (int part = 0; part < Cell::PER_WORD; ++part) {
                const int channel = first + Cell::PER_WORD * (4 * i + lane.pair) + part;
                if (channel >= problem.channels) continue;
                const float base = resized(problem.lr + channel * lr_plane, problem.lr_width, down, across);
                convert(base + inverse[line] * sums[i][line * Cell::PER_WORD + part], problem.out[channel * plane + at]);
            }
    }
}

template <class T, class Cell, bool ON_TENSOR_CORES, class Feature>
DEVICE void fuse(const Problem<Feature> &problem, unsigned *shared) {
    typedef Attention<Cell, ON_TENSOR_CORES> Attend;
    constexpr int CHUNK = WORDS * Cell::PER_WORD;
    const int top = blockIdx.y * T::HEIGHT, left = blockIdx.x * T::WIDTH;
    const int chunks = (problem.channels + CHUNK - 1) / CHUNK;
    const int table = chunks * CHUNK * (TAPS / 4);
    const int warp = threadIdx.x / 32;
    const int row = warp / T::GROUPS_ACROSS * GROUP_HEIGHT, column = warp % T::GROUPS_ACROSS * GROUP_WIDTH;
    unsigned *moved = shared + T::MOVED_AT, *seen = shared + T::SEEN_AT, *query = shared + T::QUERY_AT;
    const int window = (row * T::SEEN_WIDTH + column) * SEEN_STEP;

    auto convolve_moved = [&](unsigned *out, const Four *taps) {
        convolve<T, Cell, T::MOVED_WIDTH, T::SEEN_HEIGHT, T::SEEN_WIDTH, T::WIDTH + WINDOW - 1, T::SEEN_HEIGHT / 2>(
            moved, out, taps, top - 3, left - 3, problem.height, problem.width);
    };

    place<T>(problem, top, left, shared);
    wait_for_block();

    Scores scores;
    start_from(reinterpret_cast<const float *>(problem.weights + 3 * table), scores);
#pragma unroll 1
    for (int chunk = 0; chunk < chunks; ++chunk) {
        const Four *taps = problem.weights + chunk * CHUNK * (TAPS / 4);
        gather_moved<T, Cell>(problem, chunk * CHUNK, shared);
        gather_base<T, Cell>(problem, chunk * CHUNK, shared);
        wait_for_block();
        convolve_moved(seen, taps + table);
        convolve<T, Cell, T::BASE_WIDTH, T::HEIGHT, T::WIDTH, T::WIDTH, 4>(
            shared + T::BASE_AT, query, taps, top, left, problem.height, problem.width);
        if (chunk < problem.kept) convolve_moved(shared + T::KEPT_AT + chunk * T::KEPT, taps + 2 * table);
        wait_for_block();
        Attend::template add_similarity<T>(query + (row * T::WIDTH + column) * SEEN_STEP, seen + window, scores);
    }

    float inverse[2];
    softmax(scores, inverse);
    typename Attend::Weights weights;
    Attend::pack(scores, weights);

    // From the last chunk back: what was gathered last is the most likely still in a cache.
#pragma unroll 1
    for (int chunk = chunks - 1; chunk >= 0; --chunk) {
        const unsigned *values = shared + T::KEPT_AT + chunk * T::KEPT;
        if (chunk >= problem.kept) {
            gather_moved<T, Cell>(problem, chunk * CHUNK, shared);
            wait_for_block();
            convolve_moved(seen, problem.weights + chunk * CHUNK * (TAPS / 4) + 2 * table);
            wait_for_block();
            values = seen;
        }
        float sums[2][2 * Cell::PER_WORD];
        Attend::template weigh<T>(values + window, weights, sums);
        store<T, Cell>(problem, chunk * CHUNK, top, left, shared, inverse, sums);
    }
}

// half: features and tiles in float16. mixed: features in float32, tiles in float16. exact: both in float32.
// The number is the tile's rows. BLOCKS is how many a multiprocessor should run at once; plain cores hold weights in
// float32, which takes the registers of two.
constexpr int LOW_TILES = TENSOR_CORES ? 2 : 1;
#define ENTRY(NAME, FEATURE, CELL, HEIGHT, TENSOR, BLOCKS)                                                            \
    extern "C" __global__ void __launch_bounds__(Tile<HEIGHT, 16>::THREADS, BLOCKS)                                   \
        NAME(FEATURE *out, const FEATURE *key, const float *flow, const FEATURE *lr, const Four *weights,             \
             int channels, int height, int width, int lr_height, int lr_width, int flow_height, int flow_width,       \
             int kept, float lr_rows, float lr_columns, float flow_factor) {                                          \
        extern __shared__ Four shared[];                                                                              \
        const Problem<FEATURE> problem = {out, key, flow, lr, weights, channels, height, width, lr_height, lr_width,  \
                                          flow_height, flow_width, kept, lr_rows, lr_columns, flow_factor};           \
        fuse<Tile<HEIGHT, 16>, CELL, TENSOR>(problem, reinterpret_cast<unsigned *>(shared));                          \
    }

ENTRY(fuse_half_8, unsigned short, HalfCell, 8, TENSOR_CORES, LOW_TILES)
ENTRY(fuse_half_16, unsigned short, HalfCell, 16, TENSOR_CORES, 1)
ENTRY(fuse_mixed_8, float, HalfCell, 8, TENSOR_CORES, LOW_TILES)
ENTRY(fuse_mixed_16, float, HalfCell, 16, TENSOR_CORES, 1)
ENTRY(fuse_exact_8, float, FloatCell, 8, false, 1)
