// Options of `xfq neuron-importance`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/corpus/sentence_pairs.h"
#include "xfq/experiments/common_options.h"
#include "xfq/experiments/experiment.h"
#include "xfq/importance/scores.h"

namespace xfq::experiments::neuron_importance {

struct Options : CommonOptions {
  std::string model = "decoder";
  std::string unit = "neuron";

  std::vector<std::string> score = importance::score_names();
  std::int64_t tokens = 2048;
  std::int64_t bins = 64;
  std::vector<std::string> normalise = {"none", "layer"};
  std::int64_t conductance_nodes = 8;
  std::int64_t conductance_sequences = 12;
  std::int64_t shapley_orders = 2;
  std::int64_t shapley_sequences = 2;

  std::vector<std::string> oracle = {"zero", "mean"};
  std::string oracle_measure = "kl";
  std::int64_t oracle_tokens = 1024;
  std::int64_t bootstrap = 200;
  std::int64_t top = 8;

  std::vector<double> prune_fractions = {0.1, 0.3, 0.5, 0.7};
  std::int64_t prune_tokens = 1024;
  std::int64_t random_orders = 20;
  bool iterative = true;
  std::vector<std::string> focus = {"gradient", "activation", "entropy-shared", "taylor", "random"};
  std::int64_t finetune_steps = 40;
  double finetune_fraction = 0.5;
  double mask_rate = 0.15;

  void describe(OptionTable& table);
  void apply(Profile profile);
  void check() const;

  bool encoder() const { return model == "encoder"; }
  /// The scores of --focus that are among --score.
  std::vector<std::string> focused() const;
  importance::ScoreOptions score_options(std::uint64_t seed) const;
  /// Sentence pairs, for an encoder.
  corpus::PairOptions pair_options() const;
};

}  // namespace xfq::experiments::neuron_importance
