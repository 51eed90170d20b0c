// Quantiles and tail probabilities of the distributions that intervals and
// tests need. The only door to Boost.Math: no other file includes it.
#pragma once

#include <cstdint>

namespace xfq::stats {

// p is a probability strictly between 0 and 1 and df (degrees of freedom) is
// positive, real values allowed; anything else throws ErrorKind::run.

double normal_quantile(double p);
double t_quantile(double p, double df);
double chi2_quantile(double p, double df);
/// The smallest k in 0..trials with P(successes <= k) >= p; 0 <= probability <= 1.
std::int64_t binomial_quantile(double p, std::int64_t trials, double probability);

/// P(Z <= z), Z standard normal.
double normal_cdf(double z);
/// P(|T| >= |t|), T Student-t with df degrees of freedom: a two-sided p-value.
double t_two_sided_p(double t, double df);

}  // namespace xfq::stats
