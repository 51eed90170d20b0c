// Numbers on their way into a record: metrics, cells and words.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments {

Metric make_metric(const std::string& id, const std::string& unit, Better better,
                   const stats::Estimate& estimate);

/// A number without an interval: counted or computed, not estimated.
Metric exact_metric(const std::string& id, const std::string& unit, Better better, double value);

/// null where there is no value.
Value cell(const std::optional<double>& value);

/// To that many significant digits: of numbers that are there to be drawn.
double rounded(double value, int digits);

/// "+0.0002 (95 % interval +0.0001 to +0.0003)", or the reason where there is no value;
/// format is that of one number, for example "{:+.4f}".
Text with_interval(const stats::Estimate& estimate, const char* format);

/// Warns when intervals rest on fewer than three runs.
void warn_few_seeds(std::size_t seeds, Record& record);

/// The mean over runs of a number that every run has, with its t interval.
template <class Run, class Of>
stats::Estimate over_seeds(const std::vector<Run>& runs, const Of& of) {
  std::vector<double> values;
  for (const Run& run : runs) values.push_back(of(run));
  return stats::mean_t(values);
}

}  // namespace xfq::experiments
