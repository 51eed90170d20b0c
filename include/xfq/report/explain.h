// What the names in a result mean: metrics, table columns, claims, and terms.
//
// The texts are data/explain/<experiment>.json, and common.json for what experiments share,
// compiled in. An experiment adds entries there and nothing else; a test holds every name of
// every smoke result against them.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/text.h"

namespace xfq::report {

struct Explanation {
  std::string kind;  ///< metric, column, claim, term
  /// "fp32.nll", or with places that anything may stand in: "<arm>.delta_nll". Of a column
  /// "arms.bits", or "seed" for the column of that name in every table.
  std::string name;
  std::string experiment;  ///< "quantize"; empty for what experiments share
  Text text;
  std::string unit;     ///< empty for none
  std::string formula;  ///< empty where the text says it
  std::string paper;    ///< empty for none
  std::string source;   ///< file in the repository
};

/// Every entry, in the order of the files.
const std::vector<Explanation>& explanations();

/// Whether `text` fits a name with places: "<arm>.nll" fits "w8a8.minmax.nll".
bool fits(const std::string& name, const std::string& text);

/// The entry that names most of it; nullptr when there is none. Entries of the experiment go
/// before those that experiments share.
const Explanation* explain_metric(const std::string& experiment, const std::string& id);
const Explanation* explain_column(const std::string& experiment, const std::string& table,
                                  const std::string& column);
const Explanation* explain_claim(const std::string& id);

/// What a user may mean by `name`: the best entry of each kind and experiment. A metric is
/// found without its arm too ("delta_nll"), a column with its table and without.
std::vector<const Explanation*> explain(const std::string& name);

/// The labels of `xfq explain`: "unit" and so on.
Text explain_label(const std::string& name);

}  // namespace xfq::report
