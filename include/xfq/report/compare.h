// Two results of one experiment, metric by metric.
//
// The rule. Metrics are paired by id. `change` is candidate minus baseline; the
// metric has worsened when the change goes against its `better` direction. The
// allowed change is `tolerance` times |baseline|, or `tolerance` itself where the
// tolerance is absolute. A worsening above the allowed change is a regression,
// unless both sides have an interval and the intervals overlap: then it is not
// significant. A metric that had a value and has none any more is a regression.
// A metric without a direction, a new metric, and a claim whose verdict moved
// are reported and never a regression.
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

/// Default and exceptions: "0.01", "0.01abs", "0.02,int8.delta_nll=0.005abs,fp32.*=0".
struct Tolerances {
  Tolerance fallback;
  /// Metric id, or a prefix that ends in '*'; the first that fits counts.
  std::vector<std::pair<std::string, Tolerance>> exceptions;

  const Tolerance& of(const std::string& id) const;
};

/// Throws ErrorKind::usage.
Tolerances parse_tolerances(const std::string& text);

enum class Change {
  same,             ///< equal to the last bit
  within,           ///< within the tolerance
  not_significant,  ///< beyond the tolerance, intervals overlap
  better,
  worse,    ///< a regression
  moved,    ///< beyond the tolerance, no direction is better
  missing,  ///< had a value, has none: a regression
  added,    ///< has a value, had none
};

std::string to_string(Change change);

struct MetricChange {
  std::string id;
  std::string unit;
  Better better = Better::none;
  std::optional<double> baseline;
  std::optional<double> candidate;
  double allowed = 0;  ///< largest change that still counts as equal
  Change change = Change::same;
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

  bool identical() const { return baseline_signature == candidate_signature; }
};

/// Throws ErrorKind::input when the schemas differ.
Comparison compare(const Result& baseline, const Result& candidate, const Tolerances& tolerances);

/// Schema xfq/compare/1, ending in a newline.
std::string to_json(const Comparison& comparison);
/// What moved, as Markdown that also reads well as plain text.
std::string to_markdown(const Comparison& comparison);

}  // namespace xfq::report
