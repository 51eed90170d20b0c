// kl: the published search for the threshold of least divergence.
#include <algorithm>
#include <array>
#include <cmath>

#include "calibrators.h"
#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

// ln k; a table for the small counts that make up most of a tail.
class Logarithms {
 public:
  Logarithms() {
    for (std::size_t k = 1; k < table_.size(); ++k) table_[k] = std::log(static_cast<double>(k));
  }
  double operator()(std::int64_t k) const {
    const auto index = static_cast<std::size_t>(k);
    return index < table_.size() ? table_[index] : std::log(static_cast<double>(k));
  }

 private:
  std::array<double, 4096> table_{};
};

// The first bin of a level when `bins` are shared out among `levels`.
std::size_t level_begin(std::size_t level, std::size_t bins, std::size_t levels) {
  return level * bins / levels;
}

}  // namespace

std::vector<double> merge_to_levels(const std::vector<std::int64_t>& counts, int levels) {
  XFQ_ASSERT(levels >= 1);
  const auto parts = static_cast<std::size_t>(levels);
  std::vector<double> spread(counts.size(), 0.0);
  for (std::size_t l = 0; l < parts; ++l) {
    const std::size_t begin = level_begin(l, counts.size(), parts);
    const std::size_t end = level_begin(l + 1, counts.size(), parts);
    std::int64_t sum = 0;
    std::int64_t used = 0;
    for (std::size_t j = begin; j < end; ++j) {
      sum += counts[j];
      used += counts[j] > 0 ? 1 : 0;
    }
    for (std::size_t j = begin; j < end; ++j) {
      if (counts[j] > 0) spread[j] = static_cast<double>(sum) / static_cast<double>(used);
    }
  }
  return spread;
}

KlSearch kl_search(const std::vector<std::int64_t>& counts, double bin_width, int levels) {
  XFQ_ASSERT(levels >= 1);
  static const Logarithms log_of;
  const std::size_t bins = counts.size();
  const auto parts = static_cast<std::size_t>(levels);

  // Running sums over the bins before j: of counts, of bins in use, of c ln c.
  std::vector<std::int64_t> mass(bins + 1, 0);
  std::vector<std::int64_t> used(bins + 1, 0);
  std::vector<double> c_ln_c(bins + 1, 0.0);
  for (std::size_t j = 0; j < bins; ++j) {
    const std::int64_t c = counts[j];
    mass[j + 1] = mass[j] + c;
    used[j + 1] = used[j] + (c > 0 ? 1 : 0);
    c_ln_c[j + 1] = c_ln_c[j] + (c > 0 ? static_cast<double>(c) * log_of(c) : 0.0);
  }
  const std::int64_t all = mass[bins];

  KlSearch search;
  search.threshold = static_cast<double>(bins) * bin_width;
  double least = 0;
  for (std::size_t i = parts; i < bins; ++i) {
    const std::int64_t inside = mass[i];
    if (inside == 0) continue;  // Q has nothing to show
    const std::int64_t outside = all - inside;
    const std::int64_t last = counts[i - 1];

    // In units of 1 / all: sum of P ln P, then of P ln Q with Q = S / (n inside) in
    // every bin of a level with sum S over n bins. P's mass in a level is S, and
    // `outside` more in the last bin.
    double p_ln_p = c_ln_c[i - 1];
    if (last + outside > 0) p_ln_p += static_cast<double>(last + outside) * log_of(last + outside);
    double p_ln_q = 0;
    for (std::size_t l = 0; l < parts; ++l) {
      const std::size_t begin = level_begin(l, i, parts);
      const std::size_t end = level_begin(l + 1, i, parts);
      const std::int64_t sum = mass[end] - mass[begin];
      if (sum == 0) continue;
      const std::int64_t p = l + 1 == parts && last > 0 ? sum + outside : sum;
      p_ln_q += static_cast<double>(p) * (log_of(sum) - log_of(used[end] - used[begin]));
    }
    const bool missing = last == 0 && outside > 0;
    const std::int64_t covered = missing ? inside : all;
    p_ln_q -= static_cast<double>(covered) * log_of(inside);
    if (missing) {
      p_ln_q += static_cast<double>(outside) * std::log(kKlEpsilon) -
                static_cast<double>(all) * std::log1p(kKlEpsilon);
    }
    const double divergence =
        std::max(0.0, (p_ln_p - p_ln_q) / static_cast<double>(all) - log_of(all));

    const double threshold = (static_cast<double>(i) + 0.5) * bin_width;
    if (search.curve.empty() || divergence < least) {
      least = divergence;
      search.threshold = threshold;
    }
    search.curve.push_back({threshold, divergence});
  }
  return search;
}

int kl_levels(const NumberFormat& format) { return 1 << (format.bits() - 1); }

double kl_threshold(const Observation& observation, const NumberFormat& format) {
  return kl_search(observation.magnitudes(), observation.bin_width(), kl_levels(format)).threshold;
}

}  // namespace xfq::quant
