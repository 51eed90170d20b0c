// Two results of one experiment, metric by metric.
#include "xfq/report/compare.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "pattern.h"
#include "xfq/core/error.h"
#include "xfq/core/options.h"
#include "xfq/stats/intervals.h"
#include "xfq/stats/significance.h"

namespace xfq::report {

namespace {

template <class Items, class Key>
auto find_by(const Items& items, const std::string& wanted, Key key) {
  return std::find_if(items.begin(), items.end(),
                      [&](const auto& item) { return key(item) == wanted; });
}

Tolerance parse_amount(const std::string& text) {
  Tolerance tolerance;
  std::string digits = text;
  constexpr std::string_view kSuffix = "abs";
  if (digits.size() > kSuffix.size() &&
      digits.compare(digits.size() - kSuffix.size(), kSuffix.size(), kSuffix) == 0) {
    tolerance.absolute = true;
    digits.resize(digits.size() - kSuffix.size());
  }
  const char* const end = digits.data() + digits.size();
  const auto [stop, code] = std::from_chars(digits.data(), end, tolerance.amount);
  if (code != std::errc{} || stop != end || !std::isfinite(tolerance.amount) ||
      tolerance.amount < 0) {
    throw_usage(fmt::format("--tolerance: got '{}', expected a number of at least 0, with 'abs' "
                            "behind it when it is absolute",
                            text),
                "for example --tolerance 0.01,w8a8.mse.delta_nll=0.002abs");
  }
  return tolerance;
}

bool disjoint(const Interval& a, const Interval& b) { return a.hi < b.lo || b.hi < a.lo; }

std::optional<std::int64_t> integer_setting(const Record& record, const std::string& key) {
  for (const auto& [name, value] : record.config) {
    if (const auto* const number = std::get_if<std::int64_t>(&value); number && name == key) {
      return *number;
    }
  }
  return std::nullopt;
}

/// How many seeds both results have, if they are the same ones; 0 otherwise.
std::size_t shared_seeds(const Record& before, const Record& after) {
  for (const char* key : {"seed", "seeds"}) {
    const auto value = integer_setting(before, key);
    if (!value || value != integer_setting(after, key)) return 0;
  }
  return static_cast<std::size_t>(*integer_setting(before, "seeds"));
}

/// The difference over seeds; its p-value is not corrected yet.
void test_difference(const Metric& before, const Metric& after, std::size_t seeds,
                     MetricChange& out) {
  if (before.values.size() < 2 || after.values.size() < 2) return;
  // A metric that some seeds lack does not say which ones.
  const bool paired = before.values.size() == seeds && after.values.size() == seeds;
  out.test = paired ? Test::paired : Test::welch;
  const stats::Estimate difference = paired ? stats::paired_t(after.values, before.values)
                                            : stats::welch(after.values, before.values);
  out.ci = difference.ci;
  out.n = difference.n;
  if (before.values == after.values) return;
  out.p = paired ? stats::paired_t_p(after.values, before.values)
                 : stats::welch_p(after.values, before.values);
}

/// Everything but `change`.
MetricChange measure(const Metric& before, const Metric& after, const Tolerance& tolerance,
                     std::size_t seeds) {
  MetricChange out;
  out.id = after.id;
  out.unit = after.unit;
  out.better = after.better;
  out.baseline = before.value;
  out.candidate = after.value;
  if (!before.value || !after.value) return out;
  out.allowed = tolerance.amount * (tolerance.absolute ? 1 : std::abs(*before.value));
  test_difference(before, after, seeds, out);
  return out;
}

bool may_be_chance(const Metric& before, const Metric& after, const MetricChange& change,
                   double alpha) {
  if (alpha >= 1) return false;
  if (change.p) return *change.p > alpha;
  return before.ci && after.ci && !disjoint(*before.ci, *after.ci);
}

Change judge(const Metric& before, const Metric& after, const MetricChange& metric, double alpha) {
  if (!before.value || !after.value) {
    if (before.value) return Change::missing;
    return after.value ? Change::added : Change::same;
  }
  const double change = *after.value - *before.value;
  if (change == 0) return Change::same;
  if (std::abs(change) <= metric.allowed) return Change::within;
  if (may_be_chance(before, after, metric, alpha)) return Change::not_significant;
  if (metric.better == Better::none) return Change::moved;
  return (change < 0) == (metric.better == Better::lower) ? Change::better : Change::worse;
}

/// Corrects the p-values together; returns how many there are.
std::int64_t correct(std::vector<MetricChange>& metrics) {
  std::vector<double> p;
  for (const MetricChange& metric : metrics) {
    if (metric.p) p.push_back(*metric.p);
  }
  const std::vector<double> corrected = stats::holm(p);
  std::size_t next = 0;
  for (MetricChange& metric : metrics) {
    if (metric.p) metric.p = corrected[next++];
  }
  return static_cast<std::int64_t>(p.size());
}

/// Key order of the baseline, then what only the candidate has.
std::vector<ConfigChange> config_changes(const Record& before, const Record& after) {
  std::vector<ConfigChange> changes;
  const auto key = [](const auto& pair) { return pair.first; };
  for (const auto& [name, value] : before.config) {
    const auto other = find_by(after.config, name, key);
    const Value there = other == after.config.end() ? Value() : other->second;
    // By their texts: other programs write 2.0 as 2.
    if (to_text(there) != to_text(value)) changes.push_back({name, value, there});
  }
  for (const auto& [name, value] : after.config) {
    if (find_by(before.config, name, key) == before.config.end()) {
      changes.push_back({name, Value(), value});
    }
  }
  return changes;
}

std::vector<ClaimChange> claim_changes(const Record& before, const Record& after) {
  std::vector<ClaimChange> changes;
  const auto key = [](const Claim& claim) { return claim.id; };
  for (const Claim& claim : before.claims) {
    const auto other = find_by(after.claims, claim.id, key);
    const std::string there =
        other == after.claims.end() ? std::string("absent") : to_string(other->verdict);
    if (there != to_string(claim.verdict)) {
      changes.push_back({claim.id, to_string(claim.verdict), there});
    }
  }
  for (const Claim& claim : after.claims) {
    if (find_by(before.claims, claim.id, key) == before.claims.end()) {
      changes.push_back({claim.id, "absent", to_string(claim.verdict)});
    }
  }
  return changes;
}

}  // namespace

const Tolerance& Tolerances::of(const std::string& id) const {
  for (const auto& [pattern, tolerance] : exceptions) {
    if (fits_pattern(pattern, id)) return tolerance;
  }
  return fallback;
}

void check_known(const Tolerances& tolerances, const Record& record) {
  std::vector<std::string> ids;
  for (const Metric& metric : record.metrics) ids.push_back(metric.id);
  for (const auto& [pattern, tolerance] : tolerances.exceptions) {
    if (std::any_of(ids.begin(), ids.end(),
                    [&name = pattern](const std::string& id) { return fits_pattern(name, id); })) {
      continue;
    }
    const std::string near = nearest_name(pattern, ids);
    throw_usage(fmt::format("--tolerance: got '{}', expected a metric of the baseline, or how one "
                            "begins and a *",
                            pattern),
                near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }
}

Tolerances parse_tolerances(const std::string& text) {
  Tolerances tolerances;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin);
    const std::size_t equals = item.find('=');
    if (equals == std::string::npos) {
      tolerances.fallback = parse_amount(item);
    } else if (equals == 0) {
      throw_usage(fmt::format("--tolerance: got '{}', expected METRIC=X", item));
    } else {
      tolerances.exceptions.emplace_back(item.substr(0, equals),
                                         parse_amount(item.substr(equals + 1)));
    }
    begin = end + 1;
  }
  return tolerances;
}

std::string to_string(Change change) {
  switch (change) {
    case Change::same:
      return "same";
    case Change::within:
      return "within";
    case Change::not_significant:
      return "not_significant";
    case Change::better:
      return "better";
    case Change::worse:
      return "worse";
    case Change::moved:
      return "moved";
    case Change::missing:
      return "missing";
    case Change::added:
      break;
  }
  return "added";
}

std::string to_string(Test test) {
  switch (test) {
    case Test::none:
      return "none";
    case Test::paired:
      return "paired";
    case Test::welch:
      break;
  }
  return "welch";
}

Comparison compare(const Result& baseline, const Result& candidate, const Tolerances& tolerances,
                   double alpha) {
  const Record& before = baseline.record;
  const Record& after = candidate.record;
  if (before.schema != after.schema) {
    throw_input(
        fmt::format("the baseline has schema '{}', expected '{}'", before.schema, after.schema),
        "compare two results of one experiment and one schema version");
  }
  Comparison out;
  out.schema = after.schema;
  out.baseline_signature = baseline.signature;
  out.candidate_signature = candidate.signature;
  out.config = config_changes(before, after);
  out.claims = claim_changes(before, after);
  out.alpha = alpha;

  // Metrics of the baseline in their order, then those that only the candidate has.
  std::vector<std::pair<Metric, Metric>> pairs;
  const auto key = [](const Metric& metric) { return metric.id; };
  const auto without_value = [](Metric metric) {
    metric.value.reset();
    return metric;
  };
  for (const Metric& metric : before.metrics) {
    const auto other = find_by(after.metrics, metric.id, key);
    pairs.emplace_back(metric, other == after.metrics.end() ? without_value(metric) : *other);
  }
  for (const Metric& metric : after.metrics) {
    if (find_by(before.metrics, metric.id, key) != before.metrics.end()) continue;
    pairs.emplace_back(without_value(metric), metric);
  }
  const std::size_t seeds = shared_seeds(before, after);
  for (const auto& [old_metric, new_metric] : pairs) {
    out.metrics.push_back(measure(old_metric, new_metric, tolerances.of(new_metric.id), seeds));
  }
  out.tests = correct(out.metrics);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    MetricChange& metric = out.metrics[i];
    metric.change = judge(pairs[i].first, pairs[i].second, metric, alpha);
    if (metric.change == Change::worse || metric.change == Change::missing) ++out.regressions;
  }
  return out;
}

}  // namespace xfq::report
