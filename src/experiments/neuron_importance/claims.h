// The claims of question 25: thresholds and rules, from numbers of every seed to verdicts. They
// were fixed before the first run and know nothing of models.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/stats/claims.h"

namespace xfq::experiments::neuron_importance {

/// A score ranks units when its rank correlation with the damage of ablation reaches this: what
/// was published for activations (.56) lies above, weights (.27) and information (.28) below.
inline constexpr double kRanks = 0.5;
/// Two rank correlations are the same within this.
inline constexpr double kSame = 0.05;
/// An entropy whose ranking agrees this well with the standard deviation's is that ranking.
inline constexpr double kSameRanking = 0.95;
/// Share of random orders that a pruning order must beat.
inline constexpr double kBeatsRandom = 0.95;

// Vectors hold one entry per seed; an empty one means: not measured, no test.

/// The rank correlation of a score with the damage, under named circumstances.
struct Ranking {
  Text score;      ///< "E|g|"
  Text condition;  ///< "E|g| within layers under zero ablation"
  std::vector<double> rho;
};

/// One-shot pruning in a score's order, against random orders.
struct PruningOrder {
  Text condition;                    ///< "pruning by E|g| divided by the layers' norms"
  std::vector<double> share_beaten;  ///< of the random orders, by area under the curve
};

struct GradientNumbers {
  std::vector<Ranking> rankings;
  std::vector<double> taylor_advantage;  ///< rho of E|g a| - rho of E|g|, within layers, zero
  std::vector<PruningOrder> orders;
};
Claim gradient_claim(const GradientNumbers& numbers);

struct ActivationNumbers {
  std::vector<Ranking> rankings;
  // rho under zero ablation - rho under mean ablation, within layers.
  std::vector<double> activation_drop, std_drop;
  std::vector<PruningOrder> orders;
};
Claim activation_claim(const ActivationNumbers& numbers);

struct EntropyNumbers {
  std::vector<Ranking> rankings;
  std::vector<double> rho_with_std;  ///< shared bins, within layers
  std::vector<double> partial_rho;   ///< with the damage of zero ablation, given the std
  std::vector<PruningOrder> orders;
  std::vector<double> finetuned_gain;  ///< loss(pruned at random) - loss(by entropy), fine-tuned
};
Claim entropy_claim(const EntropyNumbers& numbers);

/// Published shapes, in the order of the source; tests, but no claim.
struct ShapeNumbers {
  std::vector<double> taylor_over_activation, activation_over_magnitude;  ///< within layers
  std::vector<double> taylor_collapse;  ///< rho within layers - rho across layers, raw
  std::vector<double> taylor_recovery;  ///< rho across layers, normalised - raw
  std::vector<double> activation_drop, std_drop;
};
std::vector<stats::JudgedTest> published_shapes(const ShapeNumbers& numbers);

}  // namespace xfq::experiments::neuron_importance
