// Intervals by Student's t, Wilson's score, the delta method and the bootstrap.
#include "xfq/stats/intervals.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "checks.h"
#include "welch.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/stats/histogram.h"
#include "xfq/stats/moments.h"
#include "xfq/stats/quantiles.h"

namespace xfq::stats {

void check_finite(const std::vector<double>& values, std::string_view what) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw_run(fmt::format("{}: value {} is {}, expected a finite number", what, i, values[i]));
    }
  }
}

void check_same_size(std::size_t a, std::size_t b, std::string_view what) {
  if (a != b) throw_run(fmt::format("{}: {} and {}, expected equal numbers", what, a, b));
}

void check_level(double level) {
  if (!(level > 0 && level < 1)) {
    throw_run(fmt::format("interval level {}, expected a number between 0 and 1", level));
  }
}

namespace {

Moments moments_of(const std::vector<double>& values) {
  Moments moments;
  moments.add(values.data(), values.size());
  return moments;
}

double two_sided_t(double level, double df) { return t_quantile(0.5 + 0.5 * level, df); }

std::vector<double> differences(const std::vector<double>& a, const std::vector<double>& b) {
  check_same_size(a.size(), b.size(), "paired observations");
  std::vector<double> d(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) d[i] = a[i] - b[i];
  return d;
}

Interval around(double value, double half_width) {
  return {value - half_width, value + half_width};
}

Text too_few(std::size_t got, int expected) {
  return phrase(got == 1 ? "{} observation, an interval needs {} or more"
                         : "{} observations, an interval needs {} or more",
                {got, expected});
}

// BCa's shift of a percentile (Efron and Tibshirani 1993, eq. 14.10).
double shifted_level(double z0, double acceleration, double z) {
  const double numerator = z0 + z;
  const double denominator = 1 - acceleration * numerator;
  if (denominator <= 0) return numerator > 0 ? 1 : 0;
  return normal_cdf(z0 + numerator / denominator);
}

}  // namespace

Estimate exact(double value) {
  check_finite({value}, "exact");
  Estimate estimate;
  estimate.value = value;
  estimate.ci = Interval{value, value};
  estimate.n = 1;
  return estimate;
}

Estimate mean_t(const std::vector<double>& observations, double level) {
  check_level(level);
  check_finite(observations, "observations");
  Estimate estimate;
  estimate.level = level;
  estimate.n = static_cast<std::int64_t>(observations.size());
  estimate.observations = observations;
  const Moments moments = moments_of(observations);
  if (!moments.empty()) estimate.value = moments.mean();
  if (observations.size() < 2) {
    estimate.reason = too_few(observations.size(), 2);
    return estimate;
  }
  estimate.standard_error = moments.standard_error();
  const double t = two_sided_t(level, static_cast<double>(estimate.n - 1));
  estimate.ci = around(*estimate.value, t * estimate.standard_error);
  return estimate;
}

Estimate paired_t(const std::vector<double>& a, const std::vector<double>& b, double level) {
  check_finite(a, "observations");
  check_finite(b, "observations");
  return mean_t(differences(a, b), level);
}

WelchDifference welch_difference(const std::vector<double>& a, const std::vector<double>& b) {
  const Moments moments_a = moments_of(a);
  const Moments moments_b = moments_of(b);
  const double va = moments_a.variance() / static_cast<double>(a.size());
  const double vb = moments_b.variance() / static_cast<double>(b.size());
  const double v = va + vb;
  WelchDifference out;
  out.difference = moments_a.mean() - moments_b.mean();
  out.error = std::sqrt(v);
  if (v > 0) {
    // In shares of v, so that tiny variances do not underflow when squared.
    const double share_a = va / v;
    const double share_b = vb / v;
    out.df = 1 / (share_a * share_a / static_cast<double>(a.size() - 1) +
                  share_b * share_b / static_cast<double>(b.size() - 1));
  }
  return out;
}

Estimate welch(const std::vector<double>& a, const std::vector<double>& b, double level) {
  check_level(level);
  check_finite(a, "observations");
  check_finite(b, "observations");
  Estimate estimate;
  estimate.level = level;
  const std::size_t n = std::min(a.size(), b.size());
  estimate.n = static_cast<std::int64_t>(n);
  if (n > 0) estimate.value = moments_of(a).mean() - moments_of(b).mean();
  if (n < 2) {
    estimate.reason = phrase("{} in each sample", {too_few(n, 2)});
    return estimate;
  }
  const WelchDifference welch = welch_difference(a, b);
  estimate.standard_error = welch.error;
  const double half_width = welch.error > 0 ? two_sided_t(level, welch.df) * welch.error : 0;
  estimate.ci = around(*estimate.value, half_width);
  return estimate;
}

Estimate ratio_of_means(const std::vector<double>& a, const std::vector<double>& b, double level) {
  check_level(level);
  check_same_size(a.size(), b.size(), "paired observations");
  check_finite(a, "observations");
  const Estimate denominator = mean_t(b, level);
  Estimate estimate;
  estimate.level = level;
  estimate.n = denominator.n;
  if (estimate.n == 0) {
    estimate.reason = denominator.reason;
    return estimate;
  }
  const double mean_b = *denominator.value;
  const double ratio = moments_of(a).mean() / mean_b;
  if (mean_b == 0 || !std::isfinite(ratio)) {
    estimate.reason = phrase("the denominator's mean is {:.4g}", {mean_b});
    return estimate;
  }
  estimate.value = ratio;
  if (!denominator.ci) {
    estimate.reason = denominator.reason;
    return estimate;
  }
  if (denominator.ci->lo <= 0 && denominator.ci->hi >= 0) {
    estimate.reason = phrase("the denominator's interval [{:.4g}, {:.4g}] contains zero",
                             {denominator.ci->lo, denominator.ci->hi});
    return estimate;
  }
  std::vector<double> linear(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) linear[i] = (a[i] - ratio * b[i]) / mean_b;
  estimate.standard_error = moments_of(linear).standard_error();
  const double t = two_sided_t(level, static_cast<double>(estimate.n - 1));
  estimate.ci = around(ratio, t * estimate.standard_error);
  return estimate;
}

Estimate wilson(std::int64_t successes, std::int64_t n, double level) {
  check_level(level);
  if (n < 0 || successes < 0 || successes > n) {
    throw_run(
        fmt::format("{} successes in {} trials, expected 0 <= successes <= trials", successes, n));
  }
  Estimate estimate;
  estimate.level = level;
  estimate.over_seeds = false;
  estimate.n = n;
  if (n == 0) {
    estimate.reason = too_few(0, 1);
    return estimate;
  }
  const auto trials = static_cast<double>(n);
  const double p = static_cast<double>(successes) / trials;
  const double z = normal_quantile(0.5 + 0.5 * level);
  const double z2_n = z * z / trials;
  const double center = (p + 0.5 * z2_n) / (1 + z2_n);
  const double half_width = std::sqrt(p * (1 - p) * z2_n + 0.25 * z2_n * z2_n) / (1 + z2_n);
  Interval ci = around(center, half_width);
  ci.lo = successes == 0 ? 0 : std::clamp(ci.lo, 0.0, p);
  ci.hi = successes == n ? 1 : std::clamp(ci.hi, p, 1.0);
  estimate.value = p;
  estimate.ci = ci;
  estimate.standard_error = half_width / z;
  return estimate;
}

Estimate bootstrap(std::size_t n, const IndexStatistic& statistic, const Bootstrap& options) {
  check_level(options.level);
  if (options.resamples < 1) {
    throw_run(fmt::format("{} bootstrap resamples, expected 1 or more", options.resamples));
  }
  const auto evaluate = [&](const std::vector<std::size_t>& items) {
    const std::optional<double> value = statistic(items);
    if (value) check_finite({*value}, "bootstrapped statistic");
    return value;
  };
  Estimate estimate;
  estimate.level = options.level;
  estimate.over_seeds = false;
  estimate.n = static_cast<std::int64_t>(n);
  if (n == 0) {
    estimate.reason = too_few(0, 2);
    return estimate;
  }
  std::vector<std::size_t> items(n);
  std::iota(items.begin(), items.end(), std::size_t{0});
  estimate.value = evaluate(items);
  if (!estimate.value) {
    estimate.reason = phrase("not defined on these {} observations", {n});
    return estimate;
  }
  if (n < 2) {
    estimate.reason = too_few(n, 2);
    return estimate;
  }

  std::vector<double> resampled;
  resampled.reserve(static_cast<std::size_t>(options.resamples));
  for (std::int64_t r = 0; r < options.resamples; ++r) {
    Stream stream(options.seed, "stats.bootstrap", static_cast<std::uint64_t>(r));
    for (std::size_t& item : items) item = static_cast<std::size_t>(stream.below(n));
    if (const std::optional<double> value = evaluate(items)) resampled.push_back(*value);
  }
  const auto missing = options.resamples - static_cast<std::int64_t>(resampled.size());
  if (missing * 10 > options.resamples) {
    estimate.reason = phrase("not defined on {} of {} resamples", {missing, options.resamples});
    return estimate;
  }
  std::sort(resampled.begin(), resampled.end());

  double lower = 0.5 - 0.5 * options.level;
  double upper = 0.5 + 0.5 * options.level;
  if (options.method == BootstrapMethod::bca) {
    Moments jackknife;
    std::vector<std::size_t> rest(n - 1);
    for (std::size_t left_out = 0; left_out < n; ++left_out) {
      for (std::size_t i = 0; i + 1 < n; ++i) rest[i] = i < left_out ? i : i + 1;
      const std::optional<double> value = evaluate(rest);
      if (!value) {
        estimate.reason = phrase("not defined without observation {}", {left_out});
        return estimate;
      }
      jackknife.add(*value);
    }
    // sum d^3 / (6 (sum d^2)^1.5) with d = mean - value, by way of the skewness.
    const double acceleration =
        -jackknife.skewness().value_or(0) / (6 * std::sqrt(static_cast<double>(n)));
    const auto [first, last] =
        std::equal_range(resampled.begin(), resampled.end(), *estimate.value);
    const auto smaller = static_cast<double>(first - resampled.begin());
    const auto equal = static_cast<double>(last - first);
    const auto count = static_cast<double>(resampled.size());
    const double share = (smaller + 0.5 * equal) / count;
    const double z0 = normal_quantile(std::clamp(share, 0.5 / count, 1 - 0.5 / count));
    const double z = normal_quantile(upper);
    lower = shifted_level(z0, acceleration, -z);
    upper = shifted_level(z0, acceleration, z);
  }
  estimate.ci = Interval{quantile(resampled, lower), quantile(resampled, upper)};
  if (resampled.size() > 1) estimate.standard_error = moments_of(resampled).standard_deviation();
  return estimate;
}

Estimate bootstrap(const std::vector<double>& observations, const SampleStatistic& statistic,
                   const Bootstrap& options) {
  check_finite(observations, "observations");
  std::vector<double> picked;
  Estimate estimate = bootstrap(
      observations.size(),
      [&](const std::vector<std::size_t>& items) {
        picked.resize(items.size());
        for (std::size_t i = 0; i < items.size(); ++i) picked[i] = observations[items[i]];
        return statistic(picked);
      },
      options);
  estimate.over_seeds = true;
  return estimate;
}

LinearFit linear_fit(const std::vector<double>& x, const std::vector<double>& y, double level) {
  check_level(level);
  check_same_size(x.size(), y.size(), "points of a line");
  check_finite(x, "x of a line");
  check_finite(y, "y of a line");
  LinearFit fit;
  for (Estimate* estimate : {&fit.slope, &fit.intercept}) {
    estimate->level = level;
    estimate->over_seeds = false;
    estimate->n = static_cast<std::int64_t>(x.size());
  }
  const auto give_up = [&fit](const Text& reason) {
    fit.slope.reason = reason;
    fit.intercept.reason = reason;
    return fit;
  };
  if (x.size() < 2) return give_up(phrase("{} points, a line needs 2 or more", {x.size()}));
  const Moments moments_x = moments_of(x);
  const Moments moments_y = moments_of(y);
  if (moments_x.min() == moments_x.max()) return give_up("all points have the same x");

  const auto n = static_cast<double>(x.size());
  const double mean_x = moments_x.mean();
  const double mean_y = moments_y.mean();
  double sxx = 0;
  double sxy = 0;
  double syy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mean_x;
    const double dy = y[i] - mean_y;
    sxx += dx * dx;
    sxy += dx * dy;
    syy += dy * dy;
  }
  if (!(sxx > 0)) return give_up("all points have the same x");
  const double slope = sxy / sxx;
  fit.slope.value = slope;
  fit.intercept.value = mean_y - slope * mean_x;
  double rss = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double residual = (y[i] - mean_y) - slope * (x[i] - mean_x);
    rss += residual * residual;
  }
  if (moments_y.min() < moments_y.max() && syy > 0) fit.r_squared = 1 - rss / syy;
  if (x.size() < 3) return give_up(phrase("{} points, an interval needs 3 or more", {x.size()}));

  const double residual_variance = rss / (n - 2);
  fit.residual_sd = std::sqrt(residual_variance);
  const double t = two_sided_t(level, n - 2);
  fit.slope.standard_error = std::sqrt(residual_variance / sxx);
  fit.intercept.standard_error = std::sqrt(residual_variance * (1 / n + mean_x * mean_x / sxx));
  for (Estimate* estimate : {&fit.slope, &fit.intercept}) {
    estimate->ci = around(*estimate->value, t * estimate->standard_error);
  }
  return fit;
}

std::optional<std::int64_t> seeds_for_half_width(double sd, double half_width, double level,
                                                 std::int64_t limit) {
  check_level(level);
  if (!(sd >= 0 && half_width >= 0 && std::isfinite(sd))) {
    throw_run(fmt::format("spread {} and half-width {}, expected 0 or more", sd, half_width));
  }
  const auto reaches = [&](std::int64_t n) {
    const auto count = static_cast<double>(n);
    return two_sided_t(level, count - 1) * sd / std::sqrt(count) <= half_width;
  };
  if (limit < 2 || !reaches(limit)) return std::nullopt;
  // The half-width falls with n, so bisect for the first n that reaches.
  std::int64_t short_of = 1;
  std::int64_t enough = limit;
  while (enough - short_of > 1) {
    const std::int64_t middle = short_of + (enough - short_of) / 2;
    (reaches(middle) ? enough : short_of) = middle;
  }
  return enough;
}

}  // namespace xfq::stats
