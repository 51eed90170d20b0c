// Training and evaluating a decoder on language data.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/corpus/language.h"
#include "xfq/models/decoder.h"
#include "xfq/train/loop.h"

namespace xfq::train {

class ModelCache;

struct LanguageTraining {
  models::DecoderConfig model;
  OptimizerConfig optimizer;
  std::int64_t batch_size = 32;
  std::uint64_t seed = 1;  ///< of the initial values and of the batches
};

struct TrainedDecoder {
  Vector<float> parameters;
  TrainingSummary summary;
  bool from_cache = false;
};

/// Trains, or loads the same model from the cache (nullptr: no cache).
TrainedDecoder train_decoder(const LanguageTraining& training, const models::Decoder& decoder,
                             const corpus::LanguageData& data, ModelCache* cache, Monitor& monitor,
                             const std::string& label);

/// A hash of everything that shapes the trained parameters: the configuration,
/// the training tokens, the seed and the build's arithmetic.
std::string training_key(const LanguageTraining& training, const corpus::LanguageData& data);

/// One batch of evaluation rows, in order.
struct EvaluationBatch {
  models::TokenBatch tokens;
  std::int64_t first_row = 0;
};

/// Calls visit for the first `rows` rows of a split (0: all), `batch_size` at a
/// time; rows beyond the last are padding without targets.
void for_each_batch(const corpus::LanguageData& data, corpus::SplitName split, std::int64_t rows,
                    std::int64_t batch_size,
                    const std::function<void(const EvaluationBatch&)>& visit);

/// The loss over the first `rows` rows of a split (0: all).
nn::Loss evaluate_decoder(const models::Decoder& decoder, const float* parameters,
                          const corpus::LanguageData& data, corpus::SplitName split,
                          std::int64_t rows, nn::Tap<float>* tap = nullptr);

}  // namespace xfq::train
