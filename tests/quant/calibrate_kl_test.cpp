// kl: the published example, and every candidate against a plain computation.
#include <algorithm>
#include <cmath>

#include "samples.h"
#include "xfq/quant/calibration.h"
#include "xfq/stats/divergence.h"

using namespace xfq::quant;
using xfq::test::check_property;
using Counts = std::vector<std::int64_t>;

namespace {

// The search of the header, word by word.
KlSearch plain_search(const Counts& counts, double bin_width, int levels) {
  KlSearch search;
  search.threshold = static_cast<double>(counts.size()) * bin_width;
  double least = INFINITY;
  for (auto i = static_cast<std::size_t>(levels); i < counts.size(); ++i) {
    Counts inside(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(i));
    std::vector<double> p(inside.begin(), inside.end());
    for (std::size_t j = i; j < counts.size(); ++j) p.back() += static_cast<double>(counts[j]);
    std::vector<double> q = merge_to_levels(inside, levels);
    double sum = 0;
    for (const double value : q) sum += value;
    if (sum == 0) continue;
    for (double& value : q) value /= sum;
    if (q.back() == 0 && p.back() > 0) q.back() = kKlEpsilon;
    const double divergence = xfq::stats::kl(p, q);  // normalises both
    const double threshold = (static_cast<double>(i) + 0.5) * bin_width;
    if (divergence < least) {
      least = divergence;
      search.threshold = threshold;
    }
    search.curve.push_back({threshold, divergence});
  }
  return search;
}

}  // namespace

TEST_CASE("the published example of merging") {
  // Of the slides of Migacz 2017.
  const Counts p = {1, 0, 2, 3, 5, 3, 1, 7};
  const std::vector<double> q = merge_to_levels(p, 2);
  CHECK(q == std::vector<double>{2, 0, 2, 2, 4, 4, 4, 4});
  const std::vector<double> weights(p.begin(), p.end());
  // sum p ln(p / q) over 22, by hand: (ln(1/2) + 3 ln(3/2) + 5 ln(5/4) + 3 ln(3/4) + ln(1/4) +
  // 7 ln(7/4)) / 22.
  CHECK(xfq::stats::kl(weights, q) == Approx(0.150315265).epsilon(1e-8));
}

TEST_CASE("levels share the bins out evenly") {
  // 7 bins, 3 levels: bins 0-1, 2-3, 4-6.
  CHECK(merge_to_levels({1, 3, 0, 5, 1, 2, 3}, 3) == std::vector<double>{2, 2, 0, 5, 2, 2, 2});
  // As many levels as bins: nothing changes.
  CHECK(merge_to_levels({4, 0, 2}, 3) == std::vector<double>{4, 0, 2});
  // An empty level stays empty.
  CHECK(merge_to_levels({0, 0, 2, 4}, 2) == std::vector<double>{0, 0, 3, 3});
}

TEST_CASE("every candidate against the plain computation") {
  check_property("curves agree", [] {
    const auto bins = *rc::gen::inRange<std::size_t>(2, 60);
    const int levels = *rc::gen::inRange(1, 20);
    // Many empty bins, some large counts.
    auto counts = *rc::gen::container<Counts>(
        bins,
        rc::gen::weightedOneOf<std::int64_t>({{3, rc::gen::just<std::int64_t>(0)},
                                              {3, rc::gen::inRange<std::int64_t>(1, 5)},
                                              {1, rc::gen::inRange<std::int64_t>(1, 100000)}}));
    counts[*rc::gen::inRange<std::size_t>(0, bins)] += 1;
    const KlSearch fast = kl_search(counts, 0.25, levels);
    const KlSearch plain = plain_search(counts, 0.25, levels);
    RC_ASSERT(fast.curve.size() == plain.curve.size());
    double least = INFINITY;
    double at_threshold = INFINITY;
    for (std::size_t k = 0; k < fast.curve.size(); ++k) {
      RC_ASSERT(fast.curve[k].threshold == plain.curve[k].threshold);
      // Sums of up to 60 terms c ln c / N of at most ln(6e6) ~ 16.
      RC_ASSERT(std::abs(fast.curve[k].divergence - plain.curve[k].divergence) < 1e-12);
      least = std::min(least, plain.curve[k].divergence);
      if (fast.curve[k].threshold == fast.threshold) at_threshold = plain.curve[k].divergence;
    }
    if (fast.curve.empty()) {
      RC_ASSERT(fast.threshold == plain.threshold);
    } else {
      RC_ASSERT(at_threshold <= least + 1e-12);
    }
  });
}

TEST_CASE("the search at its published size") {
  const auto x = xfq::test::sample(xfq::test::Shape::laplace, 20000);
  const Observation observation = observe(x.data(), 20000, 1);
  const KlSearch fast = kl_search(observation.magnitudes(), observation.bin_width(), 128);
  const KlSearch plain = plain_search(observation.magnitudes(), observation.bin_width(), 128);
  REQUIRE(fast.curve.size() == 2048 - 128);
  CHECK(fast.threshold == plain.threshold);
  double worst = 0;
  for (std::size_t k = 0; k < fast.curve.size(); ++k) {
    worst = std::max(worst, std::abs(fast.curve[k].divergence - plain.curve[k].divergence));
  }
  CHECK(worst < 1e-12);
  CHECK(calibrate({CalibrationMethod::kl}, observation, NumberFormat()).hi == fast.threshold);
}

TEST_CASE("an empty last bin costs the stated amount") {
  // Two levels of the first 4 of 5 bins: P = {1, 1, 1, 1} / 4, the last one from beyond;
  // Q = {1/3, 1/3, 1/3, epsilon} / (1 + epsilon).
  const KlSearch search = kl_search({1, 1, 1, 0, 1}, 1, 2);
  REQUIRE(search.curve.size() == 3);
  const double expected =
      0.75 * std::log(0.75) + 0.25 * std::log(0.25 / kKlEpsilon) + std::log1p(kKlEpsilon);
  CHECK(search.curve[2].threshold == 4.5);
  CHECK(search.curve[2].divergence == Approx(expected).epsilon(1e-13));
}

TEST_CASE("nothing to search") {
  // As many levels as bins: the end of the histogram.
  const KlSearch none = kl_search({1, 2, 3, 4}, 0.5, 4);
  CHECK(none.curve.empty());
  CHECK(none.threshold == 2);
  // All mass in the last bin: every Q would be empty.
  CHECK(kl_search({0, 0, 0, 9}, 0.5, 2).curve.empty());
  CHECK(kl_levels(NumberFormat::integer(8)) == 128);
  CHECK(kl_levels(NumberFormat::integer(4)) == 8);
  const auto x = xfq::test::sample(xfq::test::Shape::normal, 1000);
  const Observation observation = observe(x.data(), 1000, 1);
  CHECK(calibrate({CalibrationMethod::kl}, observation, NumberFormat::integer(12)).hi ==
        Approx(observation.range()).epsilon(1e-15));
}
