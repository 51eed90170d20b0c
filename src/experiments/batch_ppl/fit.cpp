#include "fit.h"

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"

namespace xfq::experiments::batch_ppl {

namespace {

struct Residuals {
  double log_least_steps;
  double rms;
};

Residuals residuals(const std::vector<double>& batches, const std::vector<double>& steps,
                    double log_critical) {
  std::vector<double> rest;
  double mean = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    rest.push_back(std::log(steps[i]) - std::log1p(std::exp(log_critical) / batches[i]));
    mean += rest.back() / static_cast<double>(batches.size());
  }
  double squares = 0;
  for (const double r : rest) squares += (r - mean) * (r - mean);
  return {mean, std::sqrt(squares / static_cast<double>(batches.size()))};
}

}  // namespace

std::optional<TradeOff> fit_trade_off(const std::vector<double>& batches,
                                      const std::vector<double>& steps) {
  XFQ_ASSERT(batches.size() == steps.size());
  if (batches.size() < 3) return std::nullopt;
  const auto [least, most] = std::minmax_element(batches.begin(), batches.end());
  const double begin = std::log(*least / 1024), end = std::log(*most * 1024);
  const auto error = [&](double x) { return residuals(batches, steps, x).rms; };
  // The error has one minimum: its rate of change in log B_crit changes sign once.
  double lo = begin, hi = end;
  const double golden = (std::sqrt(5.0) - 1) / 2;
  while (hi - lo > 1e-9) {
    const double a = hi - golden * (hi - lo), b = lo + golden * (hi - lo);
    (error(a) < error(b) ? hi : lo) = error(a) < error(b) ? b : a;
  }
  const double at = (lo + hi) / 2;
  if (at - begin < 1e-6 || end - at < 1e-6) return std::nullopt;
  const Residuals best = residuals(batches, steps, at);
  TradeOff fit;
  fit.critical_batch = std::exp(at);
  fit.least_steps = std::exp(best.log_least_steps);
  fit.least_sequences = fit.critical_batch * fit.least_steps;
  fit.rms = best.rms;
  return fit;
}

}  // namespace xfq::experiments::batch_ppl
