// Observation: against plain loops, and merged parts against the whole.
#include "xfq/quant/observer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "samples.h"
#include "xfq/stats/histogram.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::test::sample;
using xfq::test::Shape;

TEST_CASE("observation against plain loops") {
  const Index rows = 500;
  const Index cols = 7;
  const auto x = sample(Shape::student3, static_cast<std::size_t>(rows * cols));
  const Observation observation = observe(x.data(), rows, cols);
  const RangeStatistics& statistics = observation.statistics();

  double absolute_max = 0;
  double absolute_sum = 0;
  double squares = 0;
  double sum = 0;
  std::vector<float> channels(static_cast<std::size_t>(cols), 0.0f);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto value = static_cast<double>(x[i]);
    absolute_max = std::max(absolute_max, std::abs(value));
    absolute_sum += std::abs(value);
    squares += value * value;
    sum += value;
    float& most = channels[i % static_cast<std::size_t>(cols)];
    most = std::max(most, std::abs(x[i]));
  }
  const auto n = static_cast<double>(x.size());
  CHECK(observation.range() == absolute_max);
  CHECK(statistics.absolute_max() == absolute_max);
  CHECK(statistics.mean_absolute() == Approx(absolute_sum / n).epsilon(1e-12));
  CHECK(statistics.root_mean_square() == Approx(std::sqrt(squares / n)).epsilon(1e-12));
  CHECK(statistics.channel_absolute_max() == channels);
  std::sort(channels.begin(), channels.end());
  CHECK(*statistics.channel_ratio() ==
        Approx(static_cast<double>(channels[6]) / static_cast<double>(channels[3])).epsilon(1e-12));

  const double mean = sum / n;
  const double sigma = std::sqrt(squares / n - mean * mean);
  const auto beyond = std::count_if(x.begin(), x.end(), [&](float v) {
    return std::abs(static_cast<double>(v) - mean) > 6 * sigma;
  });
  REQUIRE(beyond > 0);
  CHECK(observation.share_beyond_six_sigma() == static_cast<double>(beyond) / n);

  // The one-pass histogram over the range, from the statistics room.
  xfq::stats::Histogram reference(0, absolute_max, Observation::kBins);
  for (const float v : x) reference.add(std::abs(static_cast<double>(v)));
  CHECK(observation.magnitudes() == reference.counts());
  const auto negatives = std::count_if(x.begin(), x.end(), [](float v) { return v < 0; });
  CHECK(std::accumulate(observation.negative().begin(), observation.negative().end(),
                        std::int64_t{0}) == negatives);
}

TEST_CASE("merged observations equal the whole") {
  const Index cols = 5;
  const auto x = sample(Shape::outliers20, 4000 * 5);
  const Observation whole = observe(x.data(), 4000, cols);
  for (const Index cut : {Index(0), Index(1), Index(1999), Index(4000)}) {
    RangeStatistics first;
    RangeStatistics second;
    first.add(x.data(), cut, cols);
    second.add(x.data() + cut * cols, 4000 - cut, cols);
    first.merge(second);
    CHECK(first.count() == whole.count());
    CHECK(first.absolute_max() == whole.range());
    CHECK(first.moments().min() == whole.statistics().moments().min());
    CHECK(first.channel_absolute_max() == whole.statistics().channel_absolute_max());
    CHECK(first.mean_absolute() == Approx(whole.statistics().mean_absolute()).epsilon(1e-12));
    CHECK(*first.moments().excess_kurtosis() ==
          Approx(*whole.statistics().moments().excess_kurtosis()).epsilon(1e-9));

    Observation left(whole.statistics());
    Observation right(whole.statistics());
    left.add(x.data(), cut, cols);
    right.add(x.data() + cut * cols, 4000 - cut, cols);
    right.merge(left);
    CHECK(right.positive() == whole.positive());
    CHECK(right.negative() == whole.negative());
    CHECK(right.share_beyond_six_sigma() == whole.share_beyond_six_sigma());
    CHECK(right.count() == whole.count());
  }
}

TEST_CASE("bins at their edges") {
  // Range 2048: bins of width 1, the last one closed.
  const std::vector<float> x = {0, 0.5f, 1, -1, 2047, 2048, -2048, -0.0f};
  const Observation observation = observe(x.data(), 8, 1);
  CHECK(observation.bin_width() == 1);
  CHECK(observation.positive()[0] == 3);
  CHECK(observation.positive()[1] == 1);
  CHECK(observation.negative()[1] == 1);
  CHECK(observation.positive()[2047] == 2);
  CHECK(observation.negative()[2047] == 1);
}

TEST_CASE("constant and zero data") {
  const std::vector<float> zeros(10, 0.0f);
  const Observation none = observe(zeros.data(), 10, 1);
  CHECK(none.range() == 0);
  CHECK(none.positive()[0] == 10);
  CHECK(none.share_beyond_six_sigma() == 0);
  CHECK(!none.statistics().channel_ratio());
  const std::vector<float> same(10, -0.3f);
  const Observation constant = observe(same.data(), 10, 1);
  CHECK(constant.negative()[2047] == 10);
  CHECK(constant.share_beyond_six_sigma() == 0);
}

TEST_CASE("bad data is an error") {
  for (const float bad : {NAN, std::numeric_limits<float>::infinity()}) {
    const std::vector<float> x = {1, bad};
    RangeStatistics statistics;
    CHECK_THROWS_AS(statistics.add(x.data(), 2, 1), xfq::Error);
  }
  CHECK_THROWS_AS(Observation(RangeStatistics()), xfq::Error);
  CHECK_THROWS_AS(RangeStatistics().mean_absolute(), xfq::Error);
  const std::vector<float> small = {1, -1};
  Observation observation = observe(small.data(), 2, 1);
  for (const float beyond : {1.5f, NAN}) {
    CHECK_THROWS_AS(observation.add(&beyond, 1, 1), xfq::Error);
  }
  const std::vector<float> large = {3, -1};
  CHECK_THROWS_AS(observation.merge(observe(large.data(), 2, 1)), xfq::Error);
}
