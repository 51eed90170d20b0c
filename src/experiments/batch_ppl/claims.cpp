#include "claims.h"

#include "xfq/stats/claims.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::batch_ppl {

namespace {

using stats::JudgedTest;
using stats::make_test;
using stats::mean_t;

// Below this a difference of losses counts as none: 2 % of perplexity.
constexpr double kSmallestLoss = 0.02;

Claim steadier(const ClaimNumbers& n) {
  return stats::make_claim(
      "batch.steadier-gradient", "A larger batch gives a steadier gradient",
      {make_test("the variance of the gradient falls as 1 / B: slope of its logarithm on log B",
                 stats::within(-1.05, -0.95), mean_t(n.variance_slope)),
       make_test("drawn without replacement from D sequences it falls as 1/B - 1/D: measured "
                 "variance over that curve",
                 stats::within(0.95, 1.05), mean_t(n.finite_ratio))});
}

Claim truer(const ClaimNumbers& n) {
  return stats::make_claim(
      "batch.truer-direction", "A larger batch gives a more accurate direction",
      {make_test("the cosine with the true gradient follows 1 / sqrt(1 + B_simple / B): R^2",
                 stats::at_least(0.95), mean_t(n.cosine_r_squared)),
       make_test("the gain saturates at the noise scale, where the cosine is 0.71",
                 stats::within(0.66, 0.76), mean_t(n.cosine_at_noise_scale))});
}

Claim larger_lower(const ClaimNumbers& n) {
  std::vector<JudgedTest> tests;
  for (const BudgetNumbers& budget : n.budgets) {
    tests.push_back(make_test("validation loss falls with every doubling of B, nats/token",
                              stats::below(0), mean_t(budget.nll_per_doubling),
                              equal_budget(budget.budget)));
  }
  return stats::make_claim("batch.larger-lower-ppl", "A larger batch gives a lower perplexity",
                           tests);
}

Claim smaller_higher(const ClaimNumbers& n) {
  std::vector<JudgedTest> tests;
  const auto test = [&](const PerSeed& difference, const char* condition) {
    if (difference.empty()) return;
    tests.push_back(make_test(
        "validation loss of the smallest batch above that of the critical batch, nats/token",
        stats::above(kSmallestLoss), mean_t(difference), condition));
  };
  test(n.small_steps, "equal steps");
  test(n.small_frozen, "equal tokens with the learning rate and beta2 of a larger batch");
  test(n.small_scaled, "equal tokens with learning rate and beta2 set for the batch");
  return stats::make_claim("batch.smaller-higher-ppl", "A smaller batch gives a higher perplexity",
                           tests);
}

}  // namespace

Text equal_budget(const std::string& budget) {
  return budget == "steps" ? "equal steps" : budget == "tokens" ? "equal tokens" : "equal time";
}

std::vector<Claim> make_claims(const ClaimNumbers& numbers) {
  return {steadier(numbers), truer(numbers), larger_lower(numbers), smaller_higher(numbers)};
}

}  // namespace xfq::experiments::batch_ppl
