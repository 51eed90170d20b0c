#include "record.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "../numbers.h"
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
  Table table{"arms",
              {"arm", "bits", "calibration", "seed", "tokens", "fp32_nll", "nll", "delta_nll",
               "kl_mean", "kl_median", "kl_999", "kl_max", "same_top", "rms_delta_p", "bytes"},
              {}};
  for (std::size_t a = 0; a < arms.size(); ++a) {
    for (const SeedResult& seed : seeds) {
      const quant::LogitComparison& q = seed.arms[a].quality;
      table.rows.push_back({arms[a].id, arms[a].bits, arms[a].calibration,
                            static_cast<std::int64_t>(seed.seed), q.tokens(), q.original_nll(),
                            q.quantized_nll(), q.delta_nll(), q.mean_kl(), q.median_kl(),
                            q.kl_quantile(0.999), q.max_kl(), q.same_top_share(), q.rms_delta_p(),
                            bytes[a].quantized});
    }
  }
  return table;
}

Table tensors_table(const std::vector<Arm>& arms, const SeedResult& seed) {
  Table table{"tensors",
              {"arm", "seed", "kind", "name", "format", "rows", "cols", "min", "max",
               "standard_deviation", "excess_kurtosis", "share_beyond_six_sigma", "channel_ratio",
               "sqnr_db", "clip_share", "code_entropy_bits", "range_lo", "range_hi", "bytes"},
              {}};
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const auto add = [&](const char* kind, const std::vector<quant::TensorReport>& tensors) {
      for (const quant::TensorReport& t : tensors) {
        const auto end = [&](double quant::Range::*which) {
          return t.range ? std::optional<double>((*t.range).*which) : std::nullopt;
        };
        table.rows.push_back(
            {arms[a].id, static_cast<std::int64_t>(seed.seed), std::string(kind), t.name, t.format,
             static_cast<std::int64_t>(t.rows), static_cast<std::int64_t>(t.cols), t.min, t.max,
             t.standard_deviation, cell(t.excess_kurtosis), t.share_beyond_six_sigma,
             cell(t.channel_ratio), cell(t.sqnr_db), cell(t.clip_share), cell(t.code_entropy_bits),
             cell(end(&quant::Range::lo)), cell(end(&quant::Range::hi)), t.bytes});
      }
    };
    add("weight", seed.arms[a].weights);
    add("activation", seed.arms[a].activations);
  }
  return table;
}

std::string answer(const std::vector<Arm>& arms, const std::vector<quant::ModelBytes>& bytes,
                   const corpus::LanguageData& data, const std::vector<SeedResult>& seeds,
                   Record& record) {
  const OverSeeds over(seeds, record);
  const Estimate perplexity = over.estimate(
      [](const SeedResult& seed) { return std::exp(seed.arms[0].quality.original_nll()); });
  std::string text = fmt::format("On {} the fp32 model reaches perplexity {}", data.corpus_name(),
                                 with_interval(perplexity, "{:.3f}"));
  if (data.floor()) {
    text += fmt::format("; no model can go below {:.3f}", std::exp(data.floor()->nats_per_token));
  }
  text += ".";
  for (std::size_t a = 0; a < arms.size(); ++a) {
    const auto of = [&](double (quant::LogitComparison::*get)() const) {
      return over.estimate(
          [a, get](const SeedResult& seed) { return (seed.arms[a].quality.*get)(); });
    };
    using Q = quant::LogitComparison;
    text += fmt::format(
        " {} changes the loss by {} nats/token and keeps the most likely token {:.2f} % of the "
        "time (KL {:.2g} nats/token) in {:.1f} % of the bytes.",
        arms[a].id, with_interval(of(&Q::delta_nll), "{:+.4f}"),
        100 * *of(&Q::same_top_share).value, *of(&Q::mean_kl).value,
        100.0 * static_cast<double>(bytes[a].quantized) / static_cast<double>(bytes[a].fp32));
  }
  return text;
}

}  // namespace

void fill_record(const std::vector<Arm>& arms, const std::vector<quant::ModelBytes>& bytes,
                 const corpus::LanguageData& data, const std::vector<SeedResult>& seeds,
                 Record& record) {
  XFQ_ASSERT(!arms.empty() && !seeds.empty());
  fill_metrics(arms, bytes, data, seeds, record);
  record.tables.push_back(arms_table(arms, bytes, seeds));
  record.tables.push_back(tensors_table(arms, seeds.front()));
  record.answer = answer(arms, bytes, data, seeds, record);
  warn_few_seeds(seeds.size(), record);
}

}  // namespace xfq::experiments::quantize
