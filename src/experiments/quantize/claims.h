// The claims of question 23: thresholds and rules, from numbers of every seed to verdicts. They
// were fixed before the first run and know nothing of models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "xfq/core/record.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::quantize {

/// A loss difference of 0.005 nats per token is a perplexity within 0.5 %.
inline constexpr double kSameLoss = 0.005;
/// 1 % of perplexity: the usual criterion for a quantized model that is put to use.
inline constexpr double kUsableLoss = 0.01;
/// "Recovers" means: takes away at least this share of the damage.
inline constexpr double kRecovered = 0.5;
/// Share of random orders that a ranking must beat.
inline constexpr double kBeatsRandom = 0.95;

// Vectors hold one entry per seed; an empty one means: not measured, no test.

struct SweetSpotNumbers {
  // The smallest width within kSameLoss of fp32, see smallest_width().
  std::vector<double> any_width;      ///< weights and activations, 2 to 8 and 16 bits
  std::vector<double> whole_codes;    ///< the same among 2, 4, 8, 16: codes that fill a byte
  std::vector<double> weights_alone;  ///< weights only, 2 to 8 and 16 bits
  /// nll(4 bits) - nll(8 bits) at equal bytes, see equal_bytes_difference().
  std::vector<double> equal_bytes;
};
Claim sweet_spot_claim(const SweetSpotNumbers& numbers);

struct LongTailNumbers {
  /// KL calibration against min-max, one entry of `advantage` per seed; above 0: KL is better.
  struct Comparison {
    Text condition;  ///< "1000000 values with smooth tails"
    Text subject;    ///< "laplace: SQNR, dB", "token KL, log10 of the ratio"
    std::vector<double> advantage;
  };
  std::vector<Comparison> comparisons;
};
Claim long_tail_claim(const LongTailNumbers& numbers);

struct FinetuneNumbers {
  struct Width {
    std::int64_t bits = 0;
    std::vector<double> lost;  ///< nll(rounded after training) - nll(fp32)
    std::vector<double> left;  ///< nll(fine-tuned in rounded form) - nll(fp32 control)
  };
  std::vector<Width> widths;
};
Claim finetune_claim(const FinetuneNumbers& numbers);

struct MixedNumbers {
  struct Ranking {
    std::string score;                 ///< "sqnr", "kl", "fisher"
    std::vector<double> share_beaten;  ///< of random orders, by area under the loss curve
  };
  std::vector<Ranking> rankings;
  // Token KL with outlier channels: all of a row in 8 bits, and the outlier columns in fp32.
  std::vector<double> rows_kl, columns_kl;
};
Claim mixed_claim(const MixedNumbers& numbers);

struct DynamicNumbers {
  struct Circumstance {
    Text condition;                             ///< "shifted with one scale per tensor"
    std::vector<double> static_kl, dynamic_kl;  ///< token KL
  };
  std::vector<Circumstance> circumstances;
};
Claim dynamic_claim(const DynamicNumbers& numbers);

/// 1 - mean(left) / mean(lost), paired, with an interval by the delta method: the share of a damage
/// that is taken away. No interval where the damage's own interval contains 0.
stats::Estimate recovery(const std::vector<double>& left, const std::vector<double>& lost);

}  // namespace xfq::experiments::quantize
