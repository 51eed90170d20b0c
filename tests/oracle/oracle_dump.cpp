// Runs small models and writes everything that PyTorch is to recompute: parameters
// before and after 10 AdamW steps, batches, logits, losses, gradients.
//
//   oracle_dump FOLDER
//
// Per case: <case>.model, <case>.gradients and <case>.trained in Hugging Face's
// names and layouts, and <case>.run with batches, logits and losses, whose metadata
// holds the optimiser's settings. check_torch.py reads them.
#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/core/value.h"
#include "xfq/models/checkpoint.h"
#include "xfq/train/optimizer.h"

namespace {

using namespace xfq;
using models::Tensor;
using models::TensorFile;

constexpr std::int64_t kSteps = 10;
constexpr std::uint64_t kSeed = 3;
constexpr Index kBatch = 5;
constexpr Index kTime = 11;
constexpr Index kVocab = 53;

struct Case {
  std::string name;
  bool encoder = false;
  bool bias = true;       ///< decoder
  bool lengths = true;    ///< padded rows
  bool sentence = true;   ///< encoder: the sentence-pair head
  double epsilon = 1e-3;  ///< AdamW's
  std::string schedule = "cosine";
};

// With the usual epsilon of 1e-8 an element whose true gradient is 0 (the keys'
// biases: they shift all scores of a query alike) moves by a full step in the
// direction of its rounding error. 1e-3 makes the update a Lipschitz function of
// the gradient, with a bound that can be derived; the last cases keep 1e-8.
const std::vector<Case> kCases = {
    {"decoder", false, true, true, false, 1e-3, "cosine"},
    {"decoder_plain", false, false, false, false, 1e-3, "linear"},
    {"encoder", true, true, true, true, 1e-3, "wsd"},
    {"encoder_masked", true, true, false, false, 1e-3, "constant"},
    {"decoder_usual", false, true, true, false, 1e-8, "cosine"},
    {"encoder_usual", true, true, true, true, 1e-8, "cosine"},
};

/// Drawn values, widened so that no part of a model is close to linear, with
/// biases and normalisation weights away from 0 and 1.
Vector<float> draw_parameters(const nn::ParameterLayout& layout) {
  Vector<float> parameters;
  nn::initialise(layout, kSeed, parameters);
  for (const nn::ParameterInfo& tensor : layout.tensors()) {
    if (!tensor.vector) continue;
    Stream stream(kSeed, "oracle/" + tensor.name);
    for (Index i = 0; i < tensor.size(); ++i) {
      parameters[tensor.offset + i] += static_cast<float>(0.2 * stream.normal());
    }
  }
  return parameters;
}

std::vector<std::int32_t> draw(const char* purpose, std::int64_t step, Index count, Index below) {
  Stream stream(kSeed, purpose, static_cast<std::uint64_t>(step));
  std::vector<std::int32_t> values(static_cast<std::size_t>(count));
  for (auto& value : values) {
    value = static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(below)));
  }
  return values;
}

template <class T>
void add(TensorFile& file, const std::string& name, std::vector<Index> shape, const T* values,
         std::size_t count) {
  std::vector<float> floats(count);
  for (std::size_t i = 0; i < count; ++i) floats[i] = static_cast<float>(values[i]);
  file.tensors.push_back({name, std::move(shape), std::move(floats)});
}

void add(TensorFile& file, const std::string& name, std::vector<Index> shape,
         const std::vector<std::int32_t>& values) {
  add(file, name, std::move(shape), values.data(), values.size());
}

std::string step_name(const char* name, std::int64_t step) {
  return fmt::format("{}.{}", name, step);
}

train::OptimizerConfig optimizer_config(const Case& c) {
  train::OptimizerConfig config;
  config.steps = kSteps;
  config.lr = 1e-2;
  config.min_lr = 1e-3;
  config.warmup = 3;
  config.schedule = c.schedule;
  config.weight_decay = 0.1;
  config.beta1 = 0.9;
  config.beta2 = 0.99;
  config.epsilon = c.epsilon;
  config.clip = 0.5;
  return config;
}

void describe(const train::OptimizerConfig& o, TensorFile& file) {
  file.metadata.insert(file.metadata.end(), {{"steps", to_text(o.steps)},
                                             {"lr", to_text(o.lr)},
                                             {"min_lr", to_text(o.min_lr)},
                                             {"warmup", to_text(o.warmup)},
                                             {"schedule", o.schedule},
                                             {"weight_decay", to_text(o.weight_decay)},
                                             {"beta1", to_text(o.beta1)},
                                             {"beta2", to_text(o.beta2)},
                                             {"epsilon", to_text(o.epsilon)},
                                             {"clip", to_text(o.clip)}});
}

/// Trains for kSteps steps. gradient(step, parameters, gradients) adds the gradient
/// of batch `step` and returns the losses to record; the first one is written.
template <class Model, class Gradient>
void run(const Case& c, const Model& model, const std::string& stem, TensorFile& record,
         Gradient gradient) {
  Vector<float> parameters = draw_parameters(model.layout());
  models::save_checkpoint(stem + ".model", model, parameters, "oracle");
  const train::OptimizerConfig config = optimizer_config(c);
  describe(config, record);
  train::Optimizer optimizer(model.layout(), config);
  Vector<float> gradients = nn::make_parameters<float>(model.layout());
  std::vector<double> losses, norms;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    gradients.setZero();
    for (const double loss : gradient(step, parameters.data(), gradients.data())) {
      losses.push_back(loss);
    }
    if (step == 0) models::save_checkpoint(stem + ".gradients", model, gradients, "oracle");
    norms.push_back(optimizer.step(step, parameters, gradients));
  }
  const Index per_step = static_cast<Index>(losses.size()) / kSteps;
  add(record, "losses", {kSteps, per_step}, losses.data(), losses.size());
  add(record, "norms", {kSteps}, norms.data(), norms.size());
  models::save_checkpoint(stem + ".trained", model, parameters, "oracle");
  models::write_safetensors(stem + ".run", record, "oracle");
}

/// Valid tokens per row, from all of them down to 1.
std::vector<std::int32_t> row_lengths() { return {11, 7, 1, 10, 3}; }

void run_decoder(const Case& c, const std::string& stem) {
  models::DecoderConfig config;
  config.layers = 2;
  config.dim = 32;
  config.heads = 4;
  config.context = kTime + 2;
  config.vocab = kVocab;
  config.bias = c.bias;
  config.init = 0.2;
  config.embedding_init = 0.3;
  const models::Decoder decoder(config);
  auto workspace = decoder.make_workspace<float>(kBatch, kTime);
  TensorFile record;
  const std::vector<std::int32_t> lengths = row_lengths();
  if (c.lengths) add(record, "lengths", {kBatch}, lengths);

  run(c, decoder, stem, record, [&](std::int64_t step, const float* parameters, float* gradients) {
    const auto inputs = draw("inputs", step, kBatch * kTime, kVocab);
    auto targets = draw("targets", step, kBatch * kTime, kVocab);
    for (Index r = 0; r < kBatch * kTime; ++r) {
      const bool padding = c.lengths && r % kTime >= lengths[static_cast<std::size_t>(r / kTime)];
      if (padding || r % 13 == 5) targets[static_cast<std::size_t>(r)] = -1;
    }
    add(record, step_name("inputs", step), {kBatch, kTime}, inputs);
    add(record, step_name("targets", step), {kBatch, kTime}, targets);
    models::TokenBatch batch;
    batch.batch = kBatch;
    batch.time = kTime;
    batch.inputs = inputs.data();
    batch.targets = targets.data();
    if (c.lengths) batch.lengths = lengths.data();
    if (step == 0) {
      decoder.forward(parameters, batch, workspace);
      add(record, "logits", {kBatch * kTime, kVocab}, workspace.logits.data(),
          static_cast<std::size_t>(workspace.logits.size()));
    }
    const nn::Loss loss = decoder.forward_backward(parameters, batch, workspace, gradients);
    return std::vector<double>{loss.mean()};
  });
}

void run_encoder(const Case& c, const std::string& stem) {
  constexpr Index kMasked = 9;
  constexpr Index kClasses = 3;
  const float masked_weight = 1.25f;
  const float sentence_weight = 0.75f;
  const std::vector<float> class_weights = {0.5f, 1, 2};
  models::EncoderConfig config;
  config.layers = 2;
  config.dim = 32;
  config.heads = 4;
  config.context = kTime + 2;
  config.vocab = kVocab;
  config.classes = kClasses;
  config.init = 0.2;
  config.embedding_init = 0.3;
  const models::Encoder encoder(config);
  auto workspace = encoder.make_workspace<float>(kBatch, kTime, kMasked);
  TensorFile record;
  const std::vector<std::int32_t> lengths = row_lengths();
  if (c.lengths) add(record, "lengths", {kBatch}, lengths);
  add(record, "class_weights", {kClasses}, class_weights.data(), class_weights.size());
  record.metadata = {{"masked_weight", to_text(static_cast<double>(masked_weight))},
                     {"sentence_weight", to_text(static_cast<double>(sentence_weight))}};

  run(c, encoder, stem, record, [&](std::int64_t step, const float* parameters, float* gradients) {
    const auto inputs = draw("inputs", step, kBatch * kTime, kVocab);
    const auto segments = draw("segments", step, kBatch * kTime, config.segments);
    // Drawn with repetition and also from padding: the model must not care.
    const auto masked_rows = draw("masked_rows", step, kMasked, kBatch * kTime);
    const auto masked_targets = draw("masked_targets", step, kMasked, kVocab);
    auto labels = draw("labels", step, kBatch, kClasses);
    labels[1] = -1;  // a pair without a label
    add(record, step_name("inputs", step), {kBatch, kTime}, inputs);
    add(record, step_name("segments", step), {kBatch, kTime}, segments);
    add(record, step_name("masked_rows", step), {kMasked}, masked_rows);
    add(record, step_name("masked_targets", step), {kMasked}, masked_targets);
    if (c.sentence) add(record, step_name("labels", step), {kBatch}, labels);
    models::PairBatch batch;
    batch.batch = kBatch;
    batch.time = kTime;
    batch.inputs = inputs.data();
    batch.segments = segments.data();
    if (c.lengths) batch.lengths = lengths.data();
    batch.masked = kMasked;
    batch.masked_rows = masked_rows.data();
    batch.masked_targets = masked_targets.data();
    if (c.sentence) batch.labels = labels.data();
    if (step == 0) {
      encoder.forward(parameters, batch, workspace);
      add(record, "logits", {kMasked, kVocab}, workspace.logits.data(),
          static_cast<std::size_t>(workspace.logits.size()));
      add(record, "hidden", {kBatch * kTime, config.dim}, workspace.residual.back().data(),
          static_cast<std::size_t>(workspace.residual.back().size()));
      if (c.sentence) {
        add(record, "pair_logits", {kBatch, kClasses}, workspace.pair_logits.data(),
            static_cast<std::size_t>(workspace.pair_logits.size()));
      }
    }
    const models::PairLoss loss =
        encoder.forward_backward(parameters, batch, workspace, gradients, masked_weight,
                                 sentence_weight, class_weights.data());
    std::vector<double> losses = {loss.masked.mean()};
    if (c.sentence) losses.push_back(loss.sentence.mean());
    return losses;
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    fmt::print(stderr, "usage: oracle_dump FOLDER\n");
    return 2;
  }
  try {
    for (const Case& c : kCases) {
      const std::string stem = fmt::format("{}/{}", arguments[1], c.name);
      c.encoder ? run_encoder(c, stem) : run_decoder(c, stem);
    }
  } catch (const xfq::Error& error) {
    fmt::print(stderr, "oracle_dump: {}\n", error.what());
    return 1;
  }
  return 0;
}
