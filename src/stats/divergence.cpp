// Kullback-Leibler and Jensen-Shannon divergence.
#include "xfq/stats/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "checks.h"
#include "xfq/core/error.h"

namespace xfq::stats {
namespace {

std::vector<double> normalised(const std::vector<double>& weights) {
  double total = 0;
  for (const double w : weights) {
    if (!(w >= 0 && std::isfinite(w))) {
      throw_run(fmt::format("divergence with a weight {}, expected 0 or more", w));
    }
    total += w;
  }
  if (!(total > 0)) throw_run("divergence with weights that are all zero, expected a positive sum");
  std::vector<double> p(weights.size());
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = weights[i] / total;
  return p;
}

std::vector<double> smoothed(const std::vector<double>& weights, double epsilon) {
  std::vector<double> p = normalised(weights);
  const double total = 1 + static_cast<double>(p.size()) * epsilon;
  for (double& value : p) value = (value + epsilon) / total;
  return p;
}

std::vector<double> real(const std::vector<std::int64_t>& counts) {
  return {counts.begin(), counts.end()};
}

double kl_of_probabilities(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] == 0) continue;
    if (q[i] == 0) return std::numeric_limits<double>::infinity();
    // A difference of logarithms, since the ratio of a large p and a tiny q may overflow.
    sum += p[i] * (std::log(p[i]) - std::log(q[i]));
  }
  return std::max(0.0, sum);
}

}  // namespace

double kl(const std::vector<double>& p, const std::vector<double>& q) {
  check_same_size(p.size(), q.size(), "distributions");
  return kl_of_probabilities(normalised(p), normalised(q));
}

double kl(const std::vector<std::int64_t>& p, const std::vector<std::int64_t>& q) {
  return kl(real(p), real(q));
}

double kl_smoothed(const std::vector<double>& p, const std::vector<double>& q, double epsilon) {
  check_same_size(p.size(), q.size(), "distributions");
  if (!(epsilon > 0 && std::isfinite(epsilon))) {
    throw_run(fmt::format("smoothing by {}, expected a positive number", epsilon));
  }
  return kl_of_probabilities(smoothed(p, epsilon), smoothed(q, epsilon));
}

double kl_smoothed(const std::vector<std::int64_t>& p, const std::vector<std::int64_t>& q,
                   double epsilon) {
  return kl_smoothed(real(p), real(q), epsilon);
}

double js(const std::vector<double>& p, const std::vector<double>& q) {
  check_same_size(p.size(), q.size(), "distributions");
  const std::vector<double> a = normalised(p);
  const std::vector<double> b = normalised(q);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    // Each half relative to the sum: log1p keeps digits where a and b are close.
    if (a[i] > 0) sum += a[i] * std::log1p((a[i] - b[i]) / (a[i] + b[i]));
    if (b[i] > 0) sum += b[i] * std::log1p((b[i] - a[i]) / (a[i] + b[i]));
  }
  const double ln2 = 0.69314718055994530942;
  return std::clamp(0.5 * sum, 0.0, ln2);
}

double js(const std::vector<std::int64_t>& p, const std::vector<std::int64_t>& q) {
  return js(real(p), real(q));
}

}  // namespace xfq::stats
