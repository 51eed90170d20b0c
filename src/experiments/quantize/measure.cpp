#include "measure.h"

#include <utility>

#include "xfq/quant/activations.h"
#include "xfq/quant/execution.h"
#include "xfq/quant/weights.h"
#include "xfq/train/language.h"

namespace xfq::experiments::quantize {

namespace {

constexpr std::int64_t kBatch = 32;

std::vector<std::optional<Score>> one_at_a_time(const Subject& subject, const quant::Plan& plan) {
  std::vector<std::optional<Score>> scores(plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (!plan[i].weight) continue;
    quant::Plan alone(plan.size());
    alone[i] = plan[i];
    scores[i] = subject.score(alone);
  }
  return scores;
}

}  // namespace

std::vector<ArmResult> measure_arms(const Subject& subject, const std::vector<Arm>& arms) {
  using corpus::SplitName;
  const Options& options = subject.options();
  const models::Decoder& decoder = subject.decoder();
  const corpus::LanguageData& data = subject.data();
  const quant::Execution execution = quant::parse_execution(options.execute);

  std::vector<quant::Plan> plans;
  std::vector<Version> versions;
  for (const Arm& arm : arms) {
    plans.push_back(plan_of(decoder, arm.setting, options));
    versions.push_back(subject.version(subject.parameters(), plans.back(), subject.observations()));
    if (!versions.back().activations) continue;
    versions.back().activations->measure(true);
    versions.back().activations->execute(versions.back().model, execution);
  }

  std::vector<ArmResult> results(arms.size());
  auto workspace = decoder.make_workspace<float>(kBatch, data.row_length());
  const Index vocab = decoder.config().vocab;
  Vector<float> original(workspace.logits.size());
  train::for_each_batch(data, SplitName::validation,
                        rows_for(data.split(SplitName::validation), options.evaluation_tokens),
                        kBatch, [&](const train::EvaluationBatch& batch) {
                          subject.stop_if_asked();
                          decoder.forward(subject.parameters().data(), batch.tokens, workspace);
                          const Index rows = batch.tokens.batch * batch.tokens.time;
                          original.head(rows * vocab) = workspace.logits.head(rows * vocab);
                          for (std::size_t a = 0; a < arms.size(); ++a) {
                            quant::ActivationQuantizer* const tap = versions[a].activations.get();
                            if (tap) tap->use_rows(batch.tokens.targets);
                            decoder.forward(versions[a].model.parameters.data(), batch.tokens,
                                            workspace, static_cast<nn::Tap<float>*>(tap));
                            results[a].quality.add(rows, vocab, original.data(),
                                                   workspace.logits.data(), batch.tokens.targets);
                          }
                        });
  for (std::size_t a = 0; a < arms.size(); ++a) {
    results[a].weights = std::move(versions[a].model.tensors);
    if (versions[a].activations) results[a].activations = versions[a].activations->reports();
    if (options.per_layer) results[a].per_layer = one_at_a_time(subject, plans[a]);
  }
  return results;
}

}  // namespace xfq::experiments::quantize
