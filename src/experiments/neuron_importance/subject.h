// What is examined: one kind of model, how it is trained, and its text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "options.h"
#include "xfq/core/monitor.h"
#include "xfq/corpus/language.h"
#include "xfq/importance/network.h"
#include "xfq/train/model_cache.h"

namespace xfq::experiments::neuron_importance {

enum class TextPart { training, validation };

struct TrainedModel {
  Vector<float> parameters;
  bool from_cache = false;
};

using BatchSource = std::function<importance::Batch(std::int64_t step)>;

class Subject {
 public:
  virtual ~Subject() = default;

  virtual const importance::Network& network() const = 0;
  virtual const corpus::Tokenizer& tokenizer() const = 0;
  virtual const DataSource& source() const = 0;
  /// None where the language's entropy is not the bound of the loss.
  virtual std::optional<double> entropy_floor() const = 0;

  /// Trains run `index`, or takes it from the cache.
  virtual TrainedModel train(const Options& options, std::int64_t index, train::ModelCache* cache,
                             Monitor& monitor, const std::string& label) const = 0;
  /// Tokens of one training, and operations per token.
  virtual std::int64_t training_tokens(const Options& options) const = 0;
  virtual double flops_per_token() const = 0;

  /// The batches of a training with this seed, by step.
  virtual BatchSource training_batches(std::uint64_t seed) const = 0;
  /// Rows drawn without replacement until they hold `tokens` tokens, or all rows; sequences of
  /// like length share a batch, so that little of it is padding. Draws from
  /// Stream(seed, "importance/" + purpose). Throws ErrorKind::input below two rows.
  virtual std::vector<importance::Batch> text(TextPart text, std::int64_t tokens,
                                              std::uint64_t seed,
                                              const std::string& purpose) const = 0;
};

/// Loads the data. Throws ErrorKind::usage or ErrorKind::input.
std::unique_ptr<Subject> make_subject(const Options& options);

}  // namespace xfq::experiments::neuron_importance
