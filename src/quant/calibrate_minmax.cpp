// minmax: everything seen.
#include "calibrators.h"

namespace xfq::quant {

Range minmax_range(const Observation& observation, const NumberFormat& format) {
  return clipped_range(observation, format, observation.range());
}

}  // namespace xfq::quant
