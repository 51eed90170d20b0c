// Which charts a page has; all of them as specifications, or one by its name.
#include "named_charts.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "chart_resolve.h"
#include "drawing.h"
#include "json_tools.h"
#include "vega_lite.h"
#include "xfq/core/error.h"
#include "xfq/core/options.h"
#include "xfq/report/page.h"

namespace xfq::report {

GroupCharts charts_of_group(const ResultGroup& group, Language language) {
  GroupCharts out;
  out.sweep = {group.experiment, sweep_charts(group, language)};
  const std::size_t whole = std::min(group.results.size(), kMostWhole);
  for (std::size_t i = 0; i < whole; ++i) {
    const std::string name =
        i == 0 ? group.experiment : fmt::format("{}.{}", group.experiment, i + 1);
    out.results.push_back({name, charts_of(group.results[i]->result.record, language)});
  }
  return out;
}

namespace {

struct NamedChart {
  std::string name;  ///< "quantize.bits-loss"
  Chart chart;
};

/// Every chart of the page, in its order.
std::vector<NamedChart> named_charts(const std::vector<NamedResult>& results, Language language) {
  std::vector<NamedChart> all;
  for (const ResultGroup& group : grouped(results)) {
    GroupCharts charts = charts_of_group(group, language);
    const auto add = [&all](ChartSet& set) {
      for (Chart& chart : set.charts) {
        all.push_back({fmt::format("{}.{}", set.name, chart.id), std::move(chart)});
      }
    };
    add(charts.sweep);
    for (ChartSet& set : charts.results) add(set);
  }
  return all;
}

/// The chart of that name; where no two experiments have the chart, its own id is enough.
Chart chart_named(const std::vector<NamedResult>& results, const std::string& name,
                  Language language) {
  std::vector<NamedChart> all = named_charts(results, language);
  NamedChart* found = nullptr;
  std::size_t of_that_id = 0;
  std::vector<std::string> names;
  for (NamedChart& one : all) {
    if (one.name == name) return std::move(one.chart);
    if (one.chart.id == name) {
      ++of_that_id;
      found = &one;
    }
    names.push_back(one.name);
  }
  if (of_that_id == 1) return std::move(found->chart);
  if (names.empty()) throw_usage("--chart: these results have nothing to draw");
  const std::string near = nearest_name(name, names);
  throw_usage(fmt::format("--chart: got '{}'{}, expected one of {}", name,
                          of_that_id > 1 ? ", which several charts are called" : "",
                          fmt::join(names, ", ")),
              near.empty() ? "" : fmt::format("did you mean '{}'?", near));
}

}  // namespace

std::string to_vega_lite(const std::vector<NamedResult>& results, Language language) {
  Json specs = Json::object();
  for (const NamedChart& one : named_charts(results, language)) {
    specs[one.name] = vega_lite(one.chart);
  }
  return pretty(specs);
}

std::string chart_to_svg(const std::vector<NamedResult>& results, const std::string& name,
                         Language language) {
  return to_svg(chart_named(results, name, language));
}

std::string chart_to_vega_lite(const std::vector<NamedResult>& results, const std::string& name,
                               Language language) {
  return pretty(vega_lite(chart_named(results, name, language)));
}

}  // namespace xfq::report
