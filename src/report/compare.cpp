// Two results of one experiment, metric by metric.
#include "xfq/report/compare.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "json_tools.h"
#include "markdown.h"
#include "xfq/core/error.h"
#include "xfq/report/text.h"

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
                "for example --tolerance 0.01,int8.delta_nll=0.002abs");
  }
  return tolerance;
}

bool disjoint(const Interval& a, const Interval& b) { return a.hi < b.lo || b.hi < a.lo; }

MetricChange judge(const Metric& before, const Metric& after, const Tolerance& tolerance) {
  MetricChange out;
  out.id = after.id;
  out.unit = after.unit;
  out.better = after.better;
  out.baseline = before.value;
  out.candidate = after.value;
  if (!before.value || !after.value) {
    if (before.value) out.change = Change::missing;
    if (after.value) out.change = Change::added;
    return out;
  }
  out.allowed = tolerance.amount * (tolerance.absolute ? 1 : std::abs(*before.value));
  const double change = *after.value - *before.value;
  if (change == 0) {
    out.change = Change::same;
  } else if (std::abs(change) <= out.allowed) {
    out.change = Change::within;
  } else if (before.ci && after.ci && !disjoint(*before.ci, *after.ci)) {
    out.change = Change::not_significant;
  } else if (out.better == Better::none) {
    out.change = Change::moved;
  } else {
    out.change = (change < 0) == (out.better == Better::lower) ? Change::better : Change::worse;
  }
  return out;
}

/// Key order of the baseline, then what only the candidate has.
std::vector<ConfigChange> config_changes(const Record& before, const Record& after) {
  std::vector<ConfigChange> changes;
  const auto key = [](const auto& pair) { return pair.first; };
  for (const auto& [name, value] : before.config) {
    const auto other = find_by(after.config, name, key);
    const Value there = other == after.config.end() ? Value() : other->second;
    if (there != value) changes.push_back({name, value, there});
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

Json number_or_null(const std::optional<double>& value, const std::string& where) {
  return value ? number(*value, where) : Json(nullptr);
}

std::string value_or_dash(const Value& value) {
  const std::string text = to_text(value);
  return text.empty() ? "-" : text;
}

}  // namespace

const Tolerance& Tolerances::of(const std::string& id) const {
  for (const auto& [pattern, tolerance] : exceptions) {
    if (pattern == id) return tolerance;
    if (pattern.back() == '*' &&
        id.compare(0, pattern.size() - 1, pattern, 0, pattern.size() - 1) == 0) {
      return tolerance;
    }
  }
  return fallback;
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

Comparison compare(const Result& baseline, const Result& candidate, const Tolerances& tolerances) {
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

  const auto key = [](const Metric& metric) { return metric.id; };
  for (const Metric& metric : before.metrics) {
    const auto other = find_by(after.metrics, metric.id, key);
    Metric absent = metric;
    absent.value.reset();
    out.metrics.push_back(
        judge(metric, other == after.metrics.end() ? absent : *other, tolerances.of(metric.id)));
  }
  for (const Metric& metric : after.metrics) {
    if (find_by(before.metrics, metric.id, key) != before.metrics.end()) continue;
    Metric absent = metric;
    absent.value.reset();
    out.metrics.push_back(judge(absent, metric, tolerances.of(metric.id)));
  }
  out.regressions =
      std::count_if(out.metrics.begin(), out.metrics.end(), [](const MetricChange& metric) {
        return metric.change == Change::worse || metric.change == Change::missing;
      });
  return out;
}

std::string to_json(const Comparison& comparison) {
  Json json = Json::object();
  json["schema"] = "xfq/compare/1";
  json["of"] = comparison.schema;
  json["identical"] = comparison.identical();
  json["regressions"] = comparison.regressions;
  json["baseline_signature"] = comparison.baseline_signature;
  json["candidate_signature"] = comparison.candidate_signature;
  json["config"] = Json::array();
  for (const ConfigChange& change : comparison.config) {
    json["config"].push_back({{"key", change.key},
                              {"baseline", to_json_value(change.baseline, change.key)},
                              {"candidate", to_json_value(change.candidate, change.key)}});
  }
  json["metrics"] = Json::array();
  for (const MetricChange& metric : comparison.metrics) {
    const std::string where = fmt::format("metric '{}'", metric.id);
    std::optional<double> change;
    if (metric.baseline && metric.candidate) change = *metric.candidate - *metric.baseline;
    json["metrics"].push_back({{"id", metric.id},
                               {"baseline", number_or_null(metric.baseline, where)},
                               {"candidate", number_or_null(metric.candidate, where)},
                               {"change", number_or_null(change, where)},
                               {"allowed", number(metric.allowed, where)},
                               {"unit", metric.unit},
                               {"better", to_string(metric.better)},
                               {"result", to_string(metric.change)}});
  }
  json["claims"] = Json::array();
  for (const ClaimChange& claim : comparison.claims) {
    json["claims"].push_back(
        {{"id", claim.id}, {"baseline", claim.baseline}, {"candidate", claim.candidate}});
  }
  return pretty(json);
}

std::string to_markdown(const Comparison& comparison) {
  std::string out;
  if (comparison.identical()) {
    out += fmt::format("No difference: both results have signature `{}`.\n",
                       comparison.candidate_signature);
  } else {
    out += fmt::format("{} regression{} in {} metrics of {}.\n", comparison.regressions,
                       comparison.regressions == 1 ? "" : "s", comparison.metrics.size(),
                       comparison.schema);
  }
  if (!comparison.config.empty()) {
    out += "\nThe configurations differ:\n\n";
    std::vector<std::vector<std::string>> rows;
    for (const ConfigChange& change : comparison.config) {
      rows.push_back({change.key, value_or_dash(change.baseline), value_or_dash(change.candidate)});
    }
    out += markdown_table({"option", "baseline", "candidate"}, rows);
  }
  std::vector<std::vector<std::string>> rows;
  for (const MetricChange& metric : comparison.metrics) {
    if (metric.change == Change::same) continue;
    std::optional<double> change;
    if (metric.baseline && metric.candidate) change = *metric.candidate - *metric.baseline;
    rows.push_back({metric.id, short_number(metric.baseline), short_number(metric.candidate),
                    change ? fmt::format("{:+.3g}", *change) : "-",
                    change ? fmt::format("{:.3g}", metric.allowed) : "-", metric.unit,
                    to_string(metric.change)});
  }
  if (!rows.empty()) {
    out += "\n" +
           markdown_table(
               {"metric", "baseline", "candidate", "change", "allowed", "unit", "result"}, rows);
  }
  if (!comparison.claims.empty()) {
    rows.clear();
    for (const ClaimChange& claim : comparison.claims) {
      rows.push_back({claim.id, claim.baseline, claim.candidate});
    }
    out += "\n" + markdown_table({"claim", "baseline", "candidate"}, rows);
  }
  return out;
}

}  // namespace xfq::report
