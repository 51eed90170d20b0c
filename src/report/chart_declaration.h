// The charts of an experiment as data/charts declares them.
//
// A file holds `charts`, and `sweep`: the metrics that are drawn when several results of
// the experiment differ in an option. A chart has axes and layers; a layer takes rows of
// one table. Field names of the JSON are the names here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chart.h"
#include "xfq/core/text.h"

namespace xfq::report {

/// Where a number comes from: a column, or the same one everywhere.
struct Source {
  std::string column;
  std::optional<double> number;

  bool given() const { return number.has_value() || !column.empty(); }
};

struct LayerDeclaration {
  std::string table;  ///< empty for a line at a given number
  Mark mark = Mark::line;
  Source x;
  Source y;
  Source x_end;    ///< histogram
  Source value;    ///< heatmap
  std::string lo;  ///< columns of the interval; else it comes from the rows that `over` joins
  std::string hi;
  std::vector<std::string> series;  ///< columns whose values name the series
  Text label;                       ///< a name of the series, before those values
  Text panel;                       ///< where it is drawn; empty: as the chart's facet says
  /// Rows whose column has one of these texts; a '*' at the end stands for any more.
  std::vector<std::pair<std::string, std::vector<std::string>>> where;
  std::string over;    ///< rows that differ in this column alone are one point, usually "seed"
  std::string within;  ///< and of each such row, those that differ in this column are averaged
  bool dashed = false;

  /// Every column that it names.
  std::vector<std::string> columns() const;
};

struct AxisDeclaration {
  Text title;
  Scale scale = Scale::linear;
  bool zero = false;         ///< the range holds zero
  bool value_ticks = false;  ///< ticks at the values that occur ("ticks": "values")
  std::optional<Interval> range;
};

struct ChartDeclaration {
  std::string id;
  Text title;
  Text alt;
  AxisDeclaration x;
  AxisDeclaration y;
  Text value;         ///< title of a heatmap's values
  std::string facet;  ///< column; one panel for each of its values
  Text facet_title;   ///< before that value
  std::size_t shown = 6;
  bool free = false;  ///< every panel has ranges and categories of its own
  std::vector<LayerDeclaration> layers;
};

struct SweepDeclaration {
  /// Metric ids: '*' stands for any text and names the series, '#' for digits, which do not.
  std::string metric;
  Text title;
  Scale scale = Scale::linear;
};

struct ExperimentCharts {
  std::vector<ChartDeclaration> charts;
  std::vector<SweepDeclaration> sweep;
};

/// Names of the experiments that declare charts, in alphabetical order.
std::vector<std::string> chart_experiments();

/// Empty lists when the experiment declares none.
ExperimentCharts chart_declarations(const std::string& experiment);

/// Throws ErrorKind::run naming `source` and the field.
ExperimentCharts parse_charts(std::string_view json, const std::string& source);

}  // namespace xfq::report
