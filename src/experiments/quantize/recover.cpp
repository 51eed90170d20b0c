#include "recover.h"

#include <functional>
#include <utility>

#include "arms.h"
#include "mixed.h"
#include "result.h"
#include "xfq/quant/bias_correction.h"
#include "xfq/quant/outliers.h"
#include "xfq/quant/sensitivity.h"
#include "xfq/quant/smoothing.h"

namespace xfq::experiments::quantize {

namespace {

/// Tokens that products are ranked on.
constexpr std::int64_t kRankingTokens = 512;

quant::Plan plan(const Subject& subject, std::int64_t bits, const std::string& granularity) {
  const auto format = quant::NumberFormat::integer(static_cast<int>(bits));
  return plan_of(subject.decoder(), site_plan(format, granularity, "mse"), subject.options());
}

/// The reference with another input than the observed one: its ranges are found anew.
Version transformed(const Subject& subject, quant::Plan plan,
                    const std::function<void(quant::InputTransform&, std::size_t)>& set) {
  for (std::size_t i = 0; i < plan.size(); ++i) {
    if (plan[i].activation) set(plan[i].input, i);
  }
  return subject.version(subject.parameters(), plan,
                         subject.observe(subject.parameters(), subject.options().calibration_tokens,
                                         quant::input_transforms(plan)));
}

Version smoothed(const Subject& subject, const quant::Plan& plan) {
  const Vector<float> parameters =
      quant::smooth(subject.decoder(), subject.parameters(), subject.observations());
  return subject.version(parameters, plan,
                         subject.observe(parameters, subject.options().calibration_tokens));
}

Version bias_corrected(const Subject& subject, const quant::Plan& plan) {
  Version version = subject.version(subject.parameters(), plan, subject.observations());
  version.activations->collect_means(true);
  auto workspace = subject.workspace();
  subject.for_each_calibration_batch(
      subject.options().calibration_tokens, CalibrationText::training,
      [&](const models::TokenBatch& batch) {
        version.activations->use_rows(batch.targets);
        subject.decoder().forward<float>(version.model.parameters.data(), batch, workspace,
                                         version.activations.get());
      });
  version.activations->collect_means(false);
  std::vector<Vector<double>> means;
  for (const quant::InputMoments& moments : subject.moments()) means.push_back(moments.mean);
  quant::correct_biases(subject.sites(), subject.parameters(), means,
                        version.activations->channel_means(), version.model);
  return version;
}

Version mixed(const Subject& subject, const quant::Plan& reference, std::int64_t bits) {
  const std::vector<double> scores = kl_scores(subject, reference, kRankingTokens);
  std::size_t products = 0;
  for (const quant::SitePlan& site : reference) products += site.weight ? 1 : 0;
  quant::SitePlan kept;
  if (bits < 8) kept = site_plan(quant::NumberFormat::integer(8), "channel", "mse");
  return subject.version(
      subject.parameters(),
      quant::keep_sites(reference, quant::most_sensitive_first(scores), (products + 3) / 4, kept),
      subject.observations());
}

}  // namespace

quant::Plan rtn_plan(const Subject& subject, std::int64_t bits) {
  return plan(subject, bits, "channel");
}

std::vector<RecoverRow> measure_recover(const Subject& subject, std::int64_t bits) {
  const quant::Plan reference = rtn_plan(subject, bits);
  std::vector<RecoverRow> rows;
  const auto add = [&](const std::string& technique, const std::function<Version()>& version) {
    if (technique != "rtn" && !subject.options().recovers_by(technique)) return;
    rows.push_back({bits, technique, subject.score(version())});
  };
  const auto plain = [&](const quant::Plan& plan, const std::vector<quant::InputMoments>* moments) {
    return subject.version(subject.parameters(), plan, subject.observations(), moments);
  };
  add("rtn", [&] { return plain(reference, nullptr); });
  add("dynamic", [&] { return plain(plan(subject, bits, "token"), nullptr); });
  add("smooth", [&] { return smoothed(subject, reference); });
  add("outlier-columns", [&] {
    return transformed(subject, reference, [&](quant::InputTransform& input, std::size_t i) {
      input.outlier_columns = quant::outlier_columns(subject.observations()[i]);
    });
  });
  add("hadamard", [&] {
    return transformed(subject, reference,
                       [](quant::InputTransform& input, std::size_t) { input.hadamard = true; });
  });
  add("gptq", [&] { return plain(reference, &subject.moments()); });
  if (subject.options().recovers_by("gptq")) {
    quant::Plan weights = reference;
    for (quant::SitePlan& site : weights) site.activation.reset();
    rows.push_back({bits, "weights-rtn", subject.score(plain(weights, nullptr))});
    rows.push_back({bits, "weights-gptq", subject.score(plain(weights, &subject.moments()))});
  }
  add("bias-correction", [&] { return bias_corrected(subject, reference); });
  add("mixed", [&] { return mixed(subject, reference, bits); });
  return rows;
}

Table recover_table(const std::vector<SeedResult>& seeds) {
  Table table{
      "recover", {"bits", "technique", "seed", "nll", "delta_nll", "kl_mean", "same_top"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const auto& part : seed.recover) {
      for (const RecoverRow& row : part) {
        table.rows.push_back({row.bits, row.technique, seed.number(), row.score.nll,
                              row.score.delta_nll, row.score.kl, row.score.same_top});
      }
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize
