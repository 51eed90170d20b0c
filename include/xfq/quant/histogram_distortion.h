// What rounding would do to observed values, from their histogram alone: no pass over the
// data for another format or another range. Values are taken as spread evenly inside a bin.
#pragma once

#include <optional>
#include <vector>

#include "xfq/quant/number_format.h"
#include "xfq/quant/observer.h"

namespace xfq::quant {

struct HistogramDistortion {
  std::optional<double> sqnr_db;  ///< none when there is no error, or no signal
  double clip_share = 0;          ///< share beyond the last value by more than half an interval
  double code_entropy_bits = 0;
  /// KL(P || Q) in nats over the bins of the observation: P what was seen, Q what the codes say,
  /// the mass of each value spread evenly over the interval that rounds to it (the last ones as
  /// wide as their neighbours). Both mixed with 1e-6 per bin (stats::kl_smoothed), since Q has
  /// nothing where values are clipped.
  double histogram_kl = 0;
};

HistogramDistortion histogram_distortion(const Observation& observation, const NumberFormat& format,
                                         const Scale& scale);

/// A bin of a histogram to draw.
struct DrawnBin {
  double lo = 0;
  double hi = 0;
  double share = 0;  ///< of all values
};
/// The signed histogram in `bins` (even, a divisor of 2 * Observation::kBins) equal bins over
/// [-range, range].
std::vector<DrawnBin> drawn_histogram(const Observation& observation, int bins = 64);

}  // namespace xfq::quant
