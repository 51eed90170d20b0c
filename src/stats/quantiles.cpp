// Quantiles and tail probabilities from Boost.Math.
#include "xfq/stats/quantiles.h"

#include <fmt/format.h>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "xfq/core/error.h"

namespace xfq::stats {
namespace {

void check_probability(double p) {
  if (!(p > 0 && p < 1)) throw_run(fmt::format("quantile at p = {}, expected 0 < p < 1", p));
}

void check_df(double df) {
  if (!(df > 0 && std::isfinite(df))) {
    throw_run(fmt::format("{} degrees of freedom, expected a positive number", df));
  }
}

}  // namespace

double normal_quantile(double p) {
  check_probability(p);
  return boost::math::quantile(boost::math::normal(), p);
}

double t_quantile(double p, double df) {
  check_probability(p);
  check_df(df);
  return boost::math::quantile(boost::math::students_t(df), p);
}

double chi2_quantile(double p, double df) {
  check_probability(p);
  check_df(df);
  return boost::math::quantile(boost::math::chi_squared(df), p);
}

std::int64_t binomial_quantile(double p, std::int64_t trials, double probability) {
  check_probability(p);
  if (trials < 0) throw_run(fmt::format("{} binomial trials, expected 0 or more", trials));
  if (!(probability >= 0 && probability <= 1)) {
    throw_run(fmt::format("binomial probability {}, expected 0 to 1", probability));
  }
  if (trials == 0 || probability == 0) return 0;
  if (probability == 1) return trials;
  using boost::math::policies::discrete_quantile;
  using boost::math::policies::integer_round_up;
  using Policy = boost::math::policies::policy<discrete_quantile<integer_round_up>>;
  const boost::math::binomial_distribution<double, Policy> distribution(static_cast<double>(trials),
                                                                        probability);
  const auto reaches = [&](std::int64_t k) {
    return k >= trials || boost::math::cdf(distribution, static_cast<double>(k)) >= p;
  };
  auto k = static_cast<std::int64_t>(boost::math::quantile(distribution, p));
  // The root finder may stop one off where the distribution function touches p.
  while (k > 0 && reaches(k - 1)) --k;
  while (!reaches(k)) ++k;
  return k;
}

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double t_two_sided_p(double t, double df) {
  check_df(df);
  if (std::isnan(t)) throw_run("t = nan, expected a number");
  if (std::isinf(t)) return 0;
  const boost::math::students_t distribution(df);
  return 2 * boost::math::cdf(boost::math::complement(distribution, std::abs(t)));
}

}  // namespace xfq::stats
