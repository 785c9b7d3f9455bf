// The kernel's own source, run block by block on the host.
#include "fusion.cu"

#include <setjmp.h>
#include <ucontext.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

ENTRY(fuse_plain_8, unsigned short, HalfCell, 8, false, 1)  // half, without tensor cores

constexpr size_t SHARED_BYTES = 512 << 10;
constexpr size_t STACK_BYTES = 64 << 10;

alignas(16) Four shared[SHARED_BYTES / sizeof(Four)];
Index threadIdx, blockIdx;
uint32_t (*lane_words)[8];

namespace {

enum State { READY, AT_WARP, AT_BLOCK, DONE };

// A fiber is started once, on a stack of its own. After that _setjmp and _longjmp switch: they ask nothing of the kernel.
struct Thread {
    ucontext_t start;
    jmp_buf place;
    State state;
    bool started = false;
    std::unique_ptr<char[]> stack{new char[STACK_BYTES]};
};

struct Block {
    std::vector<Thread> threads;
    std::unique_ptr<uint32_t[][32][8]> words;
    jmp_buf scheduler;
    std::function<void()> kernel;
    bool reversed = false;
    explicit Block(unsigned count) : threads(count), words(new uint32_t[count / 32][32][8]) {}
};

Block *block;
unsigned running;

void yield(State state) {
    Thread &self = block->threads[running];
    self.state = state;
    if (!_setjmp(self.place)) _longjmp(block->scheduler, 1);
}

void body() {
    for (;;) {
        block->kernel();
        yield(DONE);
    }
}

void resume() {
    Thread &next = block->threads[running];
    if (_setjmp(block->scheduler)) return;
    if (next.started) _longjmp(next.place, 1);
    next.started = true;
    getcontext(&next.start);
    next.start.uc_stack.ss_sp = next.stack.get();
    next.start.uc_stack.ss_size = STACK_BYTES;
    next.start.uc_link = nullptr;
    makecontext(&next.start, body, 0);
    setcontext(&next.start);
}

bool all(unsigned first, unsigned end, State state) {
    for (unsigned i = first; i < end; ++i)
        if (block->threads[i].state != state) return false;
    return true;
}

void run_warp(unsigned warp) {
    const unsigned first = 32 * warp;
    for (;;) {
        for (unsigned i = 0; i < 32; ++i) {
            running = first + (block->reversed ? 31 - i : i);
            if (block->threads[running].state != READY) continue;
            threadIdx = {running, 0, 0};
            lane_words = block->words[warp];
            resume();
        }
        if (!all(first, first + 32, AT_WARP)) return;
        for (unsigned i = 0; i < 32; ++i) block->threads[first + i].state = READY;
    }
}

bool run_block() {
    const unsigned count = block->threads.size(), warps = count / 32;
    std::memset(shared, 0xff, SHARED_BYTES);
    for (Thread &thread : block->threads) thread.state = READY;
    for (;;) {
        for (unsigned warp = 0; warp < warps; ++warp) run_warp(block->reversed ? warps - 1 - warp : warp);
        if (all(0, count, DONE)) return true;
        if (!all(0, count, AT_BLOCK)) return false;
        for (Thread &thread : block->threads) thread.state = READY;
    }
}

template <class Feature, class Kernel>
int run_grid(Kernel kernel, unsigned threads, unsigned across, unsigned down, bool reversed, void *out, const void *key,
             const float *flow, const void *lr, const void *weights, const int *sizes, const float *steps) {
    Block own(threads);
    block = &own;
    own.reversed = reversed;
    own.kernel = [=] {
        kernel(static_cast<Feature *>(out), static_cast<const Feature *>(key), flow, static_cast<const Feature *>(lr),
               static_cast<const Four *>(weights), sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6],
               sizes[7], steps[0], steps[1], steps[2]);
    };
    for (unsigned y = 0; y < down; ++y)
        for (unsigned x = 0; x < across; ++x) {
            blockIdx = {x, y, 0};
            if (!run_block()) return 1;
        }
    return 0;
}

}  // namespace

void wait_for_block() { yield(AT_BLOCK); }
void wait_for_warp() { yield(AT_WARP); }

// Returns 0; 1 where threads waited at different barriers; 2 where there is no such kernel.
extern "C" int run_kernel(const char *name, unsigned threads, unsigned across, unsigned down, bool reversed, void *out,
                          const void *key, const float *flow, const void *lr, const void *weights, const int *sizes,
                          const float *steps) {
#define ON_HOST(NAME, FEATURE) \
    if (!std::strcmp(name, #NAME)) \
        return run_grid<FEATURE>(NAME, threads, across, down, reversed, out, key, flow, lr, weights, sizes, steps);
    ON_HOST(fuse_half_8, unsigned short)
    ON_HOST(fuse_half_16, unsigned short)
    ON_HOST(fuse_mixed_8, float)
    ON_HOST(fuse_mixed_16, float)
    ON_HOST(fuse_exact_8, float)
    ON_HOST(fuse_plain_8, unsigned short)
    return 2;
}

// Bytes of shared memory: without kept values, and per chunk of kept values.
extern "C" void shared_bytes(int rows, int *fixed, int *kept) {
    *fixed = 4 * (rows == 8 ? Tile<8, 16>::KEPT_AT : Tile<16, 16>::KEPT_AT);
    *kept = 4 * (rows == 8 ? Tile<8, 16>::KEPT : Tile<16, 16>::KEPT);
}
