// Options of `xfq quantize`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/experiments/common_options.h"
#include "xfq/experiments/experiment.h"

namespace xfq::experiments::quantize {

struct Options : CommonOptions {
  // The arms: every combination is one of them.
  std::vector<std::int64_t> bits = {8};
  std::vector<std::string> number_format = {"int"};
  std::vector<std::string> calibration = {"minmax", "percentile:99.99", "mse", "kl"};
  std::string granularity = "channel";
  std::string scheme = "symmetric";
  bool weights_only = false;
  bool quantize_head = true;
  std::string execute = "fake";
  bool per_layer = false;

  // The parts of the answer beside the arms.
  std::vector<std::string> parts = part_names();
  std::vector<double> outliers = {1, 10, 30, 100};
  std::vector<std::string> recover = recovery_names();
  std::vector<std::int64_t> recover_bits = {8, 4, 2};
  std::int64_t finetune_steps = 80;
  std::vector<std::int64_t> widths = {32, 48};
  std::vector<std::int64_t> sample_sizes = {10'000, 100'000, 1'000'000};

  std::int64_t calibration_tokens = 2048;
  std::int64_t evaluation_tokens = 8192;
  std::int64_t sweep_tokens = 1024;
  std::string model;  ///< a checkpoint instead of training; empty: train

  /// The words of --parts and of --recover.
  static const std::vector<std::string>& part_names();
  static const std::vector<std::string>& recovery_names();

  void describe(OptionTable& table);
  void apply(Profile profile);
  void check() const;

  bool wants(const std::string& part) const;
  bool recovers_by(const std::string& technique) const;
  /// --recover-bits and what --bits adds to them, descending.
  std::vector<std::int64_t> all_recover_bits() const;
  /// --widths and --dim, ascending.
  std::vector<std::int64_t> all_widths() const;
};

}  // namespace xfq::experiments::quantize
