// SmoothQuant.
#include "xfq/quant/smoothing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "norm_inputs.h"
#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

constexpr double kLeastFactor = 1e-5;

}  // namespace

Vector<float> smooth(const models::Decoder& decoder, const Vector<float>& parameters,
                     const std::vector<Observation>& observations, double alpha) {
  if (!(alpha >= 0 && alpha <= 1)) {
    throw_usage(fmt::format("a smoothing exponent of {}, expected 0 to 1", alpha));
  }
  XFQ_ASSERT(observations.size() == decoder.linears().size());
  Vector<float> smoothed = parameters;
  for (const NormInput& input : norm_inputs(decoder)) {
    const std::vector<float>& largest =
        observations[input.site].statistics().channel_absolute_max();
    for (Index c = 0; c < input.linear.in; ++c) {
      const auto x = static_cast<double>(largest[static_cast<std::size_t>(c)]);
      const double w = static_cast<double>(
          parameters.segment(input.linear.weight + c * input.linear.out, input.linear.out)
              .cwiseAbs()
              .maxCoeff());
      if (!(x > 0 && w > 0)) continue;
      const double s = std::max(std::pow(x, alpha) / std::pow(w, 1 - alpha), kLeastFactor);
      multiply_channel(input, c, 1 / s, smoothed);
    }
  }
  return smoothed;
}

}  // namespace xfq::quant
