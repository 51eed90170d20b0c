// Slices of weights and their ranges.
#include "slices.h"

#include <algorithm>

#include "xfq/quant/observer.h"

namespace xfq::quant {

std::vector<Slice> slices_of(const Granularity& granularity, Index in, Index out) {
  if (granularity.kind == Granularity::Kind::tensor) return {{0, out, 0, in}};
  const Index size = granularity.kind == Granularity::Kind::group ? granularity.group : in;
  std::vector<Slice> slices;
  for (Index o = 0; o < out; ++o) {
    for (Index i = 0; i < in; i += size) slices.push_back({o, o + 1, i, std::min(size, in - i)});
  }
  return slices;
}

Range slice_range(const WeightSetting& setting, const std::vector<float>& values) {
  const auto size = static_cast<Index>(values.size());
  if (setting.calibration.method != CalibrationMethod::minmax) {
    return calibrate(setting.calibration, observe(values.data(), size, 1), setting.format);
  }
  // Groups are many and small: no histogram for their ends.
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const Range seen = {std::min(static_cast<double>(*least), 0.0),
                      std::max(static_cast<double>(*most), 0.0)};
  if (setting.format.scheme() == Scheme::affine) return seen;
  return {-seen.magnitude(), seen.magnitude()};
}

}  // namespace xfq::quant
