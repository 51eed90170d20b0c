// Which frequencies of a function training finds first.
#include "bands.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <utility>

#include "../numbers.h"
#include "xfq/core/random.h"
#include "xfq/stats/correlation.h"

namespace xfq::experiments::approx {

namespace {

constexpr Index kFrequencies[] = {1, 2, 4, 8};
constexpr Index kWidth = 64;
constexpr Index kPoints = 512;
constexpr std::int64_t kLooks = 50;
constexpr double kPi = 3.14159265358979323846;

void without_value(const Text& reason, Metric& metric) {
  metric.value.reset();
  metric.ci.reset();
  metric.values.clear();
  metric.reason = reason;
}

}  // namespace

Recipe Bands::recipe() const {
  return {{kWidth, kWidth}, models::parse_mlp_activation(options_.activation.front()),
          options_.steps,   options_.batch_size,
          options_.lr,      0};
}

std::string Bands::settings() const { return recipe().text(); }

Numbers Bands::measure(std::uint64_t seed, Monitor& monitor) const {
  Stream stream(seed, "approx.bands");
  std::vector<double> phases;
  for ([[maybe_unused]] const Index frequency : kFrequencies) {
    phases.push_back(2 * kPi * stream.uniform());
  }
  Target target;
  target.name = "bands";
  target.value = [phases](const double* x) {
    double sum = 0;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      sum += std::sin(kPi * static_cast<double>(kFrequencies[i]) * *x + phases[i]);
    }
    return sum;
  };
  const Samples samples = training_samples(target, seed, options_.samples);
  Samples grid;
  grid.dim = 1;
  grid.rows = kPoints;
  for (Index i = 0; i < kPoints; ++i) {
    grid.x.push_back(-1 + 2 * (static_cast<double>(i) + 0.5) / static_cast<double>(kPoints));
    grid.y.push_back(target.value(&grid.x.back()));
  }
  Numbers numbers;
  FitOptions looking;
  looking.look_every = std::max<std::int64_t>(1, options_.steps / kLooks);
  looking.look = [&](std::int64_t step, const Vector<float>& parameters) {
    const Fit now{network(recipe(), 1), parameters};
    const std::vector<double> predictions = now.predictions(grid);
    for (const Index frequency : kFrequencies) {
      std::complex<double> sum = 0;
      for (std::size_t i = 0; i < predictions.size(); ++i) {
        const double angle = kPi * static_cast<double>(frequency) * grid.x[i];
        sum +=
            (predictions[i] - grid.y[i]) * std::complex<double>(std::cos(angle), std::sin(angle));
      }
      // The amplitude of what is missing; the sine itself has amplitude 1.
      numbers[fmt::format("band.{}.{:08}", frequency, step)] =
          2 * std::abs(sum) / static_cast<double>(kPoints);
    }
  };
  fit(recipe(), samples, seed, monitor, fmt::format("bands, seed {}", seed), numbers, looking);
  return numbers;
}

Text Bands::fill(const std::vector<SeedNumbers>& seeds, Record& record) const {
  Table table{"bands", {"frequency", "step", "seed", "missing"}, {}};
  std::vector<double> order;
  std::vector<std::vector<double>> halves(std::size(kFrequencies));
  for (const SeedNumbers& seed : seeds) {
    std::vector<double> frequencies, steps;
    for (std::size_t i = 0; i < std::size(kFrequencies); ++i) {
      const std::string prefix = fmt::format("band.{}.", kFrequencies[i]);
      // A frequency that is never half learned counts as learned after the end.
      double half = 2 * static_cast<double>(options_.steps);
      for (auto it = seed.numbers.lower_bound(prefix);
           it != seed.numbers.end() && it->first.compare(0, prefix.size(), prefix) == 0; ++it) {
        const std::int64_t step = std::stoll(it->first.substr(prefix.size()));
        table.rows.push_back({static_cast<std::int64_t>(kFrequencies[i]), step,
                              static_cast<std::int64_t>(seed.seed), it->second});
        if (it->second < 0.5) half = std::min(half, static_cast<double>(step));
      }
      frequencies.push_back(static_cast<double>(kFrequencies[i]));
      steps.push_back(half);
      if (half <= static_cast<double>(options_.steps)) halves[i].push_back(half);
    }
    if (const auto rho = stats::spearman(frequencies, steps)) order.push_back(*rho);
  }
  for (std::size_t i = 0; i < halves.size(); ++i) {
    Metric metric = make_metric(fmt::format("bands.{}.half_learned", kFrequencies[i]), "steps",
                                Better::none, stats::mean_t(halves[i]));
    if (halves[i].size() < seeds.size()) {
      without_value(phrase("half learned in {} of {} runs", {halves[i].size(), seeds.size()}),
                    metric);
    }
    record.metrics.push_back(std::move(metric));
  }
  Metric rank = make_metric("bands.order", "Spearman", Better::none, stats::mean_t(order));
  if (order.size() < seeds.size()) {
    without_value("all frequencies were learned at the same look", rank);
  }
  record.metrics.push_back(rank);
  record.tables.push_back(std::move(table));
  if (!rank.value) return "The order in which frequencies were learned could not be told.";
  return phrase(
      "The rank correlation of a frequency with the time until it is half learned is {} "
      "(positive: low frequencies first).",
      {with_interval(stats::mean_t(order), "{:.2f}")});
}

}  // namespace xfq::experiments::approx
