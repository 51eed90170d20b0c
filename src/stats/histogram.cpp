// Histograms, quantiles and entropies.
#include "xfq/stats/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"

namespace xfq::stats {
namespace {

template <class T>
double entropy_of(const std::vector<T>& weights) {
  double total = 0;
  for (const T weight : weights) {
    const auto w = static_cast<double>(weight);
    if (!(w >= 0 && std::isfinite(w))) {
      throw_run(fmt::format("entropy of a weight {}, expected 0 or more", w));
    }
    total += w;
  }
  if (!(total > 0)) throw_run("entropy of weights that are all zero, expected a positive sum");
  double sum = 0;
  for (const T weight : weights) {
    const double p = static_cast<double>(weight) / total;
    if (p > 0) sum -= p * std::log(p);
  }
  return sum;
}

constexpr int kLargestExponent = 1000;

void check_value(double x) {
  if (!std::isfinite(x)) {
    throw_run(fmt::format("value {} in a histogram, expected a finite one", x));
  }
}

}  // namespace

Histogram::Histogram(double lo, double hi, std::size_t bins) : lo_(lo), hi_(hi), counts_(bins, 0) {
  if (!(lo < hi && std::isfinite(hi - lo))) {
    throw_run(fmt::format("histogram range [{}, {}], expected two finite ascending ends", lo, hi));
  }
  if (bins == 0) throw_run("histogram of 0 bins, expected 1 or more");
}

void Histogram::add(double x) {
  check_value(x);
  if (x < lo_) {
    ++below_;
  } else if (x > hi_) {
    ++above_;
  } else {
    const double position = (x - lo_) / (hi_ - lo_) * static_cast<double>(counts_.size());
    ++counts_[std::min(static_cast<std::size_t>(position), counts_.size() - 1)];
    ++inside_;
  }
}

void Histogram::merge(const Histogram& other) {
  if (lo_ != other.lo_ || hi_ != other.hi_ || bins() != other.bins()) {
    throw_run(fmt::format("merging a histogram of {} bins over [{}, {}], expected {} over [{}, {}]",
                          other.bins(), other.lo_, other.hi_, bins(), lo_, hi_));
  }
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  below_ += other.below_;
  above_ += other.above_;
  inside_ += other.inside_;
}

double Histogram::edge(std::size_t i) const {
  if (i == counts_.size()) return hi_;
  return lo_ + (hi_ - lo_) * (static_cast<double>(i) / static_cast<double>(counts_.size()));
}

Histogram histogram_of(const std::vector<double>& values, std::size_t bins) {
  if (values.empty()) throw_run("histogram of 0 values, expected 1 or more");
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  Histogram histogram =
      *least < *most ? Histogram(*least, *most, bins) : Histogram(*least - 0.5, *least + 0.5, bins);
  histogram.add(values.data(), values.size());
  return histogram;
}

GrowingHistogram::GrowingHistogram(std::size_t bins) : counts_(bins, 0) {
  if (bins < 2 || (bins & (bins - 1)) != 0) {
    throw_run(fmt::format("growing histogram of {} bins, expected a power of two >= 2", bins));
  }
}

void GrowingHistogram::grow_to(double range) {
  if (range <= range_) return;
  const std::size_t middle = counts_.size() / 2;
  if (range_ > 0) {
    // Bin b of the old range, seen from the middle, lands in floor(b / 2^doublings).
    const int doublings = std::ilogb(range) - std::ilogb(range_);
    for (std::size_t b = 1; b < middle; ++b) {
      const std::size_t target = doublings < 63 ? b >> doublings : 0;
      const std::int64_t moved = counts_[middle + b];
      counts_[middle + b] = 0;
      counts_[middle + target] += moved;
      // Mirrored: old bin middle - 1 - b is floor(-(b + 1) / 2^doublings) = -(target + 1).
      const std::int64_t mirrored = counts_[middle - 1 - b];
      counts_[middle - 1 - b] = 0;
      counts_[middle - 1 - target] += mirrored;
    }
  }
  range_ = range;
}

void GrowingHistogram::add(double x) {
  check_value(x);
  const std::size_t middle = counts_.size() / 2;
  if (x == 0) {
    ++counts_[middle];
  } else {
    int exponent = 0;
    std::frexp(x, &exponent);  // |x| < 2^exponent
    if (exponent > kLargestExponent) {
      throw_run(fmt::format("value {} in a histogram, expected |x| < 2^{}", x, kLargestExponent));
    }
    grow_to(std::ldexp(1.0, std::max(exponent, -kLargestExponent)));
    const double magnitude = std::abs(x) / range_ * static_cast<double>(middle);
    // Powers of two only: this is exact, so a bin is where it would be at any range.
    const double whole = std::floor(magnitude);
    auto b = static_cast<std::size_t>(whole);
    if (x > 0) {
      ++counts_[middle + b];
    } else {
      // [-(b+1) w, -b w): minus an edge belongs to the bin that starts there.
      if (b > 0 && whole == magnitude) --b;
      ++counts_[middle - 1 - b];
    }
  }
  ++total_;
}

void GrowingHistogram::merge(const GrowingHistogram& other) {
  if (bins() != other.bins()) {
    throw_run(fmt::format("merging a histogram of {} bins, expected {}", other.bins(), bins()));
  }
  GrowingHistogram grown = other;
  grown.grow_to(range_);
  grow_to(grown.range_);
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += grown.counts_[i];
  total_ += grown.total_;
}

double GrowingHistogram::edge(std::size_t i) const {
  const double half = static_cast<double>(counts_.size() / 2);
  return range_ * ((static_cast<double>(i) - half) / half);
}

std::vector<std::int64_t> GrowingHistogram::magnitude_counts() const {
  const std::size_t middle = counts_.size() / 2;
  std::vector<std::int64_t> magnitudes(middle);
  for (std::size_t b = 0; b < middle; ++b) {
    magnitudes[b] = counts_[middle + b] + counts_[middle - 1 - b];
  }
  return magnitudes;
}

double quantile(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) throw_run("quantile of 0 values, expected 1 or more");
  if (!(p >= 0 && p <= 1)) throw_run(fmt::format("quantile at p = {}, expected 0 to 1", p));
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double share = position - static_cast<double>(below);
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

double entropy(const std::vector<std::int64_t>& counts) { return entropy_of(counts); }

double entropy(const std::vector<double>& weights) { return entropy_of(weights); }

double entropy_miller_madow(const std::vector<std::int64_t>& counts) {
  const double plain = entropy(counts);
  std::int64_t used = 0;
  std::int64_t total = 0;
  for (const std::int64_t count : counts) {
    used += count > 0 ? 1 : 0;
    total += count;
  }
  return plain + static_cast<double>(used - 1) / (2 * static_cast<double>(total));
}

double differential_entropy(const std::vector<std::int64_t>& counts, double width) {
  if (!(width > 0 && std::isfinite(width))) {
    throw_run(fmt::format("bin width {}, expected a positive number", width));
  }
  return entropy(counts) + std::log(width);
}

double normal_differential_entropy(double sigma) {
  if (!(sigma > 0 && std::isfinite(sigma))) {
    throw_run(fmt::format("sigma {}, expected a positive number", sigma));
  }
  const double log_two_pi = 1.8378770664093454836;
  return 0.5 * (1 + log_two_pi) + std::log(sigma);
}

}  // namespace xfq::stats
