#include "xfq/train/language.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "xfq/core/error.h"
#include "xfq/core/hash.h"
#include "xfq/core/value.h"
#include "xfq/kernels/kernels.h"
#include "xfq/models/checkpoint.h"
#include "xfq/train/model_cache.h"

namespace xfq::train {

namespace {

constexpr std::int64_t kEvaluationBatch = 32;

// What a cache entry keeps beside the parameters.
constexpr const char* kFirstLoss = "first_loss";
constexpr const char* kLastLoss = "last_loss";

double read_number(const models::TensorFile& file, const std::string& key) {
  for (const auto& [name, text] : file.metadata) {
    double number = 0;
    const char* end = text.data() + text.size();
    if (name != key) continue;
    if (std::from_chars(text.data(), end, number).ptr == end && !text.empty()) return number;
  }
  throw_input(fmt::format("model cache: an entry has no number '{}'", key));
}

/// Inputs and targets of one batch, and the shape that the model sees.
struct BatchBuffer {
  std::vector<std::int32_t> inputs, targets;
  models::TokenBatch tokens;

  BatchBuffer(std::int64_t batch, std::int64_t time)
      : inputs(static_cast<std::size_t>(batch * time)),
        targets(static_cast<std::size_t>(batch * time)) {
    tokens.batch = batch;
    tokens.time = time;
    tokens.inputs = inputs.data();
    tokens.targets = targets.data();
  }
};

}  // namespace

std::string training_key(const LanguageTraining& training, const corpus::LanguageData& data) {
  const models::DecoderConfig& m = training.model;
  const OptimizerConfig& o = training.optimizer;
  Hasher h;
  // Raise the number when the same configuration trains to other values.
  h.add("decoder/1");
  // Every float implementation gives the same bits but Eigen's gemm.
  h.add(kernels::selected() == "eigen" ? "eigen" : "exact");
  for (const Index size : {m.layers, m.dim, m.heads, m.context, m.vocab, Index(m.bias)}) {
    h.add(static_cast<std::int64_t>(size));
  }
  h.add(m.init).add(m.embedding_init);
  h.add(o.steps).add(o.warmup).add(o.schedule);
  if (o.kind != "adamw") h.add(o.kind).add(o.momentum);
  for (const double x : {o.lr, o.min_lr, o.weight_decay, o.beta1, o.beta2, o.epsilon, o.clip}) {
    h.add(x);
  }
  h.add(training.batch_size).add(static_cast<std::int64_t>(training.seed));
  h.add(data.sequence()).add(data.row_length());
  const corpus::LanguageSplit& split = data.split(corpus::SplitName::train);
  h.add_bytes(split.tokens.data(), split.tokens.size() * sizeof(std::int32_t));
  for (const auto& row : split.rows) {
    h.add(static_cast<std::int64_t>(row.begin)).add(static_cast<std::int64_t>(row.length));
  }
  return h.hex();
}

TrainedDecoder train_decoder(const LanguageTraining& training, const models::Decoder& decoder,
                             const corpus::LanguageData& data, ModelCache* cache, Monitor& monitor,
                             const std::string& label) {
  TrainedDecoder trained;
  const std::string key = cache ? training_key(training, data) : std::string();
  ModelCache::Lock lock;
  if (cache) {
    lock = cache->lock(key);
    const auto use = [&](const models::TensorFile& file) {
      trained.parameters = models::to_decoder(file, cache->path(key)).parameters;
      trained.summary.first_loss = read_number(file, kFirstLoss);
      trained.summary.last_loss = read_number(file, kLastLoss);
    };
    if (cache->load(key, use)) {
      trained.from_cache = true;
      return trained;
    }
  }

  const std::int64_t time = data.row_length();
  BatchBuffer buffer(training.batch_size, time);
  auto workspace = decoder.make_workspace<float>(training.batch_size, time);
  const GradientFunction gradient = [&](std::int64_t step, const float* parameters,
                                        float* gradients) {
    data.sample_batch(training.seed, static_cast<std::uint64_t>(step), training.batch_size,
                      buffer.inputs.data(), buffer.targets.data());
    return decoder.forward_backward(parameters, buffer.tokens, workspace, gradients);
  };
  nn::initialise(decoder.layout(), training.seed, trained.parameters);
  trained.summary = run_training(decoder.layout(), training.optimizer, gradient, trained.parameters,
                                 monitor, label);

  if (cache) {
    models::TensorFile file = models::to_checkpoint(decoder, trained.parameters);
    file.metadata.emplace_back(kFirstLoss, to_text(trained.summary.first_loss));
    file.metadata.emplace_back(kLastLoss, to_text(trained.summary.last_loss));
    cache->store(key, file);
  }
  return trained;
}

void for_each_batch(const corpus::LanguageData& data, corpus::SplitName split, std::int64_t rows,
                    std::int64_t batch_size,
                    const std::function<void(const EvaluationBatch&)>& visit) {
  const std::int64_t available = data.evaluation_rows(split);
  const std::int64_t total = rows > 0 ? std::min(rows, available) : available;
  const std::int64_t time = data.row_length();
  BatchBuffer buffer(std::min(batch_size, total), time);
  for (std::int64_t first = 0; first < total; first += batch_size) {
    const std::int64_t count = std::min(batch_size, total - first);
    EvaluationBatch batch;
    batch.first_row = first;
    batch.tokens = buffer.tokens;
    batch.tokens.batch = count;
    data.evaluation_batch(split, first, count, buffer.inputs.data(), buffer.targets.data());
    visit(batch);
  }
}

nn::Loss evaluate_decoder(const models::Decoder& decoder, const float* parameters,
                          const corpus::LanguageData& data, corpus::SplitName split,
                          std::int64_t rows, nn::Tap<float>* tap) {
  auto workspace = decoder.make_workspace<float>(kEvaluationBatch, data.row_length());
  nn::Loss loss;
  for_each_batch(data, split, rows, kEvaluationBatch, [&](const EvaluationBatch& batch) {
    decoder.forward(parameters, batch.tokens, workspace, tap);
    loss += decoder.loss(batch.tokens, workspace);
  });
  return loss;
}

}  // namespace xfq::train
