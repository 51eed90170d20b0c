// Scores against the damage that ablation did, on one model.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "measure.h"
#include "xfq/importance/agreement.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::neuron_importance {

struct AgreementRow {
  std::string score;
  std::string oracle;   ///< "zero", "mean", "resample"
  std::string measure;  ///< "nll", "kl"
  /// Spearman's correlations, by Arrangement; intervals over units where the measure is
  /// --oracle-measure.
  std::array<stats::Estimate, 3> spearman;
  stats::Estimate kendall;                  ///< within layers
  std::optional<double> score_reliability;  ///< split-half
  std::optional<double> oracle_reliability;
  double top_overlap = 0;  ///< of the tenth with the largest damage, by --normalise's first word

  const stats::Estimate& rho(importance::Arrangement arrangement) const {
    return spearman[static_cast<std::size_t>(arrangement)];
  }
  /// sqrt of the product of the reliabilities; none where one is missing or not positive.
  std::optional<double> ceiling() const;
  /// rho within layers over the ceiling: what it would be without noise.
  std::optional<double> corrected() const;
};

/// Every score against every oracle and measure.
std::vector<AgreementRow> agree(const Options& options, const SeedResult& seed);

/// An entropy's rank correlations within layers.
struct EntropyAgreement {
  std::optional<double> with_std;
  std::optional<double> with_damage;  ///< of the first oracle, by --oracle-measure
  std::optional<double> partial;      ///< with the damage, given the standard deviation
};
/// The damage has nothing to do with made values: `model` rows only have it.
EntropyAgreement agree(const Options& options, const SeedResult& seed, const EntropyRow& row);

/// Standard deviation of every unit, from the sums behind the scores.
std::vector<double> deviations(const Scored& scored);

}  // namespace xfq::experiments::neuron_importance
