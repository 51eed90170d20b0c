// The options that every experiment has and that do not shape its runs: what to
// start from, and where the result goes.
#pragma once

#include <string>

#include "xfq/core/options.h"
#include "xfq/core/record.h"
#include "xfq/experiments/experiment.h"
#include "xfq/report/compare.h"

namespace xfq::cli {

/// The level of a comparison's tests; `xfq compare` has it too.
void describe_alpha(OptionTable& table, double& alpha);

struct ResultOptions {
  std::string profile = "quick";
  std::string config;
  std::string output;
  std::string format = "json";
  std::string table = "metrics";
  std::string baseline;
  std::string tolerance = "0.01";
  double alpha = 0.05;
  std::string lang = "en";
  bool quiet = false;

  OptionTable options;

  ResultOptions();
  ResultOptions(const ResultOptions&) = delete;
  ResultOptions& operator=(const ResultOptions&) = delete;

  /// The options against each other; `tables` are what --table may name, empty
  /// when that is unknown before the run. Throws ErrorKind::usage.
  void check(const std::vector<std::string>& tables);
  experiments::Profile profile_value() const;
  Language language() const;
  std::string render(const Record& record) const;
};

}  // namespace xfq::cli
