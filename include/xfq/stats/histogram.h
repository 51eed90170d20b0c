// Histograms, quantiles of sorted data, and entropies in nats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace xfq::stats {

/// Equal bins over a fixed range [lo, hi]; bin i is [edge(i), edge(i+1)), the
/// last one includes hi. Values outside are counted beside the bins. Adding a
/// value that is not finite throws ErrorKind::run.
class Histogram {
 public:
  /// lo < hi, both finite; bins >= 1. Otherwise throws ErrorKind::run.
  Histogram(double lo, double hi, std::size_t bins);

  void add(double x);
  template <class S>
  void add(const S* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) add(static_cast<double>(data[i]));
  }
  /// Range and bins must agree, otherwise throws ErrorKind::run. Exact: the
  /// order of merging does not matter.
  void merge(const Histogram& other);

  double lo() const { return lo_; }
  double hi() const { return hi_; }
  std::size_t bins() const { return counts_.size(); }
  double width() const { return (hi_ - lo_) / static_cast<double>(counts_.size()); }
  /// i in 0..bins(); edge(0) = lo, edge(bins()) = hi.
  double edge(std::size_t i) const;
  double center(std::size_t i) const { return 0.5 * (edge(i) + edge(i + 1)); }

  const std::vector<std::int64_t>& counts() const { return counts_; }
  std::int64_t below() const { return below_; }
  std::int64_t above() const { return above_; }
  /// Values inside the range.
  std::int64_t inside() const { return inside_; }

 private:
  double lo_;
  double hi_;
  std::vector<std::int64_t> counts_;
  std::int64_t below_ = 0;
  std::int64_t above_ = 0;
  std::int64_t inside_ = 0;
};

/// A histogram over [min, max] of the values; when all are equal, over
/// [x - 1/2, x + 1/2]. At least one value, otherwise throws ErrorKind::run.
Histogram histogram_of(const std::vector<double>& values, std::size_t bins);

/// A histogram around zero that finds its range in one pass: bins over [-R, R)
/// with R the smallest power of two above every |x| seen. When R doubles, pairs of
/// bins fuse, and since edges are powers of two times integers, nothing is
/// misplaced: the counts depend only on the values, not on their order, nor on
/// how they were split before merging.
class GrowingHistogram {
 public:
  /// bins: a power of two, >= 2. Otherwise throws ErrorKind::run.
  explicit GrowingHistogram(std::size_t bins);

  /// Throws ErrorKind::run on a value that is not finite or not below 2^1000.
  void add(double x);
  template <class S>
  void add(const S* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) add(static_cast<double>(data[i]));
  }
  void merge(const GrowingHistogram& other);

  /// R; 0 while no value but zeros was added (they are in bin bins()/2, which
  /// starts at 0 for every R). Never below 2^-1000 otherwise.
  double range() const { return range_; }
  std::size_t bins() const { return counts_.size(); }
  double width() const { return 2 * range_ / static_cast<double>(counts_.size()); }
  double edge(std::size_t i) const;
  const std::vector<std::int64_t>& counts() const { return counts_; }
  std::int64_t total() const { return total_; }

  /// Counts of |x| over [0, R), bins()/2 bins. Bin edges are half-open on the
  /// value's own side, so an x of exactly minus an edge counts one bin lower
  /// than x of plus that edge.
  std::vector<std::int64_t> magnitude_counts() const;

 private:
  void grow_to(double range);

  double range_ = 0;
  std::vector<std::int64_t> counts_;
  std::int64_t total_ = 0;
};

/// Quantile of ascending data by linear interpolation between order statistics
/// at (n - 1) p (Hyndman and Fan 1996, type 7: the default of R and NumPy).
/// Data not empty, 0 <= p <= 1, otherwise throws ErrorKind::run.
double quantile(const std::vector<double>& sorted, double p);

// Entropy in nats of counts, or of weights that need not sum to one: -sum p ln p
// with 0 ln 0 = 0. Throws ErrorKind::run on a negative or non-finite entry and
// when all are zero.
double entropy(const std::vector<std::int64_t>& counts);
double entropy(const std::vector<double>& weights);

/// Miller-Madow: entropy(counts) + (K - 1) / (2 N), K the number of non-zero
/// counts, N their sum; takes out the first-order bias of counting (Miller 1955).
double entropy_miller_madow(const std::vector<std::int64_t>& counts);

/// Differential entropy in nats of a density that is constant inside each bin:
/// entropy(counts) + ln(width). `width` in the unit of the data, positive.
double differential_entropy(const std::vector<std::int64_t>& counts, double width);
/// The same for a normal density, ln(2 pi e sigma^2) / 2; sigma > 0.
double normal_differential_entropy(double sigma);

}  // namespace xfq::stats
