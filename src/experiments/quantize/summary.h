// Numbers over seeds that claims, metrics and the answer share: each is computed in one place.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "claims.h"
#include "result.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::quantize {

class Summary {
 public:
  Summary(const Options& options, const std::vector<SeedResult>& seeds)
      : options_(options), seeds_(seeds) {}

  // Inputs of the claims; empty where a part was not measured.
  SweetSpotNumbers sweet_spot() const;
  LongTailNumbers long_tails() const;
  FinetuneNumbers finetuning() const;
  MixedNumbers mixed() const;
  DynamicNumbers dynamic() const;

  // One entry per seed; empty where there is no such row.
  std::vector<double> smallest_widths(bool activations,
                                      const std::vector<std::int64_t>& allowed) const;
  std::vector<double> outlier_kl(double factor, const std::string& method) const;
  std::vector<double> outlier_sqnr(double factor, const std::string& method) const;
  std::vector<double> dynamic_kl(const std::string& circumstance, const std::string& scales) const;
  std::vector<double> recover_loss(std::int64_t bits, const std::string& technique) const;
  std::vector<double> sqnr_advantage(const std::string& source, std::int64_t size,
                                     const std::string& calibration,
                                     const std::string& other) const;
  /// What fine-tuning left at a width, against the fp32 control.
  std::vector<double> finetune_left(std::int64_t bits) const;

  /// The loss that a technique leaves at a width: against fp32, for "qat" against the fp32 control.
  std::vector<double> left(std::int64_t bits, const std::string& technique) const;
  /// The share of the rounding loss that it takes away; no value where several seeds do not show
  /// that there is a loss.
  stats::Estimate recovered(std::int64_t bits, const std::string& technique) const;
  /// Share of made samples on which KL calibration has the higher SQNR than MSE.
  std::optional<double> kl_beats_mse_share() const;

  double largest_factor() const;
  std::int64_t largest_size() const;
  std::int64_t smallest_size() const;

 private:
  /// The values of the first matching row of every seed; empty unless every seed has one.
  template <class Rows, class Match, class Value>
  std::vector<double> of_every_seed(const Rows& rows, const Match& match, const Value& value) const;

  const Options& options_;
  const std::vector<SeedResult>& seeds_;
};

}  // namespace xfq::experiments::quantize
