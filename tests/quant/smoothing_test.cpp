// SmoothQuant on a small decoder.
#include "xfq/quant/smoothing.h"

#include <cmath>

#include "samples.h"
#include "tiny_decoder.h"
#include "xfq/quant/activations.h"
#include "xfq/quant/outliers.h"
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

// Largest |w| of the weights that read channel c, [in, out].
double weight_max(const Vector<float>& parameters, const xfq::models::LinearSite& site, Index c) {
  return static_cast<double>(
      parameters.segment(site.weight + c * site.out, site.out).cwiseAbs().maxCoeff());
}

}  // namespace

TEST_CASE("range moves by equation 4, the function stays") {
  TinyDecoder tiny;
  const Vector<float> outlying =
      amplify_outliers(tiny.decoder, tiny.parameters, 30, outlier_channels(32, 2, 1));
  const auto before = observe_model(tiny, outlying);
  const auto plain = tiny.logits(outlying);
  const auto sites = tiny.decoder.linears();
  for (const double alpha : {0.0, 0.5, 0.8, 1.0}) {
    const Vector<float> smoothed = smooth(tiny.decoder, outlying, before, alpha);
    const auto after = observe_model(tiny, smoothed);
    const auto logits = tiny.logits(smoothed);
    LogitComparison comparison;
    comparison.add(tiny.rows(), 37, plain.data(), logits.data(), tiny.targets.data());
    CHECK(comparison.largest_logit_difference() < 1e-4);
    for (std::size_t s = 0; s < sites.size(); ++s) {
      const bool behind_norm = sites[s].name.find("c_attn") != std::string::npos ||
                               sites[s].name.find("c_fc") != std::string::npos;
      for (Index c = 0; c < sites[s].in; ++c) {
        const auto k = static_cast<std::size_t>(c);
        const auto x = static_cast<double>(before[s].statistics().channel_absolute_max()[k]);
        const auto new_x = static_cast<double>(after[s].statistics().channel_absolute_max()[k]);
        if (!behind_norm) {
          CHECK(new_x == Approx(x).epsilon(1e-3));
          continue;
        }
        const double w = weight_max(outlying, sites[s], c);
        const double factor = std::pow(x, alpha) / std::pow(w, 1 - alpha);
        CHECK(new_x == Approx(x / factor).epsilon(1e-4));
        CHECK(weight_max(smoothed, sites[s], c) == Approx(w * factor).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("silent channels and exponents out of range") {
  TinyDecoder tiny;
  auto observations = observe_model(tiny, tiny.parameters);
  const std::vector<float> zeros(32 * 2, 0.0f);
  observations[0] = observe(zeros.data(), 2, 32);
  const Vector<float> smoothed = smooth(tiny.decoder, tiny.parameters, observations);
  const auto site = tiny.decoder.linears()[0];
  CHECK(smoothed.segment(site.weight, site.in * site.out) ==
        tiny.parameters.segment(site.weight, site.in * site.out));
  CHECK_THROWS_AS(smooth(tiny.decoder, tiny.parameters, observations, 1.5), xfq::Error);
  CHECK_THROWS_AS(smooth(tiny.decoder, tiny.parameters, observations, NAN), xfq::Error);
}
