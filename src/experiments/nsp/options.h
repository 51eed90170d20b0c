// Options of `xfq nsp`, and the arms that they ask for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/corpus/pair_batches.h"
#include "xfq/experiments/common_options.h"
#include "xfq/experiments/experiment.h"
#include "xfq/train/pairs.h"

namespace xfq::experiments::nsp {

struct Options : CommonOptions {
  Options();

  std::vector<std::string> objective = {"none", "nsp", "sop"};
  std::vector<std::string> input_format = {"pair", "contiguous"};
  std::vector<std::string> negatives = {"other-document"};
  std::vector<double> negative_share = {0.5, 0.9};
  std::vector<std::string> remedy = {"none", "threshold"};
  std::vector<double> loss_weight = {2};
  std::vector<std::string> match = {"opening"};
  std::string contrast = "any";
  std::string order = "chain";
  std::int64_t topics = 6;
  std::string shifted_corpus = "auto";
  std::int64_t segment_sentences = 1;
  std::int64_t mlm_steps = 600;
  double mlm_lr = 3e-3;
  double mask_rate = 0.15;
  std::vector<double> mask_split = {0.4, 0.3, 0.3};
  std::vector<std::string> probe = {"frozen"};
  std::int64_t probe_pairs = 1000;
  std::int64_t finetune_steps = 100;
  std::int64_t evaluation_pairs = 1000;
  std::int64_t bag_steps = 1500;

  void describe(OptionTable& table);
  void apply(Profile profile);
  void check() const;

  bool has_objective(const std::string& name) const;
  bool has_remedy(const std::string& name) const;
  corpus::PairOptions pair_options() const;
  /// The scripted stories of the contrast design.
  corpus::PairOptions contrast_options() const;
  models::EncoderConfig encoder_config(const corpus::PairData& data, std::int64_t classes) const;
};

/// One way to pre-train: what the options mean together.
struct Arm {
  std::string id;         ///< "none.contiguous", "nsp", "nsp.share0.9"; prefix of its metrics
  std::string objective;  ///< none, nsp, sop, three-way, distance
  std::string input_format;
  double loss_weight = 1;  ///< 0 for none
  double negative_share = 0.5;
  std::string remedy = "none";
  bool contrast = false;  ///< on the contrast design's stories, without the shared MLM steps
  corpus::PairTask task;
  std::vector<double> class_weights;

  bool has_head() const { return loss_weight > 0; }
};

/// The base arm of every objective, then the arms that differ from it in one thing.
std::vector<Arm> arms(const Options& options);

/// The training that all arms of a run share: MLM on text that runs on.
train::PairTraining mlm_training(const Options& options, const corpus::PairData& data,
                                 std::int64_t index);
/// The training of an arm, seed included; `start` is the caller's.
train::PairTraining arm_training(const Options& options, const Arm& arm,
                                 const corpus::PairData& data, std::int64_t index);

}  // namespace xfq::experiments::nsp
