#include "procedure.h"

#include "../numbers.h"
#include "arms.h"
#include "result.h"

namespace xfq::experiments::quantize {

namespace {

struct Step {
  const char* scheme;
  const char* granularity;
  const char* calibration;
};

constexpr Step kSteps[] = {
    {"symmetric", "channel", "minmax"},
    {"affine", "channel", "minmax"},
    {"symmetric", "tensor", "minmax"},
    {"symmetric", "token", "minmax"},
    {"symmetric", "group:32", "minmax"},
    {"symmetric", "channel", "percentile:99.9"},
    {"symmetric", "channel", "percentile:99.99"},
    {"symmetric", "channel", "mse"},
    {"symmetric", "channel", "kl"},
    {"symmetric", "channel", "aciq"},
};

}  // namespace

std::vector<ProcedureRow> measure_procedure(const Subject& subject) {
  std::vector<ProcedureRow> rows;
  for (const int bits : {8, 4}) {
    for (const Step& step : kSteps) {
      const auto format = quant::NumberFormat::integer(bits, quant::parse_scheme(step.scheme));
      const quant::SitePlan setting = site_plan(format, step.granularity, step.calibration);
      const Version version = subject.version(
          subject.parameters(), plan_of(subject.decoder(), setting, subject.options()),
          subject.observations());
      version.activations->measure(true);
      const Score score = subject.score(version);
      rows.push_back({bits, step.scheme, step.granularity,
                      setting.activation->dynamic ? "dynamic" : step.calibration,
                      mean_sqnr_db(*version.activations), score});
    }
  }
  return rows;
}

Table procedure_table(const std::vector<SeedResult>& seeds) {
  Table table{"procedure",
              {"bits", "scheme", "granularity", "calibration", "seed", "activation_sqnr_db",
               "delta_nll", "kl_mean", "same_top"},
              {}};
  for (const SeedResult& seed : seeds) {
    for (const ProcedureRow& row : seed.procedure) {
      table.rows.push_back({row.bits, row.scheme, row.granularity, row.calibration, seed.number(),
                            cell(row.activation_sqnr_db), row.score.delta_nll, row.score.kl,
                            row.score.same_top});
    }
  }
  return table;
}

}  // namespace xfq::experiments::quantize
