// Bringing the keyframe feature and the LR feature to the pixels of a block.
#pragma once
#include "tile.cuh"

// Between two source rows or columns; low < 0 means outside the image.
struct Between {
    int low, high;
    float high_share;
};

// Resizing with align_corners=True, positions in float32 as PyTorch's upsample_bilinear2d has them.
DEVICE Between between_from(int target, int targets, int sources, float step) {
    if (target < 0 || target >= targets) return {-1, -1, 0.0f};
    float position = step * static_cast<float>(target);
    int low = min(static_cast<int>(position), sources - 1);
    return {low, min(low + 1, sources - 1), position - static_cast<float>(low)};
}

// The flow at a pixel, one component. Positions on the flow grid are exact fractions of integers.
struct FlowCell {
    int low, high;
    float share;
    DEVICE FlowCell(int target, int targets, int cells) {
        int scaled = target * (cells - 1);
        low = scaled / (targets - 1);
        share = static_cast<float>(scaled - low * (targets - 1)) / static_cast<float>(targets - 1);
        high = min(low + 1, cells - 1);
    }
};

// One axis of a sample: the lower of two neighbours inside the image, and the share of each; 0 for one outside.
struct Sampled {
    int low;
    float before, after;
    // Published checkpoints normalise positions as align_corners=True does and sample as align_corners=False does, so
    // pixel + flow is read at (pixel + flow) * size / (size - 1) - 0.5. The pixel is kept apart: what is left is small,
    // and float32 holds it to within a millionth of the flow.
    DEVICE Sampled(int pixel, float flow, int size) : low(0), before(0.0f), after(0.0f) {
        float start = static_cast<float>(pixel);
        float moved = flow + (start + flow) / static_cast<float>(size - 1) - 0.5f;
        // Not a number is neither above nor below, and so outside.
        if (!(start + moved > -1.0f && start + moved < static_cast<float>(size))) return;
        float whole = floorf(moved);
        float share = moved - whole;
        low = pixel + static_cast<int>(whole);
        if (low == -1) {
            low = 0;
            before = share;
        } else if (low == size - 1) {
            low = size - 2;
            after = 1.0f - share;
        } else if (low >= 0 && low < size - 1) {
            before = 1.0f - share;
            after = share;
        } else {
            low = 0;
        }
    }
};

// Find, once per block, where its pixels come from.
template <class T, class Feature>
DEVICE void place(const Problem<Feature> &problem, int top, int left, unsigned *shared) {
    Four *shares = reinterpret_cast<Four *>(shared + T::SHARES_AT);
    int *places = reinterpret_cast<int *>(shared + T::PLACES_AT);
    Between *rows = reinterpret_cast<Between *>(shared + T::ROWS_AT);
    Between *columns = reinterpret_cast<Between *>(shared + T::COLUMNS_AT);
    for (int item = threadIdx.x; item < T::MOVED; item += T::THREADS) {
        int y = top - 4 + item / T::MOVED_WIDTH, x = left - 4 + item % T::MOVED_WIDTH;
        int place = 0;
        Four share = {0.0f, 0.0f, 0.0f, 0.0f};
        if (y >= 0 && y < problem.height && x >= 0 && x < problem.width) {
            FlowCell row(y, problem.height, problem.flow_height), column(x, problem.width, problem.flow_width);
            float moved[2];
            for (int axis = 0; axis < 2; ++axis) {
                const float *upper = problem.flow + 2 * row.low * problem.flow_width + axis;
                const float *lower = problem.flow + 2 * row.high * problem.flow_width + axis;
                float above = (1.0f - column.share) * upper[2 * column.low] + column.share * upper[2 * column.high];
                float below = (1.0f - column.share) * lower[2 * column.low] + column.share * lower[2 * column.high];
                moved[axis] = ((1.0f - row.share) * above + row.share * below) * problem.flow_factor;
            }
            Sampled across(x, moved[0], problem.width), down(y, moved[1], problem.height);
            place = down.low * problem.width + across.low;
            share = {down.before * across.before, down.before * across.after, down.after * across.before,
                     down.after * across.after};
        }
        places[item] = place;
        shares[item] = share;
    }
    for (int item = threadIdx.x; item < T::BASE_HEIGHT; item += T::THREADS)
        rows[item] = between_from(top - 1 + item, problem.height, problem.lr_height, problem.lr_rows);
    for (int item = threadIdx.x; item < T::BASE_WIDTH; item += T::THREADS)
        columns[item] = between_from(left - 1 + item, problem.width, problem.lr_width, problem.lr_columns);
}

// One resized pixel of a plane of the LR feature.
template <class Feature>
DEVICE float resized(const Feature *plane, int lr_width, const Between &row, const Between &column) {
    const Feature *upper = plane + row.low * lr_width, *lower = plane + row.high * lr_width;
    float left = 1.0f - column.high_share, right = column.high_share;
    float above = left * float_from(read_only(upper + column.low)) + right * float_from(read_only(upper + column.high));
    float below = left * float_from(read_only(lower + column.low)) + right * float_from(read_only(lower + column.high));
    return (1.0f - row.high_share) * above + row.high_share * below;
}

// Warp a chunk of channels, the first of which is `first`.
template <class T, class Cell, class Feature>
DEVICE void gather_moved(const Problem<Feature> &problem, int first, unsigned *shared) {
    const Four *shares = reinterpret_cast<const Four *>(shared + T::SHARES_AT);
    const int *places = reinterpret_cast<const int *>(shared + T::PLACES_AT);
    const size_t plane = static_cast<size_t>(problem.height) * problem.width;
    const int below = problem.width;
#pragma unroll 2
    for (int item = threadIdx.x; item < T::MOVED * WORDS; item += T::THREADS) {
        int word = item / T::MOVED, pixel = item % T::MOVED;
        Four share = shares[pixel];
        float values[Cell::PER_WORD];
#pragma unroll
        for (int part = 0; part < Cell::PER_WORD; ++part) {
            int channel = first + word * Cell::PER_WORD + part;
            values[part] = 0.0f;
            if (channel < problem.channels) {
                const Feature *at = problem.key + channel * plane + places[pixel];
                values[part] = share.a * float_from(read_only(at)) + share.b * float_from(read_only(at + 1)) +
                               share.c * float_from(read_only(at + below)) + share.d * float_from(read_only(at + below + 1));
            }
        }
        shared[T::MOVED_AT + pixel * MOVED_STEP + word] = Cell::pack(values);
    }
}

// Resize a chunk of channels of the LR feature.
template <class T, class Cell, class Feature>
DEVICE void gather_base(const Problem<Feature> &problem, int first, unsigned *shared) {
    const Between *rows = reinterpret_cast<const Between *>(shared + T::ROWS_AT);
    const Between *columns = reinterpret_cast<const Between *>(shared + T::COLUMNS_AT);
    const size_t plane = static_cast<size_t>(problem.lr_height) * problem.lr_width;
#pragma unroll 2
    for (int item = threadIdx.x; item < T::BASE * WORDS; item += T::THREADS) {
        int word = item / T::BASE, pixel = item % T::BASE;
        Between row = rows[pixel / T::BASE_WIDTH], column = columns[pixel % T::BASE_WIDTH];
        bool inside = row.low >= 0 && column.low >= 0;
        float values[Cell::PER_WORD];
#pragma unroll
        for (int part = 0; part < Cell::PER_WORD; ++part) {
            int channel = first + word * Cell::PER_WORD + part;
            values[part] = inside && channel < problem.channels
                               ? resized(problem.lr + channel * plane, problem.lr_width, row, column)
                               : 0.0f;
        }
        shared[T::BASE_AT + pixel * MOVED_STEP + word] = Cell::pack(values);
    }
}
