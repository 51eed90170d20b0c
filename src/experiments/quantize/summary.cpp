#include "summary.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace xfq::experiments::quantize {

namespace {

/// log10(b / a) of every seed: above 0 where a is the smaller one.
std::vector<double> log_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  if (a.size() != b.size()) return ratios;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] <= 0 || b[i] <= 0) return {};
    ratios.push_back(std::log10(b[i] / a[i]));
  }
  return ratios;
}

}  // namespace

template <class Rows, class Match, class Value>
std::vector<double> Summary::of_every_seed(const Rows& rows, const Match& match,
                                           const Value& value) const {
  std::vector<double> values;
  for (const SeedResult& seed : seeds_) {
    for (const auto& row : rows(seed)) {
      if (!match(row)) continue;
      const std::optional<double> found = value(row);
      if (found) values.push_back(*found);
      break;
    }
  }
  if (values.size() != seeds_.size()) values.clear();
  return values;
}

double Summary::largest_factor() const {
  return *std::max_element(options_.outliers.begin(), options_.outliers.end());
}

std::int64_t Summary::largest_size() const {
  return *std::max_element(options_.sample_sizes.begin(), options_.sample_sizes.end());
}

std::int64_t Summary::smallest_size() const {
  return *std::min_element(options_.sample_sizes.begin(), options_.sample_sizes.end());
}

std::vector<double> Summary::smallest_widths(bool activations,
                                             const std::vector<std::int64_t>& allowed) const {
  std::vector<double> widths;
  for (const SeedResult& seed : seeds_) {
    if (seed.bits.empty()) return {};
    widths.push_back(static_cast<double>(
        smallest_width(integer_ladder(seed.bits, activations), kSameLoss, allowed)));
  }
  return widths;
}

std::vector<double> Summary::outlier_kl(double factor, const std::string& method) const {
  return of_every_seed(
      [](const SeedResult& seed) { return seed.outliers; },
      [&](const OutlierRow& row) { return row.factor == factor && row.method == method; },
      [](const OutlierRow& row) { return std::optional<double>(row.score.kl); });
}

std::vector<double> Summary::outlier_sqnr(double factor, const std::string& method) const {
  return of_every_seed(
      [](const SeedResult& seed) { return seed.outliers; },
      [&](const OutlierRow& row) { return row.factor == factor && row.method == method; },
      [](const OutlierRow& row) { return row.activation_sqnr_db; });
}

std::vector<double> Summary::dynamic_kl(const std::string& circumstance,
                                        const std::string& scales) const {
  return of_every_seed([](const SeedResult& seed) { return seed.dynamic; },
                       [&](const DynamicRow& row) {
                         return row.circumstance == circumstance && row.scales == scales;
                       },
                       [](const DynamicRow& row) { return std::optional<double>(row.score.kl); });
}

std::vector<double> Summary::recover_loss(std::int64_t bits, const std::string& technique) const {
  return of_every_seed(
      [](const SeedResult& seed) {
        std::vector<RecoverRow> rows;
        for (const auto& part : seed.recover) rows.insert(rows.end(), part.begin(), part.end());
        return rows;
      },
      [&](const RecoverRow& row) { return row.bits == bits && row.technique == technique; },
      [](const RecoverRow& row) { return std::optional<double>(row.score.delta_nll); });
}

std::vector<double> Summary::sqnr_advantage(const std::string& source, std::int64_t size,
                                            const std::string& calibration,
                                            const std::string& other) const {
  std::vector<double> differences;
  for (const SeedResult& seed : seeds_) {
    const auto difference = sqnr_difference(seed.synthetic, source, size, calibration, other);
    if (!difference) return {};
    differences.push_back(*difference);
  }
  return differences;
}

std::vector<double> Summary::finetune_left(std::int64_t bits) const {
  std::vector<double> left;
  for (const SeedResult& seed : seeds_) {
    for (const FinetuneRow& row : seed.finetune) {
      if (row.bits == bits) left.push_back(row.score.nll - seed.finetune.front().score.nll);
    }
  }
  return left;
}

std::vector<double> Summary::left(std::int64_t bits, const std::string& technique) const {
  return technique == "qat" ? finetune_left(bits) : recover_loss(bits, technique);
}

stats::Estimate Summary::recovered(std::int64_t bits, const std::string& technique) const {
  const bool weights = technique == "weights-gptq";
  stats::Estimate share =
      recovery(left(bits, technique), recover_loss(bits, weights ? "weights-rtn" : "rtn"));
  if (!share.ci && seeds_.size() > 1) share.value.reset();
  return share;
}

std::optional<double> Summary::kl_beats_mse_share() const {
  double beats = 0, samples = 0;
  for (const SeedResult& seed : seeds_) {
    for (const std::string& source : source_names()) {
      for (const std::int64_t size : options_.sample_sizes) {
        const auto difference = sqnr_difference(seed.synthetic, source, size, "kl", "mse");
        if (!difference) return std::nullopt;
        beats += *difference > 0 ? 1 : 0;
        ++samples;
      }
    }
  }
  if (samples == 0) return std::nullopt;
  return beats / samples;
}

SweetSpotNumbers Summary::sweet_spot() const {
  SweetSpotNumbers numbers;
  numbers.any_width = smallest_widths(true, {});
  numbers.whole_codes = smallest_widths(true, {2, 4, 8, 16});
  numbers.weights_alone = smallest_widths(false, {});
  for (const SeedResult& seed : seeds_) {
    const auto difference = equal_bytes_difference(seed.frontier_rows(), 4, 8);
    if (difference) numbers.equal_bytes.push_back(*difference);
  }
  if (numbers.equal_bytes.size() != seeds_.size()) numbers.equal_bytes.clear();
  return numbers;
}

LongTailNumbers Summary::long_tails() const {
  LongTailNumbers numbers;
  const auto add = [&](const Text& condition, const Text& subject, std::vector<double> advantage) {
    if (!advantage.empty())
      numbers.comparisons.push_back({condition, subject, std::move(advantage)});
  };
  const auto made = [&](const char* condition, std::int64_t size,
                        const std::vector<std::string>& sources) {
    for (const std::string& source : sources) {
      add(phrase(condition, {size}), phrase("{}: SQNR, dB", {source}),
          sqnr_advantage(source, size, "kl", "minmax"));
    }
  };
  made("{} values with smooth tails", largest_size(), {"laplace", "t4", "t3"});
  if (smallest_size() != largest_size()) {
    made("{} values with smooth tails", smallest_size(), {"laplace", "t4", "t3"});
  }
  made("{} values with outliers of 20 to 60 sigma", largest_size(), {"outliers:20", "outliers:60"});
  const auto model = [&](const Text& condition, double factor) {
    add(condition, "the model's token KL, log10 of the ratio",
        log_ratio(outlier_kl(factor, "kl"), outlier_kl(factor, "minmax")));
  };
  model("activations as they are", 1);
  if (largest_factor() > 1) {
    model(phrase("outlier channels x {:g}", {largest_factor()}), largest_factor());
  }
  return numbers;
}

FinetuneNumbers Summary::finetuning() const {
  FinetuneNumbers numbers;
  for (const std::int64_t bits : options_.all_recover_bits()) {
    const std::vector<double> left = finetune_left(bits);
    if (!left.empty()) numbers.widths.push_back({bits, recover_loss(bits, "rtn"), left});
  }
  return numbers;
}

MixedNumbers Summary::mixed() const {
  MixedNumbers numbers;
  for (const char* score : {"sqnr", "kl", "fisher"}) {
    std::vector<double> shares;
    for (const SeedResult& seed : seeds_) {
      if (seed.mixed) shares.push_back(seed.mixed->share_beaten(score));
    }
    if (!shares.empty()) numbers.rankings.push_back({score, shares});
  }
  if (largest_factor() > 1) {
    numbers.rows_kl = outlier_kl(largest_factor(), "token");
    numbers.columns_kl = outlier_kl(largest_factor(), "outlier-columns");
  }
  return numbers;
}

DynamicNumbers Summary::dynamic() const {
  DynamicNumbers numbers;
  for (const char* scales : {"tensor", "token"}) {
    for (const char* circumstance : {"matched", "shifted", "outliers"}) {
      const std::vector<double> found = dynamic_kl(circumstance, scales);
      if (found.empty()) continue;
      numbers.circumstances.push_back(
          {fmt::format("{} with one scale per {}", circumstance, scales),
           dynamic_kl(circumstance, "static"), found});
    }
  }
  return numbers;
}

}  // namespace xfq::experiments::quantize
