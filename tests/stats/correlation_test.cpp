// Correlations against brute force over all pairs and 40-digit sums, and properties.
#include "xfq/stats/correlation.h"

#include <algorithm>
#include <cmath>

#include "property.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"

using namespace xfq::stats;
using xfq::test::check_property;
using xfq::test::exact_numbers;
using Values = std::vector<double>;

namespace {

const Values kX = {1, 2, 2, 3, 5, 5, 5, 8};
const Values kY = {2, 1, 4, 4, 3, 6, 6, 5};
const Values kZ = {1, 3, 2, 5, 4, 4, 7, 6};

// The definition, pair by pair.
std::optional<double> kendall_by_pairs(const Values& x, const Values& y) {
  int score = 0;
  int free_x = 0;
  int free_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const int dx = (x[i] > x[j]) - (x[i] < x[j]);
      const int dy = (y[i] > y[j]) - (y[i] < y[j]);
      score += dx * dy;
      free_x += dx != 0;
      free_y += dy != 0;
    }
  }
  if (free_x == 0 || free_y == 0) return std::nullopt;
  return score / std::sqrt(static_cast<double>(free_x) * free_y);
}

}  // namespace

TEST_CASE("average ranks") {
  CHECK(average_ranks(kX) == Values{1, 2.5, 2.5, 4, 6, 6, 6, 8});
  CHECK(average_ranks({3, -1, 2}) == Values{3, 1, 2});
  CHECK(average_ranks({}).empty());
  CHECK_THROWS_AS(average_ranks({1, NAN}), xfq::Error);
}

TEST_CASE("correlations with ties") {
  // mpmath, 40 digits, from the definitions; tau-b = 13 / sqrt(24 * 26).
  CHECK(*pearson(kX, kY) == Approx(0.64989080807836297).epsilon(1e-14));
  CHECK(*spearman(kX, kY) == Approx(0.68956071496521649).epsilon(1e-14));
  CHECK(*kendall(kX, kY) == Approx(0.52041649986653318).epsilon(1e-14));
  // mpmath, as the correlation of the residuals of the ranks on the ranks of z.
  CHECK(*partial_spearman(kX, kY, kZ) == Approx(0.30032316872815284).epsilon(1e-13));
}

TEST_CASE("correlations that are not defined") {
  CHECK_FALSE(pearson({1}, {2}));
  CHECK_FALSE(spearman({}, {}));
  const Values tenths(7, 0.1);
  const Values ramp = {1, 2, 3, 4, 5, 6, 7};
  CHECK_FALSE(pearson(tenths, ramp));
  CHECK_FALSE(spearman(ramp, tenths));
  CHECK_FALSE(kendall(tenths, ramp));
  CHECK_FALSE(partial_spearman(ramp, {7, 1, 2, 6, 3, 5, 4}, ramp));
  CHECK_THROWS_AS(pearson({1, 2}, {1}), xfq::Error);
  CHECK_THROWS_AS(kendall({1, INFINITY}, {1, 2}), xfq::Error);
}

TEST_CASE("partial correlation removes a common cause") {
  // x and y are z plus independent noise of the same size: correlation 1/2 for normal
  // values, none given z. With n = 2000 the partial correlation has a spread of 0.022.
  xfq::Stream stream(2, "test.partial");
  Values x;
  Values y;
  Values z;
  for (int i = 0; i < 2000; ++i) {
    z.push_back(stream.normal());
    x.push_back(z.back() + stream.normal());
    y.push_back(z.back() + stream.normal());
  }
  CHECK(*spearman(x, y) > 0.4);
  CHECK(std::abs(*partial_spearman(x, y, z)) < 5 * 0.0225);
}

TEST_CASE("properties of correlations") {
  check_property("kendall equals the count over all pairs", [] {
    const auto n = *rc::gen::inRange<std::size_t>(2, 40);
    // Few distinct values: ties in x, in y and in both.
    const auto x = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 6));
    const auto y = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 6));
    const Values a(x.begin(), x.end());
    const Values b(y.begin(), y.end());
    const auto expected = kendall_by_pairs(a, b);
    const auto got = kendall(a, b);
    RC_ASSERT(expected.has_value() == got.has_value());
    if (got) RC_ASSERT(std::abs(*got - *expected) <= 1e-14);
  });
  check_property("rank correlations ignore rising maps and flip with falling ones", [] {
    const auto n = *rc::gen::inRange<std::size_t>(2, 30);
    const Values x = exact_numbers(n);
    const Values y = exact_numbers(n);
    Values cubed(n);
    Values falling(n);
    for (std::size_t i = 0; i < n; ++i) {
      cubed[i] = x[i] * x[i] * x[i] + 3 * x[i];  // exact: no tie appears or goes
      falling[i] = -x[i] / 4;
    }
    const auto rho = spearman(x, y);
    RC_ASSERT(spearman(cubed, y) == rho);
    RC_ASSERT(kendall(cubed, y) == kendall(x, y));
    RC_ASSERT(spearman(falling, y).has_value() == rho.has_value());
    if (rho) {
      RC_ASSERT(std::abs(*spearman(falling, y) + *rho) <= 1e-13);
      RC_ASSERT(std::abs(*kendall(falling, y) + *kendall(x, y)) <= 1e-14);
      RC_ASSERT(std::abs(*spearman(y, x) - *rho) <= 1e-14);
    }
  });
}

TEST_CASE("bootstrap intervals of correlations") {
  xfq::Stream stream(9, "test.correlation");
  Values x;
  Values y;
  Values noise;
  for (int i = 0; i < 200; ++i) {
    x.push_back(stream.normal());
    y.push_back(x.back() + 0.5 * stream.normal());
    noise.push_back(stream.normal());
  }
  Bootstrap options;
  options.resamples = 500;
  const Estimate strong = pearson_bootstrap(x, y, options);
  CHECK(*strong.value == *pearson(x, y));
  // Theory for normal pairs: rho = 1/sqrt(1.25) = 0.894, standard error
  // (1 - rho^2) / sqrt(n) = 0.0141; a bootstrap of 500 knows it to about 10 %.
  CHECK(strong.standard_error == Approx(0.0141).epsilon(0.35));
  CHECK(strong.ci->lo < 0.894);
  CHECK(strong.ci->hi > 0.894);
  CHECK(strong.ci->lo > 0.8);
  CHECK_FALSE(strong.over_seeds);
  CHECK(strong.n == 200);

  const Estimate none = spearman_bootstrap(x, noise, options);
  CHECK(none.ci->lo < 0);
  CHECK(none.ci->hi > 0);
  CHECK(kendall_bootstrap(x, y, options).ci->lo > 0.5);
  const Estimate partial = partial_spearman_bootstrap(x, noise, y, options);
  CHECK(*partial.value == *partial_spearman(x, noise, y));
  CHECK(partial.ci->lo < 0);
  CHECK(partial.ci->hi > 0);

  const Estimate undefined = spearman_bootstrap({1, 1, 1}, {1, 2, 3}, options);
  CHECK_FALSE(undefined.value);
  CHECK(undefined.reason == "not defined on these 3 observations");
  CHECK_THROWS_AS(spearman_bootstrap({1, 2}, {1}, options), xfq::Error);
}
