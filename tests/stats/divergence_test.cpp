// Divergences: closed forms, zeros, and Gibbs' inequality as a property.
#include "xfq/stats/divergence.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "property.h"
#include "xfq/core/error.h"

using namespace xfq::stats;
using xfq::test::check_property;
using Weights = std::vector<double>;
using Counts = std::vector<std::int64_t>;

TEST_CASE("KL and JS, closed forms") {
  const Weights p = {0.5, 0.25, 0.25};
  const Weights q = {0.25, 0.25, 0.5};
  CHECK(kl(p, q) == Approx(std::log(2.0) / 4).epsilon(1e-14));  // ln2/2 + 0 - ln2/4
  CHECK(kl(Counts{20, 10, 10}, Counts{1, 1, 2}) == Approx(std::log(2.0) / 4).epsilon(1e-14));
  CHECK(js(p, q) == Approx(0.042474759198849368).epsilon(1e-13));  // mpmath, 40 digits
  CHECK(js(Weights{2, 0}, Weights{0, 5}) == Approx(std::log(2.0)).epsilon(1e-15));
  CHECK(kl(p, p) == 0);
  CHECK(js(p, p) == 0);
}

TEST_CASE("zeros") {
  CHECK(kl(Counts{0, 4}, Counts{1, 1}) == Approx(std::log(2.0)).epsilon(1e-15));
  CHECK(kl(Counts{1, 1}, Counts{0, 4}) == std::numeric_limits<double>::infinity());
  CHECK(kl(Counts{0, 4}, Counts{0, 7}) == 0);
  // mpmath, 40 digits, of (p + 0.001) / 1.003.
  CHECK(kl_smoothed(Weights{1, 1, 0}, Weights{1, 0, 0}, 1e-3) ==
        Approx(2.7594747446162602).epsilon(1e-13));
  CHECK(kl_smoothed(Counts{3, 3, 0}, Counts{9, 0, 0}, 1e-3) ==
        Approx(2.7594747446162602).epsilon(1e-13));
  CHECK(kl_smoothed(Counts{3, 0}, Counts{3, 0}) == 0);
  // A ratio of two normal numbers that is not one itself.
  CHECK(kl(Weights{1, 1}, Weights{1, 1e-300}) == Approx(-0.5 * std::log(4e-300)).epsilon(1e-12));
}

TEST_CASE("what is no distribution is an error") {
  CHECK_THROWS_AS(kl(Weights{1, 2}, Weights{1, 2, 3}), xfq::Error);
  CHECK_THROWS_AS(kl(Weights{}, Weights{}), xfq::Error);
  CHECK_THROWS_AS(kl(Weights{1, -1}, Weights{1, 1}), xfq::Error);
  CHECK_THROWS_AS(js(Weights{1, NAN}, Weights{1, 1}), xfq::Error);
  CHECK_THROWS_AS(js(Weights{1, 1}, Weights{0, 0}), xfq::Error);
  CHECK_THROWS_AS(kl_smoothed(Weights{1, 1}, Weights{1, 1}, 0), xfq::Error);
}

TEST_CASE("properties of divergences") {
  const auto counts_of = [](std::size_t n) {
    auto counts = *rc::gen::container<Counts>(n, rc::gen::inRange<std::int64_t>(0, 50));
    counts[0] += 1;
    return counts;
  };
  check_property("KL >= 0, zero for equal distributions only; Pinsker's bound", [&] {
    const auto n = *rc::gen::inRange<std::size_t>(1, 12);
    const Counts p = counts_of(n);
    const Counts q = counts_of(n);
    double sum_p = 0;
    double sum_q = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum_p += static_cast<double>(p[i]);
      sum_q += static_cast<double>(q[i]);
    }
    double variation = 0;
    for (std::size_t i = 0; i < n; ++i) {
      variation +=
          0.5 * std::abs(static_cast<double>(p[i]) / sum_p - static_cast<double>(q[i]) / sum_q);
    }
    // KL >= 2 TV^2 (Pinsker); the slack is rounding.
    RC_ASSERT(kl(p, q) >= 2 * variation * variation - 1e-14);
    RC_ASSERT(kl_smoothed(p, q) >= 0);
    RC_ASSERT(std::isfinite(kl_smoothed(p, q)));
    RC_ASSERT(kl(p, p) == 0);
  });
  check_property("JS is symmetric, between 0 and ln 2, and a mean of two KL", [&] {
    const auto n = *rc::gen::inRange<std::size_t>(1, 12);
    const Counts p = counts_of(n);
    const Counts q = counts_of(n);
    const double value = js(p, q);
    RC_ASSERT(std::abs(value - js(q, p)) <= 1e-15);
    RC_ASSERT(value >= 0);
    RC_ASSERT(value <= std::log(2.0) + 1e-15);
    double sum_p = 0;
    double sum_q = 0;
    for (std::size_t i = 0; i < n; ++i) {
      sum_p += static_cast<double>(p[i]);
      sum_q += static_cast<double>(q[i]);
    }
    Weights middle(n);
    for (std::size_t i = 0; i < n; ++i) {
      middle[i] = static_cast<double>(p[i]) / sum_p + static_cast<double>(q[i]) / sum_q;
    }
    const Weights a(p.begin(), p.end());
    const Weights b(q.begin(), q.end());
    RC_ASSERT(std::abs(value - 0.5 * (kl(a, middle) + kl(b, middle))) <= 1e-14);
  });
}
