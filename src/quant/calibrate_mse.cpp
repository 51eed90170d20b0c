// mse: the threshold of least mean squared error, by grid and refinement.
#include <cmath>
#include <vector>

#include "calibrators.h"
#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

struct Bin {
  double begin = 0;
  double end = 0;
  double density = 0;  // count / width
};

// One side of zero: its bins in use, and the magnitudes that the format has there.
struct Side {
  std::vector<Bin> bins;
  std::vector<double> magnitudes;  // at step 1, ascending from 0; empty for integers
};

Side make_side(const std::vector<std::int64_t>& counts, double width) {
  Side side;
  for (std::size_t j = 0; j < counts.size(); ++j) {
    if (counts[j] == 0) continue;
    side.bins.push_back({static_cast<double>(j) * width, static_cast<double>(j + 1) * width,
                         static_cast<double>(counts[j]) / width});
  }
  return side;
}

// The integral of (u - round(u))^2 over [0, t] for the values 0, 1, ..., n. Between two
// midpoints it is 1/12.
double uniform_integral(double t, double n) {
  // Rounded down by way of an integer: without SSE4.1 std::floor is a call.
  const double k = t < n ? static_cast<double>(static_cast<std::int64_t>(t + 0.5)) : n;
  const double rest = t - k;
  return k / 12 + rest * rest * rest / 3;
}

double uniform_error(const Side& side, double step, double n) {
  const double inverse = 1 / step;
  double sum = 0;
  // Most bins begin where the last one ended.
  double edge = -1, integral_to_edge = 0;
  for (const Bin& bin : side.bins) {
    const double to_begin =
        bin.begin == edge ? integral_to_edge : uniform_integral(bin.begin * inverse, n);
    edge = bin.end;
    integral_to_edge = uniform_integral(edge * inverse, n);
    sum += bin.density * (integral_to_edge - to_begin);
  }
  return sum * step * step * step;
}

double cubed(double x) { return x * x * x; }

// The same for any ascending list of values: bins are cut at the midpoints.
double listed_error(const Side& side, double step) {
  const std::vector<double>& values = side.magnitudes;
  double sum = 0;
  std::size_t k = 0;
  for (const Bin& bin : side.bins) {
    double integral = 0;
    double from = bin.begin;
    while (from < bin.end) {
      while (k + 1 < values.size() && 0.5 * (values[k] + values[k + 1]) * step <= from) ++k;
      const bool more = k + 1 < values.size() && 0.5 * (values[k] + values[k + 1]) * step < bin.end;
      const double to = more ? 0.5 * (values[k] + values[k + 1]) * step : bin.end;
      integral += (cubed(to - values[k] * step) - cubed(from - values[k] * step)) / 3;
      from = to;
    }
    sum += bin.density * integral;
  }
  return sum;
}

class SquaredError {
 public:
  SquaredError(const Observation& observation, const NumberFormat& format)
      : format_(format),
        positive_(make_side(observation.positive(), observation.bin_width())),
        negative_(make_side(observation.negative(), observation.bin_width())),
        count_(static_cast<double>(observation.count())) {
    if (format.kind() == NumberKind::integer) return;
    for (const float value : format.values()) {
      if (value >= 0) positive_.magnitudes.push_back(static_cast<double>(value));
      if (value <= 0) {
        negative_.magnitudes.insert(negative_.magnitudes.begin(), -static_cast<double>(value));
      }
    }
  }

  double operator()(const Scale& scale) const {
    const auto step = static_cast<double>(scale.step);
    if (format_.kind() != NumberKind::integer) {
      return (listed_error(positive_, step) + listed_error(negative_, step)) / count_;
    }
    const double above = format_.highest_code() - scale.zero_point;
    const double below = scale.zero_point - format_.lowest_code();
    return (uniform_error(positive_, step, above) + uniform_error(negative_, step, below)) / count_;
  }

 private:
  NumberFormat format_;
  Side positive_;
  Side negative_;
  double count_;
};

// The mean squared error of clipping alone, every value beyond T being T: rises as T falls, and no
// format with the range [-T, T] is better. Bins that T cuts are left out.
class ClippingError {
 public:
  explicit ClippingError(const Observation& observation)
      : width_(observation.bin_width()), count_(static_cast<double>(observation.count())) {
    const std::vector<std::int64_t> counts = observation.magnitudes();
    beyond_.resize(counts.size() + 1);
    for (std::size_t j = counts.size(); j-- > 0;) {
      const auto count = static_cast<double>(counts[j]);
      const double middle = (static_cast<double>(j) + 0.5) * width_;
      beyond_[j].count = beyond_[j + 1].count + count;
      beyond_[j].sum = beyond_[j + 1].sum + count * middle;
      beyond_[j].squares =
          beyond_[j + 1].squares + count * (middle * middle + width_ * width_ / 12);
    }
  }

  double operator()(double threshold) const {
    const double bin = std::ceil(threshold / width_);
    if (bin >= static_cast<double>(beyond_.size())) return 0;
    const Beyond& beyond = beyond_[static_cast<std::size_t>(bin)];
    return (beyond.squares - threshold * (2 * beyond.sum - threshold * beyond.count)) / count_;
  }

 private:
  struct Beyond {
    double count = 0, sum = 0, squares = 0;  // of the values in this bin and later ones
  };
  double width_;
  double count_;
  std::vector<Beyond> beyond_;
};

}  // namespace

double expected_squared_error(const Observation& observation, const NumberFormat& format,
                              const Scale& scale) {
  XFQ_ASSERT(observation.count() > 0);
  if (observation.range() == 0) return 0;
  return SquaredError(observation, format)(scale);
}

double mse_threshold(const Observation& observation, const NumberFormat& format) {
  const SquaredError error(observation, format);
  const auto threshold_at = [&](double octaves) {
    return observation.range() * std::exp2(-octaves);
  };
  const auto error_at = [&](double octaves) {
    return error(format.fit(clipped_range(observation, format, threshold_at(octaves))));
  };
  // Sixteen thresholds an octave, over twelve octaves below the largest value; mxfp4, whose
  // steps are powers of two, may need a step above it.
  double best = format.kind() == NumberKind::mxfp4 ? -1.0 : 0.0;
  const double most = best;
  double least = error_at(best);
  // The largest value of mxfp4 may lie above the threshold: no bound there.
  const bool bounded = format.kind() != NumberKind::mxfp4;
  const ClippingError clipping(observation);
  const auto try_around = [&](double center, double spacing, int from, int to) {
    for (int k = from; k <= to; ++k) {
      const double octaves = center + k * spacing;
      if (octaves < most) continue;
      // Lower thresholds clip more; the margin is for rounding.
      if (bounded && clipping(threshold_at(octaves)) > 1.001 * least) return;
      const double e = error_at(octaves);
      if (e < least) {
        least = e;
        best = octaves;
      }
    }
  };
  try_around(best, 1.0 / 16, 1, 12 * 16);
  // Twice a grid sixteen times finer between the neighbours: 1/4096 octave, 0.02 %.
  try_around(best, 1.0 / 256, -15, 15);
  try_around(best, 1.0 / 4096, -15, 15);
  return threshold_at(best);
}

}  // namespace xfq::quant
