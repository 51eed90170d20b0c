#include "claims.h"

#include "xfq/stats/claims.h"

namespace xfq::experiments::quantize {

stats::Estimate recovery(const std::vector<double>& left, const std::vector<double>& lost) {
  stats::Estimate share = stats::ratio_of_means(left, lost);
  if (share.value) share.value = 1 - *share.value;
  if (share.ci) share.ci = Interval{1 - share.ci->hi, 1 - share.ci->lo};
  return share;
}

Claim sweet_spot_claim(const SweetSpotNumbers& numbers) {
  std::vector<stats::JudgedTest> tests;
  const auto smallest = [&](const std::vector<double>& widths, const Text& condition) {
    if (widths.empty()) return;
    tests.push_back(stats::make_test(
        phrase("the fewest bits whose loss stays within {} nats/token of fp32 are 8", {kSameLoss}),
        stats::within(8, 8), stats::mean_t(widths), condition));
  };
  smallest(numbers.any_width, "weights and activations at any width");
  smallest(numbers.whole_codes, "weights and activations in codes that fill a byte");
  smallest(numbers.weights_alone, "weights only at any width");
  if (!numbers.equal_bytes.empty()) {
    tests.push_back(stats::make_test(
        "at equal bytes 8-bit weights have a lower loss than 4-bit weights of a wider model",
        stats::above(0), stats::mean_t(numbers.equal_bytes), "weights only at equal bytes"));
  }
  return stats::make_claim("quant.int8-sweet-spot",
                           "Eight bits are the best trade-off between size and quality", tests);
}

Claim long_tail_claim(const LongTailNumbers& numbers) {
  std::vector<stats::JudgedTest> tests;
  for (const auto& comparison : numbers.comparisons) {
    tests.push_back(stats::make_test(
        phrase("KL calibration is better than min-max ({})", {comparison.subject}), stats::above(0),
        stats::mean_t(comparison.advantage), comparison.condition));
  }
  return stats::make_claim("quant.kl-handles-long-tails",
                           "Ranges that minimise the KL divergence handle long-tailed values",
                           tests);
}

Claim finetune_claim(const FinetuneNumbers& numbers) {
  std::vector<stats::JudgedTest> tests;
  for (const auto& width : numbers.widths) {
    const Text condition = phrase("{} bits", {width.bits});
    if (width.bits >= 8) {
      // Nothing is lost that could be recovered: what counts is that nothing is left.
      tests.push_back(stats::make_test(
          phrase("the fine-tuned model's loss is at most {} nats/token above that of an fp32 "
                 "model trained for the same steps",
                 {kUsableLoss}),
          stats::at_most(kUsableLoss), stats::mean_t(width.left), condition));
    } else {
      tests.push_back(stats::make_test(
          "fine-tuning takes away a part of the loss, against an fp32 model trained for the same "
          "steps",
          stats::above(0), recovery(width.left, width.lost), condition));
    }
  }
  return stats::make_claim("quant.finetuning-recovers",
                           "Fine-tuning in quantized form gets the quality back", tests);
}

Claim mixed_claim(const MixedNumbers& numbers) {
  std::vector<stats::JudgedTest> tests;
  for (const auto& ranking : numbers.rankings) {
    tests.push_back(stats::make_test(
        phrase("keeping products in fp32 in the order of their {} beats {} of the random orders",
               {ranking.score, kBeatsRandom}),
        stats::at_least(kBeatsRandom), stats::mean_t(ranking.share_beaten),
        phrase("products ranked by {}", {ranking.score})));
  }
  if (!numbers.rows_kl.empty()) {
    tests.push_back(stats::make_test(
        phrase("with outlier channels, keeping them in fp32 takes away at least {} of the token KL",
               {kRecovered}),
        stats::at_least(kRecovered), recovery(numbers.columns_kl, numbers.rows_kl)));
  }
  return stats::make_claim("quant.mixed-precision-recovers",
                           "Keeping the sensitive parts in higher precision gets the quality back",
                           tests);
}

Claim dynamic_claim(const DynamicNumbers& numbers) {
  std::vector<stats::JudgedTest> tests;
  for (const auto& circumstance : numbers.circumstances) {
    tests.push_back(stats::make_test(
        phrase("scales found at run time take away at least {} of the token KL of static ones",
               {kRecovered}),
        stats::at_least(kRecovered), recovery(circumstance.dynamic_kl, circumstance.static_kl),
        circumstance.condition));
  }
  return stats::make_claim("quant.dynamic-recovers",
                           "Scales found at run time get the quality back", tests);
}

}  // namespace xfq::experiments::quantize
