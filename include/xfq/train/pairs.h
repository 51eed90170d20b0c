// Training and running an encoder on sentence pairs: the masked-language loss (MLM)
// and, where the pairs are labelled, the loss of the sentence-pair head beside it
// (Devlin et al. 2019, section 3.1).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/corpus/pair_batches.h"
#include "xfq/models/encoder.h"
#include "xfq/train/loop.h"

namespace xfq::train {

class ModelCache;

/// Parameters that a training starts from instead of random ones.
struct EncoderStart {
  std::string key;  ///< training_key of what trained them
  const Vector<float>* parameters = nullptr;
  const models::Encoder* encoder = nullptr;
  bool classifier = true;  ///< false: a new classifier on the old pooler
};

struct PairTraining {
  models::EncoderConfig model;
  OptimizerConfig optimizer;
  std::int64_t batch_size = 32;
  std::uint64_t seed = 1;  ///< of the initial values, the labels and the batches
  corpus::PairTask task;
  corpus::Masking masking;
  double masked_weight = 1;           ///< of the MLM loss; 0: it is not computed
  double sentence_weight = 1;         ///< of the sentence loss; 0: the head is left alone
  std::vector<double> class_weights;  ///< of the sentence loss, by class; empty: all 1
  /// Tensors with the same name and shape are taken from here; nullptr: none.
  const EncoderStart* start = nullptr;
};

/// Mean losses over the tenths of a training, in order.
struct PairTrace {
  static constexpr std::size_t kPoints = 10;
  std::vector<double> masked, sentence;  ///< nats; 0 where a loss was not computed
};

struct TrainedEncoder {
  Vector<float> parameters;
  PairTrace trace;
  bool from_cache = false;
};

/// A hash of everything that shapes the trained parameters.
std::string training_key(const PairTraining& training, const corpus::PairData& data);

/// Trains, or loads the same model from the cache (nullptr: no cache).
TrainedEncoder train_encoder(const PairTraining& training, const models::Encoder& encoder,
                             const corpus::PairData& data, ModelCache* cache, Monitor& monitor,
                             const std::string& label);

/// What a batch of pairs looks like to the encoder. `labelled`: with labels.
models::PairBatch pair_batch(const corpus::PairRows& rows, bool labelled);

/// Runs the encoder over the pairs, unmasked, a batch at a time, and calls
/// visit(first, batch, workspace) with the index of the batch's first pair. The pair
/// head's logits are there, the MLM head's are not.
void for_each_pair_batch(const models::Encoder& encoder, const float* parameters,
                         const corpus::PairData& data, const corpus::PairSplit& split,
                         const std::vector<corpus::SentencePair>& pairs,
                         const std::function<void(std::size_t, const models::PairBatch&,
                                                  const models::EncoderWorkspace<float>&)>& visit);

/// The MLM loss over the pairs; words are hidden by corpus::mask_rows, so that every
/// model is asked for the same words.
nn::Loss evaluate_masked(const models::Encoder& encoder, const float* parameters,
                         const corpus::PairData& data, const corpus::PairSplit& split,
                         const std::vector<corpus::SentencePair>& pairs, std::uint64_t seed,
                         double mask_rate);

}  // namespace xfq::train
