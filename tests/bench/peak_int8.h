// The largest rate of u8 x s8 products: a loop without memory.
#pragma once

#include <cstdint>

namespace xfq::bench {

/// Runs `rounds` rounds; each does kPeakOperationsVnni512 operations, a multiplication
/// and an addition counting as two. 0 operations: not built.
void peak_vnni512(std::int64_t rounds);
extern const std::int64_t kPeakOperationsVnni512;

}  // namespace xfq::bench
