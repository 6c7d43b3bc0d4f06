// SPDX-License-Identifier: Apache-2.0
#include <QTest>
#include <cstring>
#include <numeric>
#include <set>
#include <vector>

#include "cuda_emulation/cuda_emulation.hpp"
#include "cuda_emulation/settings.hpp"
#include "tensor/half.hpp"

using cuda_emulation::settings;
using cuda_emulation::statistics;
using cuda_emulation::StreamMode;

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kRaces = true;
#else
constexpr bool kRaces = false;
#endif

/// Memory that kernels and host both reach.
template <class T>
class Pinned {
public:
    explicit Pinned(std::size_t n, T value = {}) : n_(n) {
        cudaMallocHost(&data_, n * sizeof(T));
        std::fill_n(data_, n, value);
    }
    ~Pinned() { cudaFreeHost(data_); }
    T* data() const { return data_; }
    T& operator[](std::size_t i) const { return data_[i]; }
    std::vector<T> values() const { return {data_, data_ + n_}; }

private:
    T* data_ = nullptr;
    std::size_t n_;
};

__global__ void visit(int* visits) {
    const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    atomicAdd(&visits[block * blockDim.x * blockDim.y * blockDim.z + thread], 1);
}

__global__ void note_order(unsigned* order, unsigned* next) {
    order[atomicAdd(next, 1u)] = blockIdx.x * blockDim.x + threadIdx.x;
}

// --- warp collectives

enum class Move { To, Up, Down, Xor };

template <class T>
__global__ void shuffle(Move move, int by, int width, unsigned mask, T* result) {
    const T own = T(100 + threadIdx.x);
    T got = own;
    switch (move) {
        case Move::To:
            got = __shfl_sync(mask, own, by, width);
            break;
        case Move::Up:
            got = __shfl_up_sync(mask, own, unsigned(by), width);
            break;
        case Move::Down:
            got = __shfl_down_sync(mask, own, unsigned(by), width);
            break;
        case Move::Xor:
            got = __shfl_xor_sync(mask, own, by, width);
            break;
    }
    result[threadIdx.x] = got;
}

/// The lane a shuffle reads, from the programming guide's words.
int lane_read(Move move, int lane, int by, int width) {
    const int begin = lane / width * width, place = lane % width;
    switch (move) {
        case Move::To:
            return begin + by % width;
        case Move::Up:
            return place - by < 0 ? lane : lane - by;
        case Move::Down:
            return place + by >= width ? lane : lane + by;
        case Move::Xor:
            return (lane ^ by) >= begin + width ? lane : lane ^ by;
    }
    return lane;
}

__global__ void vote(int rounds, unsigned* ballots, int* counts) {
    for (int round = 0; round < rounds; ++round) {
        const int predicate = threadIdx.x % unsigned(round + 2) == 0 ? round + 5 : 0;
        const unsigned ballot = __ballot_sync(~0u, predicate);
        const int any = __any_sync(~0u, predicate), all = __all_sync(~0u, predicate);
        const int count = __syncthreads_count(predicate);
        const int or_all = __syncthreads_or(predicate), and_all = __syncthreads_and(predicate);
        if (threadIdx.x % 32 == 0) ballots[unsigned(round) * (blockDim.x / 32) + threadIdx.x / 32] = ballot;
        if (threadIdx.x == 0) counts[round] = count * 16 + any * 8 + all * 4 + or_all * 2 + and_all;
    }
}

// --- shared memory

template <int N>
__device__ float* place_of_size() {
    GPU_SHARED(float, place, [N]);
    return place;
}

/// 0: fine; else what is wrong.
__global__ void check_shared(int* wrong) {
    GPU_SHARED(float, small, [3]);
    GPU_SHARED(double, table, [2][5]);
    GPU_DYN_SHARED(float4, dynamic);
    float* eight = place_of_size<8>();
    if (place_of_size<8>() != eight || place_of_size<9>() == eight) atomicOr(wrong, 1);
    if (reinterpret_cast<std::uintptr_t>(dynamic) % 16 || reinterpret_cast<std::uintptr_t>(&table) % 8) atomicOr(wrong, 2);
    if (small[threadIdx.x % 3] == small[threadIdx.x % 3] || dynamic->x == dynamic->x) atomicOr(wrong, 4);  // not NaN
    __syncthreads();
    if (threadIdx.x == 0) small[2] = 7, table[1][4] = 8, eight[7] = 9, dynamic[1].w = 10;
    __syncthreads();
    if (small[2] != 7 || table[1][4] != 8 || eight[7] != 9 || dynamic[1].w != 10) atomicOr(wrong, 8);
}

/// Bytes from dynamic shared memory to a variable behind it, for every block, and whether they hold what is written there.
__global__ void note_distance(std::ptrdiff_t* distances, int* wrong) {
    GPU_SHARED(float, sums, [8]);
    GPU_DYN_SHARED(float, dynamic);
    if (threadIdx.x == 0) distances[blockIdx.x] = reinterpret_cast<char*>(sums) - reinterpret_cast<char*>(dynamic);
    if (threadIdx.x < 8) sums[threadIdx.x] = float(threadIdx.x);
    __syncthreads();
    if (threadIdx.x < 8 && sums[7 - threadIdx.x] != float(7 - threadIdx.x)) atomicOr(wrong, 1);
}

// --- arguments

/// Between `count` and `result` lie four bytes that are nobody's.
struct Padded {
    const float* data;
    std::uint32_t count;
    std::uint32_t* result;
};
static_assert(sizeof(Padded) == 24);

__global__ void note_count(const Padded task) { *task.result = task.count; }

// --- atomics

struct Counters {
    int sum = 0, best = -1, least = 1 << 30, bits = 0, mask = ~0, swapped = 0;
    float real = 0;
    unsigned long long wide = 0;
};

__global__ void count_up(Counters* c) {
    const int me = int(blockIdx.x * blockDim.x + threadIdx.x);
    atomicAdd(&c->sum, me);
    atomicMax(&c->best, me);
    atomicMin(&c->least, me + 3);
    atomicOr(&c->bits, 1 << me % 31);
    atomicAnd(&c->mask, ~(1 << me % 5));
    atomicAdd(&c->real, 0.5f);
    atomicAdd(&c->wide, 1ull << 33);
    for (int old = 0, seen; (seen = atomicCAS(&c->swapped, old, old + 2)) != old;) old = seen;
}

__global__ void append(int* list, int* length, int value) { list[(*length)++] = value; }

__global__ void never_meet(int* y) {
    if (threadIdx.x < 16) __syncthreads();
    if (threadIdx.x == 31) *y = 1;
}

}  // namespace

class CudaEmulationTest : public QObject {
    Q_OBJECT

private slots:
    void init() {
        cudaDeviceReset();
        original_ = settings();
    }
    void cleanup() {
        settings() = original_;
        cudaDeviceReset();
        QCOMPARE(cuda_emulation::take_faults().size(), std::size_t(0));
    }

    /// Where a block's variables are must not depend on where its memory begins: sizes are learnt from the first block.
    void sharedPlacesAreTheSameInEveryBlock() {
        for (int launch = 0; launch < 20; ++launch) {
            const std::vector<std::byte> other(static_cast<std::size_t>(16 * launch + 16));  // the heap is never the same
            const Pinned<std::ptrdiff_t> distances(40);
            const Pinned<int> wrong(1);
            gpu::launch(note_distance, 40, dim3(32), 0, nullptr, distances.data(), wrong.data());
            QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
            QCOMPARE(wrong[0], 0);
            for (int block = 1; block < 40; ++block) QCOMPARE(distances[static_cast<std::size_t>(block)], distances[0]);
        }
    }

    /// What a struct's padding happens to hold is no pointer to memory that was freed.
    void paddingIsNoPointer() {
        void* freed = nullptr;
        QCOMPARE(cudaMalloc(&freed, 4096), cudaSuccess);
        QCOMPARE(cudaFree(freed), cudaSuccess);
        const Pinned<std::uint32_t> result(1);
        Padded task{};
        const auto word = reinterpret_cast<std::uintptr_t>(freed);
        std::memcpy(reinterpret_cast<char*>(&task) + 8, &word, sizeof(word));  // the count and what lies behind it
        task.result = result.data();
        gpu::launch(note_count, 1, dim3(1), 0, nullptr, task);
        QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
        QCOMPARE(result[0], static_cast<std::uint32_t>(word));
        QCOMPARE(cuda_emulation::take_faults().size(), std::size_t(0));
        task.data = static_cast<const float*>(freed);  // this is one
        gpu::launch(note_count, 1, dim3(1), 0, nullptr, task);
        QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
        QCOMPARE(cuda_emulation::take_faults().size(), std::size_t(1));
    }

    void everyThreadRunsOnce_data() {
        QTest::addColumn<int>("gx");
        QTest::addColumn<int>("gy");
        QTest::addColumn<int>("gz");
        QTest::addColumn<int>("bx");
        QTest::addColumn<int>("by");
        QTest::addColumn<int>("bz");
        QTest::newRow("one") << 1 << 1 << 1 << 1 << 1 << 1;
        QTest::newRow("odd block") << 5 << 1 << 1 << 77 << 1 << 1;
        QTest::newRow("three dimensions") << 3 << 4 << 2 << 5 << 3 << 7;
        QTest::newRow("largest block") << 2 << 1 << 1 << 32 << 8 << 4;
    }

    void everyThreadRunsOnce() {
        QFETCH(int, gx);
        QFETCH(int, gy);
        QFETCH(int, gz);
        QFETCH(int, bx);
        QFETCH(int, by);
        QFETCH(int, bz);
        const auto n = std::size_t(gx * gy * gz * bx * by * bz);
        const Pinned<int> visits(n);
        const cuda_emulation::GridAt grid{unsigned(gx), unsigned(gy), unsigned(gz)};
        gpu::launch(visit, grid, dim3(unsigned(bx), unsigned(by), unsigned(bz)), 0, nullptr, visits.data());
        QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
        QCOMPARE(visits.values(), std::vector<int>(n, 1));
        QCOMPARE(statistics().threads, n);
    }

    void orderDependsOnTheSeed() {
        const auto order_with = [](std::uint64_t seed, bool shuffle) {
            settings().seed = seed;
            settings().shuffle = shuffle;
            cudaDeviceReset();
            const Pinned<unsigned> order(256), next(1);
            gpu::launch(note_order, 4, 64, 0, nullptr, order.data(), next.data());
            cudaDeviceSynchronize();
            return order.values();
        };
        std::vector<unsigned> ascending(256);
        std::iota(ascending.begin(), ascending.end(), 0u);
        QCOMPARE(order_with(1, false), ascending);
        QCOMPARE(order_with(1, true), order_with(1, true));
        QVERIFY(order_with(1, true) != order_with(2, true));
        auto sorted = order_with(3, true);
        QVERIFY(sorted != ascending);
        std::sort(sorted.begin(), sorted.end());
        QCOMPARE(sorted, ascending);
    }

    void shuffles_data() {
        QTest::addColumn<int>("width");
        for (int width = 1; width <= 32; width *= 2) QTest::addRow("width %d", width) << width;
    }

    void shuffles() {
        QFETCH(int, width);
        check_shuffles<int>(width);
        check_shuffles<float>(width);
        check_shuffles<double>(width);
        check_shuffles<unsigned short>(width);
    }

    void votes() {
        constexpr int rounds = 6, threads = 96;
        const Pinned<unsigned> ballots(rounds * threads / 32);
        const Pinned<int> counts(rounds);
        gpu::launch(vote, 1, threads, 0, nullptr, rounds, ballots.data(), counts.data());
        QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
        for (int round = 0; round < rounds; ++round) {
            int count = 0;
            for (int warp = 0; warp < threads / 32; ++warp) {
                unsigned ballot = 0;
                for (int lane = 0; lane < 32; ++lane) ballot |= unsigned((warp * 32 + lane) % (round + 2) == 0) << lane;
                QCOMPARE(ballots[std::size_t(round * threads / 32 + warp)], ballot);
                count += __popc(ballot);
            }
            QCOMPARE(counts[std::size_t(round)], count * 16 + 8 + 0 + 2 + 0);
        }
    }

    void sharedMemory() {
        const Pinned<int> wrong(1);
        gpu::launch(check_shared, 7, 64, 2 * sizeof(float4), nullptr, wrong.data());
        QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
        QCOMPARE(wrong[0], 0);
    }

    void atomics() {
        const Pinned<Counters> c(1);
        gpu::launch(count_up, 6, 50, 0, nullptr, c.data());
        QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
        QCOMPARE(c[0].sum, 299 * 300 / 2);
        QCOMPARE(c[0].best, 299);
        QCOMPARE(c[0].least, 3);
        QCOMPARE(c[0].bits, 0x7fffffff);
        QCOMPARE(c[0].mask, ~31);
        QCOMPARE(c[0].real, 150.0f);
        QCOMPARE(c[0].wide, 300ull << 33);
        QCOMPARE(c[0].swapped, 600);
    }

    /// Against the engine's conversions, which were written without looking at these.
    void halves() {
        const auto bits = [](float value) { return std::bit_cast<std::uint32_t>(value); };
        for (std::uint32_t i = 0; i < 0x10000; ++i) {
            const auto h = std::uint16_t(i);
            const float short_float = __half2float(__ushort_as_half(h)), brain = __bfloat162float(__ushort_as_bfloat16(h));
            if (short_float == short_float) QCOMPARE(bits(short_float), bits(mor::f16_to_f32(h)));
            if (brain == brain) QCOMPARE(bits(brain), bits(mor::bf16_to_f32(h)));
            // Around every value and every middle between two, where rounding changes.
            for (const std::uint32_t start :
                 {bits(short_float), bits(brain), bits(short_float) + 0x1000u, bits(brain) + 0x8000u}) {
                for (const std::uint32_t at : {start - 1, start, start + 1}) {
                    const float value = std::bit_cast<float>(at);
                    if (!(value == value)) continue;
                    QCOMPARE(__half_as_ushort(__float2half_rn(value)), mor::f32_to_f16(value));
                    QCOMPARE(__bfloat16_as_ushort(__float2bfloat16_rn(value)), mor::f32_to_bf16(value));
                }
            }
        }
        QVERIFY(__half2float(__float2half(NAN)) != __half2float(__float2half(NAN)));
    }

    void workWaits() {
        settings().streams = StreamMode::Deferred;
        cudaDeviceReset();
        cudaStream_t a = nullptr, b = nullptr;
        cudaEvent_t between = nullptr, unused = nullptr;
        cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking);
        cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking);
        cudaEventCreate(&between);
        cudaEventCreate(&unused);
        const Pinned<int> list(2, -1), length(1), later(1, -1), later_length(1);
        gpu::launch(append, 1, 1, 0, a, list.data(), length.data(), 1);
        cudaEventRecord(between, a);
        cudaStreamWaitEvent(b, between);
        gpu::launch(append, 1, 1, 0, b, list.data(), length.data(), 2);
        gpu::launch(append, 1, 1, 0, a, later.data(), later_length.data(), 3);
        if (!kRaces) QCOMPARE(length[0], 0);  // nobody waited, and to look is a race
        QCOMPARE(cudaEventQuery(between), cudaErrorNotReady);
        cudaEventSynchronize(between);
        QCOMPARE(list[0], 1);
        if (!kRaces) QCOMPARE(list[1], -1);
        cudaStreamSynchronize(b);
        QCOMPARE(list.values(), (std::vector<int>{1, 2}));
        if (!kRaces) QCOMPARE(later[0], -1);
        while (cudaStreamQuery(a) == cudaErrorNotReady) {
        }
        QCOMPARE(later[0], 3);
        QCOMPARE(cudaEventSynchronize(unused), cudaSuccess);
        QCOMPARE(statistics().implicit_waits, std::uint64_t(4));  // the pinned memory
        cudaEventDestroy(between);
        cudaEventDestroy(unused);
        cudaStreamDestroy(a);
        cudaStreamDestroy(b);
    }

    void eagerAndRandomOrder() {
        for (const StreamMode mode : {StreamMode::Eager, StreamMode::Random}) {
            settings().streams = mode;
            cudaDeviceReset();
            const Pinned<int> list(8, -1), length(1);
            for (int i = 0; i < 8; ++i) gpu::launch(append, 1, 1, 0, nullptr, list.data(), length.data(), i);
            if (mode == StreamMode::Eager && !kRaces) QCOMPARE(length[0], 8);
            cudaDeviceSynchronize();
            QCOMPARE(list.values(), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
        }
    }

    void memoryIsCounted() {
        settings().memory = 1 << 20;
        cudaDeviceReset();
        std::size_t free = 0, total = 0;
        void *a = nullptr, *b = nullptr;
        QCOMPARE(cudaMallocAsync(&a, 1 << 19, nullptr), cudaSuccess);
        QCOMPARE(cudaMallocAsync(&b, (1 << 19) + 1, nullptr), cudaErrorMemoryAllocation);
        QVERIFY(b == nullptr);
        QCOMPARE(cudaGetLastError(), cudaErrorMemoryAllocation);
        QCOMPARE(cudaGetLastError(), cudaSuccess);  // forgotten, and the device lives
        QCOMPARE(cudaMemGetInfo(&free, &total), cudaSuccess);
        QCOMPARE(free, std::size_t(1 << 19));
        QCOMPARE(total, std::size_t(1 << 20));
        QCOMPARE(cudaFreeAsync(a, nullptr), cudaSuccess);
        QCOMPARE(cudaMallocAsync(&b, 1 << 20, nullptr), cudaSuccess);  // in stream order, without waiting
        QCOMPARE(cudaFree(b), cudaSuccess);
        QCOMPARE(reinterpret_cast<std::uintptr_t>(a) % 256, std::uintptr_t(0));
    }

    void failedKernelBreaksTheDevice() {
        const Pinned<int> y(1);
        gpu::launch(never_meet, 1, 32, 0, nullptr, y.data());
        QCOMPARE(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
        void* memory = nullptr;
        QCOMPARE(cudaMallocAsync(&memory, 1, nullptr), cudaErrorLaunchFailure);
        QCOMPARE(QString(cudaGetErrorString(cudaErrorLaunchFailure)), QString("unspecified launch failure"));
        QCOMPARE(cuda_emulation::take_faults().size(), std::size_t(1));
    }

    void noDevice() {
        settings().devices = 0;
        int count = 5;
        QCOMPARE(cudaGetDeviceCount(&count), cudaErrorNoDevice);
        QCOMPARE(count, 5);
        cublasHandle_t blas = nullptr;
        QCOMPARE(cublasCreate(&blas), CUBLAS_STATUS_NOT_INITIALIZED);
        cudaGetLastError();
    }

private:
    template <class T>
    void check_shuffles(int width) {
        for (const int lanes : {32, 20}) {
            const unsigned mask = lanes == 32 ? ~0u : (1u << lanes) - 1;
            for (const Move move : {Move::To, Move::Up, Move::Down, Move::Xor}) {
                for (const int by : {0, 1, 3, 8, 17}) {
                    bool within = true;
                    for (int lane = 0; lane < lanes; ++lane) within &= lane_read(move, lane, by, width) < lanes;
                    if (!within) continue;
                    const Pinned<T> result(32);
                    gpu::launch(shuffle<T>, 1, lanes, 0, nullptr, move, by, width, mask, result.data());
                    QCOMPARE(cudaDeviceSynchronize(), cudaSuccess);
                    for (int lane = 0; lane < lanes; ++lane) {
                        QCOMPARE(result[std::size_t(lane)], T(100 + lane_read(move, lane, by, width)));
                    }
                }
            }
        }
    }

    cuda_emulation::Settings original_;
};

QTEST_GUILESS_MAIN(CudaEmulationTest)
#include "tst_cuda_emulation.moc"
