// The trade-off between steps and examples.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace xfq::experiments::batch_ppl {

/// (S / S_min - 1)(E / E_min - 1) = 1 (McCandlish et al. 2018, eq. 2.11). With E = B S this
/// is S = S_min (1 + B_crit / B), B_crit = E_min / S_min: at B = B_crit a run takes twice the
/// fewest steps and twice the fewest examples.
struct TradeOff {
  double least_steps = 0;
  double least_sequences = 0;
  double critical_batch = 0;
  double rms = 0;  ///< root mean square residual of log S
};

/// Least squares in log S: the best S_min of each B_crit in closed form, B_crit by golden
/// section between 2^-10 of the smallest and 2^10 times the largest batch. None below three
/// batch sizes, or when the best B_crit stands at an end of that range.
std::optional<TradeOff> fit_trade_off(const std::vector<double>& batches,
                                      const std::vector<double>& steps);

}  // namespace xfq::experiments::batch_ppl
