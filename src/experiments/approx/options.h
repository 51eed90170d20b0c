// Options of `xfq approx`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/experiments/common_options.h"
#include "xfq/experiments/experiment.h"

namespace xfq::experiments::approx {

struct Options {
  CommonOptions common;  ///< of these the group Run

  std::vector<std::string> part = {"nonlinearity", "universal", "sequence", "parallel", "features"};

  // Perceptrons.
  std::vector<std::string> target = {"runge", "step", "sawtooth:4", "ball:2"};
  std::string target_file;
  std::vector<std::string> activation = {"relu", "tanh", "gelu", "sine"};
  std::vector<std::int64_t> widths = {4, 8, 16, 32, 64};
  std::vector<std::int64_t> depths = {1, 2, 4};
  std::vector<std::string> construction = {"interpolation", "steps",   "square",
                                           "sawtooth",      "product", "polynomial"};
  std::vector<std::int64_t> sizes = {64, 512, 4096};
  std::int64_t samples = 4096;
  std::int64_t steps = 1500;
  std::int64_t batch_size = 64;
  double lr = 1e-2;

  // Transformers.
  std::vector<std::string> task = {"reverse", "sort", "sum", "parity", "copy", "recall", "count"};
  std::vector<std::int64_t> layers = {1, 2};
  std::vector<std::int64_t> dim = {32};
  std::vector<std::int64_t> heads = {2};
  std::int64_t length = 8;
  std::int64_t symbols = 6;
  std::int64_t sequence_steps = 500;
  std::int64_t sequence_batch_size = 32;
  double sequence_lr = 3e-3;

  // Threads.
  std::vector<std::int64_t> workers = {1, 2, 4};
  std::int64_t repeats = 9;

  void describe(OptionTable& table);
  void apply(Profile profile);
  /// What no single option can see, and names that no table of choices holds.
  void check() const;

  bool wants(const std::string& name) const;
};

}  // namespace xfq::experiments::approx
