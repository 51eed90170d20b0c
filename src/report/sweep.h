// Several results of one experiment: metrics over the options in which they differ.
#pragma once

#include <string>
#include <vector>

#include "chart.h"
#include "xfq/report/page.h"

namespace xfq::report {

/// Results of one experiment and schema version, in the order given; a result that is
/// there twice (equal signatures) counts once.
struct ResultGroup {
  std::string experiment;  ///< "quantize"
  std::vector<const NamedResult*> results;
};

/// In the order of the questions, then of first appearance.
std::vector<ResultGroup> grouped(const std::vector<NamedResult>& results);

/// Configuration keys whose values are not the same in all results, in the first one's order.
std::vector<std::string> differing_keys(const ResultGroup& group);

/// What sets a result apart from the others: "bits=8, seed=2"; its file name when nothing
/// does, or too much.
std::string result_label(const ResultGroup& group, const NamedResult& result);

/// Charts of the metrics that the experiment's declaration names (else of the first with
/// an interval), over the option with the most values: a line over numbers, a dot for each
/// value otherwise. The combinations of the other options that differ are series. None for a
/// single result.
std::vector<Chart> sweep_charts(const ResultGroup& group, Language language);

/// Whether `id` fits `pattern` ('*': any text, '#': digits); `name` becomes what the stars
/// stood for, joined by spaces.
bool fits_metric(const std::string& pattern, const std::string& id, std::string& name);

}  // namespace xfq::report
