// The difference of two independent means, for its interval and its p-value.
#pragma once

#include <vector>

namespace xfq::stats {

struct WelchDifference {
  double difference = 0;  ///< mean(a) - mean(b)
  double error = 0;       ///< its standard error
  double df = 0;          ///< by Satterthwaite; 0 when the error is zero
};

/// Two or more finite observations on each side.
WelchDifference welch_difference(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace xfq::stats
