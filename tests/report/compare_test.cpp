// The comparison rule, case by case.
#include "xfq/report/compare.h"

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

}  // namespace
}  // namespace xfq::report
