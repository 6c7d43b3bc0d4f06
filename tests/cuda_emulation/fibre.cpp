// SPDX-License-Identifier: Apache-2.0
#include "cuda_emulation/fibre.hpp"

#include <sys/mman.h>

#include <boost/context/detail/fcontext.hpp>
#include <new>

namespace cuda_emulation {
namespace {

namespace context = boost::context::detail;

// A kernel's frame is small, ASan's red zones around its arrays are not.
constexpr std::size_t kStack = kAddressSanitizer || kThreadSanitizer ? 256 << 10 : 64 << 10;
constexpr std::size_t kGuard = 4096;

/// What a switch hands over: who left, and whom it went to.
struct Switch {
    Fibre* from;
    Fibre* to;
};

}  // namespace

struct FibreEntry {
    static void run(context::transfer_t transfer) {
        const Switch hop = *static_cast<Switch*>(transfer.data);
        hop.from->context_ = transfer.fctx;
        hop.to->sanitizer_.arrive(hop.from->sanitizer_, true);
        hop.to->main_();
    }
};

Fibre::Fibre(Main main, unsigned number) : main_(main) {
    void* memory =
        mmap(nullptr, kGuard + kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    mprotect(memory, kGuard, PROT_NONE);
    stack_ = static_cast<std::byte*>(memory);
    // Without this, the hot ends of all stacks would compete for the same few lines of the first-level cache.
    const std::size_t colour = number * 5 % 64 * 64;
    context_ = context::make_fcontext(stack_ + kGuard + kStack - colour, kStack - colour, &FibreEntry::run);
    sanitizer_.create(stack_ + kGuard, kStack);
}

Fibre::~Fibre() {
    if (!stack_) return;
    sanitizer_.destroy();
    munmap(stack_, kGuard + kStack);
}

void Fibre::adopt_thread() { sanitizer_.adopt(); }

void Fibre::resume(Fibre& from) {
    Switch hop{&from, this};
    from.sanitizer_.leave(sanitizer_);
    const context::transfer_t back = context::jump_fcontext(context_, &hop);
    const Switch returned = *static_cast<Switch*>(back.data);
    returned.from->context_ = back.fctx;
    from.sanitizer_.arrive(returned.from->sanitizer_, false);
}

}  // namespace cuda_emulation
