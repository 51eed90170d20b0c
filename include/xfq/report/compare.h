// Two results of one experiment, metric by metric.
//
// The rule. Metrics are paired by id. `change` is candidate minus baseline; the
// metric has worsened when the change goes against its `better` direction. The
// allowed change is `tolerance` times |baseline|, or `tolerance` itself where the
// tolerance is absolute. A worsening above the allowed change is a regression,
// unless it is not significant. A metric that had a value and has none any more is a
// regression. A metric without a direction, a new metric, and a claim whose verdict
// moved are reported and never a regression.
//
// Significance. Where both sides hold a number for each seed, the difference has a
// t interval and a p-value: of the paired differences when the seeds are the same, of
// Welch's test when they are not. The p-values of all metrics that moved are corrected
// together by Holm's method and held against `alpha`. Without such numbers, intervals
// that overlap are not significant. alpha = 1 asks for no significance: what moved by
// more than the tolerance counts, which suits two builds that share every seed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "xfq/report/json.h"

namespace xfq::report {

struct Tolerance {
  double amount = 0.01;
  bool absolute = false;
};

/// Default and exceptions: "0.01", "0.01abs", "0.02,w8a8.mse.delta_nll=0.005abs,fp32.*=0".
struct Tolerances {
  Tolerance fallback;
  /// Metric id, or a prefix that ends in '*'; the first that fits counts.
  std::vector<std::pair<std::string, Tolerance>> exceptions;

  const Tolerance& of(const std::string& id) const;
};

/// Throws ErrorKind::usage.
Tolerances parse_tolerances(const std::string& text);

/// Throws ErrorKind::usage where an exception fits no metric of the record.
void check_known(const Tolerances& tolerances, const Record& record);

enum class Change {
  same,             ///< equal to the last bit
  within,           ///< within the tolerance
  not_significant,  ///< beyond the tolerance, but may be chance
  better,
  worse,    ///< a regression
  moved,    ///< beyond the tolerance, no direction is better
  missing,  ///< had a value, has none: a regression
  added,    ///< has a value, had none
};

std::string to_string(Change change);

enum class Test {
  none,    ///< no numbers of seeds on both sides
  paired,  ///< the same seeds: t-test of the differences
  welch,   ///< other seeds
};

std::string to_string(Test test);

struct MetricChange {
  std::string id;
  std::string unit;
  Better better = Better::none;
  std::optional<double> baseline;
  std::optional<double> candidate;
  double allowed = 0;  ///< largest change that still counts as equal
  Change change = Change::same;
  Test test = Test::none;
  std::optional<Interval> ci;  ///< 95 % interval of candidate minus baseline
  std::optional<double> p;     ///< after Holm's correction; none when nothing moved
  std::int64_t n = 0;          ///< seeds behind ci and p, the smaller side's where they differ
};

struct ConfigChange {
  std::string key;
  Value baseline;
  Value candidate;
};

struct ClaimChange {
  std::string id;
  std::string baseline;  ///< verdict, or "absent"
  std::string candidate;
};

struct Comparison {
  std::string schema;  ///< of both results
  std::string baseline_signature;
  std::string candidate_signature;
  std::vector<ConfigChange> config;  ///< keys that differ only
  std::vector<MetricChange> metrics;
  std::vector<ClaimChange> claims;  ///< verdicts that differ only
  std::int64_t regressions = 0;
  double alpha = 0.05;
  std::int64_t tests = 0;  ///< p-values that were corrected together

  bool identical() const { return baseline_signature == candidate_signature; }
};

/// Throws ErrorKind::input when the schemas differ. 0 < alpha <= 1.
Comparison compare(const Result& baseline, const Result& candidate, const Tolerances& tolerances,
                   double alpha = 0.05);

/// What changed, in a few sentences.
std::string in_words(const Comparison& comparison);

/// Schema xfq/compare/2, ending in a newline.
std::string to_json(const Comparison& comparison);
/// What moved, as Markdown that also reads well as plain text.
std::string to_markdown(const Comparison& comparison);

}  // namespace xfq::report
