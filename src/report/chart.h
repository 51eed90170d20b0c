// A chart as plain numbers: what stands between a declaration of data/charts and a
// renderer (gnuplot.h, vega_lite.h). Renderers decide how it looks, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/core/text.h"

namespace xfq::report {

enum class Mark {
  line,       ///< y over x, joined; an interval of y where there is one
  point,      ///< y over x, one point a row
  dot,        ///< x of each category on y, with its interval
  histogram,  ///< y over [x, x_end]
  heatmap,    ///< value of each pair of categories
  vertical,   ///< a line at x
  horizontal  ///< a line at y
};

enum class Scale { linear, log, category };

struct ChartPoint {
  double x = 0;  ///< a number, or the index of a category
  double y = 0;
  double x_end = 0;  ///< histogram
  double value = 0;  ///< heatmap
  /// Of what was measured: of x in a dot, of value in a heatmap, else of y.
  std::optional<Interval> ci;
  std::int64_t n = 1;  ///< table rows behind it
};

/// Points of one mark and name within a panel.
struct ChartSeries {
  std::size_t name = 0;  ///< index into Chart::series; chooses colour and marker
  Mark mark = Mark::line;
  bool dashed = false;
  std::vector<ChartPoint> points;  ///< a line's are ordered by x
};

struct ChartAxis {
  std::string title;
  Scale scale = Scale::linear;
  double lo = 0;
  double hi = 1;
  std::vector<std::string> categories;
  std::vector<double> ticks;  ///< empty: the renderer chooses
};

/// One drawing area; a chart without facets has one, of an empty name.
struct ChartPanel {
  std::string name;
  ChartAxis x;
  ChartAxis y;
  std::vector<ChartSeries> series;
};

struct Chart {
  std::string id;  ///< "bits-loss"
  std::string title;
  std::string alt;                  ///< what it shows, in words, with the ranges
  std::string value_title;          ///< heatmap
  std::string source;               ///< tables that it is made from: "arms, tensors"
  std::vector<std::string> series;  ///< names; one empty name when there is only one series
  std::vector<ChartPanel> panels;
  std::size_t shown = 0;           ///< panels that are shown at once; the others on demand
  std::vector<std::string> notes;  ///< what the reader has to know beside the numbers
  bool ambiguous = false;          ///< rows that the declaration does not tell apart were averaged

  bool has(Mark mark) const;
};

/// A number that may stand in a range or a label.
std::string axis_number(double value);

/// That `count` points are missing from a logarithmic axis.
Text not_positive_note(std::int64_t count);

/// Sets the axis ranges of all panels from their points: shared by the panels unless
/// `free`. Categories get a place each. `zero_x` and `zero_y` ask for ranges that hold zero.
struct RangeRule {
  bool free = false;
  bool zero_x = false;
  bool zero_y = false;
  std::optional<Interval> x;  ///< fixed
  std::optional<Interval> y;
};
void set_ranges(const RangeRule& rule, Chart& chart);

/// Keeps a line's lowest and highest point of each of `buckets` parts where it has more
/// than twice that number of points.
std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points, std::size_t buckets);

}  // namespace xfq::report
