// The two passes of observation.
#include "xfq/quant/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/finite.h"

namespace xfq::quant {

void RangeStatistics::add(const float* x, Index rows, Index cols) {
  const Index size = rows * cols;
  if (size == 0) return;
  if (channels_.empty()) channels_.assign(static_cast<std::size_t>(cols), 0.0f);
  XFQ_ASSERT(static_cast<Index>(channels_.size()) == cols);
  if (!all_finite(x, static_cast<std::size_t>(size))) {
    throw_run("a value that is not finite among those to observe, expected finite ones");
  }
  moments_.add(x, static_cast<std::size_t>(size));
  for (Index r = 0; r < rows; ++r) {
    const float* row = x + r * cols;
    double sum = 0;
    for (Index c = 0; c < cols; ++c) {
      const float magnitude = std::abs(row[c]);
      sum += static_cast<double>(magnitude);
      float& most = channels_[static_cast<std::size_t>(c)];
      most = most < magnitude ? magnitude : most;
    }
    absolute_sum_ += sum;
  }
}

void RangeStatistics::merge(const RangeStatistics& other) {
  if (other.channels_.empty()) return;
  if (channels_.empty()) channels_.assign(other.channels_.size(), 0.0f);
  XFQ_ASSERT(channels_.size() == other.channels_.size());
  moments_.merge(other.moments_);
  absolute_sum_ += other.absolute_sum_;
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    channels_[c] = std::max(channels_[c], other.channels_[c]);
  }
}

void RangeStatistics::need_values() const {
  if (moments_.empty()) throw_run("statistics of 0 values, expected 1 or more");
}

double RangeStatistics::absolute_max() const {
  need_values();
  return std::max(-moments_.min(), moments_.max());
}

double RangeStatistics::mean_absolute() const {
  need_values();
  return absolute_sum_ / static_cast<double>(moments_.count());
}

double RangeStatistics::root_mean_square() const {
  need_values();
  return std::sqrt(moments_.population_variance() + moments_.mean() * moments_.mean());
}

std::optional<double> RangeStatistics::channel_ratio() const {
  need_values();
  std::vector<float> sorted = channels_;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t n = sorted.size();
  const double median =
      0.5 * (static_cast<double>(sorted[(n - 1) / 2]) + static_cast<double>(sorted[n / 2]));
  if (!(median > 0)) return std::nullopt;
  return static_cast<double>(sorted.back()) / median;
}

Observation::Observation(RangeStatistics statistics)
    : statistics_(std::move(statistics)), positive_(kBins, 0), negative_(kBins, 0) {
  range_ = statistics_.absolute_max();
  mean_ = statistics_.moments().mean();
  six_sigma_ = 6 * std::sqrt(statistics_.moments().population_variance());
}

void Observation::add(const float* x, Index rows, Index cols) {
  const double inverse = range_ > 0 ? kBins / range_ : 0;
  const bool spread = six_sigma_ > 0;
  const Index size = rows * cols;
  for (Index i = 0; i < size; ++i) {
    const auto value = static_cast<double>(x[i]);
    const double magnitude = std::abs(value);
    if (!(magnitude <= range_)) {
      throw_run(
          fmt::format("value {} in the second pass, expected at most {}, the range of the first",
                      value, range_),
          "both passes must see the same data");
    }
    const int bin = std::min(static_cast<int>(magnitude * inverse), kBins - 1);
    ++(value < 0 ? negative_ : positive_)[static_cast<std::size_t>(bin)];
    if (spread && std::abs(value - mean_) > six_sigma_) ++beyond_;
  }
  count_ += size;
}

void Observation::merge(const Observation& other) {
  if (range_ != other.range_ || mean_ != other.mean_ || six_sigma_ != other.six_sigma_) {
    throw_run(fmt::format("merging counts over [0, {}], expected the statistics of [0, {}]",
                          other.range_, range_));
  }
  for (std::size_t j = 0; j < positive_.size(); ++j) {
    positive_[j] += other.positive_[j];
    negative_[j] += other.negative_[j];
  }
  beyond_ += other.beyond_;
  count_ += other.count_;
}

std::vector<std::int64_t> Observation::magnitudes() const {
  std::vector<std::int64_t> sums = positive_;
  for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += negative_[j];
  return sums;
}

double Observation::share_beyond_six_sigma() const {
  if (count_ == 0) throw_run("share of 0 values, expected 1 or more");
  return static_cast<double>(beyond_) / static_cast<double>(count_);
}

Observation observe(const float* x, Index rows, Index cols) {
  RangeStatistics statistics;
  statistics.add(x, rows, cols);
  Observation observation(std::move(statistics));
  observation.add(x, rows, cols);
  return observation;
}

}  // namespace xfq::quant
