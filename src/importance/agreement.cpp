#include "xfq/importance/agreement.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "xfq/core/error.h"
#include "xfq/stats/correlation.h"

namespace xfq::importance {

namespace {

using Values = std::vector<double>;

/// The units [first, last) that are ranked together.
struct Group {
  std::size_t first = 0, last = 0;
};

std::vector<Group> groups(const Units& units, Arrangement arrangement) {
  const auto count = static_cast<std::size_t>(units.count());
  if (arrangement != Arrangement::within) return {{0, count}};
  std::vector<Group> layers;
  for (Index l = 0; l < units.layers; ++l) {
    const auto first = static_cast<std::size_t>(l * units.per_layer);
    layers.push_back({first, first + static_cast<std::size_t>(units.per_layer)});
  }
  return layers;
}

Values arranged(const Units& units, const Values& scores, Arrangement arrangement) {
  return arrangement == Arrangement::normalised ? normalise_layers(units, scores) : scores;
}

/// Mean over the groups on which `of(group)` is defined.
std::optional<double> mean_over(const std::vector<Group>& groups,
                                const std::function<std::optional<double>(const Group&)>& of) {
  double sum = 0;
  int defined = 0;
  for (const Group& group : groups) {
    const std::optional<double> value = of(group);
    if (!value) continue;
    sum += *value;
    ++defined;
  }
  if (defined == 0) return std::nullopt;
  return sum / defined;
}

Values slice(const Values& values, const Group& group) {
  return Values(values.begin() + static_cast<std::ptrdiff_t>(group.first),
                values.begin() + static_cast<std::ptrdiff_t>(group.last));
}

using Correlation = std::optional<double> (*)(const Values&, const Values&);

std::optional<double> correlate(Correlation correlation, const Units& units, const Values& scores,
                                const Values& truth, Arrangement arrangement) {
  const Values x = arranged(units, scores, arrangement);
  return mean_over(groups(units, arrangement), [&](const Group& group) {
    return correlation(slice(x, group), slice(truth, group));
  });
}

/// Average ranks of items that occur several times, from one sort for all resamples.
class RepeatedRanks {
 public:
  RepeatedRanks(const Values& values, const Group& group) : values_(values) {
    order_.resize(group.last - group.first);
    std::iota(order_.begin(), order_.end(), group.first);
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  }

  /// times[u]: how often unit u occurs; ranks[u] is assigned for the units of the group.
  void rank(const std::vector<int>& times, Values& ranks) const {
    double before = 0;
    for (std::size_t i = 0; i < order_.size();) {
      std::size_t end = i;
      double tied = 0;
      while (end < order_.size() && values_[order_[end]] == values_[order_[i]]) {
        tied += times[order_[end++]];
      }
      for (; i < end; ++i) ranks[order_[i]] = before + (tied + 1) / 2;
      before += tied;
    }
  }

 private:
  const Values& values_;
  std::vector<std::size_t> order_;
};

/// Pearson's correlation of the items of a group with their multiplicities.
std::optional<double> weighted_pearson(const std::vector<int>& times, const Group& group,
                                       const Values& x, const Values& y) {
  double n = 0, sum_x = 0, sum_y = 0;
  for (std::size_t u = group.first; u < group.last; ++u) {
    n += times[u];
    sum_x += times[u] * x[u];
    sum_y += times[u] * y[u];
  }
  if (n < 2) return std::nullopt;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t u = group.first; u < group.last; ++u) {
    const double dx = x[u] - sum_x / n, dy = y[u] - sum_y / n;
    xx += times[u] * dx * dx;
    yy += times[u] * dy * dy;
    xy += times[u] * dx * dy;
  }
  if (!(xx > 0) || !(yy > 0)) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

stats::Bootstrap percentile(std::int64_t resamples, std::uint64_t seed) {
  stats::Bootstrap options;
  options.resamples = resamples;
  options.seed = seed;
  options.method = stats::BootstrapMethod::percentile;
  return options;
}

}  // namespace

std::string to_string(Arrangement arrangement) {
  switch (arrangement) {
    case Arrangement::within:
      return "within";
    case Arrangement::raw:
      return "raw";
    case Arrangement::normalised:
      break;
  }
  return "normalised";
}

std::vector<double> normalise_layers(const Units& units, const std::vector<double>& scores) {
  Values result = scores;
  for (const Group& layer : groups(units, Arrangement::within)) {
    double square = 0;
    for (std::size_t u = layer.first; u < layer.last; ++u) square += scores[u] * scores[u];
    if (!(square > 0)) continue;
    for (std::size_t u = layer.first; u < layer.last; ++u) result[u] /= std::sqrt(square);
  }
  return result;
}

std::optional<double> spearman(const Units& units, const Values& scores, const Values& truth,
                               Arrangement arrangement) {
  return correlate(&stats::spearman, units, scores, truth, arrangement);
}

std::optional<double> kendall(const Units& units, const Values& scores, const Values& truth,
                              Arrangement arrangement) {
  return correlate(&stats::kendall, units, scores, truth, arrangement);
}

stats::Estimate spearman_bootstrap(const Units& units, const Values& scores, const Values& truth,
                                   Arrangement arrangement, std::int64_t resamples,
                                   std::uint64_t seed) {
  const Values x = arranged(units, scores, arrangement);
  const std::vector<Group> all = groups(units, arrangement);
  std::vector<RepeatedRanks> of_x, of_y;
  for (const Group& group : all) {
    of_x.emplace_back(x, group);
    of_y.emplace_back(truth, group);
  }
  std::vector<int> times(x.size());
  Values rank_x(x.size()), rank_y(x.size());
  const auto statistic = [&](const std::vector<std::size_t>& items) {
    std::fill(times.begin(), times.end(), 0);
    for (const std::size_t item : items) ++times[item];
    for (std::size_t g = 0; g < all.size(); ++g) {
      of_x[g].rank(times, rank_x);
      of_y[g].rank(times, rank_y);
    }
    return mean_over(
        all, [&](const Group& group) { return weighted_pearson(times, group, rank_x, rank_y); });
  };
  return stats::bootstrap(x.size(), statistic, percentile(resamples, seed));
}

stats::Estimate kendall_bootstrap(const Units& units, const Values& scores, const Values& truth,
                                  Arrangement arrangement, std::int64_t resamples,
                                  std::uint64_t seed) {
  const Values x = arranged(units, scores, arrangement);
  const std::vector<Group> all = groups(units, arrangement);
  std::vector<Values> parts_x(all.size()), parts_y(all.size());
  const auto statistic = [&](const std::vector<std::size_t>& items) {
    for (std::size_t g = 0; g < all.size(); ++g) {
      parts_x[g].clear();
      parts_y[g].clear();
    }
    for (const std::size_t item : items) {
      const std::size_t g = all.size() == 1 ? 0 : item / static_cast<std::size_t>(units.per_layer);
      parts_x[g].push_back(x[item]);
      parts_y[g].push_back(truth[item]);
    }
    std::size_t g = 0;
    return mean_over(all, [&](const Group&) {
      const std::size_t part = g++;
      return stats::kendall(parts_x[part], parts_y[part]);
    });
  };
  return stats::bootstrap(x.size(), statistic, percentile(resamples, seed));
}

std::optional<double> split_half(const Units& units, const Values& first, const Values& second) {
  const std::optional<double> r = spearman(units, first, second, Arrangement::within);
  if (!r || *r <= 0) return r;
  return std::min(1.0, 2 * *r / (1 + *r));
}

std::vector<std::size_t> ascending(const Values& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  return order;
}

double top_overlap(const Values& scores, const Values& truth, std::int64_t count) {
  XFQ_ASSERT(count > 0 && count <= static_cast<std::int64_t>(scores.size()));
  const auto top = [&](Values values) {
    for (double& value : values) value = -value;
    std::vector<std::size_t> order = ascending(values);
    std::vector<bool> chosen(values.size(), false);
    for (std::int64_t i = 0; i < count; ++i) chosen[order[static_cast<std::size_t>(i)]] = true;
    return chosen;
  };
  const std::vector<bool> a = top(scores), b = top(truth);
  std::int64_t both = 0;
  for (std::size_t u = 0; u < a.size(); ++u) both += a[u] && b[u] ? 1 : 0;
  return static_cast<double>(both) / static_cast<double>(count);
}

}  // namespace xfq::importance
