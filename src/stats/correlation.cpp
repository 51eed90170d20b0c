// Correlations: product-moment, by ranks, by pairs, partial.
#include "xfq/stats/correlation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "checks.h"

namespace xfq::stats {
namespace {

bool constant(const std::vector<double>& values) {
  for (const double value : values) {
    if (value != values.front()) return false;
  }
  return true;
}

bool undefined(const std::vector<double>& x, const std::vector<double>& y) {
  return x.size() < 2 || constant(x) || constant(y);
}

void check_items(const std::vector<double>& x, const std::vector<double>& y) {
  check_same_size(x.size(), y.size(), "items of a correlation");
  check_finite(x, "correlation");
  check_finite(y, "correlation");
}

std::optional<double> pearson_unchecked(const std::vector<double>& x,
                                        const std::vector<double>& y) {
  if (undefined(x, y)) return std::nullopt;
  const auto n = static_cast<double>(x.size());
  double sum_x = 0;
  double sum_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sum_x += x[i] - x[0];
    sum_y += y[i] - y[0];
  }
  double sxx = 0;
  double syy = 0;
  double sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = (x[i] - x[0]) - sum_x / n;
    const double dy = (y[i] - y[0]) - sum_y / n;
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
  }
  const double scale = std::sqrt(sxx) * std::sqrt(syy);
  if (!(scale > 0)) return std::nullopt;  // a spread that underflows
  return std::clamp(sxy / scale, -1.0, 1.0);
}

std::optional<double> spearman_unchecked(const std::vector<double>& x,
                                         const std::vector<double>& y) {
  return pearson_unchecked(average_ranks(x), average_ranks(y));
}

std::int64_t pairs(std::int64_t n) { return n * (n - 1) / 2; }

// Sorts values ascending and returns how many exchanges of neighbours that takes.
std::int64_t sort_counting_swaps(std::vector<double>& values, std::vector<double>& buffer,
                                 std::size_t begin, std::size_t end) {
  if (end - begin < 2) return 0;
  const std::size_t middle = begin + (end - begin) / 2;
  std::int64_t swaps = sort_counting_swaps(values, buffer, begin, middle) +
                       sort_counting_swaps(values, buffer, middle, end);
  std::size_t left = begin;
  std::size_t right = middle;
  for (std::size_t out = begin; out < end; ++out) {
    if (right == end || (left < middle && values[left] <= values[right])) {
      buffer[out] = values[left++];
    } else {
      buffer[out] = values[right++];
      swaps += static_cast<std::int64_t>(middle - left);
    }
  }
  std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(begin),
            buffer.begin() + static_cast<std::ptrdiff_t>(end),
            values.begin() + static_cast<std::ptrdiff_t>(begin));
  return swaps;
}

// Pairs inside runs of equal neighbours; same(i) compares items i - 1 and i.
template <class Same>
std::int64_t tied_pairs(std::size_t n, const Same& same) {
  std::int64_t tied = 0;
  std::int64_t run = 1;
  for (std::size_t i = 1; i < n; ++i) {
    if (same(i)) {
      ++run;
    } else {
      tied += pairs(run);
      run = 1;
    }
  }
  return tied + pairs(run);
}

std::optional<double> kendall_unchecked(const std::vector<double>& x,
                                        const std::vector<double>& y) {
  if (undefined(x, y)) return std::nullopt;
  const std::size_t n = x.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return x[i] != x[j] ? x[i] < x[j] : y[i] < y[j]; });
  const std::int64_t tied_x =
      tied_pairs(n, [&](std::size_t i) { return x[order[i]] == x[order[i - 1]]; });
  const std::int64_t tied_both = tied_pairs(n, [&](std::size_t i) {
    return x[order[i]] == x[order[i - 1]] && y[order[i]] == y[order[i - 1]];
  });
  std::vector<double> sorted(n);
  for (std::size_t i = 0; i < n; ++i) sorted[i] = y[order[i]];
  std::vector<double> buffer(n);
  const std::int64_t discordant = sort_counting_swaps(sorted, buffer, 0, n);
  const std::int64_t tied_y =
      tied_pairs(n, [&](std::size_t i) { return sorted[i] == sorted[i - 1]; });
  const std::int64_t all = pairs(static_cast<std::int64_t>(n));
  const std::int64_t difference = all - tied_x - tied_y + tied_both - 2 * discordant;
  const double scale =
      std::sqrt(static_cast<double>(all - tied_x)) * std::sqrt(static_cast<double>(all - tied_y));
  return std::clamp(static_cast<double>(difference) / scale, -1.0, 1.0);
}

std::optional<double> partial_unchecked(const std::vector<double>& x, const std::vector<double>& y,
                                        const std::vector<double>& z) {
  const std::vector<double> rank_x = average_ranks(x);
  const std::vector<double> rank_y = average_ranks(y);
  const std::vector<double> rank_z = average_ranks(z);
  const auto xy = pearson_unchecked(rank_x, rank_y);
  const auto xz = pearson_unchecked(rank_x, rank_z);
  const auto yz = pearson_unchecked(rank_y, rank_z);
  if (!xy || !xz || !yz) return std::nullopt;
  const double most = 1 - 1e-12;
  if (std::abs(*xz) > most || std::abs(*yz) > most) return std::nullopt;
  const double scale = std::sqrt((1 - *xz * *xz) * (1 - *yz * *yz));
  return std::clamp((*xy - *xz * *yz) / scale, -1.0, 1.0);
}

std::vector<double> pick(const std::vector<double>& values, const std::vector<std::size_t>& items) {
  std::vector<double> picked(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) picked[i] = values[items[i]];
  return picked;
}

using Correlation = std::optional<double> (*)(const std::vector<double>&,
                                              const std::vector<double>&);

Estimate bootstrap_pairs(Correlation correlation, const std::vector<double>& x,
                         const std::vector<double>& y, const Bootstrap& options) {
  check_items(x, y);
  return bootstrap(
      x.size(),
      [&](const std::vector<std::size_t>& items) {
        return correlation(pick(x, items), pick(y, items));
      },
      options);
}

}  // namespace

std::vector<double> average_ranks(const std::vector<double>& values) {
  check_finite(values, "ranking");
  const std::size_t n = values.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return values[i] < values[j]; });
  std::vector<double> ranks(n);
  for (std::size_t begin = 0; begin < n;) {
    std::size_t end = begin + 1;
    while (end < n && values[order[end]] == values[order[begin]]) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

std::optional<double> pearson(const std::vector<double>& x, const std::vector<double>& y) {
  check_items(x, y);
  return pearson_unchecked(x, y);
}

std::optional<double> spearman(const std::vector<double>& x, const std::vector<double>& y) {
  check_items(x, y);
  return spearman_unchecked(x, y);
}

std::optional<double> kendall(const std::vector<double>& x, const std::vector<double>& y) {
  check_items(x, y);
  return kendall_unchecked(x, y);
}

std::optional<double> partial_spearman(const std::vector<double>& x, const std::vector<double>& y,
                                       const std::vector<double>& z) {
  check_items(x, y);
  check_items(x, z);
  return partial_unchecked(x, y, z);
}

Estimate pearson_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                           const Bootstrap& options) {
  return bootstrap_pairs(pearson_unchecked, x, y, options);
}

Estimate spearman_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                            const Bootstrap& options) {
  return bootstrap_pairs(spearman_unchecked, x, y, options);
}

Estimate kendall_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                           const Bootstrap& options) {
  return bootstrap_pairs(kendall_unchecked, x, y, options);
}

Estimate partial_spearman_bootstrap(const std::vector<double>& x, const std::vector<double>& y,
                                    const std::vector<double>& z, const Bootstrap& options) {
  check_items(x, y);
  check_items(x, z);
  return bootstrap(
      x.size(),
      [&](const std::vector<std::size_t>& items) {
        return partial_unchecked(pick(x, items), pick(y, items), pick(z, items));
      },
      options);
}

}  // namespace xfq::stats
