#include "subject.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "../runs.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/nn/loss.h"

namespace xfq::experiments::quantize {

namespace {

using corpus::SplitName;

constexpr std::int64_t kBatch = 16;

/// Two passes over batches that `visit_all` walks through, the same each time.
template <class VisitAll>
std::vector<quant::Observation> observe_twice(quant::ActivationObserver& observer,
                                              const VisitAll& visit_all) {
  visit_all();
  observer.start_second_pass();
  visit_all();
  return observer.observations();
}

}  // namespace

std::int64_t rows_for(const corpus::LanguageSplit& split, std::int64_t tokens) {
  std::int64_t rows = 0, predictions = 0;
  for (const auto& row : split.rows) {
    if (tokens > 0 && predictions >= tokens) break;
    predictions += row.length;
    ++rows;
  }
  return rows;
}

Score score_of(const quant::LogitComparison& comparison) {
  return {comparison.quantized_nll(), comparison.delta_nll(), comparison.mean_kl(),
          comparison.same_top_share()};
}

std::optional<double> mean_sqnr_db(const quant::ActivationQuantizer& activations) {
  double sum = 0;
  std::int64_t count = 0;
  for (const quant::TensorReport& report : activations.reports()) {
    if (!report.sqnr_db) continue;
    sum += *report.sqnr_db;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / static_cast<double>(count);
}

Subject::Subject(const Options& options, const models::Decoder& decoder,
                 const corpus::LanguageData& data, Monitor& monitor, std::uint64_t seed,
                 Vector<float> parameters)
    : options_(&options),
      decoder_(&decoder),
      data_(&data),
      monitor_(&monitor),
      seed_(seed),
      parameters_(std::move(parameters)),
      sites_(decoder.linears()) {}

std::string Subject::label() const { return fmt::format("seed {}", seed_); }

void Subject::stop_if_asked() const { experiments::stop_if_asked(*monitor_, label()); }

models::DecoderWorkspace<float> Subject::workspace() const {
  return decoder_->make_workspace<float>(kBatch, data_->row_length());
}

void Subject::calibrate() {
  observations_ = observe(parameters_, options_->calibration_tokens);
  auto workspace = this->workspace();
  quant::MomentObserver observer(sites_);
  for_each_calibration_batch(options_->calibration_tokens, CalibrationText::training,
                             [&](const models::TokenBatch& batch) {
                               observer.use_rows(batch.targets);
                               decoder_->forward(parameters_.data(), batch, workspace,
                                                 static_cast<nn::Tap<float>*>(&observer));
                             });
  moments_ = observer.moments();
}

void Subject::prepare() {
  auto workspace = this->workspace();
  nn::Loss loss;
  train::for_each_batch(*data_, SplitName::validation,
                        rows_for(data_->split(SplitName::validation), options_->sweep_tokens),
                        kBatch, [&](const train::EvaluationBatch& batch) {
                          stop_if_asked();
                          decoder_->forward(parameters_.data(), batch.tokens, workspace);
                          const Index rows = batch.tokens.batch * batch.tokens.time;
                          logits_.push_back(workspace.logits.head(rows * decoder_->config().vocab));
                          loss += decoder_->loss(batch.tokens, workspace);
                        });
  nll_ = loss.mean();
}

void Subject::for_each_calibration_batch(
    std::int64_t tokens, CalibrationText text,
    const std::function<void(const models::TokenBatch&)>& visit) const {
  if (text == CalibrationText::training) {
    train::for_each_batch(*data_, SplitName::train,
                          rows_for(data_->split(SplitName::train), tokens), kBatch,
                          [&](const train::EvaluationBatch& batch) {
                            stop_if_asked();
                            visit(batch.tokens);
                          });
    return;
  }
  const std::int64_t time = data_->row_length();
  const std::int64_t rows = (tokens + time - 1) / time;
  Stream stream(seed_, "quantize/random_tokens");
  std::vector<std::int32_t> ids;
  for (std::int64_t first = 0; first < rows; first += kBatch) {
    stop_if_asked();
    models::TokenBatch batch;
    batch.batch = std::min(kBatch, rows - first);
    batch.time = time;
    ids.resize(static_cast<std::size_t>(batch.batch * time));
    const auto vocabulary = static_cast<std::uint64_t>(data_->vocabulary_size());
    for (auto& id : ids) id = static_cast<std::int32_t>(stream.below(vocabulary));
    batch.inputs = ids.data();
    batch.targets = ids.data();  // none is negative: every row counts
    visit(batch);
  }
}

std::vector<quant::Observation> Subject::observe(const Vector<float>& parameters,
                                                 std::int64_t tokens,
                                                 const std::vector<quant::InputTransform>& inputs,
                                                 CalibrationText text) const {
  auto workspace = this->workspace();
  quant::ActivationObserver observer(sites_, inputs);
  return observe_twice(observer, [&] {
    for_each_calibration_batch(tokens, text, [&](const models::TokenBatch& batch) {
      observer.use_rows(batch.targets);
      decoder_->forward(parameters.data(), batch, workspace, &observer);
    });
  });
}

Version Subject::version(const Vector<float>& parameters, const quant::Plan& plan,
                         const std::vector<quant::Observation>& observations,
                         const std::vector<quant::InputMoments>* moments) const {
  Version version;
  version.model = quant::quantize_weights(sites_, parameters, plan, moments);
  const bool activations = std::any_of(plan.begin(), plan.end(), [](const quant::SitePlan& site) {
    return site.activation.has_value();
  });
  if (activations) {
    version.activations = std::make_unique<quant::ActivationQuantizer>(sites_, plan, observations);
  }
  return version;
}

quant::LogitComparison Subject::compare(const Vector<float>& parameters,
                                        quant::ActivationQuantizer* activations,
                                        std::int64_t tokens) const {
  XFQ_ASSERT(!logits_.empty());
  const corpus::LanguageSplit& split = data_->split(SplitName::validation);
  const std::int64_t prepared = rows_for(split, options_->sweep_tokens);
  const std::int64_t rows = tokens > 0 ? std::min(prepared, rows_for(split, tokens)) : prepared;
  auto workspace = this->workspace();
  quant::LogitComparison comparison;
  std::size_t number = 0;
  train::for_each_batch(
      *data_, SplitName::validation, rows, kBatch, [&](const train::EvaluationBatch& batch) {
        stop_if_asked();
        if (activations) activations->use_rows(batch.tokens.targets);
        decoder_->forward(parameters.data(), batch.tokens, workspace,
                          static_cast<nn::Tap<float>*>(activations));
        comparison.add(batch.tokens.batch * batch.tokens.time, decoder_->config().vocab,
                       logits_[number++].data(), workspace.logits.data(), batch.tokens.targets);
      });
  return comparison;
}

Score Subject::score(const Version& version) const {
  return score_of(compare(version.model.parameters, version.activations.get()));
}

Score Subject::score(const quant::Plan& plan) const {
  return score(version(parameters_, plan, observations_));
}

}  // namespace xfq::experiments::quantize
