// Options of `xfq quantize`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/experiments/common_options.h"
#include "xfq/experiments/experiment.h"
#include "xfq/quant/plan.h"

namespace xfq::experiments::quantize {

struct Options : CommonOptions {
  std::vector<std::int64_t> bits = {8};
  std::vector<std::string> calibration = {"minmax", "percentile:99.99", "mse", "kl"};
  std::string granularity = "channel";
  std::string scheme = "symmetric";
  bool weights_only = false;
  bool quantize_head = true;
  std::int64_t calibration_tokens = 16384;
  std::int64_t evaluation_tokens = 16384;
  std::string model;  ///< a checkpoint instead of training; empty: train

  void describe(OptionTable& table);
  void apply(Profile profile);
  void check() const;
};

/// One way to quantize: what `bits`, `calibration`, ... mean together.
struct Arm {
  std::string id;  ///< "w8a8.minmax", "w4"; prefix of its metrics
  std::int64_t bits = 8;
  std::string calibration;  ///< of activations; "dynamic" or "none" where nothing is calibrated
  quant::SitePlan setting;
};

/// Every combination that the options ask for, in their order.
std::vector<Arm> arms(const Options& options);

}  // namespace xfq::experiments::quantize
