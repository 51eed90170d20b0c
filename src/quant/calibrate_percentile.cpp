// percentile: a quantile of |x| from its histogram.
#include <algorithm>
#include <cmath>

#include "calibrators.h"
#include "xfq/core/error.h"

namespace xfq::quant {

double percentile_threshold(const Observation& observation, double percentile) {
  XFQ_ASSERT(percentile > 0 && percentile <= 100);
  double wanted = percentile / 100 * static_cast<double>(observation.count());
  // 99.9 % of 1000 are 999 values, whatever the binary fraction says.
  const double whole = std::round(wanted);
  if (std::abs(wanted - whole) <= 1e-12 * whole) wanted = whole;
  double seen = 0;
  for (std::size_t j = 0; j < Observation::kBins; ++j) {
    const auto count = static_cast<double>(observation.positive()[j] + observation.negative()[j]);
    if (count > 0 && seen + count >= wanted) {
      const double position = static_cast<double>(j) + (wanted - seen) / count;
      return std::min(position * observation.bin_width(), observation.range());
    }
    seen += count;
  }
  return observation.range();
}

}  // namespace xfq::quant
