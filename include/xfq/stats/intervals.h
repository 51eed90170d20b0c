// Estimates with intervals over independent observations (usually seeds).
//
// Every function throws ErrorKind::run on an observation that is not finite, on
// sizes that do not agree and on a level outside (0, 1). Too little data is no
// error: the estimate then has no interval, and `reason` says why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"

namespace xfq::stats {

/// A value, its interval and the number of independent observations behind it.
struct Estimate {
  std::optional<double> value;
  std::optional<Interval> ci;
  std::int64_t n = 0;
  double standard_error = 0;  ///< 0 when there is no interval
  double level = 0.95;        ///< coverage of ci
  bool over_seeds = true;     ///< observations are seeds; false: items, such as sentence pairs
  Text reason;                ///< why value or ci is missing; empty when both are there
  std::vector<double> observations = {};  ///< where the value is their mean; else empty
};

/// A quantity computed without sampling, such as a parameter count: its interval
/// is the value itself, n = 1.
Estimate exact(double value);

/// Student-t interval of the mean; two or more observations give an interval.
/// Equal observations give an interval of no width.
Estimate mean_t(const std::vector<double>& observations, double level = 0.95);

/// The same for the paired differences a[i] - b[i]: arms that share seeds and data.
Estimate paired_t(const std::vector<double>& a, const std::vector<double>& b, double level = 0.95);

/// mean(a) - mean(b) of independent samples with unequal variances (Welch 1947,
/// degrees of freedom by Satterthwaite). n is the smaller sample's size.
Estimate welch(const std::vector<double>& a, const std::vector<double>& b, double level = 0.95);

/// mean(a) / mean(b) of paired observations by the delta method: the t interval of
/// the linearised ratio (a[i] - r b[i]) / mean(b) around r. No interval when the
/// t interval of mean(b) contains zero: the method does not hold there.
Estimate ratio_of_means(const std::vector<double>& a, const std::vector<double>& b,
                        double level = 0.95);

/// A share with Wilson's score interval (1927), which stays inside [0, 1] and has
/// width at 0 and n successes. over_seeds is false. 0 <= successes <= n.
Estimate wilson(std::int64_t successes, std::int64_t n, double level = 0.95);

enum class BootstrapMethod {
  percentile,  ///< quantiles of the resampled values
  bca,         ///< bias-corrected and accelerated (Efron 1987): n more evaluations
};

struct Bootstrap {
  std::int64_t resamples = 2000;
  double level = 0.95;
  std::uint64_t seed = 1;
  BootstrapMethod method = BootstrapMethod::bca;
};

/// A statistic of the items with the given indices (each in 0..n-1, repeats
/// allowed); none when it is not defined on them.
using IndexStatistic = std::function<std::optional<double>(const std::vector<std::size_t>&)>;

/// Bootstrap interval of any statistic of n items. Resample r draws from
/// Stream(seed, "stats.bootstrap", r). The standard error is the standard deviation
/// over resamples. Resamples on which the statistic is not defined are left out; no
/// interval when these are more than one in ten, or when n < 2. BCa takes bias z0
/// from the share of resamples below the value (ties count half) and acceleration
/// from the jackknife; where the jackknife is not defined everywhere, there is no
/// interval either.
/// Bootstrap intervals are too narrow below some twenty observations: over seeds
/// use mean_t or paired_t.
Estimate bootstrap(std::size_t n, const IndexStatistic& statistic, const Bootstrap& options = {});

/// The same for a statistic of a sample; over_seeds is true.
using SampleStatistic = std::function<std::optional<double>(const std::vector<double>&)>;
Estimate bootstrap(const std::vector<double>& observations, const SampleStatistic& statistic,
                   const Bootstrap& options = {});

/// Least squares y = intercept + slope x. Both intervals are t intervals with n - 2
/// degrees of freedom; three or more points give one. On logarithms of both sides the
/// slope is a power law's exponent. n counts points: over_seeds is false.
struct LinearFit {
  Estimate slope;
  Estimate intercept;
  std::optional<double> r_squared;    ///< none when y is constant
  std::optional<double> residual_sd;  ///< sqrt(RSS / (n - 2)); none below three points
};
LinearFit linear_fit(const std::vector<double>& x, const std::vector<double>& y,
                     double level = 0.95);

/// The smallest n in 2..limit at which a t interval of the mean of observations with
/// standard deviation `sd` has a half-width of at most `half_width`; none when there
/// is none. sd >= 0, half_width >= 0.
std::optional<std::int64_t> seeds_for_half_width(double sd, double half_width, double level = 0.95,
                                                 std::int64_t limit = 10000);

}  // namespace xfq::stats
