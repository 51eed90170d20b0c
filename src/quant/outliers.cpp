// Outlier channels.
#include "xfq/quant/outliers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "norm_inputs.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"

namespace xfq::quant {

std::vector<Index> outlier_channels(Index dim, Index count, std::uint64_t seed) {
  if (count < 0 || count > dim) {
    throw_usage(
        fmt::format("{} outlier channels, expected 0 to {}, the model's width", count, dim));
  }
  std::vector<Index> channels(static_cast<std::size_t>(dim));
  std::iota(channels.begin(), channels.end(), Index{0});
  Stream stream(seed, "quant.outliers");
  stream.shuffle(channels);
  channels.resize(static_cast<std::size_t>(count));
  std::sort(channels.begin(), channels.end());
  return channels;
}

Vector<float> amplify_outliers(const models::Decoder& decoder, const Vector<float>& parameters,
                               double factor, const std::vector<Index>& channels) {
  if (!(std::isfinite(factor) && factor > 0)) {
    throw_usage(fmt::format("--outliers {}, expected a finite factor above 0", factor));
  }
  for (const Index c : channels) {
    if (c < 0 || c >= decoder.config().dim) {
      throw_usage(fmt::format("outlier channel {}, expected 0 to {}", c, decoder.config().dim - 1));
    }
  }
  Vector<float> amplified = parameters;
  for (const NormInput& input : norm_inputs(decoder)) {
    for (const Index c : channels) multiply_channel(input, c, factor, amplified);
  }
  return amplified;
}

std::vector<Index> outlier_columns(const Observation& observation, double sigmas) {
  const RangeStatistics& statistics = observation.statistics();
  const double threshold = sigmas * statistics.root_mean_square();
  std::vector<Index> columns;
  const std::vector<float>& largest = statistics.channel_absolute_max();
  for (std::size_t c = 0; c < largest.size(); ++c) {
    if (static_cast<double>(largest[c]) > threshold) columns.push_back(static_cast<Index>(c));
  }
  return columns;
}

std::vector<Index> largest_columns(const Observation& observation, Index count) {
  const std::vector<float>& largest = observation.statistics().channel_absolute_max();
  XFQ_ASSERT(count >= 0 && count <= static_cast<Index>(largest.size()));
  std::vector<Index> columns(largest.size());
  std::iota(columns.begin(), columns.end(), Index{0});
  std::stable_sort(columns.begin(), columns.end(), [&](Index a, Index b) {
    return largest[static_cast<std::size_t>(a)] > largest[static_cast<std::size_t>(b)];
  });
  columns.resize(static_cast<std::size_t>(count));
  std::sort(columns.begin(), columns.end());
  return columns;
}

}  // namespace xfq::quant
