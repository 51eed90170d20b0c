#include "answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "../numbers.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::quantize {

namespace {

double mean(const std::vector<double>& values) { return *stats::mean_t(values).value; }

std::vector<Text> model_and_arms(const AnswerNumbers& numbers) {
  const auto& seeds = numbers.seeds;
  const Text perplexity = with_interval(
      over_seeds(
          seeds,
          [](const SeedResult& seed) { return std::exp(seed.arms[0].quality.original_nll()); }),
      "{:.3f}");
  const std::string corpus = numbers.data.corpus_name();
  std::vector<Text> sentences;
  if (const auto floor = numbers.data.floor()) {
    sentences.push_back(
        phrase("On {} the fp32 model reaches perplexity {}; no model can go below {:.3f}.",
               {corpus, perplexity, std::exp(floor->nats_per_token)}));
  } else {
    sentences.push_back(
        phrase("On {} the fp32 model reaches perplexity {}.", {corpus, perplexity}));
  }
  using Q = quant::LogitComparison;
  for (std::size_t a = 0; a < numbers.arms.size(); ++a) {
    const auto of = [&](double (Q::*get)() const) {
      return over_seeds(seeds,
                        [a, get](const SeedResult& seed) { return (seed.arms[a].quality.*get)(); });
    };
    sentences.push_back(phrase(
        "{} changes the loss by {} nats/token and keeps the most likely token {:.2f} % of the time "
        "(KL {:.2g} nats/token) in {:.1f} % of the bytes.",
        {numbers.arms[a].id, with_interval(of(&Q::delta_nll), "{:+.4f}"),
         100 * *of(&Q::same_top_share).value, *of(&Q::mean_kl).value,
         100.0 * static_cast<double>(numbers.bytes[a].quantized) /
             static_cast<double>(numbers.bytes[a].fp32)}));
  }
  return sentences;
}

/// "8", or how far the seeds are apart.
Text widths_text(const std::vector<double>& widths) {
  const auto [least, most] = std::minmax_element(widths.begin(), widths.end());
  if (*least == *most) return Text::verbatim(fmt::format("{:g}", *least));
  return phrase("{:g} to {:g} (depending on the seed)", {*least, *most});
}

bool all_eight(const std::vector<double>& widths) {
  return std::all_of(widths.begin(), widths.end(), [](double width) { return width == 8; });
}

/// Which criterion picks eight bits, and which does not.
std::vector<Text> why_eight(const Summary& summary) {
  const SweetSpotNumbers spot = summary.sweet_spot();
  std::vector<Text> sentences, picks, does_not;
  const auto sort = [&](bool eight, const char* criterion) {
    (eight ? picks : does_not).emplace_back(criterion);
  };
  if (!spot.any_width.empty()) {
    sentences.push_back(phrase(
        "The fewest bits that stay within {} nats/token of fp32 are {} for weights alone, {} for "
        "weights and activations, {} among codes that fill a byte (2, 4, 8, 16).",
        {kSameLoss, widths_text(spot.weights_alone), widths_text(spot.any_width),
         widths_text(spot.whole_codes)}));
    sort(all_eight(spot.weights_alone), "an unchanged loss with weights alone");
    sort(all_eight(spot.any_width), "an unchanged loss with activations");
    sort(all_eight(spot.whole_codes), "an unchanged loss in codes that fill a byte");
  }
  if (!spot.equal_bytes.empty()) {
    const stats::Estimate difference = stats::mean_t(spot.equal_bytes);
    sentences.push_back(phrase(
        "At equal bytes the loss of 4-bit weights in a wider model differs from that of 8-bit "
        "weights by {}.",
        {with_interval(difference, "{:+.4f}")}));
    const bool settled = difference.ci && (difference.ci->lo > 0 || difference.ci->hi <= 0);
    if (settled) sort(difference.ci->lo > 0, "the loss at equal bytes");
  }
  if (!picks.empty() && !does_not.empty()) {
    sentences.push_back(phrase("Eight is picked by {}, not by {}.",
                               {listing_with_and(picks), listing_with_and(does_not)}));
  } else if (!picks.empty()) {
    sentences.push_back(phrase("Eight is picked by {}.", {listing_with_and(picks)}));
  } else if (!does_not.empty()) {
    sentences.push_back(phrase("Eight is not picked by {}.", {listing_with_and(does_not)}));
  }
  return sentences;
}

/// The static calibrations in the order of a number.
std::string best_static(const Summary& summary, double factor, bool by_sqnr) {
  std::string best;
  double best_value = 0;
  for (const char* method : {"minmax", "percentile:99.99", "mse", "kl"}) {
    const std::vector<double> values =
        by_sqnr ? summary.outlier_sqnr(factor, method) : summary.outlier_kl(factor, method);
    if (values.empty()) continue;
    const double value = by_sqnr ? -mean(values) : mean(values);
    if (best.empty() || value < best_value) {
      best = method;
      best_value = value;
    }
  }
  return best;
}

/// What SQNR says of calibrations, and what the model's loss says.
std::vector<Text> long_tails(const Summary& summary) {
  const double factor = summary.largest_factor();
  if (factor <= 1) return {};
  const std::string by_sqnr = best_static(summary, factor, true);
  const std::string by_loss = best_static(summary, factor, false);
  if (by_sqnr.empty() || by_loss.empty()) return {};
  const auto kl = [&](const std::string& method) {
    return mean(summary.outlier_kl(factor, method));
  };
  const auto sqnr = [&](const std::string& method) {
    return mean(summary.outlier_sqnr(factor, method));
  };
  return {
      phrase("With outlier channels x {:g} that leave the fp32 function alone, the best static "
             "range is {} by SQNR ({:.1f} dB, token KL {:.2g}) and {} by the model's predictions "
             "({:.1f} dB, token KL {:.2g}): {}.",
             {factor, by_sqnr, sqnr(by_sqnr), kl(by_sqnr), by_loss, sqnr(by_loss), kl(by_loss),
              Text(by_sqnr == by_loss
                       ? "here the two agree"
                       : "they disagree, since squared error counts a clipped channel by its "
                         "size, and the model by its weights, which are small")}),
      phrase("At that factor token KL is {:.2g} with min-max, {:.2g} with scales per token, {:.2g} "
             "after smoothing, {:.2g} with outlier columns in fp32, {:.2g} after rotation.",
             {kl("minmax"), kl("token"), kl("smooth"), kl("outlier-columns"), kl("hadamard")})};
}

std::vector<Text> recovery_text(const AnswerNumbers& numbers) {
  const Summary& summary = numbers.summary;
  std::vector<Text> sentences;
  bool finetuned = false, mixed = false;
  for (const std::int64_t bits : numbers.options.all_recover_bits()) {
    const stats::Estimate lost = stats::mean_t(summary.recover_loss(bits, "rtn"));
    if (!lost.value) continue;
    const Text cost = with_interval(lost, "{:+.4f}");
    if (!lost.ci || lost.ci->lo <= 0) {
      sentences.push_back(phrase(
          "At {} bits rounding costs {} nats/token, which these seeds do not tell from zero.",
          {bits, cost}));
      continue;
    }
    std::vector<Text> left;
    for (const std::string& technique : Options::recovery_names()) {
      const std::vector<double> loss = summary.left(bits, technique);
      if (loss.empty()) continue;
      left.push_back(phrase("{:+.4f} with {}", {mean(loss), technique}));
      finetuned = finetuned || technique == "qat";
      mixed = mixed || technique == "mixed";
    }
    if (left.empty()) {
      sentences.push_back(phrase("At {} bits rounding costs {} nats/token.", {bits, cost}));
    } else {
      sentences.push_back(phrase("At {} bits rounding costs {} nats/token; what is left of it: {}.",
                                 {bits, cost, listing(left)}));
    }
  }
  if (finetuned) {
    sentences.emplace_back("qat is held against an fp32 model trained for the same steps.");
  }
  if (mixed) sentences.emplace_back("mixed takes more bytes.");
  return sentences;
}

/// Which score knows the products that matter.
std::vector<Text> rankings_text(const Summary& summary) {
  std::vector<Text> items;
  for (const auto& ranking : summary.mixed().rankings) {
    items.push_back(
        phrase("{:.0f} % when ranked by {}", {100 * mean(ranking.share_beaten), ranking.score}));
  }
  if (items.empty()) return {};
  return {
      phrase("Returning products to fp32 one after the other beats this share of random "
             "orders: {}.",
             {listing(items)})};
}

}  // namespace

Text answer(const AnswerNumbers& numbers) {
  std::vector<Text> sentences;
  for (const std::vector<Text>& part :
       {model_and_arms(numbers), why_eight(numbers.summary), long_tails(numbers.summary),
        recovery_text(numbers), rankings_text(numbers.summary)}) {
    sentences.insert(sentences.end(), part.begin(), part.end());
  }
  return paragraph(sentences);
}

}  // namespace xfq::experiments::quantize
