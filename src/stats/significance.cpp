// p-values: paired t-test, Welch's test, sign flips, Holm's correction.
#include "xfq/stats/significance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "checks.h"
#include "welch.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/stats/moments.h"
#include "xfq/stats/quantiles.h"

namespace xfq::stats {
namespace {

std::vector<double> paired_differences(const std::vector<double>& a, const std::vector<double>& b) {
  check_same_size(a.size(), b.size(), "paired observations");
  check_finite(a, "observations");
  check_finite(b, "observations");
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
  return d;
}

/// Of a difference with its standard error.
double t_p(double difference, double error, double df) {
  if (error == 0) return difference == 0 ? 1.0 : 0.0;
  return t_two_sided_p(difference / error, df);
}

}  // namespace

std::optional<double> paired_t_p(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> d = paired_differences(a, b);
  if (d.size() < 2) return std::nullopt;
  Moments moments;
  moments.add(d.data(), d.size());
  return t_p(moments.mean(), moments.standard_error(), static_cast<double>(d.size() - 1));
}

std::optional<double> welch_p(const std::vector<double>& a, const std::vector<double>& b) {
  check_finite(a, "observations");
  check_finite(b, "observations");
  if (a.size() < 2 || b.size() < 2) return std::nullopt;
  const WelchDifference welch = welch_difference(a, b);
  return t_p(welch.difference, welch.error, welch.df);
}

std::optional<double> permutation_p(const std::vector<double>& a, const std::vector<double>& b,
                                    std::int64_t resamples, std::uint64_t seed) {
  const std::vector<double> d = paired_differences(a, b);
  if (d.empty()) return std::nullopt;
  if (resamples < 1) throw_run(fmt::format("{} resamples, expected 1 or more", resamples));
  const double magnitude = std::accumulate(
      d.begin(), d.end(), 0.0, [](double sum, double value) { return sum + std::abs(value); });
  // Two sums of n terms differ by rounding by at most 2 n eps sum |d|.
  const double tolerance =
      2 * static_cast<double>(d.size()) * std::numeric_limits<double>::epsilon() * magnitude;
  const double observed = std::abs(std::accumulate(d.begin(), d.end(), 0.0)) - tolerance;

  if (d.size() <= kExactPermutationPairs) {
    const std::uint32_t flips = std::uint32_t{1} << d.size();
    std::int64_t reached = 0;
    for (std::uint32_t flip = 0; flip < flips; ++flip) {
      double sum = 0;
      for (std::size_t i = 0; i < d.size(); ++i) sum += (flip >> i & 1U) != 0 ? -d[i] : d[i];
      if (std::abs(sum) >= observed) ++reached;
    }
    return static_cast<double>(reached) / static_cast<double>(flips);
  }

  std::int64_t reached = 0;
  for (std::int64_t r = 0; r < resamples; ++r) {
    Stream stream(seed, "stats.permutation", static_cast<std::uint64_t>(r));
    double sum = 0;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < d.size(); ++i) {
      if (i % 32 == 0) bits = stream.next_u32();
      sum += (bits >> (i % 32) & 1U) != 0 ? -d[i] : d[i];
    }
    if (std::abs(sum) >= observed) ++reached;
  }
  return static_cast<double>(1 + reached) / static_cast<double>(1 + resamples);
}

std::vector<double> holm(const std::vector<double>& p) {
  for (const double value : p) {
    if (!(value >= 0 && value <= 1)) {
      throw_run(fmt::format("p-value {}, expected a number from 0 to 1", value));
    }
  }
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return p[i] != p[j] ? p[i] < p[j] : i < j; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, static_cast<double>(p.size() - i) * p[order[i]]);
    adjusted[order[i]] = std::min(1.0, largest);
  }
  return adjusted;
}

}  // namespace xfq::stats
