// Statistics of a tensor or of an activation site, for calibration and reports.
//
// Two passes over the data: the first finds the range and the moments, the
// second counts values in bins over exactly that range. So the histogram is the
// published one (2048 bins over [0, max |x|]) and depends on the values alone,
// not on how they were cut into batches, as it does where the range of the first
// batch decides. Both passes merge: moments up to rounding, counts exactly.
// A value that is not finite throws ErrorKind::run.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "xfq/core/matrix.h"
#include "xfq/stats/moments.h"

namespace xfq::quant {

/// First pass.
class RangeStatistics {
 public:
  /// x is [rows, cols], dense; columns are channels. The first call sets cols.
  void add(const float* x, Index rows, Index cols);
  void merge(const RangeStatistics& other);

  std::int64_t count() const { return moments_.count(); }
  /// Count, mean, variance, kurtosis, min and max of the values.
  const stats::Moments& moments() const { return moments_; }
  /// The rest throws ErrorKind::run when no value was added.
  double absolute_max() const;
  double mean_absolute() const;  ///< E|x|
  double root_mean_square() const;
  /// max |x| of every column.
  const std::vector<float>& channel_absolute_max() const { return channels_; }
  /// Largest entry of channel_absolute_max() over its median: about 1 to 3 without
  /// outlier channels. None when the median is 0.
  std::optional<double> channel_ratio() const;

 private:
  void need_values() const;

  stats::Moments moments_;
  double absolute_sum_ = 0;
  std::vector<float> channels_;
};

/// Second pass: counts over the range that the first one found.
class Observation {
 public:
  static constexpr int kBins = 2048;

  /// Throws ErrorKind::run when the statistics are empty.
  explicit Observation(RangeStatistics statistics);

  /// The same data as in the first pass; throws ErrorKind::run on |x| beyond its range.
  void add(const float* x, Index rows, Index cols);
  /// For counts of other parts of the data over the same statistics, otherwise
  /// throws ErrorKind::run.
  void merge(const Observation& other);

  const RangeStatistics& statistics() const { return statistics_; }
  std::int64_t count() const { return count_; }
  /// max |x|, the end of the last bin; 0 when all values are 0 (they are in bin 0).
  double range() const { return range_; }
  double bin_width() const { return range_ / kBins; }
  /// |x| in [j, j + 1) * bin_width(), the last bin includes its end; x >= 0 and x < 0 apart.
  const std::vector<std::int64_t>& positive() const { return positive_; }
  const std::vector<std::int64_t>& negative() const { return negative_; }
  /// Their sum: the histogram of |x|.
  std::vector<std::int64_t> magnitudes() const;
  /// Share of values further than six standard deviations from the mean.
  double share_beyond_six_sigma() const;

 private:
  RangeStatistics statistics_;
  double range_ = 0;
  double mean_ = 0;
  double six_sigma_ = 0;
  std::vector<std::int64_t> positive_;
  std::vector<std::int64_t> negative_;
  std::int64_t beyond_ = 0;
  std::int64_t count_ = 0;
};

/// Both passes over data in memory. At least one value.
Observation observe(const float* x, Index rows, Index cols);

}  // namespace xfq::quant
