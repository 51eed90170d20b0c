// Which tokens excite a unit: input tokens ordered by the unit's mean value where they stand.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/importance/statistics.h"

namespace xfq::importance {

/// For every unit of `chosen` the `count` tokens with the largest mean value (a head's: the norm),
/// largest first, among tokens that occur at least `occurrences` times; equal means: the lower id
/// first. One forward pass.
std::vector<std::vector<std::int32_t>> exciting_tokens(
    const Network& network, const float* parameters, const std::vector<Batch>& batches,
    const Units& units, const std::vector<Index>& chosen, std::size_t count,
    std::int64_t occurrences, const StopCheck& stop);

}  // namespace xfq::importance
