// A comparison as sentences, as Markdown and as JSON.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "json_tools.h"
#include "markdown.h"
#include "xfq/report/compare.h"
#include "xfq/report/text.h"

namespace xfq::report {

namespace {

constexpr std::size_t kNamed = 3;  // metrics that a sentence spells out

std::optional<double> difference(const MetricChange& metric) {
  if (!metric.baseline || !metric.candidate) return std::nullopt;
  return *metric.candidate - *metric.baseline;
}

std::string value_or_dash(const Value& value) {
  const std::string text = to_text(value);
  return text.empty() ? "-" : text;
}

std::string p_text(double p) { return p < 1e-4 ? "p < 0.0001" : fmt::format("p = {:.2g}", p); }

std::string counted(std::int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// How often the allowed change was passed: what makes a change large.
double size_of(const MetricChange& metric) {
  const auto change = difference(metric);
  if (!change) return std::numeric_limits<double>::infinity();
  if (metric.allowed == 0) return std::numeric_limits<double>::infinity();
  return std::abs(*change) / metric.allowed;
}

std::vector<const MetricChange*> of_kind(const Comparison& comparison, Change kind) {
  std::vector<const MetricChange*> found;
  for (const MetricChange& metric : comparison.metrics) {
    if (metric.change == kind) found.push_back(&metric);
  }
  std::stable_sort(found.begin(), found.end(), [](const MetricChange* a, const MetricChange* b) {
    return size_of(*a) > size_of(*b);
  });
  return found;
}

/// "int8.kl_mean from 0.001 to 0.02 nats/token (+0.019 [0.017, 0.021] over 3 seeds, p = 0.004)".
std::string spelled_out(const MetricChange& metric) {
  std::string text = fmt::format("{} from {} to {}", metric.id, short_number(metric.baseline),
                                 short_number(metric.candidate));
  if (!metric.unit.empty()) text += " " + metric.unit;
  const auto change = difference(metric);
  if (!change) return text;
  text += fmt::format(" ({:+.3g}", *change);
  if (metric.ci) {
    text += fmt::format(" [{:.3g}, {:.3g}] over {}", metric.ci->lo, metric.ci->hi,
                        counted(metric.n, metric.test == Test::paired ? "shared seed" : "seed"));
  }
  if (metric.p) text += ", " + p_text(*metric.p);
  return text + ")";
}

/// "3 metrics got worse: a ..., b ...". Empty when there are none.
std::string sentence(const Comparison& comparison, Change kind, const char* what) {
  const std::vector<const MetricChange*> found = of_kind(comparison, kind);
  if (found.empty()) return {};
  std::vector<std::string> named;
  for (std::size_t i = 0; i < std::min(found.size(), kNamed); ++i) {
    named.push_back(spelled_out(*found[i]));
  }
  std::string out = fmt::format("{} {}: {}", counted(std::int64_t(found.size()), "metric"), what,
                                fmt::join(named, "; "));
  if (found.size() > kNamed) out += fmt::format("; and {} more", found.size() - kNamed);
  return out + ". ";
}

Json number_or_null(const std::optional<double>& value, const std::string& where) {
  return value ? number(*value, where) : Json(nullptr);
}

Json interval_or_null(const std::optional<Interval>& ci, const std::string& where) {
  if (!ci) return nullptr;
  return Json::array({number(ci->lo, where), number(ci->hi, where)});
}

}  // namespace

std::string in_words(const Comparison& comparison) {
  if (comparison.identical()) return "No difference.";
  std::string out;
  out += sentence(comparison, Change::worse, "got worse");
  out += sentence(comparison, Change::missing, "had a value and have none now");
  out += sentence(comparison, Change::better, "got better");
  out += sentence(comparison, Change::moved, "moved, where neither direction is better");
  out += sentence(comparison, Change::added, "came in");
  std::vector<std::string> calm;
  const auto count = [&](Change kind, const char* what) {
    const auto found = static_cast<std::int64_t>(of_kind(comparison, kind).size());
    if (found > 0) calm.push_back(fmt::format("{} {}", found, what));
  };
  count(Change::not_significant, "moved by more than the tolerance, which may be chance");
  count(Change::within, "moved within the tolerance");
  count(Change::same, "stayed the same");
  if (!calm.empty()) out += fmt::format("Of the metrics, {}. ", fmt::join(calm, ", "));
  for (const ClaimChange& claim : comparison.claims) {
    out += fmt::format("Claim {} went from {} to {}. ", claim.id, claim.baseline, claim.candidate);
  }
  if (!comparison.config.empty()) {
    std::vector<std::string> keys;
    for (const ConfigChange& change : comparison.config) keys.push_back(change.key);
    out += fmt::format("Options that differ: {}. ", fmt::join(keys, ", "));
  }
  if (comparison.tests > 0) {
    out += fmt::format("p-values are corrected for {} by Holm's method. ",
                       counted(comparison.tests, "test"));
  }
  if (out.empty()) return "No metric, verdict or option differs; other parts of the results do.";
  out.pop_back();
  return out;
}

std::string to_json(const Comparison& comparison) {
  Json json = Json::object();
  json["schema"] = "xfq/compare/2";
  json["of"] = comparison.schema;
  json["identical"] = comparison.identical();
  json["regressions"] = comparison.regressions;
  json["summary"] = in_words(comparison);
  json["alpha"] = number(comparison.alpha, "alpha");
  json["tests"] = comparison.tests;
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
    json["metrics"].push_back({{"id", metric.id},
                               {"baseline", number_or_null(metric.baseline, where)},
                               {"candidate", number_or_null(metric.candidate, where)},
                               {"change", number_or_null(difference(metric), where)},
                               {"ci", interval_or_null(metric.ci, where)},
                               {"n", metric.n},
                               {"test", to_string(metric.test)},
                               {"p", number_or_null(metric.p, where)},
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
    out += fmt::format("**{} in {} of {}.** {}\n", counted(comparison.regressions, "regression"),
                       counted(std::int64_t(comparison.metrics.size()), "metric"),
                       comparison.schema, markdown_cell(in_words(comparison)));
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
    const auto change = difference(metric);
    rows.push_back({metric.id, short_number(metric.baseline), short_number(metric.candidate),
                    change ? fmt::format("{:+.3g}", *change) : "-", short_interval(metric.ci),
                    metric.p ? fmt::format("{:.2g}", *metric.p) : "-",
                    change ? fmt::format("{:.3g}", metric.allowed) : "-", metric.unit,
                    to_string(metric.change)});
  }
  if (!rows.empty()) {
    out += "\n" + markdown_table({"metric", "baseline", "candidate", "change", "interval", "p",
                                  "allowed", "unit", "result"},
                                 rows);
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
