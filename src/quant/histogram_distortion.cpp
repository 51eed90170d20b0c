// Rounding errors predicted from a histogram.
#include "xfq/quant/histogram_distortion.h"

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"
#include "xfq/quant/calibration.h"
#include "xfq/stats/divergence.h"
#include "xfq/stats/histogram.h"

namespace xfq::quant {
namespace {

// Counts over [-range, range], negative values first.
std::vector<std::int64_t> signed_counts(const Observation& observation) {
  std::vector<std::int64_t> counts(observation.negative().rbegin(), observation.negative().rend());
  counts.insert(counts.end(), observation.positive().begin(), observation.positive().end());
  return counts;
}

// The values of a format at a scale, and the edges of the intervals that round to them. The first
// and the last interval are as wide on their outer side as on their inner one.
struct Cells {
  std::vector<double> edges;  // values + 1
};
Cells cells_of(const NumberFormat& format, const Scale& scale) {
  const std::vector<float> values = format.values();
  const std::size_t n = values.size();
  const auto value = [&](std::size_t k) {
    return (static_cast<double>(values[k]) - scale.zero_point) * static_cast<double>(scale.step);
  };
  Cells cells;
  cells.edges.resize(n + 1);
  for (std::size_t k = 1; k < n; ++k) cells.edges[k] = 0.5 * (value(k - 1) + value(k));
  cells.edges[0] = 2 * value(0) - cells.edges[1];
  cells.edges[n] = 2 * value(n - 1) - cells.edges[n - 1];
  return cells;
}

// Calls visit(i, j, overlap) for every pair of intervals [a_i, a_i+1), [b_j, b_j+1) that overlap.
// Edges ascend.
template <class A, class B, class Visit>
void for_each_overlap(std::size_t count_a, const A& a, std::size_t count_b, const B& b,
                      const Visit& visit) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < count_a && j < count_b) {
    const double lo = std::max(a(i), b(j));
    const double hi = std::min(a(i + 1), b(j + 1));
    if (hi > lo) visit(i, j, hi - lo);
    if (a(i + 1) < b(j + 1)) {
      ++i;
    } else {
      ++j;
    }
  }
}

}  // namespace

HistogramDistortion histogram_distortion(const Observation& observation, const NumberFormat& format,
                                         const Scale& scale) {
  XFQ_ASSERT(observation.count() > 0);
  HistogramDistortion result;
  if (observation.range() == 0) return result;
  const double rms = observation.statistics().root_mean_square();
  const double error = expected_squared_error(observation, format, scale);
  if (error > 0) result.sqnr_db = 10 * std::log10(rms * rms / error);

  const std::vector<std::int64_t> counts = signed_counts(observation);
  const double width = observation.bin_width();
  const auto bin_edge = [&](std::size_t i) {
    return (static_cast<double>(i) - Observation::kBins) * width;
  };
  const Cells cells = cells_of(format, scale);
  const std::size_t n = cells.edges.size() - 1;
  const auto cell_edge = [&](std::size_t k) { return cells.edges[k]; };

  std::vector<double> mass(n, 0.0);
  double inside = 0;
  for_each_overlap(counts.size(), bin_edge, n, cell_edge,
                   [&](std::size_t bin, std::size_t cell, double overlap) {
                     const double part = static_cast<double>(counts[bin]) * overlap / width;
                     mass[cell] += part;
                     inside += part;
                   });
  const auto count = static_cast<double>(observation.count());
  result.clip_share = std::max(0.0, 1 - inside / count);
  // What lies beyond is clipped to the last values.
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    const auto c = static_cast<double>(counts[bin]);
    const double below = std::min(cells.edges[0], bin_edge(bin + 1)) - bin_edge(bin);
    const double above = bin_edge(bin + 1) - std::max(cells.edges[n], bin_edge(bin));
    if (below > 0) mass[0] += c * below / width;
    if (above > 0) mass[n - 1] += c * above / width;
  }
  result.code_entropy_bits = stats::entropy(mass) / std::log(2.0);

  std::vector<double> seen(counts.begin(), counts.end());
  std::vector<double> shown(counts.size(), 0.0);
  for_each_overlap(counts.size(), bin_edge, n, cell_edge,
                   [&](std::size_t bin, std::size_t cell, double overlap) {
                     const double size = cells.edges[cell + 1] - cells.edges[cell];
                     shown[bin] += mass[cell] * overlap / size;
                   });
  result.histogram_kl = stats::kl_smoothed(seen, shown);
  return result;
}

std::vector<DrawnBin> drawn_histogram(const Observation& observation, int bins) {
  const std::vector<std::int64_t> counts = signed_counts(observation);
  const auto parts = static_cast<std::size_t>(bins);
  XFQ_ASSERT(bins >= 2 && bins % 2 == 0 && counts.size() % parts == 0);
  const std::size_t merged = counts.size() / parts;
  std::vector<DrawnBin> drawn(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    std::int64_t sum = 0;
    for (std::size_t j = i * merged; j < (i + 1) * merged; ++j) sum += counts[j];
    const double width = 2 * observation.range() / bins;
    drawn[i].lo = (static_cast<double>(i) - bins / 2) * width;
    drawn[i].hi = (static_cast<double>(i) + 1 - bins / 2) * width;
    drawn[i].share = static_cast<double>(sum) / static_cast<double>(observation.count());
  }
  return drawn;
}

}  // namespace xfq::quant
