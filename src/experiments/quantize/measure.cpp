#include "measure.h"

#include <memory>

#include "xfq/core/error.h"
#include "xfq/quant/activations.h"
#include "xfq/quant/weights.h"
#include "xfq/train/language.h"

namespace xfq::experiments::quantize {

namespace {

constexpr std::int64_t kBatch = 32;

/// Rows of the split that hold the first `tokens` predictions (0: all rows).
std::int64_t rows_for(const corpus::LanguageSplit& split, std::int64_t tokens) {
  std::int64_t rows = 0, predictions = 0;
  for (const auto& row : split.rows) {
    if (tokens > 0 && predictions >= tokens) break;
    predictions += row.length;
    ++rows;
  }
  return rows;
}

void stop_if_asked(const Monitor& monitor, const std::string& label) {
  if (monitor.stop_requested()) throw Error(ErrorKind::interrupted, label + ": stopped");
}

}  // namespace

SeedResult measure(const Options& options, const models::Decoder& decoder,
                   const Vector<float>& parameters, const corpus::LanguageData& data,
                   const std::vector<Arm>& arms, const std::vector<quant::Plan>& plans,
                   Monitor& monitor, const std::string& label) {
  using corpus::SplitName;
  const auto sites = decoder.linears();
  auto workspace = decoder.make_workspace<float>(kBatch, data.row_length());

  // Ranges of activations come from training text; validation text is only scored.
  quant::ActivationObserver observer(sites);
  const std::int64_t calibration_rows =
      rows_for(data.split(SplitName::train), options.calibration_tokens);
  const auto observe = [&] {
    train::for_each_batch(data, SplitName::train, calibration_rows, kBatch, [&](const auto& batch) {
      stop_if_asked(monitor, label);
      observer.use_rows(batch.tokens.targets);
      decoder.forward(parameters.data(), batch.tokens, workspace, &observer);
    });
  };
  observe();
  observer.start_second_pass();
  observe();

  struct Prepared {
    quant::QuantizedModel model;
    std::unique_ptr<quant::ActivationQuantizer> activations;
  };
  std::vector<Prepared> prepared(arms.size());
  SeedResult result;
  result.arms.resize(arms.size());
  for (std::size_t a = 0; a < arms.size(); ++a) {
    prepared[a].model = quant::quantize_weights(decoder, parameters, plans[a]);
    if (!arms[a].setting.activation) continue;
    prepared[a].activations =
        std::make_unique<quant::ActivationQuantizer>(sites, plans[a], observer.observations());
    prepared[a].activations->measure(true);
  }

  Vector<float> original(workspace.logits.size());
  train::for_each_batch(data, SplitName::validation,
                        rows_for(data.split(SplitName::validation), options.evaluation_tokens),
                        kBatch, [&](const auto& batch) {
                          stop_if_asked(monitor, label);
                          decoder.forward(parameters.data(), batch.tokens, workspace);
                          const Index rows = batch.tokens.batch * batch.tokens.time;
                          const Index vocab = decoder.config().vocab;
                          original.head(rows * vocab) = workspace.logits.head(rows * vocab);
                          for (std::size_t a = 0; a < arms.size(); ++a) {
                            quant::ActivationQuantizer* const tap = prepared[a].activations.get();
                            if (tap) tap->use_rows(batch.tokens.targets);
                            decoder.forward(prepared[a].model.parameters.data(), batch.tokens,
                                            workspace, static_cast<nn::Tap<float>*>(tap));
                            result.arms[a].quality.add(rows, vocab, original.data(),
                                                       workspace.logits.data(),
                                                       batch.tokens.targets);
                          }
                        });
  for (std::size_t a = 0; a < arms.size(); ++a) {
    result.arms[a].weights = std::move(prepared[a].model.tensors);
    if (prepared[a].activations) result.arms[a].activations = prepared[a].activations->reports();
  }
  return result;
}

}  // namespace xfq::experiments::quantize
