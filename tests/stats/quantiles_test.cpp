// Quantiles against 40-digit references: mpmath's root finder on its incomplete beta
// and gamma functions, rounded to 17 digits. Boost promises a few ulp; 1e-12 is
// far above that and far below a wrong formula.
#include "xfq/stats/quantiles.h"

#include <cmath>

#include "catch.h"
#include "xfq/core/error.h"

using namespace xfq::stats;

namespace {
Approx near(double expected) { return Approx(expected).epsilon(1e-12); }
}  // namespace

TEST_CASE("normal quantiles and distribution function") {
  CHECK(normal_quantile(0.975) == near(1.9599639845400542));
  CHECK(normal_quantile(0.9) == near(1.2815515655446005));
  CHECK(normal_quantile(0.001) == near(-3.0902323061678135));
  CHECK(normal_quantile(0.5) == 0);
  CHECK(normal_cdf(1.96) == near(0.97500210485177957));
  CHECK(normal_cdf(-3) == near(0.0013498980316300945));
}

TEST_CASE("Student quantiles") {
  CHECK(t_quantile(0.975, 1) == near(12.706204736174705));
  CHECK(t_quantile(0.975, 2) == near(4.3026527297494639));
  CHECK(t_quantile(0.975, 4) == near(2.7764451051977944));
  CHECK(t_quantile(0.95, 10) == near(1.8124611228116764));
  CHECK(t_quantile(0.995, 30) == near(2.7499956535672253));
  CHECK(t_quantile(0.975, 7.3) == near(2.3450667365477036));
  CHECK(t_quantile(0.025, 4) == near(-2.7764451051977944));
}

TEST_CASE("two-sided Student p-values") {
  CHECK(t_two_sided_p(2.5, 9) == near(0.033861827682985739));
  CHECK(t_two_sided_p(-2.5, 9) == near(0.033861827682985739));
  CHECK(t_two_sided_p(0, 3) == near(1));
  CHECK(t_two_sided_p(INFINITY, 3) == 0);
  // One degree of freedom is the Cauchy distribution: P(|T| >= 1) = 1/2.
  CHECK(t_two_sided_p(1, 1) == near(0.5));
}

TEST_CASE("chi-squared quantiles") {
  CHECK(chi2_quantile(0.95, 1) == near(3.8414588206941260));
  CHECK(chi2_quantile(0.05, 10) == near(3.9402991361190600));
  CHECK(chi2_quantile(0.99, 3.5) == near(12.329572300734485));
  // Two degrees of freedom: -2 ln(1 - p).
  CHECK(chi2_quantile(0.75, 2) == near(-2 * std::log(0.25)));
}

TEST_CASE("binomial quantiles") {
  // The first k whose summed probabilities, in 40 digits, reach p.
  CHECK(binomial_quantile(0.025, 100, 0.3) == 21);
  CHECK(binomial_quantile(0.975, 100, 0.3) == 39);
  CHECK(binomial_quantile(0.5, 10, 0.1) == 1);
  CHECK(binomial_quantile(0.99, 1000, 0.01) == 18);
  CHECK(binomial_quantile(0.9, 0, 0.3) == 0);
  CHECK(binomial_quantile(0.9, 12, 0) == 0);
  CHECK(binomial_quantile(0.1, 12, 1) == 12);
}

TEST_CASE("arguments outside the domain are errors") {
  CHECK_THROWS_AS(normal_quantile(0), xfq::Error);
  CHECK_THROWS_AS(normal_quantile(1), xfq::Error);
  CHECK_THROWS_AS(normal_quantile(NAN), xfq::Error);
  CHECK_THROWS_AS(t_quantile(0.5, 0), xfq::Error);
  CHECK_THROWS_AS(chi2_quantile(0.5, -1), xfq::Error);
  CHECK_THROWS_AS(t_two_sided_p(NAN, 3), xfq::Error);
  CHECK_THROWS_AS(binomial_quantile(0.5, -1, 0.5), xfq::Error);
  CHECK_THROWS_AS(binomial_quantile(0.5, 10, 1.5), xfq::Error);
}
