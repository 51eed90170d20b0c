// From a declared chart and the tables of a record to numbers.
//
// Rows that agree in panel, series and position and differ in the `over` column are one
// point: their mean and its 95 % t interval; on a logarithmic axis the geometric mean, so
// that interval and axis speak of ratios.
#pragma once

#include <optional>
#include <vector>

#include "chart.h"
#include "chart_declaration.h"

namespace xfq::report {

/// None when the record holds no row of any layer's table.
std::optional<Chart> resolve(const ChartDeclaration& declaration, const Record& record,
                             Language language);

/// The declared charts of the record's experiment that it has rows for.
std::vector<Chart> charts_of(const Record& record, Language language);

}  // namespace xfq::report
