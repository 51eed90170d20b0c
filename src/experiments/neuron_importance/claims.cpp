#include "claims.h"

namespace xfq::experiments::neuron_importance {

namespace {

using Tests = std::vector<stats::JudgedTest>;

void add(Tests& tests, const Text& statement, const stats::Rule& rule,
         const std::vector<double>& values, const Text& condition = {}) {
  if (values.empty()) return;
  tests.push_back(stats::make_test(statement, rule, stats::mean_t(values), condition));
}

void add_rankings(Tests& tests, const std::vector<Ranking>& rankings) {
  for (const Ranking& ranking : rankings) {
    add(tests,
        phrase("the rank correlation of {} with the damage is at least {}",
               {ranking.score, kRanks}),
        stats::at_least(kRanks), ranking.rho, ranking.condition);
  }
}

void add_pruning(Tests& tests, const Text& score, const std::vector<PruningOrder>& orders) {
  for (const PruningOrder& order : orders) {
    add(tests,
        phrase("removing units from the lowest {} up beats {} of the random orders",
               {score, kBeatsRandom}),
        stats::at_least(kBeatsRandom), order.share_beaten, order.condition);
  }
}

}  // namespace

Claim gradient_claim(const GradientNumbers& numbers) {
  Tests tests;
  add_rankings(tests, numbers.rankings);
  add(tests,
      phrase("E|g a| ranks no better than E|g|: a difference of rank correlations of at most {}",
             {kSame}),
      stats::at_most(kSame), numbers.taylor_advantage, "E|g| against E|g a|");
  add_pruning(tests, Text::verbatim("E|g|"), numbers.orders);
  return stats::make_claim("importance.gradient",
                           "Neurons with a larger gradient of the loss are the more important ones",
                           tests);
}

Claim activation_claim(const ActivationNumbers& numbers) {
  Tests tests;
  add_rankings(tests, numbers.rankings);
  const auto drop = [&](const Text& score, const std::vector<double>& values) {
    add(tests,
        phrase("{} ranks as well when neurons are set to their mean as when to zero: its rank "
               "correlation falls by at most {}",
               {score, kSame}),
        stats::at_most(kSame), values, phrase("{} under another baseline", {score}));
  };
  drop(Text::verbatim("E|a|"), numbers.activation_drop);
  drop("the standard deviation", numbers.std_drop);
  add_pruning(tests, Text::verbatim("E|a|"), numbers.orders);
  return stats::make_claim("importance.activation",
                           "Neurons whose activations are larger, or vary more, are the more "
                           "important ones",
                           tests);
}

Claim entropy_claim(const EntropyNumbers& numbers) {
  Tests tests;
  add_rankings(tests, numbers.rankings);
  const Text own = "a measure of its own";
  add(tests,
      phrase("the entropy over shared bins is not the ranking by standard deviation: a rank "
             "correlation below {}",
             {kSameRanking}),
      stats::below(kSameRanking), numbers.rho_with_std, own);
  add(tests, "at equal standard deviation more entropy means more damage: partial rank correlation",
      stats::above(0), numbers.partial_rho, own);
  add_pruning(tests, "entropy", numbers.orders);
  add(tests, "pruned by entropy and fine-tuned, the loss is lower than pruned at random",
      stats::above(0), numbers.finetuned_gain, "pruning by the entropy and fine-tuning");
  return stats::make_claim("importance.entropy",
                           "Neurons whose activations have more entropy are the more important "
                           "ones",
                           tests);
}

std::vector<stats::JudgedTest> published_shapes(const ShapeNumbers& numbers) {
  Tests tests;
  add(tests, "within layers E|g a| ranks better than E|a|", stats::above(0),
      numbers.taylor_over_activation);
  add(tests, "within layers E|a| ranks better than the weights", stats::above(0),
      numbers.activation_over_magnitude);
  add(tests, "E|g a| ranks worse across layers than within", stats::above(0),
      numbers.taylor_collapse);
  add(tests, "dividing by the layer's norm brings E|g a| back across layers", stats::above(0),
      numbers.taylor_recovery);
  add(tests, "E|a| loses rank correlation from zero to mean ablation", stats::above(0),
      numbers.activation_drop);
  add(tests, "the standard deviation does not", stats::at_most(kSame), numbers.std_drop);
  return tests;
}

}  // namespace xfq::experiments::neuron_importance
