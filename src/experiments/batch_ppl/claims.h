// The four claims and their rules, from plain numbers.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/record.h"

namespace xfq::experiments::batch_ppl {

/// One value for each seed; a seed whose run diverged has none.
using PerSeed = std::vector<double>;

struct BudgetNumbers {
  std::string budget;        ///< steps | tokens | time
  PerSeed nll_per_doubling;  ///< slope of the loss on log2 B, nats/token
};

struct ClaimNumbers {
  PerSeed variance_slope;    ///< of log variance on log B, independent sequences
  PerSeed finite_ratio;      ///< variance without replacement over its theory
  PerSeed cosine_r_squared;  ///< of 1 / sqrt(1 + B_simple / B)
  PerSeed cosine_at_noise_scale;
  std::vector<BudgetNumbers> budgets;
  /// Loss at the smallest batch minus that at the critical batch, nats/token; empty where
  /// the budget or the arm was not asked for.
  PerSeed small_steps;   ///< equal steps, hyper-parameters of the first arm
  PerSeed small_frozen;  ///< equal tokens, rate and beta2 of the reference batch
  PerSeed small_scaled;  ///< equal tokens, hyper-parameters of the first arm
};

/// "equal tokens": what batch sizes are compared at.
Text equal_budget(const std::string& budget);

/// batch.steadier-gradient, batch.truer-direction, batch.larger-lower-ppl and
/// batch.smaller-higher-ppl, in this order.
std::vector<Claim> make_claims(const ClaimNumbers& numbers);

}  // namespace xfq::experiments::batch_ppl
