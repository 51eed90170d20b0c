// Reports from observations.
#include "xfq/quant/tensor_report.h"

#include <cmath>

namespace xfq::quant {

TensorReport describe(const Observation& observation, const std::string& name,
                      const NumberFormat& format) {
  const stats::Moments& moments = observation.statistics().moments();
  TensorReport report;
  report.name = name;
  report.format = format.name();
  report.min = moments.min();
  report.max = moments.max();
  report.standard_deviation = std::sqrt(moments.population_variance());
  report.excess_kurtosis = moments.excess_kurtosis();
  report.share_beyond_six_sigma = observation.share_beyond_six_sigma();
  report.channel_ratio = observation.statistics().channel_ratio();
  return report;
}

}  // namespace xfq::quant
