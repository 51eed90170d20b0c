#include "long_tails.h"

#include <algorithm>
#include <set>
#include <utility>

#include "../numbers.h"
#include "arms.h"
#include "result.h"
#include "xfq/quant/outliers.h"
#include "xfq/quant/smoothing.h"

namespace xfq::experiments::quantize {

namespace {

const quant::NumberFormat kInt8;
constexpr Index kOutlierChannels = 2;  // of every normalisation

quant::Plan plan(const Subject& subject, const std::string& granularity,
                 const std::string& calibration) {
  return plan_of(subject.decoder(), site_plan(kInt8, granularity, calibration), subject.options());
}

/// A model with outlier channels: the same function in fp32.
struct Amplified {
  Vector<float> parameters;
  std::vector<quant::Observation> observations;
};

Amplified amplify(const Subject& subject, double factor) {
  if (factor == 1) return {subject.parameters(), subject.observations()};
  Amplified model;
  const Index dim = subject.decoder().config().dim;
  model.parameters = quant::amplify_outliers(
      subject.decoder(), subject.parameters(), factor,
      quant::outlier_channels(dim, std::min(kOutlierChannels, dim), subject.seed()));
  model.observations = subject.observe(model.parameters, subject.options().calibration_tokens);
  return model;
}

/// One method of outlier_methods() on a model with outlier channels.
Version version_of(const Subject& subject, const Amplified& model, const std::string& method) {
  const auto plain = [&](const quant::Plan& which) {
    return subject.version(model.parameters, which, model.observations);
  };
  if (method == "tensor") return plain(plan(subject, "tensor", "minmax"));
  if (method == "token") return plain(plan(subject, "token", "minmax"));
  if (method == "smooth") {
    const Vector<float> smoothed =
        quant::smooth(subject.decoder(), model.parameters, model.observations);
    return subject.version(smoothed, plan(subject, "channel", "minmax"),
                           subject.observe(smoothed, subject.options().calibration_tokens));
  }
  if (method == "outlier-columns" || method == "hadamard") {
    quant::Plan transformed = plan(subject, "token", "minmax");
    for (std::size_t i = 0; i < transformed.size(); ++i) {
      if (!transformed[i].activation) continue;
      if (method == "hadamard") {
        transformed[i].input.hadamard = true;
      } else {
        transformed[i].input.outlier_columns = quant::outlier_columns(model.observations[i]);
      }
    }
    return plain(transformed);
  }
  return plain(plan(subject, "channel", method));
}

}  // namespace

const std::vector<std::string>& outlier_methods() {
  static const std::vector<std::string> names = {"minmax", "percentile:99.99", "mse",
                                                 "kl",     "tensor",           "token",
                                                 "smooth", "outlier-columns",  "hadamard"};
  return names;
}

std::vector<OutlierRow> measure_outliers(const Subject& subject) {
  std::vector<OutlierRow> rows;
  for (const double factor : subject.options().outliers) {
    const Amplified model = amplify(subject, factor);
    const double difference = subject.compare(model.parameters).largest_logit_difference();
    for (const std::string& method : outlier_methods()) {
      const Version version = version_of(subject, model, method);
      version.activations->measure(true);
      const Score score = subject.score(version);
      rows.push_back({factor, method, score, mean_sqnr_db(*version.activations), difference});
    }
  }
  return rows;
}

std::vector<CalibrationSizeRow> measure_calibration_size(const Subject& subject) {
  const std::int64_t tokens = subject.options().calibration_tokens;
  const std::int64_t available = subject.data().split(corpus::SplitName::train).predicted_tokens;
  std::set<std::int64_t> sizes;
  for (const std::int64_t size : {tokens / 16, tokens / 4, tokens, tokens * 4}) {
    if (size > 0) sizes.insert(std::min(size, available));
  }
  std::vector<CalibrationSizeRow> rows;
  for (const std::int64_t size : sizes) {
    const std::vector<quant::Observation> observations =
        size == tokens ? subject.observations() : subject.observe(subject.parameters(), size);
    for (const char* method : {"minmax", "percentile:99.99", "mse", "kl"}) {
      const Version version =
          subject.version(subject.parameters(), plan(subject, "channel", method), observations);
      version.activations->measure(true);
      const Score score = subject.score(version);
      rows.push_back({size, method, score, mean_sqnr_db(*version.activations)});
    }
  }
  return rows;
}

std::vector<DynamicRow> measure_dynamic(const Subject& subject) {
  quant::SitePlan per_batch = site_plan(kInt8, "channel", "minmax");
  per_batch.activation->dynamic = true;
  const quant::Plan fixed = plan(subject, "channel", "minmax");
  const quant::Plan tensor = plan_of(subject.decoder(), per_batch, subject.options());
  const quant::Plan token = plan(subject, "token", "minmax");

  std::vector<DynamicRow> rows;
  const auto measure = [&](const std::string& circumstance, const Amplified& model) {
    const auto score = [&](const quant::Plan& which) {
      return subject.score(subject.version(model.parameters, which, model.observations));
    };
    rows.push_back({circumstance, "static", score(fixed)});
    rows.push_back({circumstance, "tensor", score(tensor)});
    rows.push_back({circumstance, "token", score(token)});
  };
  measure("matched", amplify(subject, 1));
  measure("shifted", {subject.parameters(),
                      subject.observe(subject.parameters(), subject.options().calibration_tokens,
                                      {}, CalibrationText::random_tokens)});
  measure("outliers", amplify(subject, kDynamicOutliers));
  return rows;
}

Table outliers_table(const std::vector<SeedResult>& seeds) {
  Table table{"outliers",
              {"factor", "method", "seed", "activation_sqnr_db", "delta_nll", "kl_mean", "same_top",
               "logit_difference"},
              {}};
  for (const SeedResult& seed : seeds) {
    for (const OutlierRow& row : seed.outliers) {
      table.rows.push_back({row.factor, row.method, seed.number(), cell(row.activation_sqnr_db),
                            row.score.delta_nll, row.score.kl, row.score.same_top,
                            row.logit_difference});
    }
  }
  return table;
}

Table calibration_size_table(const std::vector<SeedResult>& seeds) {
  Table table{
      "calibration_size",
      {"tokens", "calibration", "seed", "activation_sqnr_db", "delta_nll", "kl_mean", "same_top"},
      {}};
  for (const SeedResult& seed : seeds) {
    for (const CalibrationSizeRow& row : seed.calibration_size) {
      table.rows.push_back({row.tokens, row.calibration, seed.number(),
                            cell(row.activation_sqnr_db), row.score.delta_nll, row.score.kl,
                            row.score.same_top});
    }
  }
  return table;
}

Table dynamic_table(const std::vector<SeedResult>& seeds) {
  Table table{
      "dynamic", {"circumstance", "scales", "seed", "delta_nll", "kl_mean", "same_top"}, {}};
  for (const SeedResult& seed : seeds) {
    for (const DynamicRow& row : seed.dynamic) {
      table.rows.push_back({row.circumstance, row.scales, seed.number(), row.score.delta_nll,
                            row.score.kl, row.score.same_top});
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize
