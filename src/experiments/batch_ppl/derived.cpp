#include "derived.h"

#include <algorithm>
#include <cmath>

namespace xfq::experiments::batch_ppl {

stats::Estimate geometric(const PerSeed& values) {
  PerSeed logs;
  for (const double value : values) logs.push_back(std::log2(value));
  stats::Estimate estimate = stats::mean_t(logs);
  if (estimate.value) estimate.value = std::exp2(*estimate.value);
  if (estimate.ci) estimate.ci = Interval{std::exp2(estimate.ci->lo), std::exp2(estimate.ci->hi)};
  return estimate;
}

std::optional<double> mean(const PerSeed& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

const Cell* find_cell(const SeedResult& seed, std::size_t arm, std::int64_t batch,
                      const std::string& budget) {
  for (const Cell& cell : seed.cells) {
    if (cell.arm == arm && cell.batch == batch && cell.budget == budget) return &cell;
  }
  return nullptr;
}

std::optional<double> nll_of(const SeedResult& seed, std::size_t arm, std::int64_t batch,
                             const std::string& budget) {
  const Cell* cell = find_cell(seed, arm, batch, budget);
  return cell == nullptr ? std::nullopt : cell->nll;
}

std::optional<double> difference(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return std::nullopt;
  return *a - *b;
}

Curve curve_of(const SeedResult& seed, const std::string& budget) {
  Curve curve;
  for (const Cell& cell : seed.cells) {
    if (cell.arm != 0 || cell.budget != budget || !cell.nll) continue;
    curve.batches.push_back(static_cast<double>(cell.batch));
    curve.nll.push_back(*cell.nll);
  }
  return curve;
}

std::optional<double> slope_per_doubling(const std::vector<double>& x,
                                         const std::vector<double>& y) {
  if (x.size() < 2) return std::nullopt;
  std::vector<double> doublings;
  for (const double value : x) doublings.push_back(std::log2(value));
  return stats::linear_fit(doublings, y).slope.value;
}

std::optional<double> best_batch(const SeedResult& seed, const std::string& budget) {
  const Curve curve = curve_of(seed, budget);
  if (curve.nll.empty()) return std::nullopt;
  const auto least = std::min_element(curve.nll.begin(), curve.nll.end());
  return curve.batches[static_cast<std::size_t>(least - curve.nll.begin())];
}

std::int64_t smallest_batch(const Options& options) {
  return *std::min_element(options.batch_sizes.begin(), options.batch_sizes.end());
}

std::optional<double> variance_slope(const SeedResult& seed) {
  PerSeed slopes;
  for (const NoisePoint& point : seed.noise) {
    std::vector<double> x, y;
    for (const auto& v : point.independent) {
      x.push_back(std::log(static_cast<double>(v.batch)));
      y.push_back(std::log(v.variance));
    }
    if (x.size() < 2) continue;
    if (const auto slope = stats::linear_fit(x, y).slope.value) slopes.push_back(*slope);
  }
  return mean(slopes);
}

std::optional<double> finite_ratio(const SeedResult& seed) {
  PerSeed ratios;
  for (const NoisePoint& point : seed.noise) {
    for (const auto& v : point.finite) ratios.push_back(v.variance / v.expected);
  }
  return mean(ratios);
}

std::optional<double> cosine_r_squared(const SeedResult& seed) {
  PerSeed measured;
  double residual = 0, total = 0;
  for (const NoisePoint& point : seed.noise) {
    for (const auto& c : point.cosines) {
      measured.push_back(c.cosine);
      residual += (c.cosine - c.expected) * (c.cosine - c.expected);
    }
  }
  const auto centre = mean(measured);
  if (!centre) return std::nullopt;
  for (const double value : measured) total += (value - *centre) * (value - *centre);
  return total > 0 ? std::optional<double>(1 - residual / total) : std::nullopt;
}

std::optional<double> at_noise_scale(const SeedResult& seed,
                                     std::vector<train::GradientNoise::Cosine> NoisePoint::*curve) {
  PerSeed values;
  for (const NoisePoint& point : seed.noise) {
    if (!point.exact.b_simple) continue;
    const auto& c = point.*curve;
    for (std::size_t i = 1; i < c.size(); ++i) {
      const double lo = static_cast<double>(c[i - 1].batch), hi = static_cast<double>(c[i].batch);
      if (*point.exact.b_simple < lo || *point.exact.b_simple >= hi) continue;
      const double share = std::log(*point.exact.b_simple / lo) / std::log(hi / lo);
      values.push_back((1 - share) * c[i - 1].cosine + share * c[i].cosine);
    }
  }
  return mean(values);
}

std::optional<double> noise_growth(const SeedResult& seed) {
  if (seed.noise.empty()) return std::nullopt;
  const auto first = seed.noise.front().exact.b_simple, last = seed.noise.back().exact.b_simple;
  if (!first || !last) return std::nullopt;
  return *last / *first;
}

std::optional<double> two_batch_ratio(const SeedResult& seed) {
  PerSeed logs;
  for (const NoisePoint& point : seed.noise) {
    const auto two = point.two_batch.b_simple.value;
    if (two && *two > 0 && point.exact.b_simple)
      logs.push_back(std::log(*two / *point.exact.b_simple));
  }
  const auto centre = mean(logs);
  return centre ? std::optional<double>(std::exp(*centre)) : std::nullopt;
}

namespace {

/// The batch size of the list nearest to the critical one, by ratio.
std::int64_t critical_batch(const Options& options, const std::vector<SeedResult>& seeds) {
  const stats::Estimate critical = geometric(of_seeds(seeds, [](const SeedResult& seed) {
    return seed.trade_off ? std::optional<double>(seed.trade_off->critical_batch) : std::nullopt;
  }));
  if (!critical.value) return options.batch_size;
  const auto distance = [&](std::int64_t batch) {
    return std::abs(std::log(static_cast<double>(batch) / *critical.value));
  };
  return *std::min_element(options.batch_sizes.begin(), options.batch_sizes.end(),
                           [&](auto a, auto b) { return distance(a) < distance(b); });
}

/// The arm with rate and beta2 of the reference batch; none when it was not asked for.
std::optional<std::size_t> frozen_arm(const Options& options) {
  const std::vector<Arm> arms = options.arms();
  for (std::size_t a = 0; a < arms.size(); ++a) {
    if (arms[a].lr_rule == "fixed" && arms[a].beta2_rule == "fixed") return a;
  }
  return std::nullopt;
}

}  // namespace

ClaimNumbers claim_numbers(const Options& options, const std::vector<SeedResult>& seeds) {
  ClaimNumbers n;
  n.variance_slope = of_seeds(seeds, variance_slope);
  n.finite_ratio = of_seeds(seeds, finite_ratio);
  n.cosine_r_squared = of_seeds(seeds, cosine_r_squared);
  n.cosine_at_noise_scale = of_seeds(
      seeds, [](const SeedResult& seed) { return at_noise_scale(seed, &NoisePoint::cosines); });
  for (const std::string& budget : options.budget) {
    n.budgets.push_back({budget, of_seeds(seeds, [&](const SeedResult& seed) {
                           const Curve curve = curve_of(seed, budget);
                           return slope_per_doubling(curve.batches, curve.nll);
                         })});
  }
  const std::int64_t small = smallest_batch(options), critical = critical_batch(options, seeds);
  const auto gap = [&](std::size_t arm, const std::string& budget) {
    return of_seeds(seeds, [&](const SeedResult& seed) {
      return difference(nll_of(seed, arm, small, budget), nll_of(seed, 0, critical, budget));
    });
  };
  n.small_steps = gap(0, "steps");
  n.small_scaled = gap(0, "tokens");
  if (const auto frozen = frozen_arm(options)) n.small_frozen = gap(*frozen, "tokens");
  return n;
}

}  // namespace xfq::experiments::batch_ppl
