#include "answer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "../numbers.h"
#include "xfq/stats/intervals.h"

namespace xfq::experiments::quantize {

namespace {

double mean(const std::vector<double>& values) { return *stats::mean_t(values).value; }

std::string model_and_arms(const AnswerNumbers& numbers) {
  const auto& seeds = numbers.seeds;
  const stats::Estimate perplexity = over_seeds(
      seeds, [](const SeedResult& seed) { return std::exp(seed.arms[0].quality.original_nll()); });
  std::string text = fmt::format("On {} the fp32 model reaches perplexity {}",
                                 numbers.data.corpus_name(), with_interval(perplexity, "{:.3f}"));
  if (numbers.data.floor()) {
    text += fmt::format("; no model can go below {:.3f}",
                        std::exp(numbers.data.floor()->nats_per_token));
  }
  text += ".";
  using Q = quant::LogitComparison;
  for (std::size_t a = 0; a < numbers.arms.size(); ++a) {
    const auto of = [&](double (Q::*get)() const) {
      return over_seeds(seeds,
                        [a, get](const SeedResult& seed) { return (seed.arms[a].quality.*get)(); });
    };
    text += fmt::format(
        " {} changes the loss by {} nats/token and keeps the most likely token {:.2f} % of the "
        "time (KL {:.2g} nats/token) in {:.1f} % of the bytes.",
        numbers.arms[a].id, with_interval(of(&Q::delta_nll), "{:+.4f}"),
        100 * *of(&Q::same_top_share).value, *of(&Q::mean_kl).value,
        100.0 * static_cast<double>(numbers.bytes[a].quantized) /
            static_cast<double>(numbers.bytes[a].fp32));
  }
  return text;
}

/// "8 bits", or how far the seeds are apart.
std::string widths_text(const std::vector<double>& widths) {
  const auto [least, most] = std::minmax_element(widths.begin(), widths.end());
  if (*least == *most) return fmt::format("{:g}", *least);
  return fmt::format("{:g} to {:g}, depending on the seed", *least, *most);
}

bool all_eight(const std::vector<double>& widths) {
  return std::all_of(widths.begin(), widths.end(), [](double width) { return width == 8; });
}

/// Which criterion picks eight bits, and which does not.
std::string why_eight(const Summary& summary) {
  const SweetSpotNumbers spot = summary.sweet_spot();
  std::string text;
  std::vector<std::string> picks, does_not;
  const auto sort = [&](bool eight, const char* criterion) {
    (eight ? picks : does_not).emplace_back(criterion);
  };
  if (!spot.any_width.empty()) {
    text += fmt::format(
        " The fewest bits that stay within {} nats/token of fp32 are {} for weights alone, {} for "
        "weights and activations, {} among codes that fill a byte (2, 4, 8, 16).",
        kSameLoss, widths_text(spot.weights_alone), widths_text(spot.any_width),
        widths_text(spot.whole_codes));
    sort(all_eight(spot.weights_alone), "an unchanged loss with weights alone");
    sort(all_eight(spot.any_width), "an unchanged loss with activations");
    sort(all_eight(spot.whole_codes), "an unchanged loss in codes that fill a byte");
  }
  if (!spot.equal_bytes.empty()) {
    const stats::Estimate difference = stats::mean_t(spot.equal_bytes);
    text += fmt::format(
        " At equal bytes the loss of 4-bit weights in a wider model differs from that of 8-bit "
        "weights by {}.",
        with_interval(difference, "{:+.4f}"));
    const bool settled = difference.ci && (difference.ci->lo > 0 || difference.ci->hi <= 0);
    if (settled) sort(difference.ci->lo > 0, "the loss at equal bytes");
  }
  const auto list = [](const std::vector<std::string>& criteria) {
    std::string joined;
    for (std::size_t i = 0; i < criteria.size(); ++i) {
      if (i > 0) joined += i + 1 == criteria.size() ? " and " : ", ";
      joined += criteria[i];
    }
    return joined;
  };
  if (!picks.empty()) text += fmt::format(" Eight is picked by {}", list(picks));
  if (!picks.empty() && !does_not.empty()) text += fmt::format(", not by {}", list(does_not));
  if (picks.empty() && !does_not.empty()) {
    text += fmt::format(" Eight is not picked by {}", list(does_not));
  }
  if (!picks.empty() || !does_not.empty()) text += ".";
  return text;
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
std::string long_tails(const Summary& summary) {
  const double factor = summary.largest_factor();
  if (factor <= 1) return {};
  const std::string by_sqnr = best_static(summary, factor, true);
  const std::string by_loss = best_static(summary, factor, false);
  if (by_sqnr.empty() || by_loss.empty()) return {};
  const auto kl = [&](const std::string& method) {
    return mean(summary.outlier_kl(factor, method));
  };
  std::string text = fmt::format(
      " With outlier channels x {:g} that leave the fp32 function alone, the best static range is "
      "{} by SQNR ({:.1f} dB, token KL {:.2g}) and {} by the model's predictions ({:.1f} dB, token "
      "KL {:.2g})",
      factor, by_sqnr, mean(summary.outlier_sqnr(factor, by_sqnr)), kl(by_sqnr), by_loss,
      mean(summary.outlier_sqnr(factor, by_loss)), kl(by_loss));
  text +=
      by_sqnr == by_loss
          ? ": here the two agree."
          : ": they disagree, since squared error counts a clipped channel by its size, and the "
            "model by its weights, which are small.";
  text += fmt::format(
      " At that factor token KL is {:.2g} with min-max, {:.2g} with scales per token, {:.2g} after "
      "smoothing, {:.2g} with outlier columns in fp32, {:.2g} after rotation.",
      kl("minmax"), kl("token"), kl("smooth"), kl("outlier-columns"), kl("hadamard"));
  return text;
}

std::string recovery_text(const AnswerNumbers& numbers) {
  const Summary& summary = numbers.summary;
  std::string text;
  for (const std::int64_t bits : numbers.options.all_recover_bits()) {
    const stats::Estimate lost = stats::mean_t(summary.recover_loss(bits, "rtn"));
    if (!lost.value) continue;
    text += fmt::format(" At {} bits rounding costs {} nats/token", bits,
                        with_interval(lost, "{:+.4f}"));
    if (!lost.ci || lost.ci->lo <= 0) {
      text += ": too little to be recovered.";
      continue;
    }
    for (const std::string& technique : Options::recovery_names()) {
      const std::vector<double> left = summary.left(bits, technique);
      if (!left.empty()) text += fmt::format(", {:+.4f} with {}", mean(left), technique);
    }
    text += ".";
  }
  if (!text.empty() && numbers.options.recovers_by("qat")) {
    text +=
        " (qat is held against an fp32 model trained for the same steps; mixed takes more bytes.)";
  }
  return text;
}

/// Which score knows the products that matter.
std::string rankings_text(const Summary& summary) {
  std::string text;
  for (const auto& ranking : summary.mixed().rankings) {
    text += fmt::format("{} {:.0f} % when ranked by {}", text.empty() ? "" : ",",
                        100 * mean(ranking.share_beaten), ranking.score);
  }
  if (text.empty()) return text;
  return fmt::format(" Returning products to fp32 one after the other beats random orders{}.",
                     text);
}

}  // namespace

std::string answer(const AnswerNumbers& numbers) {
  return model_and_arms(numbers) + why_eight(numbers.summary) + long_tails(numbers.summary) +
         recovery_text(numbers) + rankings_text(numbers.summary);
}

}  // namespace xfq::experiments::quantize
