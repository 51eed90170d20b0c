#include "claims.h"

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"
#include "xfq/stats/claims.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::approx {

using stats::exact;
using stats::make_claim;
using stats::make_test;
using stats::mean_t;

Claim nonlinearity_needed(const NonlinearityNumbers& numbers) {
  return make_claim(
      "approx.nonlinearity-needed",
      "Non-linear activations are what lets layers build complex mappings",
      {make_test("a deep linear network reaches the loss of ordinary least squares and no other: "
                 "relative difference, worst depth",
                 stats::within(-1e-6, 1e-6), mean_t(numbers.excess_over_ols)),
       make_test("with an activation of degree k, L layers give a polynomial of degree k^L: share "
                 "of the output beyond it",
                 stats::at_most(1e-9), mean_t(numbers.beyond_degree)),
       make_test("an activation that is no polynomial at least halves the error of the best such "
                 "polynomial: log2 of the ratio, worst activation",
                 stats::at_least(1), mean_t(numbers.gain_over_polynomial))});
}

Claim one_wide_layer_suffices(const WideLayerNumbers& numbers) {
  const std::string existence = "existence";
  const std::string learning = "learning";
  const std::string economy = "economy";
  return make_claim(
      "approx.one-wide-layer-suffices",
      "One hidden layer with enough neurons approximates any continuous function as closely as "
      "wanted",
      {make_test(
           "one layer of N ReLUs reaches a sup error of 1 / (4 N^2) on x^2: largest deviation",
           stats::at_most(1e-12), exact(numbers.interpolation_deviation), existence),
       make_test("m layers of three ReLUs reach 2^(-2m-2), m up to 12: largest deviation",
                 stats::at_most(1e-12), exact(numbers.square_deviation), existence),
       make_test("trained one-layer networks on a Barron target fall about as 1 / width: slope of "
                 "log mean square on log width",
                 stats::at_most(-0.75), mean_t(numbers.trained_slope), learning),
       make_test("one more fold of a sawtooth, two more ReLUs for a deep network, costs one layer "
                 "less than half as many again: log2 of the growth of the width that keeps the "
                 "error below 0.1",
                 stats::below(0.5), exact(numbers.width_doublings), economy),
       make_test("one layer needs no more parameters than depth for the same error on x^2: ratio",
                 stats::at_most(1), exact(numbers.parameter_ratio), economy)});
}

Claim parallelism(const ParallelNumbers& numbers) {
  return make_claim(
      "approx.parallelism",
      "Massively parallel computation gives networks their power to represent complex information",
      {make_test("a forward pass keeps two processors or more busy: operations over the longest "
                 "chain of them",
                 stats::at_least(2), exact(numbers.work_over_span), "speed"),
       make_test("more threads compute another function: largest difference of the outputs",
                 stats::above(0), exact(numbers.output_difference), "representation")});
}

Claim learned_features(const FeatureNumbers& numbers) {
  const std::string statement =
      "learned features at least halve the error of the best hand-made or random ones at equal "
      "parameters: log2 of the ratio";
  return make_claim("approx.learned-features",
                    "Networks learn their features and need none made by hand",
                    {make_test(statement, stats::at_least(1), mean_t(numbers.analytic),
                               "analytic target on an interval"),
                     make_test(statement, stats::at_least(1), mean_t(numbers.single_index),
                               "single-index target in ten dimensions")});
}

Claim end_to_end(const EndToEndNumbers& numbers) {
  std::vector<stats::JudgedTest> tests;
  for (const auto& [condition, gains] : numbers) {
    tests.push_back(
        make_test("training all layers together beats the better of frozen random layers and "
                  "stagewise training: log2 of the ratio",
                  stats::above(0), mean_t(gains), condition));
  }
  return make_claim("approx.end-to-end",
                    "Training end to end gives better results than training in parts", tests);
}

Claim flexibility(const FlexibilityNumbers& numbers) {
  std::vector<double> second;
  for (std::vector<double> ratios : numbers.ratios) {
    XFQ_ASSERT(ratios.size() >= 2);
    std::sort(ratios.begin(), ratios.end());
    second.push_back(std::log2(ratios[1]));
  }
  return make_claim(
      "approx.flexibility", "One kind of network adapts to many kinds of input and task",
      {make_test("one fixed recipe stays within twice the error of the best specialised method on "
                 "at least two kinds of input: log2 of the second smallest ratio",
                 stats::at_most(1), mean_t(second))});
}

}  // namespace xfq::experiments::approx
