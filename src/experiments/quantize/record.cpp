#include "record.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>

#include "../numbers.h"
#include "answer.h"
#include "arms.h"
#include "claims.h"
#include "summary.h"
#include "xfq/core/error.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::quantize {

namespace {

using stats::Estimate;

/// A number of every seed, as a metric with the t interval over seeds.
class OverSeeds {
 public:
  OverSeeds(const std::vector<SeedResult>& seeds, Record& record)
      : seeds_(seeds), record_(record) {}

  Estimate estimate(const std::function<double(const SeedResult&)>& of) const {
    return over_seeds(seeds_, of);
  }
  void metric(const std::string& id, const std::string& unit, Better better,
              const std::function<double(const SeedResult&)>& of) const {
    record_.metrics.push_back(make_metric(id, unit, better, estimate(of)));
  }

 private:
  const std::vector<SeedResult>& seeds_;
  Record& record_;
};

/// The smallest SQNR of the tensors; none when no tensor has one.
std::optional<double> lowest_sqnr(const std::vector<quant::TensorReport>& tensors) {
  std::optional<double> lowest;
  for (const quant::TensorReport& tensor : tensors) {
    if (tensor.sqnr_db && (!lowest || *tensor.sqnr_db < *lowest)) lowest = tensor.sqnr_db;
  }
  return lowest;
}

void sqnr_metric(const std::string& id, const std::vector<SeedResult>& seeds, std::size_t arm,
                 std::vector<quant::TensorReport> ArmResult::*tensors, Record& record) {
  std::vector<double> values;
  for (const SeedResult& seed : seeds) {
    if (const auto sqnr = lowest_sqnr(seed.arms[arm].*tensors)) values.push_back(*sqnr);
  }
  Metric metric;
  if (values.size() == seeds.size()) {
    metric = make_metric(id, "dB", Better::higher, stats::mean_t(values));
  } else {
    metric.id = id;
    metric.unit = "dB";
    metric.better = Better::higher;
    metric.reason = "no tensor was quantized with an error";
  }
  record.metrics.push_back(metric);
}

void fill_metrics(const std::vector<Arm>& arms, const std::vector<quant::ModelBytes>& bytes,
                  const corpus::LanguageData& data, const std::vector<SeedResult>& seeds,
                  Record& record) {
  const OverSeeds over(seeds, record);
  const auto original = [](const SeedResult& seed) { return seed.arms[0].quality.original_nll(); };
  const double bytes_per_token = data.bytes_per_token(corpus::SplitName::validation);
  if (data.floor()) {
    Metric floor =
        exact_metric("entropy_floor", "nats/token", Better::none, data.floor()->nats_per_token);
    floor.n = data.split(corpus::SplitName::validation).documents;
    record.metrics.push_back(floor);
  }
  over.metric("fp32.nll", "nats/token", Better::lower, original);
  over.metric("fp32.perplexity", "", Better::lower,
              [&](const SeedResult& seed) { return std::exp(original(seed)); });
  over.metric("fp32.bits_per_byte", "bits/byte", Better::lower, [&](const SeedResult& seed) {
    return original(seed) / std::log(2.0) / bytes_per_token;
  });
  record.metrics.push_back(
      exact_metric("fp32.bytes", "bytes", Better::lower, static_cast<double>(bytes[0].fp32)));

  for (std::size_t a = 0; a < arms.size(); ++a) {
    const std::string& id = arms[a].id;
    const auto quality = [a](double (quant::LogitComparison::*get)() const) {
      return [a, get](const SeedResult& seed) { return (seed.arms[a].quality.*get)(); };
    };
    using Q = quant::LogitComparison;
    over.metric(id + ".nll", "nats/token", Better::lower, quality(&Q::quantized_nll));
    over.metric(id + ".perplexity", "", Better::lower, [a](const SeedResult& seed) {
      return std::exp(seed.arms[a].quality.quantized_nll());
    });
    // Differences are paired: both sides share seed, model and tokens.
    over.metric(id + ".delta_nll", "nats/token", Better::lower, quality(&Q::delta_nll));
    over.metric(id + ".delta_perplexity", "", Better::lower, [a](const SeedResult& seed) {
      const Q& q = seed.arms[a].quality;
      return std::exp(q.quantized_nll()) - std::exp(q.original_nll());
    });
    over.metric(id + ".kl_mean", "nats/token", Better::lower, quality(&Q::mean_kl));
    over.metric(id + ".kl_median", "nats/token", Better::lower, quality(&Q::median_kl));
    over.metric(id + ".kl_999", "nats/token", Better::lower,
                [a](const SeedResult& seed) { return seed.arms[a].quality.kl_quantile(0.999); });
    over.metric(id + ".kl_max", "nats/token", Better::lower, quality(&Q::max_kl));
    over.metric(id + ".same_top", "share", Better::higher, quality(&Q::same_top_share));
    over.metric(id + ".rms_delta_p", "probability", Better::lower, quality(&Q::rms_delta_p));
    sqnr_metric(id + ".weight_sqnr_min", seeds, a, &ArmResult::weights, record);
    if (arms[a].setting.activation) {
      sqnr_metric(id + ".activation_sqnr_min", seeds, a, &ArmResult::activations, record);
    }
    record.metrics.push_back(exact_metric(id + ".bytes", "bytes", Better::lower,
                                          static_cast<double>(bytes[a].quantized)));
    record.metrics.push_back(exact_metric(id + ".bits_per_parameter", "bits", Better::lower,
                                          bytes[a].bits_per_parameter));
  }
}

Table arms_table(const std::vector<Arm>& arms, const std::vector<quant::ModelBytes>& bytes,
                 const std::vector<SeedResult>& seeds) {
  Table table{
      "arms",
      {"arm", "number_format", "bits", "calibration", "seed", "tokens", "fp32_nll", "nll",
       "delta_nll", "kl_mean", "kl_median", "kl_999", "kl_max", "same_top", "rms_delta_p", "bytes"},
      {}};
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (const SeedResult& seed : seeds) {
      const quant::LogitComparison& q = seed.arms[a].quality;
      table.rows.push_back({arms[a].id, arms[a].number_format, arms[a].bits, arms[a].calibration,
                            seed.number(), q.tokens(), q.original_nll(), q.quantized_nll(),
                            q.delta_nll(), q.mean_kl(), q.median_kl(), q.kl_quantile(0.999),
                            q.max_kl(), q.same_top_share(), q.rms_delta_p(), bytes[a].quantized});
    }
  }
  return table;
}

Table tensors_table(const std::vector<Arm>& arms, const SeedResult& seed) {
  Table table{"tensors",
              {"arm",
               "seed",
               "kind",
               "name",
               "format",
               "rows",
               "cols",
               "min",
               "max",
               "standard_deviation",
               "excess_kurtosis",
               "share_beyond_six_sigma",
               "channel_ratio",
               "sqnr_db",
               "clip_share",
               "code_entropy_bits",
               "range_lo",
               "range_hi",
               "step",
               "zero_point",
               "bytes"},
              {}};
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const auto& setting = arms[a].setting;
    const auto add = [&](const char* kind, const quant::NumberFormat& format,
                         const std::vector<quant::TensorReport>& tensors) {
      for (const quant::TensorReport& t : tensors) {
        const auto end = [&](double quant::Range::*which) {
          return t.range ? std::optional<double>((*t.range).*which) : std::nullopt;
        };
        Value step, zero_point;
        if (t.range) {
          const quant::Scale scale = format.fit(*t.range);
          step = static_cast<double>(scale.step);
          zero_point = std::int64_t{scale.zero_point};
        }
        table.rows.push_back({arms[a].id,
                              seed.number(),
                              std::string(kind),
                              t.name,
                              t.format,
                              static_cast<std::int64_t>(t.rows),
                              static_cast<std::int64_t>(t.cols),
                              t.min,
                              t.max,
                              t.standard_deviation,
                              cell(t.excess_kurtosis),
                              t.share_beyond_six_sigma,
                              cell(t.channel_ratio),
                              cell(t.sqnr_db),
                              cell(t.clip_share),
                              cell(t.code_entropy_bits),
                              cell(end(&quant::Range::lo)),
                              cell(end(&quant::Range::hi)),
                              step,
                              zero_point,
                              t.bytes});
      }
    };
    add("weight", setting.weight->format, seed.arms[a].weights);
    if (setting.activation) {
      add("activation", setting.activation->format, seed.arms[a].activations);
    }
  }
  return table;
}

Table per_layer_table(const models::Decoder& decoder, const std::vector<Arm>& arms,
                      const std::vector<SeedResult>& seeds) {
  Table table{"per_layer", {"arm", "seed", "name", "delta_nll", "kl_mean", "same_top"}, {}};
  const std::vector<models::LinearSite> sites = decoder.linears();
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (const SeedResult& seed : seeds) {
      const auto& scores = seed.arms[a].per_layer;
      for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!scores[i]) continue;
        table.rows.push_back({arms[a].id, seed.number(), sites[i].name, scores[i]->delta_nll,
                              scores[i]->kl, scores[i]->same_top});
      }
    }
  }
  return table;
}

/// What the parts say in one number each; their rows are in the tables.
class PartMetrics {
 public:
  PartMetrics(const Options& options, const std::vector<SeedResult>& seeds, const Summary& summary,
              Record& record)
      : options_(options), seeds_(seeds), summary_(summary), record_(record) {}

  void fill() {
    const SweetSpotNumbers spot = summary_.sweet_spot();
    mean("smallest_bits.weights_activations", "bits", Better::lower, spot.any_width);
    mean("smallest_bits.whole_codes", "bits", Better::lower, spot.whole_codes);
    mean("smallest_bits.weights_only", "bits", Better::lower, spot.weights_alone);
    mean("equal_bytes.4_minus_8", "nats/token", Better::none, spot.equal_bytes);
    synthetic();
    outliers();
    dynamic();
    recover();
    mixed();
  }

 private:
  void mean(const std::string& id, const std::string& unit, Better better,
            const std::vector<double>& values) {
    if (values.empty()) return;
    record_.metrics.push_back(make_metric(id, unit, better, stats::mean_t(values)));
  }

  void synthetic() {
    for (const std::string& source : source_names()) {
      for (const char* other : {"minmax", "mse"}) {
        mean(fmt::format("synthetic.{}.kl_minus_{}", source, other), "dB", Better::none,
             summary_.sqnr_advantage(source, summary_.largest_size(), "kl", other));
      }
    }
    if (const auto share = summary_.kl_beats_mse_share()) {
      record_.metrics.push_back(
          exact_metric("synthetic.kl_beats_mse", "share", Better::none, *share));
    }
  }

  void outliers() {
    for (const double factor : options_.outliers) {
      for (const std::string& method : outlier_methods()) {
        const std::string id = fmt::format("outliers.{:g}.{}", factor, method);
        mean(id + ".kl_mean", "nats/token", Better::lower, summary_.outlier_kl(factor, method));
        mean(id + ".activation_sqnr", "dB", Better::higher, summary_.outlier_sqnr(factor, method));
      }
    }
    double largest = 0;
    bool measured = false;
    for (const SeedResult& seed : seeds_) {
      for (const OutlierRow& row : seed.outliers) {
        largest = std::max(largest, row.logit_difference);
        measured = true;
      }
    }
    if (measured) {
      record_.metrics.push_back(
          exact_metric("outliers.logit_difference", "nats", Better::lower, largest));
    }
  }

  void dynamic() {
    for (const char* circumstance : {"matched", "shifted", "outliers"}) {
      for (const char* scales : {"static", "tensor", "token"}) {
        mean(fmt::format("dynamic.{}.{}.kl_mean", circumstance, scales), "nats/token",
             Better::lower, summary_.dynamic_kl(circumstance, scales));
      }
    }
  }

  void recover() {
    for (const std::int64_t bits : options_.all_recover_bits()) {
      for (const char* reference : {"rtn", "weights-rtn"}) {
        mean(fmt::format("recover.{}.{}.delta_nll", bits, reference), "nats/token", Better::lower,
             summary_.recover_loss(bits, reference));
      }
      std::vector<std::string> techniques = Options::recovery_names();
      techniques.emplace_back("weights-gptq");
      for (const std::string& technique : techniques) {
        const std::string id = fmt::format("recover.{}.{}", bits, technique);
        const std::vector<double> left = summary_.left(bits, technique);
        if (left.empty()) continue;
        mean(id + ".delta_nll", "nats/token", Better::lower, left);
        record_.metrics.push_back(make_metric(id + ".recovered", "share", Better::higher,
                                              summary_.recovered(bits, technique)));
      }
    }
  }

  void mixed() {
    for (const auto& ranking : summary_.mixed().rankings) {
      mean(fmt::format("mixed.{}.share_beaten", ranking.score), "share", Better::higher,
           ranking.share_beaten);
      std::vector<double> taus;
      for (const SeedResult& seed : seeds_) {
        if (!seed.mixed) continue;
        if (const auto tau = seed.mixed->kendall(ranking.score)) taus.push_back(*tau);
      }
      mean(fmt::format("mixed.{}.kendall", ranking.score), "tau", Better::higher, taus);
    }
  }

  const Options& options_;
  const std::vector<SeedResult>& seeds_;
  const Summary& summary_;
  Record& record_;
};

/// Tables of parts that were measured.
void fill_part_tables(const std::vector<SeedResult>& seeds, Record& record) {
  const auto add = [&](const Table& table) {
    if (!table.rows.empty()) record.tables.push_back(table);
  };
  for (const SeedResult& seed : seeds) {
    if (!seed.data_side) continue;
    add(seed.data_side->sqnr);
    add(seed.data_side->histograms);
    add(seed.data_side->kl_curve);
  }
  add(procedure_table(seeds));
  add(bits_table(seeds));
  add(frontier_table(seeds));
  add(synthetic_table(seeds));
  add(outliers_table(seeds));
  add(calibration_size_table(seeds));
  add(dynamic_table(seeds));
  add(recover_table(seeds));
  add(finetune_table(seeds));
  add(sensitivity_table(seeds));
  add(order_curves_table(seeds));
}

/// Claims of which at least one test was measured.
void fill_claims(const Summary& summary, Record& record) {
  for (const Claim& claim :
       {sweet_spot_claim(summary.sweet_spot()), long_tail_claim(summary.long_tails()),
        finetune_claim(summary.finetuning()), mixed_claim(summary.mixed()),
        dynamic_claim(summary.dynamic())}) {
    if (!claim.tests.empty()) record.claims.push_back(claim);
  }
}

}  // namespace

void fill_record(const Options& options, const models::Decoder& decoder,
                 const corpus::LanguageData& data, const std::vector<SeedResult>& seeds,
                 Record& record) {
  XFQ_ASSERT(!seeds.empty());
  const std::vector<Arm> arms = quantize::arms(options);
  std::vector<quant::ModelBytes> bytes;
  for (const Arm& arm : arms) {
    bytes.push_back(quant::model_bytes(decoder, plan_of(decoder, arm.setting, options)));
  }
  fill_metrics(arms, bytes, data, seeds, record);
  const Summary summary(options, seeds);
  PartMetrics(options, seeds, summary, record).fill();
  record.tables.push_back(arms_table(arms, bytes, seeds));
  record.tables.push_back(tensors_table(arms, seeds.front()));
  if (options.per_layer) record.tables.push_back(per_layer_table(decoder, arms, seeds));
  fill_part_tables(seeds, record);
  fill_claims(summary, record);
  record.answer = answer({options, data, arms, bytes, seeds, summary});
  warn_few_seeds(seeds.size(), record);
}

}  // namespace xfq::experiments::quantize
