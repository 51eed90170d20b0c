// The comparison rule, case by case.
#include "xfq/report/compare.h"

#include <cmath>

#include "catch.h"
#include "made_record.h"
#include "xfq/core/error.h"

namespace xfq::report {
namespace {

Metric metric(double value, Better better, std::optional<Interval> ci = {}) {
  return {"m", value, "unit", ci, 3, better, ""};
}

Result result_of(const std::vector<Metric>& metrics) {
  Record record = made_record();
  record.metrics = metrics;
  record.config.emplace_back("seeds", std::int64_t{3});
  return {record, signature(record)};
}

/// What happened to the only metric.
Change change(const Metric& before, const Metric& after, const std::string& tolerance = "0.01") {
  const Comparison comparison =
      compare(result_of({before}), result_of({after}), parse_tolerances(tolerance));
  REQUIRE(comparison.metrics.size() == 1);
  const Change out = comparison.metrics[0].change;
  CHECK(comparison.regressions == (out == Change::worse || out == Change::missing ? 1 : 0));
  return out;
}

TEST_CASE("worse is against the direction of the metric, beyond the tolerance") {
  CHECK(change(metric(2, Better::lower), metric(2, Better::lower)) == Change::same);
  CHECK(change(metric(2, Better::lower), metric(2.5, Better::lower)) == Change::worse);
  CHECK(change(metric(2, Better::lower), metric(1.5, Better::lower)) == Change::better);
  CHECK(change(metric(2, Better::higher), metric(2.5, Better::higher)) == Change::better);
  CHECK(change(metric(2, Better::higher), metric(1.5, Better::higher)) == Change::worse);
  CHECK(change(metric(2, Better::none), metric(1.5, Better::none)) == Change::moved);
  // The same for negative values: -2 -> -1.5 is higher.
  CHECK(change(metric(-2, Better::lower), metric(-1.5, Better::lower)) == Change::worse);
  CHECK(change(metric(-2, Better::higher), metric(-1.5, Better::higher)) == Change::better);
}

TEST_CASE("the tolerance is relative to the baseline, or absolute") {
  // 0.25 is an eighth of 2; both are exact in binary.
  CHECK(change(metric(2, Better::lower), metric(2.25, Better::lower), "0.125") == Change::within);
  CHECK(change(metric(2, Better::lower), metric(2.25, Better::lower), "0.124") == Change::worse);
  CHECK(change(metric(2, Better::lower), metric(2.25, Better::lower), "0.25abs") == Change::within);
  CHECK(change(metric(2, Better::lower), metric(2.25, Better::lower), "0.24abs") == Change::worse);
  // Nothing is relatively near zero.
  CHECK(change(metric(0, Better::lower), metric(1e-9, Better::lower), "1") == Change::worse);
  CHECK(change(metric(0, Better::lower), metric(1e-9, Better::lower), "1e-8abs") == Change::within);
  CHECK(change(metric(-2, Better::higher), metric(-2.25, Better::higher), "0.125") ==
        Change::within);
}

TEST_CASE("overlapping intervals are not significant") {
  const Metric before = metric(2, Better::lower, Interval{1.5, 2.5});
  CHECK(change(before, metric(3, Better::lower, Interval{2.5, 3.5})) == Change::not_significant);
  CHECK(change(before, metric(3, Better::lower, Interval{2.51, 3.5})) == Change::worse);
  CHECK(change(before, metric(1, Better::lower, Interval{0.5, 1.5})) == Change::not_significant);
  CHECK(change(before, metric(1, Better::lower, Interval{0.5, 1.49})) == Change::better);
  // One interval alone decides nothing.
  CHECK(change(before, metric(3, Better::lower)) == Change::worse);
  CHECK(change(metric(2, Better::lower), metric(3, Better::lower, Interval{1, 5})) ==
        Change::worse);
}

TEST_CASE("a value that is gone is a regression, a new one is not") {
  Metric none = metric(0, Better::lower);
  none.value.reset();
  none.reason = "not measured";
  CHECK(change(metric(2, Better::lower), none) == Change::missing);
  CHECK(change(none, metric(2, Better::lower)) == Change::added);
  CHECK(change(none, none) == Change::same);

  const Metric kept = metric(1, Better::lower);
  Metric other = kept;
  other.id = "other";
  const Comparison gone = compare(result_of({kept, other}), result_of({kept}), {});
  REQUIRE(gone.metrics.size() == 2);
  CHECK(gone.metrics[1].change == Change::missing);
  CHECK(gone.regressions == 1);
  const Comparison added = compare(result_of({kept}), result_of({other, kept}), {});
  REQUIRE(added.metrics.size() == 2);
  CHECK(added.metrics[0].id == "m");
  CHECK(added.metrics[1].change == Change::added);
  CHECK(added.regressions == 0);
}

TEST_CASE("tolerances have a default and exceptions") {
  const Tolerances tolerances = parse_tolerances("0.02,int8.loss=0.5abs,int8.*=0.25");
  CHECK(tolerances.of("fp32.loss").amount == 0.02);
  CHECK(!tolerances.of("fp32.loss").absolute);
  CHECK(tolerances.of("int8.loss").amount == 0.5);
  CHECK(tolerances.of("int8.loss").absolute);
  CHECK(tolerances.of("int8.top1").amount == 0.25);
  CHECK(tolerances.of("int").amount == 0.02);
  CHECK(parse_tolerances("m=0").fallback.amount == 0.01);

  for (const char* text :
       {"", "x", "-1", "nan", "inf", "1e999", "abs", "0.1,", "=1", "m=", "m=x", "0.1 "}) {
    INFO(text);
    CHECK_THROWS_AS(parse_tolerances(text), Error);
  }
}

TEST_CASE("configurations and verdicts that differ are listed and are no regression") {
  Record before = made_record();
  Record after = made_record();
  after.config[1].second = std::int64_t{2};
  after.config.pop_back();
  after.config.emplace_back("extra", true);
  after.claims[0].verdict = Verdict::refuted;
  after.claims[1].id = "quant.new";
  const Comparison comparison = compare({before, signature(before)}, {after, signature(after)}, {});
  REQUIRE(comparison.config.size() == 3);
  CHECK(comparison.config[0].key == "seed");
  CHECK(comparison.config[0].candidate == Value(std::int64_t{2}));
  CHECK(comparison.config[1].key == "weights_only");
  CHECK(comparison.config[1].candidate == Value());
  CHECK(comparison.config[2].key == "extra");
  CHECK(comparison.config[2].baseline == Value());
  REQUIRE(comparison.claims.size() == 3);
  CHECK(comparison.claims[0].baseline == "conditional");
  CHECK(comparison.claims[0].candidate == "refuted");
  CHECK(comparison.claims[1].candidate == "absent");
  CHECK(comparison.claims[2].baseline == "absent");
  CHECK(comparison.regressions == 0);
  CHECK(!comparison.identical());

  // A number is the same when another program has written it without its point.
  before = after = made_record();
  before.config.emplace_back("clip", 2.0);
  after.config.emplace_back("clip", std::int64_t{2});
  CHECK(compare({before, ""}, {after, ""}, {}).config.empty());
}

TEST_CASE("another schema is refused") {
  Record after = made_record();
  after.schema = "xfq/quantize/2";
  try {
    compare({made_record(), ""}, {after, ""}, {});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()) ==
          "the baseline has schema 'xfq/quantize/1', expected 'xfq/quantize/2'");
  }
}

TEST_CASE("equal results say so") {
  const Result result = {made_record(), signature(made_record())};
  const Comparison comparison = compare(result, result, {});
  CHECK(comparison.identical());
  CHECK(to_markdown(comparison) ==
        "No difference: both results have signature `" + result.signature + "`.\n");
}

Metric over_seeds(const std::string& id, const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  // The interval is wide, so that without the values nothing would be significant.
  const double mean = sum / static_cast<double>(values.size());
  return {id, mean, "nats", Interval{mean - 9, mean + 9}, 3, Better::lower, "", values};
}

// Differences 1/4, 1/2, 1/4: mean 1/3, standard error 1/12, t = 4 with 2 degrees of freedom,
// where p = 1 - t / sqrt(t^2 + 2).
const Metric kBefore = over_seeds("m", {1, 2, 3});
const Metric kAfter = over_seeds("m", {1.25, 2.5, 3.25});
const double kP = 1 - 4 / std::sqrt(18.0);

TEST_CASE("numbers of the same seeds are paired") {
  const Result before = result_of({kBefore});
  const Result after = result_of({kAfter});
  const Comparison comparison = compare(before, after, {});
  REQUIRE(comparison.metrics.size() == 1);
  const MetricChange& metric = comparison.metrics[0];
  CHECK(metric.test == Test::paired);
  CHECK(metric.n == 3);
  CHECK(*metric.p == Approx(kP).epsilon(1e-12));
  // The 97.5 % quantile of t with 2 degrees of freedom is 4.302652729911275.
  CHECK(metric.ci->lo == Approx((4 - 4.302652729911275) / 12).epsilon(1e-9));
  CHECK(metric.ci->hi == Approx((4 + 4.302652729911275) / 12).epsilon(1e-9));
  // p = 0.057: what it means depends on alpha.
  CHECK(metric.change == Change::not_significant);
  CHECK(comparison.regressions == 0);
  CHECK(compare(before, after, {}, 0.06).metrics[0].change == Change::worse);
  CHECK(compare(before, after, {}, 1).metrics[0].change == Change::worse);
  // Equal differences leave no doubt, although the seeds differ among themselves.
  const Comparison sure = compare(before, result_of({over_seeds("m", {1.25, 2.25, 3.25})}), {});
  CHECK(sure.metrics[0].change == Change::worse);
  CHECK(*sure.metrics[0].p == 0);
}

TEST_CASE("numbers of other seeds are not paired") {
  Result after = result_of({kAfter});
  after.record.config[1].second = std::int64_t{7};  // seed
  const Comparison comparison = compare(result_of({kBefore}), after, {});
  CHECK(comparison.metrics[0].test == Test::welch);
  // Variances 1 and 49/48: t = (1/3) / sqrt(97/144) = 0.406 is far from significant.
  CHECK(*comparison.metrics[0].p > 0.5);
  CHECK(comparison.metrics[0].change == Change::not_significant);
  // Which of the three seeds has no number is not known.
  const Comparison fewer = compare(result_of({kBefore}), result_of({over_seeds("m", {1, 2})}), {});
  CHECK(fewer.metrics[0].test == Test::welch);
  // Another number of seeds: none is taken for the same.
  Result more = result_of({kAfter});
  more.record.config.back().second = std::int64_t{5};
  CHECK(compare(result_of({kBefore}), more, {}).metrics[0].test == Test::welch);
}

TEST_CASE("p-values of what moved are corrected together") {
  Metric other = kBefore;
  other.id = "still";
  Metric second_before = kBefore;
  Metric second_after = kAfter;
  second_before.id = second_after.id = "second";
  const Comparison comparison = compare(result_of({kBefore, other, second_before}),
                                        result_of({kAfter, other, second_after}), {}, 0.06);
  CHECK(comparison.tests == 2);
  CHECK(!comparison.metrics[1].p);
  CHECK(comparison.metrics[1].test == Test::paired);
  // Holm: twice the smallest of two, and the other may not be below it.
  CHECK(*comparison.metrics[0].p == Approx(2 * kP).epsilon(1e-12));
  CHECK(*comparison.metrics[2].p == Approx(2 * kP).epsilon(1e-12));
  CHECK(comparison.metrics[0].change == Change::not_significant);
  CHECK(comparison.regressions == 0);
}

TEST_CASE("what changed is said in words") {
  Record before = made_record();
  before.metrics = {kBefore, over_seeds("calm", {1, 1.5})};
  before.config.emplace_back("seeds", std::int64_t{3});
  Record after = before;
  after.metrics[0] = kAfter;
  after.claims[0].verdict = Verdict::refuted;
  const auto words = [&](double alpha) {
    return in_words(compare({before, signature(before)}, {after, signature(after)}, {}, alpha));
  };
  CHECK(words(0.06) ==
        "1 metric got worse: m from 2 to 2.3333 nats (+0.333 [-0.0252, 0.692] over 3 shared seeds, "
        "p = 0.057). Of the metrics, 1 stayed the same. Claim quant.int8-sweet-spot went from "
        "conditional to refuted. p-values are corrected for 1 test by Holm's method.");
  CHECK(words(0.05) ==
        "Of the metrics, 1 moved by more than the tolerance, which may be chance, 1 stayed the "
        "same. Claim quant.int8-sweet-spot went from conditional to refuted. p-values are "
        "corrected for 1 test by Holm's method.");
  // A result may differ where no metric does.
  after = before;
  after.answer = "Another sentence.";
  CHECK(words(0.05) == "Of the metrics, 2 stayed the same.");
  before.metrics.clear();
  after.metrics.clear();
  CHECK(words(0.05) == "No metric, verdict or option differs; other parts of the results do.");
}

}  // namespace
}  // namespace xfq::report
