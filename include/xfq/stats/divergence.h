// Divergences between two discrete distributions, in nats.
//
// Arguments are counts or weights over the same bins; each is divided by its own
// sum. Sizes must agree and be at least one, entries be finite and not negative,
// sums positive: otherwise ErrorKind::run. Results are never negative: what
// rounding leaves below zero is returned as zero.
#pragma once

#include <cstdint>
#include <vector>

namespace xfq::stats {

/// KL(P || Q) = sum p ln(p / q). A bin with p = 0 adds 0; one with p > 0 and q = 0
/// makes the divergence infinite, and infinity is returned. Use kl_smoothed where
/// a finite number is needed, and say so.
double kl(const std::vector<double>& p, const std::vector<double>& q);
double kl(const std::vector<std::int64_t>& p, const std::vector<std::int64_t>& q);

/// KL between P and Q after both are mixed with the uniform distribution over the
/// K bins: p' = (p + epsilon) / (1 + K epsilon), likewise q. Finite, and zero for
/// P = Q. `epsilon` > 0 in probability per bin; the smaller, the larger a missing bin counts.
inline constexpr double kSmoothing = 1e-6;
double kl_smoothed(const std::vector<double>& p, const std::vector<double>& q,
                   double epsilon = kSmoothing);
double kl_smoothed(const std::vector<std::int64_t>& p, const std::vector<std::int64_t>& q,
                   double epsilon = kSmoothing);

/// Jensen-Shannon divergence (KL(P||M) + KL(Q||M)) / 2, M = (P + Q) / 2 (Lin 1991):
/// symmetric, always finite, at most ln 2, which disjoint P and Q reach.
double js(const std::vector<double>& p, const std::vector<double>& q);
double js(const std::vector<std::int64_t>& p, const std::vector<std::int64_t>& q);

}  // namespace xfq::stats
