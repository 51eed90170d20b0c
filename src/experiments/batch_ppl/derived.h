// Numbers of one seed, and over seeds, that metrics, tables and claims share.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "claims.h"
#include "measure.h"
#include "options.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::batch_ppl {

/// A number of every seed that has one.
template <class Of>
PerSeed of_seeds(const std::vector<SeedResult>& seeds, const Of& of) {
  PerSeed values;
  for (const SeedResult& seed : seeds) {
    if (const std::optional<double> value = of(seed)) values.push_back(*value);
  }
  return values;
}

/// Geometric mean: the t interval is that of the logarithms.
stats::Estimate geometric(const PerSeed& values);
std::optional<double> mean(const PerSeed& values);
/// nullptr when there is none.
const Cell* find_cell(const SeedResult& seed, std::size_t arm, std::int64_t batch,
                      const std::string& budget);
std::optional<double> nll_of(const SeedResult& seed, std::size_t arm, std::int64_t batch,
                             const std::string& budget);
std::optional<double> difference(std::optional<double> a, std::optional<double> b);

/// Losses of the first arm over batch sizes.
struct Curve {
  std::vector<double> batches, nll;
};

Curve curve_of(const SeedResult& seed, const std::string& budget);
/// y against log2 x; none below two points.
std::optional<double> slope_per_doubling(const std::vector<double>& x,
                                         const std::vector<double>& y);
std::optional<double> best_batch(const SeedResult& seed, const std::string& budget);
std::int64_t smallest_batch(const Options& options);

// What noise says, over the points of training.
std::optional<double> variance_slope(const SeedResult& seed);
std::optional<double> finite_ratio(const SeedResult& seed);
std::optional<double> cosine_r_squared(const SeedResult& seed);
/// A curve over batch sizes at B_simple, linear in log B; mean over the points of training
/// where B_simple lies inside the curve.
std::optional<double> at_noise_scale(const SeedResult& seed,
                                     std::vector<train::GradientNoise::Cosine> NoisePoint::*curve);
std::optional<double> noise_growth(const SeedResult& seed);
std::optional<double> two_batch_ratio(const SeedResult& seed);

/// The plain numbers that the claims rest on.
ClaimNumbers claim_numbers(const Options& options, const std::vector<SeedResult>& seeds);

}  // namespace xfq::experiments::batch_ppl
