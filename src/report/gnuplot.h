// Draws charts with gnuplot's SVG terminal.
//
// gnuplot is a program, not a library: it gets a script on its standard input and no
// shell is involved. Of a text only letters and spaces stand in the script as they are,
// all else as octal escapes, so that no quote can end a string and no backquote can
// start a command; `noenhanced` turns its markup off. Data blocks hold numbers.
#pragma once

#include <string>
#include <vector>

#include "chart.h"

namespace xfq::report {

/// What gnuplot drew: panels in order, and the markers that they refer to.
struct Drawings {
  std::string markers;  ///< <defs> that must stand once in the page; empty without charts
  /// For every chart one <svg> a panel, of class "plot". Colours are the style sheet's
  /// variables --ink, --grid, --series-1 ... --series-8.
  std::vector<std::vector<std::string>> panels;
};

/// Throws ErrorKind::run when gnuplot is missing or fails.
Drawings draw(const std::vector<Chart>& charts);

/// The marker of a series as an HTML entity: the legend shows what gnuplot draws.
std::string marker_entity(std::size_t series);

/// The commands for one panel, without those that set the terminal up.
std::string gnuplot_script(const Chart& chart, const ChartPanel& panel);

/// A text as a gnuplot string.
std::string gnuplot_quoted(const std::string& text);
/// The same for the label of a tick, which gnuplot takes for a number's format.
std::string gnuplot_tick(const std::string& text);

}  // namespace xfq::report
