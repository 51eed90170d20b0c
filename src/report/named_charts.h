// Which charts a page has, and what they are called.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "chart.h"
#include "sweep.h"
#include "xfq/core/text.h"

namespace xfq::report {

inline constexpr std::size_t kMostWhole = 4;  // results of one experiment that are shown in full

/// Charts of one place of the page.
struct ChartSet {
  std::string name;  ///< of the result, for ids: "quantize" or "quantize.2"
  std::vector<Chart> charts;
};

/// The page's charts in order: for each group those of the sweep, then those of each
/// result that is shown in full.
struct GroupCharts {
  ChartSet sweep;
  std::vector<ChartSet> results;
};

GroupCharts charts_of_group(const ResultGroup& group, Language language);

}  // namespace xfq::report
