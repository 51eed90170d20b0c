// The options that experiments share; same words everywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "xfq/core/monitor.h"
#include "xfq/core/options.h"
#include "xfq/core/record.h"
#include "xfq/corpus/language.h"
#include "xfq/models/decoder.h"
#include "xfq/train/language.h"
#include "xfq/train/model_cache.h"

namespace xfq::experiments {

struct CommonOptions {
  // Run. What does not shape the result is marked `runtime` in the table.
  std::int64_t seed = 1;
  std::int64_t seeds = 3;
  std::int64_t threads = 0;
  std::string kernel = "auto";
  bool cache = true;
  std::string cache_folder;

  // Data.
  std::string corpus = "stories";
  std::string tokenizer = "auto";
  std::string sequence = "auto";
  std::int64_t documents = 4000;
  double validation_share = 0.1;

  // Model.
  std::int64_t layers = 2;
  std::int64_t dim = 64;
  std::int64_t heads = 4;
  std::int64_t context = 64;
  std::int64_t vocab = 4000;
  bool bias = true;
  double init = 0.08;  ///< at widths of 64 to 128 a smaller one delays learning (src/README.md)
  double embedding_init = 0.1;

  // Training.
  std::int64_t steps = 600;
  std::int64_t batch_size = 32;
  double lr = 3e-3;
  double min_lr = 3e-4;
  std::int64_t warmup = 50;
  std::string schedule = "cosine";
  double weight_decay = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double clip = 1.0;

  void describe_run(OptionTable& table);
  void describe_data(OptionTable& table);
  void describe_model(OptionTable& table);
  void describe_training(OptionTable& table);

  /// What no single option can see; throws ErrorKind::usage.
  void check() const;

  corpus::LanguageOptions language_options() const;
  /// The decoder that the options ask for on this data.
  models::DecoderConfig decoder_config(const corpus::LanguageData& data) const;
  /// Run `index` of `seeds`: seed + index names its initial values and batches.
  train::LanguageTraining training(const models::DecoderConfig& model, std::int64_t index) const;
  /// The arithmetic that was used: `kernel`, and under --kernel check
  /// `kernel_check`, the worst difference of every function from `reference`.
  static void note_kernel(Record& record);
  /// Opens the cache of trained models, or returns nullptr for --no-cache.
  std::unique_ptr<train::ModelCache> open_cache(Monitor& monitor) const;
};

}  // namespace xfq::experiments
