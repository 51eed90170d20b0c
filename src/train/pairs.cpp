#include "xfq/train/pairs.h"

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
constexpr const char* kMaskedTrace = "masked_trace";
constexpr const char* kSentenceTrace = "sentence_trace";

std::vector<double> read_numbers(const models::TensorFile& file, const std::string& key) {
  std::vector<double> numbers;
  if (const std::string* text = file.find_metadata(key)) {
    const char* at = text->data();
    const char* const end = at + text->size();
    while (at < end) {
      double number = 0;
      const auto read = std::from_chars(at, end, number);
      if (read.ec != std::errc()) break;
      numbers.push_back(number);
      at = read.ptr + (read.ptr < end ? 1 : 0);
    }
  }
  if (numbers.size() != PairTrace::kPoints) {
    throw_input(fmt::format("model cache: an entry has no numbers '{}'", key));
  }
  return numbers;
}

void take_start(const EncoderStart& start, const nn::ParameterLayout& layout,
                Vector<float>& parameters) {
  for (const nn::ParameterInfo& tensor : layout.tensors()) {
    const nn::ParameterInfo* from = start.encoder->layout().find(tensor.name);
    if (!start.classifier && tensor.name.find("cls.seq_relationship") == 0) continue;
    if (from == nullptr || from->rows != tensor.rows || from->cols != tensor.cols) continue;
    parameters.segment(tensor.offset, tensor.size()) =
        start.parameters->segment(from->offset, from->size());
  }
}

}  // namespace

std::string training_key(const PairTraining& training, const corpus::PairData& data) {
  const models::EncoderConfig& m = training.model;
  const OptimizerConfig& o = training.optimizer;
  const corpus::PairTask& task = training.task;
  Hasher h;
  // Raise the number when the same configuration trains to other values.
  h.add("encoder/1");
  // Every float implementation gives the same bits but Eigen's gemm.
  h.add(kernels::selected() == "eigen" ? "eigen" : "exact");
  for (const Index size : {m.layers, m.dim, m.heads, m.context, m.vocab, m.segments, m.classes}) {
    h.add(static_cast<std::int64_t>(size));
  }
  h.add(m.init).add(m.embedding_init);
  h.add(o.steps).add(o.warmup).add(o.schedule);
  for (const double x : {o.lr, o.min_lr, o.weight_decay, o.beta1, o.beta2, o.epsilon, o.clip,
                         training.masking.rate, training.masking.masked, training.masking.random,
                         training.masked_weight, training.sentence_weight}) {
    h.add(x);
  }
  h.add(training.batch_size).add(static_cast<std::int64_t>(training.seed));
  h.add(static_cast<std::int64_t>(task.classes.size()));
  for (const corpus::Relation relation : task.classes) h.add(corpus::to_string(relation));
  for (const double share : task.shares) h.add(share);
  h.add(static_cast<std::int64_t>(task.match)).add(static_cast<std::int64_t>(task.resample));
  h.add(static_cast<std::int64_t>(training.class_weights.size()));
  for (const double weight : training.class_weights) h.add(weight);
  h.add(training.start ? training.start->key : std::string());
  h.add(static_cast<std::int64_t>(training.start && training.start->classifier));
  h.add(data.fingerprint());
  return h.hex();
}

models::PairBatch pair_batch(const corpus::PairRows& rows, bool labelled) {
  models::PairBatch batch;
  batch.batch = rows.batch;
  batch.time = rows.time;
  batch.inputs = rows.inputs.data();
  batch.segments = rows.segments.data();
  batch.lengths = rows.lengths.data();
  batch.masked = rows.masked;
  batch.masked_rows = rows.masked_rows.data();
  batch.masked_targets = rows.masked_targets.data();
  batch.labels = labelled ? rows.labels.data() : nullptr;
  return batch;
}

TrainedEncoder train_encoder(const PairTraining& training, const models::Encoder& encoder,
                             const corpus::PairData& data, ModelCache* cache, Monitor& monitor,
                             const std::string& label) {
  TrainedEncoder trained;
  const std::string key = cache ? training_key(training, data) : std::string();
  ModelCache::Lock lock;
  if (cache) {
    lock = cache->lock(key);
    const auto use = [&](const models::TensorFile& file) {
      trained.parameters = models::to_encoder(file, cache->path(key)).parameters;
      trained.trace = {read_numbers(file, kMaskedTrace), read_numbers(file, kSentenceTrace)};
    };
    if (cache->load(key, use)) {
      trained.from_cache = true;
      return trained;
    }
  }

  const corpus::PairSampler sampler(data, training.task, training.seed, training.masking);
  corpus::PairRows rows(training.batch_size, data.row_length());
  // With a mask rate m a row of T has at most max(1, m T) hidden words.
  auto workspace = encoder.make_workspace<float>(training.batch_size, data.row_length(),
                                                 training.batch_size * data.row_length());
  const bool labelled = training.sentence_weight > 0;
  std::vector<float> class_weights(training.class_weights.begin(), training.class_weights.end());
  std::vector<nn::Loss> masked(PairTrace::kPoints), sentence(PairTrace::kPoints);
  const auto points = static_cast<std::int64_t>(PairTrace::kPoints);
  const GradientFunction gradient = [&](std::int64_t step, const float* parameters,
                                        float* gradients) {
    sampler.fill(static_cast<std::uint64_t>(step), rows);
    if (training.masked_weight == 0) rows.masked = 0;
    const models::PairLoss loss = encoder.forward_backward(
        parameters, pair_batch(rows, labelled), workspace, gradients,
        static_cast<float>(training.masked_weight), static_cast<float>(training.sentence_weight),
        class_weights.empty() ? nullptr : class_weights.data());
    const auto point = static_cast<std::size_t>(step * points / training.optimizer.steps);
    masked[point] += loss.masked;
    sentence[point] += loss.sentence;
    return rows.masked > 0 ? loss.masked : loss.sentence;
  };
  nn::initialise(encoder.layout(), training.seed, trained.parameters);
  if (training.start) take_start(*training.start, encoder.layout(), trained.parameters);
  run_training(encoder.layout(), training.optimizer, gradient, trained.parameters, monitor, label);
  for (std::size_t p = 0; p < PairTrace::kPoints; ++p) {
    trained.trace.masked.push_back(masked[p].count > 0 ? masked[p].mean() : 0);
    trained.trace.sentence.push_back(sentence[p].count > 0 ? sentence[p].mean() : 0);
  }

  if (cache) {
    models::TensorFile file = models::to_checkpoint(encoder, trained.parameters);
    file.metadata.emplace_back(kMaskedTrace, to_text(trained.trace.masked));
    file.metadata.emplace_back(kSentenceTrace, to_text(trained.trace.sentence));
    cache->store(key, file);
  }
  return trained;
}

namespace {

/// Encodes pairs first .. of the list into the rows; the batch shrinks at the end.
void encode_rows(const corpus::PairData& data, const corpus::PairSplit& split,
                 const std::vector<corpus::SentencePair>& pairs, std::size_t first,
                 corpus::PairRows& rows) {
  rows.batch = static_cast<std::int64_t>(
      std::min(static_cast<std::size_t>(kEvaluationBatch), pairs.size() - first));
  rows.masked = 0;
  for (std::int64_t b = 0; b < rows.batch; ++b) {
    rows.lengths[static_cast<std::size_t>(b)] =
        data.encode(split, pairs[first + static_cast<std::size_t>(b)],
                    rows.inputs.data() + b * rows.time, rows.segments.data() + b * rows.time);
    // The head runs where labels are given; there is no class to learn here.
    rows.labels[static_cast<std::size_t>(b)] = -1;
  }
}

}  // namespace

void for_each_pair_batch(const models::Encoder& encoder, const float* parameters,
                         const corpus::PairData& data, const corpus::PairSplit& split,
                         const std::vector<corpus::SentencePair>& pairs,
                         const std::function<void(std::size_t, const models::PairBatch&,
                                                  const models::EncoderWorkspace<float>&)>& visit) {
  corpus::PairRows rows(kEvaluationBatch, data.row_length());
  auto workspace = encoder.make_workspace<float>(kEvaluationBatch, data.row_length(), 0);
  for (std::size_t first = 0; first < pairs.size(); first += kEvaluationBatch) {
    encode_rows(data, split, pairs, first, rows);
    const models::PairBatch batch = pair_batch(rows, true);
    encoder.forward(parameters, batch, workspace);
    visit(first, batch, workspace);
  }
}

nn::Loss evaluate_masked(const models::Encoder& encoder, const float* parameters,
                         const corpus::PairData& data, const corpus::PairSplit& split,
                         const std::vector<corpus::SentencePair>& pairs, std::uint64_t seed,
                         double mask_rate) {
  corpus::PairRows rows(kEvaluationBatch, data.row_length());
  auto workspace = encoder.make_workspace<float>(kEvaluationBatch, data.row_length(),
                                                 kEvaluationBatch * data.row_length());
  nn::Loss loss;
  for (std::size_t first = 0; first < pairs.size(); first += kEvaluationBatch) {
    encode_rows(data, split, pairs, first, rows);
    corpus::mask_rows(data, seed, first, mask_rate, rows);
    const models::PairBatch batch = pair_batch(rows, false);
    encoder.forward(parameters, batch, workspace);
    loss += encoder.loss(batch, workspace).masked;
  }
  return loss;
}

}  // namespace xfq::train
