// One chart as an SVG file of its own: title, legend, panels and notes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "chart.h"

namespace xfq::report {

/// A series as a legend shows it.
struct LegendItem {
  std::size_t series = 0;  ///< index into Chart::series
  std::string sign;        ///< what stands for its marks, as HTML
};

/// The named series that the chart draws, in their order.
std::vector<LegendItem> legend_of(const Chart& chart);

/// A file that needs nothing else. It has a background and the colours of the page's style
/// sheet: those for a light screen as attributes, which any viewer takes, those for a dark
/// one as rules. Runs gnuplot; throws ErrorKind::run as draw() does.
std::string to_svg(const Chart& chart);

}  // namespace xfq::report
