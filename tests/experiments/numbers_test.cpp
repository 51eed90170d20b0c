// From estimates to metrics.
#include "../../src/experiments/numbers.h"

#include <cmath>

#include "catch.h"

namespace xfq::experiments {

TEST_CASE("a metric that is a mean over seeds keeps the number of each seed") {
  const std::vector<double> values = {1, 2, 4};
  const stats::Estimate mean = stats::mean_t(values);
  CHECK(make_metric("m", "", Better::none, mean).values == values);
  // The geometric mean of the same numbers is not their mean.
  stats::Estimate geometric = mean;
  geometric.value = 2;
  CHECK(make_metric("m", "", Better::none, geometric).values.empty());
  // Items are no seeds, one seed is no sample, and a ratio is no mean.
  stats::Estimate items = mean;
  items.over_seeds = false;
  CHECK(make_metric("m", "", Better::none, items).values.empty());
  CHECK(make_metric("m", "", Better::none, stats::mean_t({1})).values.empty());
  CHECK(make_metric("m", "", Better::none, stats::ratio_of_means({1, 2}, {4, 5})).values.empty());
  CHECK(exact_metric("m", "", Better::none, 1).values.empty());
}

TEST_CASE("numbers that are drawn keep their leading digits") {
  CHECK(rounded(0.0123456, 3) == 0.0123);
  CHECK(rounded(-98765.4, 2) == -99000);
  CHECK(rounded(9.9996e-7, 4) == 1e-6);
  CHECK(rounded(0, 4) == 0);
}

}  // namespace xfq::experiments
