// A chart as plain numbers: ranges, thinning.
#include "chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace xfq::report {

namespace {

/// The smallest range that holds what was added.
class Extent {
 public:
  explicit Extent(Scale scale) : scale_(scale) {}

  void add(double value) {
    if (scale_ == Scale::log && value <= 0) return;
    lo_ = empty_ ? value : std::min(lo_, value);
    hi_ = empty_ ? value : std::max(hi_, value);
    empty_ = false;
  }

  /// An interval widens a logarithmic range by a factor of kReach at most: with two seeds it
  /// may span more decades than the points of all others.
  void add(const Interval& interval) { intervals_.push_back(interval); }

  /// With room at both ends; an end at zero stays when it is where bars begin.
  Interval padded(bool zero) {
    const bool log = scale_ == Scale::log;
    const double lowest = lo_ / kReach;
    const double highest = hi_ * kReach;
    for (const Interval& interval : intervals_) {
      add(log ? std::max(interval.lo, lowest) : interval.lo);
      add(log ? std::min(interval.hi, highest) : interval.hi);
    }
    if (zero) add(0.0);
    if (empty_) return log ? Interval{0.1, 10} : Interval{0, 1};
    if (log) {
      const double factor = lo_ == hi_ ? 2 : std::exp(0.05 * (std::log(hi_) - std::log(lo_)));
      constexpr auto kLimits = std::numeric_limits<double>();
      return {std::max(lo_ / factor, kLimits.min()), std::min(hi_ * factor, kLimits.max())};
    }
    double room = 0.05 * (hi_ - lo_);
    if (room == 0) room = hi_ == 0 ? 1 : 0.1 * std::abs(hi_);
    const bool from_zero = zero && lo_ == 0;
    const bool to_zero = zero && hi_ == 0;
    return {from_zero ? 0 : lo_ - room, to_zero ? 0 : hi_ + room};
  }

 private:
  static constexpr double kReach = 30;

  Scale scale_;
  std::vector<Interval> intervals_;
  bool empty_ = true;
  double lo_ = 0;
  double hi_ = 0;
};

/// Adds what the panel draws along one axis.
void add_points(const ChartPanel& panel, bool along_x, Extent& extent) {
  for (const ChartSeries& series : panel.series) {
    const bool measured = along_x == (series.mark == Mark::dot || series.mark == Mark::vertical);
    for (const ChartPoint& point : series.points) {
      if (series.mark != (along_x ? Mark::horizontal : Mark::vertical)) {
        extent.add(along_x ? point.x : point.y);
      }
      if (along_x && series.mark == Mark::histogram) extent.add(point.x_end);
      if (measured && point.ci) extent.add(*point.ci);
    }
  }
}

void set_axis_ranges(const RangeRule& rule, bool along_x, Chart& chart) {
  const auto axis_of = [along_x](ChartPanel& panel) -> ChartAxis& {
    return along_x ? panel.x : panel.y;
  };
  const std::optional<Interval>& fixed = along_x ? rule.x : rule.y;
  const bool zero = along_x ? rule.zero_x : rule.zero_y;
  Extent all(axis_of(chart.panels.front()).scale);
  for (const ChartPanel& panel : chart.panels) add_points(panel, along_x, all);
  for (ChartPanel& panel : chart.panels) {
    ChartAxis& axis = axis_of(panel);
    Interval range;
    if (axis.scale == Scale::category) {
      range = {-0.5, static_cast<double>(axis.categories.size()) - 0.5};
    } else if (fixed) {
      range = *fixed;
    } else if (rule.free) {
      Extent own(axis.scale);
      add_points(panel, along_x, own);
      range = own.padded(zero);
    } else {
      range = all.padded(zero);
    }
    axis.lo = range.lo;
    axis.hi = range.hi;
  }
}

}  // namespace

bool Chart::has(Mark mark) const {
  return std::any_of(panels.begin(), panels.end(), [mark](const ChartPanel& panel) {
    return std::any_of(panel.series.begin(), panel.series.end(),
                       [mark](const ChartSeries& one) { return one.mark == mark; });
  });
}

std::string axis_number(double value) {
  const bool whole = value == std::round(value) && std::abs(value) < 1e6;
  return whole ? fmt::format("{:.0f}", value) : fmt::format("{:.4g}", value);
}

Text not_positive_note(std::int64_t count) {
  return phrase("Left out, because a logarithmic axis has no zero: {} (values at or below zero).",
                {count});
}

void set_ranges(const RangeRule& rule, Chart& chart) {
  set_axis_ranges(rule, true, chart);
  set_axis_ranges(rule, false, chart);
}

std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points, std::size_t buckets) {
  if (buckets == 0 || points.size() <= 2 * buckets) return points;
  std::vector<ChartPoint> kept;
  const auto lower = [](const ChartPoint& a, const ChartPoint& b) { return a.y < b.y; };
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    const auto at = [&](std::size_t i) {
      return points.begin() + static_cast<std::ptrdiff_t>(i * points.size() / buckets);
    };
    auto [low, high] = std::minmax_element(at(bucket), at(bucket + 1), lower);
    if (high < low) std::swap(low, high);
    kept.push_back(*low);
    if (high != low) kept.push_back(*high);
  }
  return kept;
}

}  // namespace xfq::report
