// Count, mean and central moment sums up to the fourth, in one pass and
// mergeable: Welford's update and Pebay's pairwise formulas (P. Pebay, "Formulas
// for robust, one-pass parallel computation of covariances and arbitrary-order
// statistical moments", SAND2008-6212, eq. 1.5-1.6, 2.1 with p = 2, 3, 4).
//
// Merging equals one pass up to rounding; for equal bits merge in a fixed order.
// A NaN or an infinity that is added makes mean and moments NaN.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

namespace xfq::stats {

class Moments {
 public:
  void add(double x);

  /// Adds data[0..size): two passes over blocks, which are then merged. Faster
  /// than single additions (no division per value) and as exact.
  template <class S>
  void add(const S* data, std::size_t size);

  void merge(const Moments& other);

  std::int64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }

  // These throw ErrorKind::run when no value was added.
  double mean() const;
  double min() const;
  double max() const;
  /// M2 / n.
  double population_variance() const;

  // These throw ErrorKind::run on fewer than two values.
  /// M2 / (n - 1).
  double variance() const;
  double standard_deviation() const;
  /// Of the mean: sqrt(variance / n).
  double standard_error() const;

  // Both biased ("g1", "g2"), as moments of the data themselves: none when no
  // value was added or all are equal.
  /// sqrt(n) M3 / M2^1.5.
  std::optional<double> skewness() const;
  /// n M4 / M2^2 - 3: 0 for a normal distribution, 3 for a Laplace one.
  std::optional<double> excess_kurtosis() const;

 private:
  std::int64_t count_ = 0;
  double mean_ = 0;
  double m2_ = 0;  // sum of (x - mean)^2, and so on
  double m3_ = 0;
  double m4_ = 0;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
};

template <class S>
void Moments::add(const S* data, std::size_t size) {
  constexpr std::size_t kBlock = 1024;
  for (std::size_t begin = 0; begin < size; begin += kBlock) {
    const std::size_t end = std::min(size, begin + kBlock);
    // Sums are taken relative to the first value, so that equal values have a
    // spread of exactly zero and a large common offset costs no digits.
    const double origin = static_cast<double>(data[begin]);
    Moments block;
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double x = static_cast<double>(data[i]);
      sum += x - origin;
      block.min_ = std::min(block.min_, x);
      block.max_ = std::max(block.max_, x);
    }
    block.count_ = static_cast<std::int64_t>(end - begin);
    const double shift = sum / static_cast<double>(block.count_);
    block.mean_ = origin + shift;
    for (std::size_t i = begin; i < end; ++i) {
      const double d = (static_cast<double>(data[i]) - origin) - shift;
      const double d2 = d * d;
      block.m2_ += d2;
      block.m3_ += d2 * d;
      block.m4_ += d2 * d2;
    }
    merge(block);
  }
}

}  // namespace xfq::stats
