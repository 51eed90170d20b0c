// Pruning curves on a network whose importances are known.
#include "xfq/importance/pruning.h"

#include <algorithm>

#include "catch.h"
#include "networks.h"
#include "xfq/importance/agreement.h"

using namespace xfq::importance;
using xfq::test::KnownDecoder;
using xfq::test::steps;

TEST_CASE("the area under a curve is the mean rise") {
  // Triangle up to .5 (area .5 * 1 / 2), then a trapezoid to 1 (area .5 * (1 + 3) / 2).
  CHECK(PruningCurve{{0.5, 1}, {1, 3}}.area() == Approx(1.25));
  CHECK(PruningCurve{{0.5}, {2}}.area() == Approx(1));
}

TEST_CASE("a curve removes what it says") {
  const KnownDecoder model(std::vector<double>(32, 1.0), steps(32, 0, 0.5));
  const Units units(*model.network, UnitKind::neuron);
  const float* const parameters = model.parameters.data();
  CHECK(removed_count(0.5, units) == 16);
  CHECK(removed_count(0.01, units) == 0);
  CHECK(removed_count(1, units) == 32);

  const auto loss = [&](const std::vector<bool>& removed) {
    return loss_without(*model.network, parameters, model.batches, units, removed, {}).mean();
  };
  const double full = loss({});
  std::vector<std::size_t> order = ascending(model.output);
  const auto curve =
      prune(*model.network, parameters, model.batches, units, order, {0.01, 0.25, 1}, full, {});
  CHECK(curve.rise[0] == 0);  // nothing removed
  CHECK(curve.rise[2] == Approx(loss(std::vector<bool>(32, true)) - full).margin(1e-12));
  // The eight weakest carry 28 / 496 of the layer's output, the eight strongest 220 / 496.
  std::reverse(order.begin(), order.end());
  const auto reverse =
      prune(*model.network, parameters, model.batches, units, order, {0.25}, full, {});
  CHECK(std::abs(reverse.rise[0]) > 3 * std::abs(curve.rise[1]));
}

TEST_CASE("scoring anew with fixed scores is one-shot pruning") {
  const KnownDecoder model(std::vector<double>(32, 1.0), steps(32, 0, 0.5));
  const Units units(*model.network, UnitKind::neuron);
  const float* const parameters = model.parameters.data();
  const std::vector<double> fractions = {0.2, 0.6};
  const auto once = prune(*model.network, parameters, model.batches, units, ascending(model.output),
                          fractions, 1, {});
  std::vector<std::size_t> off;
  const auto again = prune_iteratively(
      *model.network, parameters, model.batches, units,
      [&](const std::vector<bool>& removed) {
        off.push_back(static_cast<std::size_t>(std::count(removed.begin(), removed.end(), true)));
        return model.output;
      },
      fractions, 1, {});
  CHECK(again.rise == once.rise);
  // Scored with nothing removed, then with round(.2 * 32) units gone.
  CHECK(off == std::vector<std::size_t>{0, 6});
}
