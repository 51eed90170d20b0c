// Outlier channels: the model stays, its activations do not.
#include "xfq/quant/outliers.h"

#include <algorithm>
#include <cmath>

#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/quant/activations.h"
#include "xfq/quant/quality.h"

using namespace xfq::quant;
using xfq::Index;
using xfq::Vector;
using xfq::test::TinyDecoder;

namespace {

std::vector<Observation> observe_model(TinyDecoder& tiny, const Vector<float>& parameters) {
  ActivationObserver observer(tiny.decoder.linears());
  tiny.logits(parameters, &observer);
  observer.start_second_pass();
  tiny.logits(parameters, &observer);
  return observer.observations();
}

}  // namespace

TEST_CASE("channels are drawn without repeats and by the seed") {
  const auto channels = outlier_channels(64, 3, 1);
  CHECK(channels.size() == 3);
  CHECK(std::is_sorted(channels.begin(), channels.end()));
  CHECK(std::adjacent_find(channels.begin(), channels.end()) == channels.end());
  CHECK(channels == outlier_channels(64, 3, 1));
  CHECK(channels != outlier_channels(64, 3, 2));
  CHECK(outlier_channels(4, 4, 9) == std::vector<Index>{0, 1, 2, 3});
  CHECK(outlier_channels(4, 0, 9).empty());
  CHECK_THROWS_AS(outlier_channels(4, 5, 9), xfq::Error);
}

TEST_CASE("amplified channels leave the function as it is") {
  TinyDecoder tiny;
  // Biases of norms start at 0 and would not show.
  for (const auto& tensor : tiny.decoder.layout().tensors()) {
    if (!tensor.vector) continue;
    for (Index i = 0; i < tensor.size(); ++i) {
      tiny.parameters[tensor.offset + i] += 0.1f * std::sin(static_cast<float>(i));
    }
  }
  const auto plain = tiny.logits(tiny.parameters);
  const std::vector<Index> channels = {3, 20};
  // Powers of two only move exponents: the same bits.
  CHECK(tiny.logits(amplify_outliers(tiny.decoder, tiny.parameters, 64, channels)) == plain);
  CHECK(tiny.logits(amplify_outliers(tiny.decoder, tiny.parameters, 1, channels)) == plain);
  const auto amplified = amplify_outliers(tiny.decoder, tiny.parameters, 10, channels);
  const auto logits = tiny.logits(amplified);
  LogitComparison comparison;
  comparison.add(tiny.rows(), 37, plain.data(), logits.data(), tiny.targets.data());
  double largest = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(plain[i] - logits[i])));
  }
  CHECK(comparison.largest_logit_difference() == Approx(largest));
  CHECK(largest > 0);
  CHECK(largest < 1e-4);  // logits of a few units, some hundred roundings of 6e-8 each

  const auto before = observe_model(tiny, tiny.parameters);
  const auto after = observe_model(tiny, amplified);
  const auto sites = tiny.decoder.linears();
  for (std::size_t s = 0; s < sites.size(); ++s) {
    const auto& old_max = before[s].statistics().channel_absolute_max();
    const auto& new_max = after[s].statistics().channel_absolute_max();
    const bool behind_norm = sites[s].name.find("c_attn") != std::string::npos ||
                             sites[s].name.find("c_fc") != std::string::npos;
    for (std::size_t c = 0; c < old_max.size(); ++c) {
      const bool amplified_here = behind_norm && (c == 3 || c == 20);
      CHECK(new_max[c] == Approx((amplified_here ? 10 : 1) * old_max[c]).epsilon(1e-3));
    }
    if (behind_norm) CHECK(outlier_columns(after[s]) == channels);
    if (behind_norm) CHECK(outlier_columns(before[s]).empty());
  }
}

TEST_CASE("a factor or a channel that is none") {
  TinyDecoder tiny;
  for (const double factor : {0.0, -1.0, static_cast<double>(INFINITY), static_cast<double>(NAN)}) {
    CHECK_THROWS_AS(amplify_outliers(tiny.decoder, tiny.parameters, factor, {}), xfq::Error);
  }
  CHECK_THROWS_AS(amplify_outliers(tiny.decoder, tiny.parameters, 2, {32}), xfq::Error);
}

TEST_CASE("columns by threshold and by number") {
  // Four channels of 100 values; root mean square of all: sqrt((1 + 4 + 400 + 1) / 4) = 10.07.
  std::vector<float> x;
  for (int r = 0; r < 100; ++r) x.insert(x.end(), {1.0f, -2.0f, 20.0f, 1.0f});
  const Observation observation = observe(x.data(), 100, 4);
  CHECK(outlier_columns(observation, 1.9) == std::vector<Index>{2});
  CHECK(outlier_columns(observation, 2.0).empty());
  CHECK(outlier_columns(observation, 0.19) == std::vector<Index>{1, 2});
  CHECK(largest_columns(observation, 2) == std::vector<Index>{1, 2});
  CHECK(largest_columns(observation, 3) == std::vector<Index>{0, 1, 2});  // 0 before 3 on a tie
  CHECK(largest_columns(observation, 0).empty());
}
