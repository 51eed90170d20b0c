#include "numbers.h"

#include <fmt/core.h>

#include <charconv>
#include <string>

namespace xfq::experiments {

Metric make_metric(const std::string& id, const std::string& unit, Better better,
                   const stats::Estimate& estimate) {
  Metric metric;
  metric.id = id;
  metric.unit = unit;
  metric.better = better;
  metric.value = estimate.value;
  metric.ci = estimate.ci;
  metric.n = estimate.n;
  metric.reason = estimate.reason;
  // An estimate that was transformed after taking the mean is not the mean of its observations.
  if (estimate.over_seeds && estimate.n > 1 && !estimate.observations.empty() &&
      stats::mean_t(estimate.observations).value == estimate.value) {
    metric.values = estimate.observations;
  }
  return metric;
}

Metric exact_metric(const std::string& id, const std::string& unit, Better better, double value) {
  Metric metric;
  metric.id = id;
  metric.unit = unit;
  metric.better = better;
  metric.value = value;
  return metric;
}

Value cell(const std::optional<double>& value) {
  if (value) return *value;
  return std::monostate{};
}

double rounded(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Text with_interval(const stats::Estimate& estimate, const char* format) {
  if (!estimate.value) return phrase("an unknown value ({})", {estimate.reason});
  const auto number = [format](double value) { return fmt::format(fmt::runtime(format), value); };
  if (!estimate.ci) return Text::verbatim(number(*estimate.value));
  return phrase("{} (95 % interval {} to {})",
                {number(*estimate.value), number(estimate.ci->lo), number(estimate.ci->hi)});
}

void warn_few_seeds(std::size_t seeds, Record& record) {
  if (seeds >= 3) return;
  record.warnings.push_back({"few_seeds",
                             seeds == 1 ? Text("one run gives no intervals")
                                        : phrase("intervals rest on {} runs", {seeds}),
                             "use --seeds 3 or more"});
}

}  // namespace xfq::experiments
