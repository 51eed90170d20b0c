// The claims of question 24 on made numbers: every verdict can come out otherwise.
#include "../../src/experiments/approx/claims.h"
#include "catch.h"

namespace xfq::experiments::approx {

namespace {

NonlinearityNumbers linear_numbers() {
  return {{1e-9, 2e-9, -1e-9}, {1e-14, 2e-14, 1e-14}, {5, 6, 5.5}};
}

WideLayerNumbers wide_numbers() {
  WideLayerNumbers numbers;
  numbers.trained_slope = {-0.95, -1.0, -1.05};
  numbers.width_doublings = 1;
  numbers.parameter_ratio = 80;
  return numbers;
}

}  // namespace

TEST_CASE("approx.nonlinearity-needed turns on each of its three tests") {
  CHECK(nonlinearity_needed(linear_numbers()).verdict == Verdict::supported);
  NonlinearityNumbers numbers = linear_numbers();
  numbers.excess_over_ols = {-0.10, -0.11, -0.12};  // a linear network beats least squares
  CHECK(nonlinearity_needed(numbers).verdict == Verdict::refuted);
  numbers = linear_numbers();
  numbers.beyond_degree = {0.1, 0.11, 0.12};  // a polynomial activation goes beyond degree k^L
  CHECK(nonlinearity_needed(numbers).verdict == Verdict::refuted);
  numbers = linear_numbers();
  numbers.gain_over_polynomial = {-1, -1.1, -0.9};  // nothing gained
  CHECK(nonlinearity_needed(numbers).verdict == Verdict::refuted);
  numbers.gain_over_polynomial = {0, 1, 3};
  const Claim open = nonlinearity_needed(numbers);
  CHECK(open.verdict == Verdict::inconclusive);
  CHECK(open.seeds_needed.has_value());
}

TEST_CASE("approx.one-wide-layer-suffices tells existence, learning and economy apart") {
  const Claim claim = one_wide_layer_suffices(wide_numbers());
  CHECK(claim.verdict == Verdict::conditional);
  CHECK(claim.conditions == "holds under existence, learning; fails under economy");
  WideLayerNumbers numbers = wide_numbers();
  numbers.width_doublings = 0.1;  // width grows slowly, and is cheap
  numbers.parameter_ratio = 0.9;
  CHECK(one_wide_layer_suffices(numbers).verdict == Verdict::supported);
  numbers = wide_numbers();
  numbers.square_deviation = 1e-3;  // the theorem's error is not met
  numbers.trained_slope = {-0.1, -0.2, -0.15};
  CHECK(one_wide_layer_suffices(numbers).verdict == Verdict::refuted);
  numbers = wide_numbers();
  numbers.trained_slope = {-0.1, -0.2, -0.15};
  CHECK(one_wide_layer_suffices(numbers).conditions ==
        "holds under existence; fails under learning, economy");
}

TEST_CASE("approx.parallelism: speed and representation are two things") {
  CHECK(parallelism({0, 1000}).verdict == Verdict::conditional);
  CHECK(parallelism({0, 1000}).conditions == "holds under speed; fails under representation");
  CHECK(parallelism({0, 1}).verdict == Verdict::refuted);         // a chain: nothing to share out
  CHECK(parallelism({0.5, 1000}).verdict == Verdict::supported);  // threads change the function
}

TEST_CASE("approx.learned-features depends on the target") {
  CHECK(learned_features({{-20, -21, -19}, {3, 3.1, 2.9}}).verdict == Verdict::conditional);
  CHECK(learned_features({{2, 2.1, 1.9}, {3, 3.1, 2.9}}).verdict == Verdict::supported);
  CHECK(learned_features({{-2, -2.1, -1.9}, {0, 0.1, -0.1}}).verdict == Verdict::refuted);
  CHECK(learned_features({{0, 1, 2}, {0, 1, 2}}).verdict == Verdict::inconclusive);
}

TEST_CASE("approx.end-to-end depends on the size of the training set") {
  const std::vector<double> better = {1, 1.1, 0.9}, worse = {-1, -1.1, -0.9}, open = {-1, 0, 1};
  CHECK(end_to_end({{"64 examples", better}, {"512 examples", better}}).verdict ==
        Verdict::supported);
  const Claim crossover = end_to_end({{"64 examples", worse}, {"512 examples", better}});
  CHECK(crossover.verdict == Verdict::conditional);
  CHECK(crossover.conditions == "holds under 512 examples; fails under 64 examples");
  CHECK(end_to_end({{"64 examples", worse}, {"512 examples", worse}}).verdict == Verdict::refuted);
  CHECK(end_to_end({{"64 examples", open}}).verdict == Verdict::inconclusive);
}

TEST_CASE("approx.flexibility asks for two kinds of three, seed by seed") {
  // Which kind fails does not matter, and may change from seed to seed.
  CHECK(flexibility({{{1.1, 9, 1.2}, {9, 1.2, 1.1}, {1.3, 1.1, 9}}}).verdict == Verdict::supported);
  CHECK(flexibility({{{1.1, 9, 5}, {1.2, 8, 5}, {1.1, 9, 6}}}).verdict == Verdict::refuted);
  CHECK(flexibility({{{1.1, 9, 1.5}, {1.2, 8, 4}, {1.1, 9, 2}}}).verdict == Verdict::inconclusive);
}

}  // namespace xfq::experiments::approx
