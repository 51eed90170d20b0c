#include "agree.h"

#include <algorithm>
#include <cmath>

#include "xfq/stats/correlation.h"

namespace xfq::experiments::neuron_importance {

using importance::Arrangement;

namespace {

stats::Estimate without_interval(const std::optional<double>& value) {
  stats::Estimate estimate;
  estimate.value = value;
  estimate.over_seeds = false;
  estimate.reason = value ? "no interval was asked for" : "one side is constant in every layer";
  return estimate;
}

std::optional<double> partial_within(const importance::Units& units, const std::vector<double>& x,
                                     const std::vector<double>& y, const std::vector<double>& z) {
  double sum = 0;
  int defined = 0;
  const auto size = static_cast<std::ptrdiff_t>(units.per_layer);
  const auto slice = [&](const std::vector<double>& values, std::ptrdiff_t layer) {
    return std::vector<double>(values.begin() + layer * size, values.begin() + (layer + 1) * size);
  };
  for (std::ptrdiff_t l = 0; l < units.layers; ++l) {
    const auto value = stats::partial_spearman(slice(x, l), slice(y, l), slice(z, l));
    if (!value) continue;
    sum += *value;
    ++defined;
  }
  if (defined == 0) return std::nullopt;
  return sum / defined;
}

}  // namespace

std::optional<double> AgreementRow::ceiling() const {
  if (!score_reliability || !oracle_reliability) return std::nullopt;
  if (!(*score_reliability > 0) || !(*oracle_reliability > 0)) return std::nullopt;
  return std::sqrt(*score_reliability * *oracle_reliability);
}

std::optional<double> AgreementRow::corrected() const {
  const std::optional<double> limit = ceiling();
  if (!limit || !rho(Arrangement::within).value) return std::nullopt;
  return *rho(Arrangement::within).value / *limit;
}

std::vector<AgreementRow> agree(const Options& options, const SeedResult& seed) {
  const importance::Units& units = seed.scored.units;
  const auto top = std::max<std::int64_t>(1, units.count() / 10);
  std::vector<AgreementRow> rows;
  for (const Ablated& ablated : seed.ablated) {
    for (const std::string& measure : importance::measure_names()) {
      const std::vector<double> damage = ablated.damage(measure);
      const auto reliability =
          importance::split_half(units, ablated.damage(measure, 0), ablated.damage(measure, 1));
      for (const importance::Score& score : seed.scored.set.scores) {
        AgreementRow row;
        row.score = score.name;
        row.oracle = ablated.replacement;
        row.measure = measure;
        const bool interval = measure == options.oracle_measure;
        for (const Arrangement arrangement : importance::kArrangements) {
          row.spearman[static_cast<std::size_t>(arrangement)] =
              interval ? importance::spearman_bootstrap(units, score.values, damage, arrangement,
                                                        options.bootstrap, seed.scored.seed)
                       : without_interval(
                             importance::spearman(units, score.values, damage, arrangement));
        }
        row.kendall = interval ? importance::kendall_bootstrap(units, score.values, damage,
                                                               Arrangement::within,
                                                               options.bootstrap, seed.scored.seed)
                               : without_interval(importance::kendall(units, score.values, damage,
                                                                      Arrangement::within));
        row.score_reliability = importance::split_half(units, score.halves[0], score.halves[1]);
        row.oracle_reliability = reliability;
        row.top_overlap = importance::top_overlap(
            across_layers(options.normalise.front(), units, score.values), damage, top);
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

EntropyAgreement agree(const Options& options, const SeedResult& seed, const EntropyRow& row) {
  const importance::Units& units = seed.scored.units;
  const std::vector<double> std = deviations(seed.scored);
  EntropyAgreement agreement;
  agreement.with_std = importance::spearman(units, row.entropies, std, Arrangement::within);
  if (row.values != "model") return agreement;
  const std::vector<double> damage = seed.ablated.front().damage(options.oracle_measure);
  agreement.with_damage = importance::spearman(units, row.entropies, damage, Arrangement::within);
  agreement.partial = partial_within(units, row.entropies, damage, std);
  return agreement;
}

std::vector<double> deviations(const Scored& scored) {
  importance::UnitSums all = scored.set.sums[0];
  all.merge(scored.set.sums[1]);
  const double n = static_cast<double>(all.tokens);
  const auto width = static_cast<std::size_t>(scored.units.width);
  std::vector<double> result(static_cast<std::size_t>(scored.units.count()), 0.0);
  for (std::size_t c = 0; c < result.size() * width; ++c) {
    const double mean = all.a[c] / n;
    result[c / width] += std::max(0.0, all.a_square_column[c] / n - mean * mean);
  }
  for (double& value : result) value = std::sqrt(value);
  return result;
}

}  // namespace xfq::experiments::neuron_importance
