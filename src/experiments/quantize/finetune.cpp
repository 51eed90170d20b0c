#include "finetune.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "recover.h"
#include "result.h"
#include "xfq/core/hash.h"
#include "xfq/models/checkpoint.h"
#include "xfq/quant/qat.h"
#include "xfq/train/language.h"

namespace xfq::experiments::quantize {

namespace {

constexpr std::int64_t kFp32 = 32;

/// Below the rate that the model was trained with, and down to a hundredth of it.
train::OptimizerConfig optimizer_of(const Options& options, const train::OptimizerConfig& trained) {
  train::OptimizerConfig config = trained;
  config.steps = options.finetune_steps;
  config.lr = 0.3 * options.lr;
  config.min_lr = 0.01 * options.lr;
  config.warmup = options.finetune_steps / 10;
  config.schedule = "cosine";
  return config;
}

/// Of everything that shapes the fine-tuned parameters.
std::string finetune_key(const Subject& subject, std::int64_t bits) {
  const Options& options = subject.options();
  const Vector<float>& parameters = subject.parameters();
  Hasher hash;
  // Raise the number when the same options fine-tune to other values.
  hash.add("finetune/1").add(bits).add(options.finetune_steps);
  hash.add(std::int64_t{options.quantize_head ? 1 : 0});
  if (bits != kFp32) hash.add(options.calibration_tokens);
  hash.add(train::training_key(
      options.training(subject.decoder().config(),
                       static_cast<std::int64_t>(subject.seed()) - options.seed),
      subject.data()));
  hash.add_bytes(parameters.data(), static_cast<std::size_t>(parameters.size()) * sizeof(float));
  return hash.hex();
}

Vector<float> train_further(const Subject& subject, std::int64_t bits) {
  const Options& options = subject.options();
  const models::Decoder& decoder = subject.decoder();
  const corpus::LanguageData& data = subject.data();
  const quant::Plan plan =
      bits == kFp32 ? quant::Plan(subject.sites().size()) : rtn_plan(subject, bits);
  quant::WeightRounder rounder(subject.sites(), plan, subject.parameters());
  quant::ActivationQuantizer activations(subject.sites(), plan, subject.observations());
  activations.train(true);

  const std::int64_t time = data.row_length();
  std::vector<std::int32_t> inputs(static_cast<std::size_t>(options.batch_size * time));
  std::vector<std::int32_t> targets(inputs.size());
  models::TokenBatch batch;
  batch.batch = options.batch_size;
  batch.time = time;
  batch.inputs = inputs.data();
  batch.targets = targets.data();
  auto workspace = decoder.make_workspace<float>(options.batch_size, time);
  const train::GradientFunction gradient = [&](std::int64_t step, const float* parameters,
                                               float* gradients) {
    // Batches go on where training stopped.
    data.sample_batch(subject.seed(), static_cast<std::uint64_t>(options.steps + step),
                      options.batch_size, inputs.data(), targets.data());
    activations.use_rows(targets.data());
    return decoder.forward_backward<float>(rounder.round(parameters), batch, workspace, gradients,
                                           0, &activations);
  };
  Vector<float> parameters = subject.parameters();
  const auto training = options.training(decoder.config(), 0);
  train::run_training(decoder.layout(), optimizer_of(options, training.optimizer), gradient,
                      parameters, subject.monitor(),
                      fmt::format("{}, {}", subject.label(),
                                  bits == kFp32 ? "fp32 control" : fmt::format("qat {}", bits)));
  return parameters;
}

}  // namespace

FinetuneRow finetune(const Subject& subject, std::int64_t bits, train::ModelCache* cache) {
  FinetuneRow row;
  row.bits = bits;
  Vector<float> parameters;
  const std::string key = cache ? finetune_key(subject, bits) : std::string();
  train::ModelCache::Lock lock;
  bool cached = false;
  if (cache) {
    lock = cache->lock(key);
    cached = cache
                 ->load(key,
                        [&](const models::TensorFile& file) {
                          parameters = models::to_decoder(file, cache->path(key)).parameters;
                        })
                 .has_value();
  }
  if (!cached) {
    parameters = train_further(subject, bits);
    row.trained = true;
    if (cache) cache->store(key, models::to_checkpoint(subject.decoder(), parameters));
  }
  if (bits == kFp32) {
    row.score = score_of(subject.compare(parameters));
  } else {
    row.score =
        subject.score(subject.version(parameters, rtn_plan(subject, bits), subject.observations()));
  }
  return row;
}

Table finetune_table(const std::vector<SeedResult>& seeds) {
  Table table{"finetune", {"bits", "seed", "nll", "delta_nll", "delta_nll_control"}, {}};
  for (const SeedResult& seed : seeds) {
    if (seed.finetune.empty()) continue;
    const double control = seed.finetune.front().score.nll;
    for (const FinetuneRow& row : seed.finetune) {
      table.rows.push_back(
          {row.bits, seed.number(), row.score.nll, row.score.delta_nll, row.score.nll - control});
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize
