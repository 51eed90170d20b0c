// Options of `xfq batch-ppl`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/experiments/common_options.h"
#include "xfq/experiments/experiment.h"

namespace xfq::experiments::batch_ppl {

/// One way to set the learning rate and Adam's beta2 at every batch size.
struct Arm {
  std::string lr_rule;     ///< tuned | fixed | sqrt | linear
  std::string beta2_rule;  ///< fixed | tokens

  std::string id() const { return lr_rule + "." + beta2_rule; }
};

struct Options : CommonOptions {
  std::vector<std::int64_t> batch_sizes = {1, 4, 16, 32, 64, 256};
  std::vector<std::string> budget = {"steps", "tokens", "time"};
  std::vector<std::string> lr_rule = {"tuned", "fixed"};
  std::vector<std::string> beta2_rule = {"tokens", "fixed"};
  std::int64_t sequences = 3072;
  double update_cost = 0.4;
  double target_loss = 0;
  double average = 0.1;
  std::int64_t noise_pairs = 100;
  std::int64_t noise_sequences = 512;
  std::string optimizer = "adamw";
  double momentum = 0;
  std::int64_t evaluation_rows = 96;
  std::int64_t hessian_products = 12;

  /// The defaults of profile quick.
  Options();

  void describe(OptionTable& table);
  void apply(Profile profile);
  void check() const;
  /// A batch may not be larger than the training part, nor an evaluation than its part.
  void check(const corpus::LanguageData& data) const;

  /// With a test part, on which learning rates are chosen.
  corpus::LanguageOptions language_options() const;

  /// The i-th lr_rule with the i-th beta2_rule; a single value of either stands for all.
  std::vector<Arm> arms() const;
  bool has_budget(const std::string& name) const;
  std::int64_t largest_batch() const;
};

}  // namespace xfq::experiments::batch_ppl
