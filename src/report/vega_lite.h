// Charts as Vega-Lite 5 specifications, for people who want to restyle them.
#pragma once

#include "chart.h"
#include "json_tools.h"

namespace xfq::report {

/// One specification with its rows inside. Layers share the rows and filter them by the
/// field `layer`; panels become Vega-Lite's own facets by the field `panel`.
Json vega_lite(const Chart& chart);

}  // namespace xfq::report
