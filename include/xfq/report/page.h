// Results as one page for people, and the same charts as Vega-Lite specifications.
//
// What is drawn is declared in data/charts, one file per experiment: each chart names a
// table of the result, its columns, and how rows of several seeds become one point with a
// 95 % interval. A chart whose table the result does not hold is left out. Several
// results of one experiment are a sweep: its metrics are drawn over the options in which
// the results differ. All of it is in the language asked for; what a record lacks in that
// language stays English.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/text.h"
#include "xfq/report/json.h"

namespace xfq::report {

/// A result and where it came from.
struct NamedResult {
  std::string file;
  Result result;
};

/// One self-contained HTML file: verdicts, claims with their tests, charts with the
/// numbers behind them, configuration and provenance. It has no script and loads nothing.
/// Every string of a result is shown as text. Runs gnuplot for the drawing; throws
/// ErrorKind::run when that is not there.
std::string to_html(const std::vector<NamedResult>& results, Language language);

/// One JSON object: chart name ("quantize.bits-loss") -> Vega-Lite 5 specification
/// with its data inside. Needs no other program.
std::string to_vega_lite(const std::vector<NamedResult>& results, Language language);

// One chart of the page by its name ("quantize.bits-loss"), or by the part behind the dot
// where that is clear. They throw ErrorKind::usage with the names when there is none.

/// An SVG file, readable on light and on dark ground. Runs gnuplot as to_html does.
std::string chart_to_svg(const std::vector<NamedResult>& results, const std::string& name,
                         Language language);
/// Its Vega-Lite 5 specification.
std::string chart_to_vega_lite(const std::vector<NamedResult>& results, const std::string& name,
                               Language language);

}  // namespace xfq::report
