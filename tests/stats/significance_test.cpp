// p-values against 40-digit references, enumeration and Holm's definition.
#include "xfq/stats/significance.h"

#include <cmath>

#include "property.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/stats/intervals.h"

using namespace xfq::stats;
using xfq::test::check_property;
using xfq::test::exact_numbers;
using Values = std::vector<double>;

namespace {
const Values kA = {3.1, 2.4, 5.9, 4.4, 3.7};
const Values kB = {2.9, 2.8, 4.1, 4.0, 2.2};
}  // namespace

TEST_CASE("paired t-test") {
  // mpmath: t = 0.7 / 0.41231056256176605, 4 degrees of freedom.
  CHECK(*paired_t_p(kA, kB) == Approx(0.16478902078338008).epsilon(1e-12));
  CHECK(*paired_t_p(kB, kA) == Approx(0.16478902078338008).epsilon(1e-12));
  CHECK(*paired_t_p({1, 2}, {1, 2}) == 1);
  CHECK(*paired_t_p({2, 3}, {1, 2}) == 0);
  CHECK_FALSE(paired_t_p({1}, {2}));
  CHECK_THROWS_AS(paired_t_p({1, 2}, {1}), xfq::Error);
  CHECK_THROWS_AS(paired_t_p({1, NAN}, {1, 2}), xfq::Error);
}

TEST_CASE("Welch's test") {
  // A side without spread leaves one degree of freedom, where T is Cauchy: t = 2 / 1.
  CHECK(*welch_p({1, 3}, {0, 0}) == Approx(1 - 2 / M_PI * std::atan(2.0)).epsilon(1e-12));
  // The interval of level 1 - p ends at zero.
  const double p = *welch_p(kA, kB);
  CHECK(welch(kA, kB, 1 - p).ci->lo == Approx(0).margin(1e-9));
  CHECK(*welch_p(kB, kA) == Approx(p).epsilon(1e-12));
  CHECK(*welch_p({1, 1}, {1, 1, 1}) == 1);
  CHECK(*welch_p({2, 2}, {1, 1}) == 0);
  CHECK_FALSE(welch_p({1, 2}, {3}));
  CHECK_THROWS_AS(welch_p({1, NAN}, {1, 2}), xfq::Error);
}

TEST_CASE("exact permutation test") {
  // Enumerated by hand in exact arithmetic: 8 of 32 sign patterns of
  // {0.2, -0.4, 1.8, 0.4, 1.5} reach a sum of 3.5, ties included.
  CHECK(*permutation_p(kA, kB) == 8.0 / 32);
  // All differences of one sign: only the two extreme patterns of 2^n reach.
  CHECK(*permutation_p({1, 2, 3, 4, 5, 6}, {0, 0, 0, 0, 0, 0}) == 2.0 / 64);
  CHECK(*permutation_p({1, 1}, {1, 1}) == 1);
  CHECK(*permutation_p({3}, {1}) == 1);
  CHECK_FALSE(permutation_p({}, {}));
  CHECK_THROWS_AS(permutation_p({1}, {}), xfq::Error);
  CHECK_THROWS_AS(permutation_p({1}, {1}, 0), xfq::Error);
}

TEST_CASE("sampled permutation test") {
  xfq::Stream stream(4, "test.permutation");
  Values a;
  Values b;
  for (int i = 0; i < 40; ++i) {
    b.push_back(stream.normal());
    a.push_back(b.back() + 0.3 + stream.normal());
  }
  const double p = *permutation_p(a, b);
  CHECK(p == *permutation_p(a, b));  // seeded
  CHECK(p != *permutation_p(a, b, 9999, 2));
  // For normal differences both tests agree up to sampling, sqrt(p (1 - p) / 9999) < 0.005,
  // and a difference of order 1/n.
  CHECK(p == Approx(*paired_t_p(a, b)).margin(0.025));
  // A difference that no sampled pattern reaches: 1 / (1 + resamples).
  const Values big(40, 100.0);
  const Values zero(40, 0.0);
  CHECK(*permutation_p(big, zero, 999) == 1.0 / 1000);
}

TEST_CASE("Holm's correction") {
  // By the definition: sorted p times 4, 3, 2, 1, then running maximum.
  const Values adjusted = holm({0.03, 0.01, 0.04, 0.005});
  CHECK(adjusted[0] == Approx(0.06).epsilon(1e-15));
  CHECK(adjusted[1] == Approx(0.03).epsilon(1e-15));
  CHECK(adjusted[2] == Approx(0.06).epsilon(1e-15));
  CHECK(adjusted[3] == Approx(0.02).epsilon(1e-15));
  CHECK(holm({0.7, 0.9}) == Values{1, 1});
  CHECK(holm({}).empty());
  CHECK(holm({0.2}) == Values{0.2});
  CHECK_THROWS_AS(holm({0.5, 1.2}), xfq::Error);
  CHECK_THROWS_AS(holm({NAN}), xfq::Error);
}

TEST_CASE("properties of p-values") {
  check_property("a permutation p lies on its grid and ignores which arm comes first", [] {
    const auto n = *rc::gen::inRange<std::size_t>(1, 8);
    const Values a = exact_numbers(n);
    const Values b = exact_numbers(n);
    const double p = *permutation_p(a, b);
    RC_ASSERT(p == *permutation_p(b, a));
    const double patterns = std::ldexp(1.0, static_cast<int>(n));
    RC_ASSERT(p >= 2 / patterns);
    RC_ASSERT(p <= 1);
    RC_ASSERT(p * patterns == std::round(p * patterns));
  });
  check_property("Holm lies between p and Bonferroni and keeps the order", [] {
    const auto raw = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 1001));
    Values p;
    for (const int k : raw) p.push_back(k / 1000.0);
    const Values adjusted = holm(p);
    for (std::size_t i = 0; i < p.size(); ++i) {
      RC_ASSERT(adjusted[i] >= p[i]);
      RC_ASSERT(adjusted[i] <= std::min(1.0, p[i] * static_cast<double>(p.size()) + 1e-15));
      for (std::size_t j = 0; j < i; ++j) {
        if (p[i] <= p[j]) RC_ASSERT(adjusted[i] <= adjusted[j]);
      }
    }
  });
}
