// Histograms, quantiles, entropies: closed forms and properties.
#include "xfq/stats/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "property.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"

using namespace xfq::stats;
using xfq::test::check_property;
using xfq::test::exact_numbers;
using Counts = std::vector<std::int64_t>;

TEST_CASE("a fixed histogram counts every value once") {
  Histogram histogram(0, 1, 4);
  const std::vector<float> values = {0.0F, 0.25F, 0.3F, 0.75F, 1.0F, -0.1F, 1.5F, 2.0F};
  histogram.add(values.data(), values.size());
  CHECK(histogram.counts() == Counts{1, 2, 0, 2});
  CHECK(histogram.below() == 1);
  CHECK(histogram.above() == 2);
  CHECK(histogram.inside() == 5);
  CHECK(histogram.width() == 0.25);
  CHECK(histogram.edge(0) == 0);
  CHECK(histogram.edge(4) == 1);
  CHECK(histogram.center(2) == 0.625);

  Histogram other(0, 1, 4);
  other.add(0.6);
  other.merge(histogram);
  CHECK(other.counts() == Counts{1, 2, 1, 2});
  CHECK(other.inside() == 6);
  CHECK(other.above() == 2);
  CHECK(other.below() == 1);
  CHECK_THROWS_AS(other.merge(Histogram(0, 1, 5)), xfq::Error);
  CHECK_THROWS_AS(other.merge(Histogram(0, 2, 4)), xfq::Error);
  CHECK_THROWS_AS(other.add(NAN), xfq::Error);
  CHECK_THROWS_AS(Histogram(1, 1, 4), xfq::Error);
  CHECK_THROWS_AS(Histogram(0, 1, 0), xfq::Error);
}

TEST_CASE("a histogram over the range of the data") {
  const Histogram histogram = histogram_of({3, 1, 2, 5}, 4);
  CHECK(histogram.lo() == 1);
  CHECK(histogram.hi() == 5);
  CHECK(histogram.counts() == Counts{1, 1, 1, 1});
  const Histogram flat = histogram_of({7, 7}, 2);
  CHECK(flat.lo() == 6.5);
  CHECK(flat.counts() == Counts{0, 2});
  CHECK_THROWS_AS(histogram_of({}, 2), xfq::Error);
}

TEST_CASE("a growing histogram, by hand") {
  GrowingHistogram histogram(8);
  histogram.add(0);
  CHECK(histogram.range() == 0);
  histogram.add(0.3);  // range 1/2, bins of 1/8: 0.3 is in bin 4 + 2
  CHECK(histogram.range() == 0.5);
  CHECK(histogram.counts() == Counts{0, 0, 0, 0, 1, 0, 1, 0});
  histogram.add(-0.5);  // range 1, bins of 1/4: -0.5 starts bin 2
  CHECK(histogram.range() == 1);
  CHECK(histogram.counts() == Counts{0, 0, 1, 0, 1, 1, 0, 0});
  histogram.add(5);  // range 8, bins of 2
  CHECK(histogram.range() == 8);
  CHECK(histogram.counts() == Counts{0, 0, 0, 1, 2, 0, 1, 0});
  CHECK(histogram.total() == 4);
  CHECK(histogram.width() == 2);
  CHECK(histogram.edge(0) == -8);
  CHECK(histogram.edge(4) == 0);
  CHECK(histogram.edge(8) == 8);
  CHECK(histogram.magnitude_counts() == Counts{3, 0, 1, 0});
  CHECK_THROWS_AS(histogram.add(INFINITY), xfq::Error);
  CHECK_THROWS_AS(histogram.add(1e305), xfq::Error);
  CHECK_THROWS_AS(histogram.merge(GrowingHistogram(4)), xfq::Error);
  CHECK_THROWS_AS(GrowingHistogram(6), xfq::Error);
  CHECK_THROWS_AS(GrowingHistogram(1), xfq::Error);
}

TEST_CASE("a growing histogram is the fixed one of its final range") {
  check_property("any order, any split, same counts", [] {
    // Magnitudes over 60 powers of two, exact edges and zeros among them.
    const auto n = *rc::gen::inRange<std::size_t>(1, 60);
    std::vector<double> values;
    for (std::size_t i = 0; i < n; ++i) {
      const int mantissa = *rc::gen::inRange(-64, 65);
      values.push_back(std::ldexp(mantissa, *rc::gen::inRange(-30, 31)));
    }
    GrowingHistogram forward(16);
    forward.add(values.data(), n);
    GrowingHistogram left(16);
    GrowingHistogram right(16);
    const auto cut = *rc::gen::inRange<std::size_t>(0, n + 1);
    for (std::size_t i = n; i-- > 0;) (i < cut ? left : right).add(values[i]);
    left.merge(right);
    RC_ASSERT(left.range() == forward.range());
    RC_ASSERT(left.counts() == forward.counts());
    RC_ASSERT(left.total() == forward.total());
    if (forward.range() > 0) {
      Histogram fixed(-forward.range(), forward.range(), 16);
      fixed.add(values.data(), n);
      // The fixed one rounds (x - lo) / width, so values far below the bin width may
      // differ in sign of their bin: compare magnitudes beyond the two middle bins.
      for (std::size_t i = 0; i < 16; ++i) {
        if (i != 7 && i != 8) RC_ASSERT(fixed.counts()[i] == forward.counts()[i]);
      }
      RC_ASSERT(std::accumulate(forward.counts().begin(), forward.counts().end(),
                                std::int64_t{0}) == static_cast<std::int64_t>(n));
    }
  });
}

TEST_CASE("a tiny negative value keeps its side whatever comes later") {
  GrowingHistogram first(4);
  first.add(-5e-324);
  first.add(1e300);
  GrowingHistogram last(4);
  last.add(1e300);
  last.add(-5e-324);
  CHECK(first.counts() == last.counts());
  CHECK(first.counts()[1] == 1);
}

TEST_CASE("quantiles of type 7") {
  // By the definition: position (n - 1) p between order statistics.
  const std::vector<double> sorted = {1, 2, 4, 8};
  CHECK(quantile(sorted, 0) == 1);
  CHECK(quantile(sorted, 1) == 8);
  CHECK(quantile(sorted, 0.5) == 3);
  CHECK(quantile(sorted, 0.25) == 1.75);
  CHECK(quantile(sorted, 0.9) == Approx(6.8).epsilon(1e-14));
  CHECK(quantile({5}, 0.3) == 5);
  CHECK_THROWS_AS(quantile({}, 0.5), xfq::Error);
  CHECK_THROWS_AS(quantile(sorted, 1.1), xfq::Error);
  CHECK_THROWS_AS(quantile(sorted, NAN), xfq::Error);
}

TEST_CASE("entropy in nats") {
  CHECK(entropy(Counts{5, 5, 5, 5}) == Approx(std::log(4.0)).epsilon(1e-14));
  CHECK(entropy(Counts{0, 9, 0}) == 0);
  // H(1/2, 1/4, 1/4) = 1.5 bits.
  CHECK(entropy(std::vector<double>{2, 1, 1}) == Approx(1.5 * std::log(2.0)).epsilon(1e-14));
  CHECK(entropy_miller_madow(Counts{2, 1, 1, 0}) ==
        Approx(1.5 * std::log(2.0) + 2.0 / 8).epsilon(1e-14));
  CHECK_THROWS_AS(entropy(Counts{0, 0}), xfq::Error);
  CHECK_THROWS_AS(entropy(Counts{3, -1}), xfq::Error);
  CHECK_THROWS_AS(entropy(std::vector<double>{1, NAN}), xfq::Error);
  CHECK_THROWS_AS(entropy(Counts{}), xfq::Error);
}

TEST_CASE("Miller-Madow takes out most of the bias of counting") {
  // 2000 samples of 50 draws from a uniform distribution over 10: entropy ln 10, bias of the
  // plain estimate about -9/100, of the corrected one of order 1/n^2. The spread
  // of one plain estimate is below 0.05 here, that of the mean below 0.0012.
  double plain = 0;
  double corrected = 0;
  const int samples = 2000;
  for (int s = 0; s < samples; ++s) {
    xfq::Stream stream(11, "test.entropy", static_cast<std::uint64_t>(s));
    Counts counts(10, 0);
    for (int i = 0; i < 50; ++i) ++counts[stream.below(10)];
    plain += entropy(counts) / samples;
    corrected += entropy_miller_madow(counts) / samples;
  }
  CHECK(plain - std::log(10.0) == Approx(-0.09).margin(0.01));
  CHECK(std::abs(corrected - std::log(10.0)) < 0.01);
}

TEST_CASE("differential entropy") {
  // Uniform on [0, 3): ln 3, with any number of equal bins.
  CHECK(differential_entropy(Counts{7, 7, 7}, 1.0) == Approx(std::log(3.0)).epsilon(1e-14));
  CHECK(differential_entropy(Counts{2, 2}, 1.5) == Approx(std::log(3.0)).epsilon(1e-14));
  // ln(2 pi e) / 2 from mpmath: 1.4189385332046727.
  CHECK(normal_differential_entropy(1) == Approx(1.4189385332046727).epsilon(1e-15));
  CHECK(normal_differential_entropy(10) ==
        Approx(1.4189385332046727 + std::log(10.0)).epsilon(1e-15));
  CHECK_THROWS_AS(differential_entropy(Counts{1}, 0), xfq::Error);
  CHECK_THROWS_AS(normal_differential_entropy(-1), xfq::Error);

  // The binned entropy of normal values approaches the closed form. With n = 200000 and
  // bins of 0.1 sigma the sampling error is sqrt(1/2 / n) = 0.0016 (the variance of
  // -ln p is 1/2), the binning error about w^2 / 24 = 0.0004, the bias -K/(2n) = -0.0002.
  xfq::Stream stream(5, "test.entropy");
  Histogram histogram(-6, 6, 120);
  for (int i = 0; i < 200000; ++i) histogram.add(stream.normal());
  CHECK(std::abs(differential_entropy(histogram.counts(), histogram.width()) -
                 normal_differential_entropy(1)) < 5 * 0.0016 + 0.0006);
}

TEST_CASE("properties of quantiles and entropy") {
  check_property("quantiles rise with p and stay in the range", [] {
    auto values = exact_numbers(*rc::gen::inRange<std::size_t>(1, 20));
    std::sort(values.begin(), values.end());
    const double p = *rc::gen::inRange(0, 101) / 100.0;
    const double q = *rc::gen::inRange(0, 101) / 100.0;
    RC_ASSERT(quantile(values, std::min(p, q)) <= quantile(values, std::max(p, q)));
    RC_ASSERT(quantile(values, p) >= values.front());
    RC_ASSERT(quantile(values, p) <= values.back());
  });
  check_property("0 <= entropy <= ln(number of bins)", [] {
    auto counts = *rc::gen::container<Counts>(rc::gen::inRange<std::int64_t>(0, 100));
    counts.push_back(1);
    RC_ASSERT(entropy(counts) >= 0);
    RC_ASSERT(entropy(counts) <= std::log(static_cast<double>(counts.size())) + 1e-12);
    RC_ASSERT(entropy_miller_madow(counts) >= entropy(counts));
  });
}
