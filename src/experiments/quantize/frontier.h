// Equal bytes: is a wide model in few bits better than a narrow one in many?
// (Dettmers & Zettlemoyer 2023, "The case for 4-bit precision: k-bit inference scaling laws")
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "subject.h"
#include "xfq/core/record.h"

namespace xfq::experiments::quantize {

/// A model of some width with its weights in some bits.
struct FrontierRow {
  std::int64_t width = 0;
  std::int64_t bits = 0;  ///< 32: not quantized
  std::int64_t bytes = 0;
  double nll = 0;  ///< nats per token, on the sweep tokens
};

/// A model of one width, weights in 2 to 6, 8 and 32 bits, a scale per output channel.
std::vector<FrontierRow> measure_frontier(const Subject& subject);

/// nll(fewer bits) - nll(more bits) at the same bytes, the mean over those sizes of the models in
/// `more` bits that the sizes in `fewer` bits enclose; between sizes the loss is taken as linear in
/// the logarithm of bytes. Below 0: fewer bits and a wider model win. None when no size is
/// enclosed.
std::optional<double> equal_bytes_difference(const std::vector<FrontierRow>& rows,
                                             std::int64_t fewer, std::int64_t more);

/// Rows that no other row of the seed beats in both bytes and loss.
std::vector<bool> on_frontier(const std::vector<FrontierRow>& rows);

struct SeedResult;
Table frontier_table(const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::quantize
