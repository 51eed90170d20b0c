// The growing per-thread blocks.
#include "scratch.h"

#include <cstdlib>
#include <new>

namespace xfq::kernels {
namespace {

constexpr std::int64_t kAlignment = 64;

struct Blocks {
  void* data[static_cast<int>(Slot::count)] = {};
  std::int64_t size[static_cast<int>(Slot::count)] = {};
  ~Blocks() {
    for (void* block : data) std::free(block);
  }
};

}  // namespace

void* scratch(Slot slot, std::int64_t bytes) {
  thread_local Blocks blocks;
  const int i = static_cast<int>(slot);
  if (blocks.size[i] < bytes) {
    std::free(blocks.data[i]);
    blocks.data[i] = nullptr;
    blocks.size[i] = 0;
    const std::int64_t rounded = (bytes + bytes / 4 + kAlignment - 1) / kAlignment * kAlignment;
    blocks.data[i] =
        std::aligned_alloc(static_cast<std::size_t>(kAlignment), static_cast<std::size_t>(rounded));
    if (blocks.data[i] == nullptr) throw std::bad_alloc();
    blocks.size[i] = rounded;
  }
  return blocks.data[i];
}

}  // namespace xfq::kernels
