// Classifier figures against brute force over all pairs and hand counts.
#include "xfq/stats/roc.h"

#include <cmath>

#include "property.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"

using namespace xfq::stats;
using xfq::Interval;
using xfq::test::check_property;
using Values = std::vector<double>;
using Labels = std::vector<bool>;

namespace {

const Values kScores = {.9, .7, .8, .55, .8, .5, .55, .3, .4, .3, .1};
const Labels kLabels = {true, false, true, false, true, false, true, false, true, false, false};

}  // namespace

TEST_CASE("AUC with ties") {
  // 25.5 of the 30 pairs, ties half.
  CHECK(*auc(kScores, kLabels) == Approx(0.85).epsilon(1e-15));
  CHECK(*auc({1, 2}, {false, true}) == 1);
  CHECK(*auc({1, 2}, {true, false}) == 0);
  CHECK(*auc({5, 5, 5}, {true, false, true}) == 0.5);
  CHECK_FALSE(auc({1, 2}, {true, true}));
  CHECK_FALSE(auc({}, {}));
  CHECK_THROWS_AS(auc({1}, {true, false}), xfq::Error);
  CHECK_THROWS_AS(auc({NAN}, {true}), xfq::Error);
}

TEST_CASE("DeLong's interval") {
  // The variance from the 5 x 6 table of pairs in 40 digits: standard error
  // 0.12315302134607444, lower end 0.60862451357440159; the upper end, 1.09, is cut.
  const Estimate estimate = auc_delong(kScores, kLabels);
  CHECK(*estimate.value == Approx(0.85).epsilon(1e-15));
  CHECK(estimate.standard_error == Approx(0.12315302134607444).epsilon(1e-12));
  CHECK(estimate.ci->lo == Approx(0.60862451357440159).epsilon(1e-12));
  CHECK(estimate.ci->hi == 1);
  CHECK(estimate.n == 11);
  CHECK_FALSE(estimate.over_seeds);

  // Full separation of 3 and 4: Wilson for 3 of 3, 3 / (3 + 1.95996^2).
  const Estimate full =
      auc_delong({1, 2, 3, 4, 5, 6, 7}, {false, false, false, false, true, true, true});
  CHECK(*full.value == 1);
  CHECK(full.ci->lo == Approx(3 / (3 + 3.8414588206941260)).epsilon(1e-12));
  CHECK(full.ci->hi == 1);
  const Estimate wrong = auc_delong({1, 2, 3, 4}, {true, true, false, false});
  CHECK(wrong.ci->lo == 0);
  CHECK(wrong.ci->hi == Approx(1 - 2 / (2 + 3.8414588206941260)).epsilon(1e-12));

  const Estimate few = auc_delong({1, 2, 3}, {true, false, false});
  CHECK(few.value);
  CHECK_FALSE(few.ci);
  CHECK(few.reason == "1 positives and 2 negatives, an interval needs 2 of each");
}

TEST_CASE("DeLong's interval covers the true area") {
  // Normal scores one standard deviation apart: AUC = Phi(1/sqrt 2) = 0.76024994.
  // 400 samples: coverage 0.95 with spread sqrt(.95 * .05 / 400) = 0.011; 4 spreads allowed.
  int covered = 0;
  for (std::uint64_t sample = 0; sample < 400; ++sample) {
    xfq::Stream stream(6, "test.auc", sample);
    Values scores;
    Labels labels;
    for (int i = 0; i < 120; ++i) {
      labels.push_back(i % 3 == 0);
      scores.push_back(stream.normal() + (labels.back() ? 1 : 0));
    }
    const Interval ci = *auc_delong(scores, labels).ci;
    covered += ci.lo <= 0.76024994 && 0.76024994 <= ci.hi;
  }
  CHECK(covered / 400.0 == Approx(0.95).margin(0.044));
}

TEST_CASE("confusion counts and what they give") {
  // At 0.5: positives .9 .8 .8 .55 called, .4 missed; negatives .7 .55 .5 called.
  const Confusion counts = confusion(kScores, kLabels);
  CHECK(counts.true_positive == 4);
  CHECK(counts.false_negative == 1);
  CHECK(counts.false_positive == 3);
  CHECK(counts.true_negative == 3);
  CHECK(*counts.accuracy() == Approx(7.0 / 11).epsilon(1e-15));
  CHECK(*counts.balanced_accuracy() == Approx((0.8 + 0.5) / 2).epsilon(1e-15));
  CHECK(*counts.f1() == Approx(8.0 / 12).epsilon(1e-15));
  // (4 * 3 - 3 * 1) / sqrt(7 * 5 * 6 * 4).
  CHECK(*counts.mcc() == Approx(9 / std::sqrt(840.0)).epsilon(1e-14));
  CHECK(confusion(kScores, kLabels, 0.51).false_positive == 2);

  const Confusion empty;
  CHECK_FALSE(empty.accuracy());
  CHECK_FALSE(empty.f1());
  const Confusion one_class = confusion({0.9, 0.2}, {true, true});
  CHECK(*one_class.accuracy() == 0.5);
  CHECK_FALSE(one_class.balanced_accuracy());
  CHECK_FALSE(one_class.mcc());
}

TEST_CASE("calibration error") {
  // Two bins: {.2, .4} with one positive of two, gap |.5 - .3| = .2; {.6, .8, 1} with
  // two of three, gap |2/3 - .8|. Weighted: (2 * .2 + 3 * .4/3) / 5 = 0.16.
  CHECK(*calibration_error({.2, .4, .6, .8, 1}, {true, false, false, true, true}, 2) ==
        Approx(0.16).epsilon(1e-14));
  CHECK(*calibration_error({0, 1}, {false, true}) == 0);
  CHECK(*calibration_error({0, 1}, {true, false}) == 1);
  CHECK_FALSE(calibration_error({}, {}));
  CHECK_THROWS_AS(calibration_error({1.1}, {true}), xfq::Error);
  CHECK_THROWS_AS(calibration_error({.5}, {true}, 0), xfq::Error);

  const auto bins = calibration_bins({.25, .5, .625, .75, 1}, {true, false, false, true, true}, 3);
  REQUIRE(bins.size() == 3);
  CHECK(bins[0].count == 1);
  CHECK(bins[0].positives == 1);
  CHECK(bins[1].count == 2);
  CHECK(bins[1].positives == 0);
  CHECK(bins[1].probabilities == 1.125);
  CHECK(bins[2].count == 2);  // 1 belongs to the last bin
  CHECK(bins[2].positives == 2);
  CHECK_THROWS_AS(calibration_bins({.5}, {true}, 0), xfq::Error);
}

TEST_CASE("properties of AUC") {
  check_property("equals the share of ordered pairs; flipping labels mirrors it", [] {
    const auto n = *rc::gen::inRange<std::size_t>(2, 30);
    const auto raw = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(0, 8));
    const auto marks = *rc::gen::container<std::vector<bool>>(n, rc::gen::arbitrary<bool>());
    const Values scores(raw.begin(), raw.end());
    Labels flipped(n);
    double wins = 0;
    double pairs = 0;
    for (std::size_t i = 0; i < n; ++i) {
      flipped[i] = !marks[i];
      for (std::size_t j = 0; j < n; ++j) {
        if (!marks[i] || marks[j]) continue;
        pairs += 1;
        wins += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
      }
    }
    const auto area = auc(scores, marks);
    RC_ASSERT(area.has_value() == (pairs > 0));
    if (!area) return;
    RC_ASSERT(std::abs(*area - wins / pairs) <= 1e-14);
    RC_ASSERT(std::abs(*auc(scores, flipped) - (1 - *area)) <= 1e-14);
    const Estimate estimate = auc_delong(scores, marks);
    if (estimate.ci) {
      RC_ASSERT(estimate.ci->lo <= *area);
      RC_ASSERT(estimate.ci->hi >= *area);
    }
  });
}
