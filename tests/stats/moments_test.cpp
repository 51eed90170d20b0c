// Moments: closed forms, and merging against one pass.
#include "xfq/stats/moments.h"

#include <cmath>
#include <vector>

#include "property.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"

using namespace xfq::stats;
using xfq::test::check_property;
using xfq::test::exact_numbers;

namespace {

Moments one_by_one(const std::vector<double>& values) {
  Moments moments;
  for (const double value : values) moments.add(value);
  return moments;
}

Moments in_blocks(const std::vector<double>& values) {
  Moments moments;
  moments.add(values.data(), values.size());
  return moments;
}

// Rounding bound for n additions of terms that are at most `scale`: n eps scale per
// pass, three passes' worth.
void check_equal(const Moments& a, const Moments& b) {
  REQUIRE(a.count() == b.count());
  if (a.empty()) return;
  CHECK(a.min() == b.min());
  CHECK(a.max() == b.max());
  const double magnitude = std::max(std::abs(a.min()), std::abs(a.max()));
  const double slack = 3 * static_cast<double>(a.count()) * 2.3e-16;
  CHECK(std::abs(a.mean() - b.mean()) <= slack * magnitude);
  const double variance = a.population_variance();
  const double variance_slack = slack * magnitude * magnitude;
  CHECK(std::abs(variance - b.population_variance()) <= variance_slack);
  // Ratios of moments are compared where the spread is not all rounding.
  if (variance > 1e-3 * magnitude * magnitude) {
    CHECK(*a.skewness() == Approx(*b.skewness()).margin(1e-9));
    CHECK(*a.excess_kurtosis() == Approx(*b.excess_kurtosis()).margin(1e-9));
  }
}

}  // namespace

TEST_CASE("moments of a small sample") {
  // 40-digit sums over {1.5, 2.5, 1, 3.5, 2, 6.5, 4}: mean 3, variance 21/6, skewness
  // sqrt(3)/2, excess kurtosis -1/4.
  const std::vector<double> values = {1.5, 2.5, 1.0, 3.5, 2.0, 6.5, 4.0};
  for (const Moments& moments : {one_by_one(values), in_blocks(values)}) {
    CHECK(moments.count() == 7);
    CHECK(moments.mean() == Approx(3).epsilon(1e-14));
    CHECK(moments.variance() == Approx(3.5).epsilon(1e-14));
    CHECK(moments.population_variance() == Approx(3.0).epsilon(1e-14));
    CHECK(moments.standard_deviation() == Approx(std::sqrt(3.5)).epsilon(1e-14));
    CHECK(moments.standard_error() == Approx(std::sqrt(0.5)).epsilon(1e-14));
    CHECK(*moments.skewness() == Approx(0.86602540378443865).epsilon(1e-13));
    CHECK(*moments.excess_kurtosis() == Approx(-0.25).epsilon(1e-13));
    CHECK(moments.min() == 1);
    CHECK(moments.max() == 6.5);
  }
}

TEST_CASE("a large common offset costs no digits") {
  // {-1, 0, 1} + 1e9: variance 1 exactly; a sum of squares minus a squared sum would
  // lose all digits.
  const std::vector<double> values = {1e9 - 1, 1e9, 1e9 + 1};
  CHECK(one_by_one(values).variance() == Approx(1).epsilon(1e-12));
  CHECK(in_blocks(values).variance() == Approx(1).epsilon(1e-12));
}

TEST_CASE("merging equals one pass") {
  xfq::Stream stream(3, "test.moments");
  // More than two blocks, skewed, in float as activations are.
  std::vector<float> data(2600);
  for (float& value : data) value = static_cast<float>(std::exp(stream.normal()));
  Moments whole;
  whole.add(data.data(), data.size());
  Moments single;
  for (const float value : data) single.add(static_cast<double>(value));
  check_equal(whole, single);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{1300}, data.size()}) {
    Moments left;
    left.add(data.data(), cut);
    Moments right;
    right.add(data.data() + cut, data.size() - cut);
    left.merge(right);
    check_equal(left, single);
  }
}

TEST_CASE("properties of merging") {
  check_property("merge is one pass, and associative", [] {
    const auto a = exact_numbers(*rc::gen::inRange<std::size_t>(0, 30));
    const auto b = exact_numbers(*rc::gen::inRange<std::size_t>(0, 30));
    const auto c = exact_numbers(*rc::gen::inRange<std::size_t>(0, 30));
    std::vector<double> all = a;
    all.insert(all.end(), b.begin(), b.end());
    all.insert(all.end(), c.begin(), c.end());
    Moments left = one_by_one(a);
    left.merge(in_blocks(b));
    left.merge(one_by_one(c));
    Moments tail = in_blocks(b);
    tail.merge(one_by_one(c));
    Moments right = in_blocks(a);
    right.merge(tail);
    check_equal(left, one_by_one(all));
    check_equal(left, right);
  });
}

TEST_CASE("what is not defined is said so") {
  Moments moments;
  CHECK_THROWS_AS(moments.mean(), xfq::Error);
  CHECK_THROWS_AS(moments.max(), xfq::Error);
  CHECK_FALSE(moments.skewness());
  moments.add(0.1);
  CHECK(moments.mean() == 0.1);
  CHECK(moments.population_variance() == 0);
  CHECK_THROWS_WITH(moments.variance(), "variance of 1 values, expected 2 or more");
  // Equal values have no shape, whichever way they came.
  for (int i = 0; i < 20; ++i) moments.add(0.1);
  CHECK(moments.variance() == 0);
  CHECK_FALSE(moments.excess_kurtosis());
  const std::vector<double> equal(2000, 0.1);
  CHECK(in_blocks(equal).variance() == 0);
  CHECK_FALSE(in_blocks(equal).skewness());
}

TEST_CASE("a value that is not finite shows in the mean") {
  CHECK(std::isnan(one_by_one({1, NAN, 2}).mean()));
  CHECK(std::isnan(in_blocks({1, INFINITY, 2}).variance()));
}
