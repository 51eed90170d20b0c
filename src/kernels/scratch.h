// Per-thread working memory of the kernels. Each slot only grows, so that the
// steady state of a training allocates nothing.
#pragma once

#include <cstdint>

namespace xfq::kernels {

enum class Slot { packed_a, packed_b, partial, scores, head, row, codes, norms, sums, dual, count };

/// At least `bytes` bytes, aligned to 64; content is undefined. Valid until the
/// same thread asks for a larger block of the same slot. Throws std::bad_alloc.
void* scratch(Slot slot, std::int64_t bytes);

static inline float* scratch_floats(Slot slot, std::int64_t count) {
  return static_cast<float*>(scratch(slot, count * static_cast<std::int64_t>(sizeof(float))));
}

}  // namespace xfq::kernels
