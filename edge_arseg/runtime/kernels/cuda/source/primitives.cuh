// What the kernel asks of the GPU, each in one small function: conversions, warp operations, tensor cores.
// No CUDA header is included, so that NVRTC needs none. A C++ compiler brings a host's imitation of all this.
#pragma once

struct alignas(16) Four {
    float a, b, c, d;
};

#ifndef __CUDACC__
#include <host_gpu.hpp>
#else

#define DEVICE __device__ __forceinline__

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750
constexpr bool TENSOR_CORES = true;
#else
constexpr bool TENSOR_CORES = false;  // Volta's have another shape
#endif

DEVICE float float_from(float value) { return value; }

DEVICE float float_from(unsigned short half) {
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
}

DEVICE void convert(float value, float &target) { target = value; }

DEVICE void convert(float value, unsigned short &target) {
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(target) : "f"(value));
}

// Two halves in a word; the first is in the low bits.
DEVICE unsigned halves_from(float first, float second) {
    unsigned word;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
#else
    asm("{.reg .b16 low, high; cvt.rn.f16.f32 low, %1; cvt.rn.f16.f32 high, %2; mov.b32 %0, {low, high};}"
        : "=r"(word) : "f"(first), "f"(second));
#endif
    return word;
}

DEVICE void floats_from(unsigned halves, float &first, float &second) {
    asm("{.reg .b16 low, high; mov.b32 {low, high}, %2; cvt.f32.f16 %0, low; cvt.f32.f16 %1, high;}"
        : "=f"(first), "=f"(second) : "r"(halves));
}

template <class T>
DEVICE T read_only(const T *at) {
    return __ldg(at);
}

DEVICE Four read_only(const Four *at) {
    Four value;
    asm("ld.global.nc.v4.f32 {%0, %1, %2, %3}, [%4];"
        : "=f"(value.a), "=f"(value.b), "=f"(value.c), "=f"(value.d) : "l"(at));
    return value;
}

DEVICE float two_to_the(float exponent) {
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(exponent));
    return power;
}

DEVICE void wait_for_block() { __syncthreads(); }

DEVICE float from_lane_across(float value, int lane_mask) { return __shfl_xor_sync(0xffffffffu, value, lane_mask); }

// Four 8x8 matrices of halves from shared memory; lane 8 i + r gives the address of row r of matrix i. Each lane gets,
// of every matrix, the halves 2 (lane % 4) and the next of row lane / 4.
DEVICE void load_matrices(unsigned (&words)[4], const unsigned *row) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750
    asm volatile(
        "{.reg .u64 at; .reg .u32 place; cvta.to.shared.u64 at, %4; cvt.u32.u64 place, at;"
        "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [place];}"
        : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3]) : "l"(row) : "memory");
#endif
}

// The same, transposed: of rows 2 (lane % 4) and the next, the half in column lane / 4.
DEVICE void load_matrices_transposed(unsigned (&words)[4], const unsigned *row) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750
    asm volatile(
        "{.reg .u64 at; .reg .u32 place; cvta.to.shared.u64 at, %4; cvt.u32.u64 place, at;"
        "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [place];}"
        : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3]) : "l"(row) : "memory");
#endif
}

// total [16, 8] += a [16, 16] b [16, 8], halves multiplied exactly and summed in float32 (PTX ISA, mma.m16n8k16).
// Of total, a lane holds columns 2 (lane % 4) and the next, of rows lane / 4 and lane / 4 + 8.
DEVICE void multiply_add(float (&total)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(total[0]), "+f"(total[1]), "+f"(total[2]), "+f"(total[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(total[0]), "+f"(total[1]), "+f"(total[2]), "+f"(total[3]) : "r"(a[0]), "r"(a[1]), "r"(b0));
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
        : "+f"(total[0]), "+f"(total[1]), "+f"(total[2]), "+f"(total[3]) : "r"(a[2]), "r"(a[3]), "r"(b1));
#endif
}

#endif
