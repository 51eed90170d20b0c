// Several results of one experiment: metrics over the options in which they differ.
#include "sweep.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "chart_declaration.h"
#include "chart_resolve.h"
#include "xfq/report/schema.h"

namespace xfq::report {

namespace {

constexpr std::size_t kMostKeys = 3;      // in a label
constexpr std::size_t kMostSeries = 8;    // in a chart
constexpr std::size_t kMostLeftOut = 12;  // names of others
constexpr std::size_t kMostCharts = 6;    // when none are declared

Value setting(const Record& record, const std::string& key) {
  for (const auto& [name, value] : record.config) {
    if (name == key) return value;
  }
  return {};
}

std::optional<double> as_number(const std::string& text) {
  double value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || stop != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

/// One number of one result.
struct Sample {
  std::size_t result;
  const Metric* metric;
};

/// Series of a chart by name, in order of appearance.
class Samples {
 public:
  void add(const std::string& name, const Sample& sample) {
    const auto [at, added] = index_.emplace(name, names_.size());
    if (added) {
      names_.push_back(name);
      samples_.emplace_back();
    }
    samples_[at->second].push_back(sample);
  }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<Sample>& of(std::size_t name) const { return samples_[name]; }
  bool one_a_result() const {
    return std::all_of(samples_.begin(), samples_.end(), [](const std::vector<Sample>& list) {
      std::set<std::size_t> results;
      return std::all_of(list.begin(), list.end(),
                         [&](const Sample& s) { return results.insert(s.result).second; });
    });
  }

 private:
  std::map<std::string, std::size_t> index_;
  std::vector<std::string> names_;
  std::vector<std::vector<Sample>> samples_;
};

/// Whether a metric belongs to a chart, and the name of its series there.
using Fits = std::function<bool(const std::string& id, std::string& name)>;

std::string with_unit(const std::string& title, const std::string& unit) {
  return unit.empty() ? title : fmt::format("{} [{}]", title, unit);
}

/// Numbers by size, and before all words.
bool value_before(const Value& a, const Value& b) {
  const std::optional<double> x = as_number(to_text(a));
  const std::optional<double> y = as_number(to_text(b));
  if (x && y) return *x < *y;
  return x || y ? x.has_value() : to_text(a) < to_text(b);
}

/// Where a result stands: a place along the swept option, and what sets its series apart.
struct Standing {
  double at = 0;  ///< a number, or the index of a category
  std::string series;
};

/// The option with the most values is swept, numbers before words where two have as many; the
/// combinations of all others are series.
class SweepChart {
 public:
  SweepChart(const ResultGroup& group, Language language) : group_(group), language_(language) {
    std::vector<std::string> keys = differing_keys(group);
    if (keys.empty()) {
      stand_by_file();
      return;
    }
    const auto swept =
        std::max_element(keys.begin(), keys.end(), [this](const auto& a, const auto& b) {
          return std::make_pair(values_of(a).size(), is_numeric(a)) <
                 std::make_pair(values_of(b).size(), is_numeric(b));
        });
    option_ = *swept;
    keys.erase(swept);
    others_ = std::move(keys);
    stand();
  }

  std::optional<Chart> draw(const std::string& id, const Fits& fits, const std::string& title,
                            Scale scale) {
    const Samples samples = samples_of(fits);
    if (samples.names().empty()) return std::nullopt;
    Chart chart;
    chart.id = "sweep-" + id;
    chart.title = phrase("{} against {}", {title, option_}).in(language_);
    chart.alt =
        phrase("{} with its interval for every value of {}.", {title, option_}).in(language_);
    if (!others_.empty()) {
      chart.alt += phrase(" A series for each combination of {}.",
                          {fmt::format("{}", fmt::join(others_, ", "))})
                       .in(language_);
    }
    chart.source = "metrics";
    chart.shown = 1;
    ChartPanel panel;
    const std::string unit = samples.of(0).front().metric->unit;
    const ChartAxis measured{with_unit(title, unit), scale, 0, 1, {}, {}};
    const ChartAxis swept{option_, numeric_ ? scale_ : Scale::category, 0, 1, categories_, {}};
    panel.x = numeric_ ? swept : measured;
    panel.y = numeric_ ? measured : swept;
    const std::size_t shown = std::min(samples.names().size(), kMostSeries);
    std::int64_t not_positive = 0;
    for (std::size_t s = 0; s < shown; ++s) {
      ChartSeries series{s, numeric_ ? Mark::line : Mark::dot, false, {}};
      for (const Sample& sample : samples.of(s)) {
        if (scale == Scale::log && *sample.metric->value <= 0) {
          ++not_positive;
          continue;
        }
        const double at = standings_[sample.result].at;
        ChartPoint point;
        point.x = numeric_ ? at : *sample.metric->value;
        point.y = numeric_ ? *sample.metric->value : at;
        point.ci = sample.metric->ci;
        point.n = sample.metric->n;
        series.points.push_back(point);
      }
      std::sort(series.points.begin(), series.points.end(),
                [this](const ChartPoint& a, const ChartPoint& b) {
                  return numeric_ ? a.x < b.x : a.y < b.y;
                });
      chart.series.push_back(samples.names()[s]);
      if (!series.points.empty()) panel.series.push_back(std::move(series));
    }
    if (panel.series.empty()) return std::nullopt;
    if (not_positive > 0) {
      chart.notes.push_back(not_positive_note(not_positive).in(language_));
    }
    if (shown < samples.names().size()) chart.notes.push_back(left_out(samples.names(), shown));
    chart.panels.push_back(std::move(panel));
    set_ranges({}, chart);
    return chart;
  }

 private:
  Value value_of(std::size_t result, const std::string& key) const {
    return setting(group_.results[result]->result.record, key);
  }

  /// The different values of an option, in order.
  std::vector<Value> values_of(const std::string& key) const {
    std::vector<Value> values;
    for (std::size_t r = 0; r < group_.results.size(); ++r) values.push_back(value_of(r, key));
    std::stable_sort(values.begin(), values.end(), value_before);
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }

  bool is_numeric(const std::string& key) const {
    const std::vector<Value> values = values_of(key);
    return std::all_of(values.begin(), values.end(),
                       [](const Value& value) { return as_number(to_text(value)).has_value(); });
  }

  /// No option tells the results apart.
  void stand_by_file() {
    for (const NamedResult* const result : group_.results) {
      const auto at = static_cast<double>(categories_.size());
      categories_.push_back(result_label(group_, *result));
      standings_.push_back({at, {}});
      order_.push_back(order_.size());
    }
  }

  void stand() {
    const std::vector<Value> values = values_of(option_);
    numeric_ = is_numeric(option_);
    if (numeric_) {
      const double lowest = *as_number(to_text(values.front()));
      const double highest = *as_number(to_text(values.back()));
      if (lowest > 0 && highest >= 16 * lowest) scale_ = Scale::log;
    } else {
      for (const Value& value : values) categories_.push_back(to_text(value));
    }
    for (std::size_t r = 0; r < group_.results.size(); ++r) {
      const std::string text = to_text(value_of(r, option_));
      const auto place = std::find(categories_.begin(), categories_.end(), text);
      std::vector<std::string> words;
      for (const std::string& key : others_) {
        words.push_back(fmt::format("{} {}", key, to_text(value_of(r, key))));
      }
      standings_.push_back(
          {numeric_ ? *as_number(text) : static_cast<double>(place - categories_.begin()),
           fmt::format("{}", fmt::join(words, ", "))});
      order_.push_back(r);
    }
    std::stable_sort(order_.begin(), order_.end(), [this](std::size_t a, std::size_t b) {
      for (const std::string& key : others_) {
        const Value x = value_of(a, key);
        const Value y = value_of(b, key);
        if (x != y) return value_before(x, y);
      }
      return false;
    });
  }

  /// Metrics that fit. Names that would put two metrics of one result into one series are
  /// replaced by the whole ids.
  Samples samples_of(const Fits& fits) const {
    for (const bool whole : {false, true}) {
      Samples samples;
      for (const std::size_t r : order_) {
        const std::string& series = standings_[r].series;
        for (const Metric& metric : group_.results[r]->result.record.metrics) {
          std::string name;
          if (!metric.value || !fits(metric.id, name)) continue;
          if (whole || (name.empty() && series.empty())) name = metric.id;
          samples.add(
              fmt::format("{}{}{}", name, name.empty() || series.empty() ? "" : ", ", series),
              {r, &metric});
        }
      }
      if (whole || samples.one_a_result()) return samples;
    }
    return {};
  }

  std::string left_out(const std::vector<std::string>& names, std::size_t shown) const {
    const std::size_t named = std::min(names.size(), shown + kMostLeftOut);
    const auto at = [&names](std::size_t i) {
      return names.begin() + static_cast<std::ptrdiff_t>(i);
    };
    const std::string list = fmt::format("{}", fmt::join(at(shown), at(named), "; "));
    if (named == names.size()) return phrase("Not drawn: {}.", {list}).in(language_);
    return phrase("Not drawn: {}; and {} more.", {list, names.size() - named}).in(language_);
  }

  const ResultGroup& group_;
  Language language_;
  std::string option_;               ///< along the axis; empty: results stand under their files
  std::vector<std::string> others_;  ///< that make series
  std::vector<Standing> standings_;  ///< by result
  std::vector<std::size_t> order_;   ///< of the results, by series
  std::vector<std::string> categories_;
  bool numeric_ = false;
  Scale scale_ = Scale::linear;
};

}  // namespace

std::vector<ResultGroup> grouped(const std::vector<NamedResult>& results) {
  std::vector<ResultGroup> groups;
  std::map<std::string, std::size_t> index;
  std::set<std::string> seen;
  for (const NamedResult& result : results) {
    const std::string& schema = result.result.record.schema;
    if (!seen.insert(schema + " " + result.result.signature).second) continue;
    const auto [at, added] = index.emplace(schema, groups.size());
    if (added) groups.push_back({experiment_name(schema), {}});
    groups[at->second].results.push_back(&result);
  }
  std::stable_sort(groups.begin(), groups.end(), [](const ResultGroup& a, const ResultGroup& b) {
    return a.results.front()->result.record.question_number <
           b.results.front()->result.record.question_number;
  });
  return groups;
}

std::vector<std::string> differing_keys(const ResultGroup& group) {
  std::vector<std::string> keys;
  std::set<std::string> seen;
  for (const NamedResult* const one : group.results) {
    for (const auto& [key, value] : one->result.record.config) {
      if (!seen.insert(key).second) continue;
      const std::string& name = key;
      const Value& first = value;
      if (!std::all_of(group.results.begin(), group.results.end(),
                       [&](const NamedResult* const other) {
                         return setting(other->result.record, name) == first;
                       })) {
        keys.push_back(key);
      }
    }
  }
  return keys;
}

std::string result_label(const ResultGroup& group, const NamedResult& result) {
  const std::vector<std::string> keys = differing_keys(group);
  if (keys.empty() || keys.size() > kMostKeys) return result.file;
  std::vector<std::string> parts;
  for (const std::string& key : keys) {
    parts.push_back(fmt::format("{}={}", key, to_text(setting(result.result.record, key))));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<Chart> sweep_charts(const ResultGroup& group, Language language) {
  std::vector<Chart> charts;
  if (group.results.size() < 2) return charts;
  SweepChart sweep(group, language);
  const auto add = [&charts](std::optional<Chart> chart) {
    if (chart) charts.push_back(std::move(*chart));
  };
  for (const SweepDeclaration& declared : chart_declarations(group.experiment).sweep) {
    const auto fits = [&declared](const std::string& id, std::string& name) {
      return fits_metric(declared.metric, id, name);
    };
    add(sweep.draw(declared.metric, fits, declared.title.in(language), declared.scale));
  }
  if (!charts.empty()) return charts;
  for (const Metric& metric : group.results.front()->result.record.metrics) {
    if (!metric.ci || charts.size() == kMostCharts) continue;
    const auto same = [&metric](const std::string& id, std::string&) { return id == metric.id; };
    add(sweep.draw(metric.id, same, metric.id, Scale::linear));
  }
  return charts;
}

bool fits_metric(const std::string& pattern, const std::string& id, std::string& name) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  // The rest of the pattern against the rest of the id; a star tries the shortest text first.
  const std::function<bool(std::size_t, std::size_t, const std::string&)> fits =
      [&](std::size_t p, std::size_t i, const std::string& so_far) {
        if (p == pattern.size()) {
          if (i == id.size()) name = so_far;
          return i == id.size();
        }
        if (pattern[p] == '*') {
          for (std::size_t end = i + 1; end <= id.size(); ++end) {
            const std::string part = id.substr(i, end - i);
            if (fits(p + 1, end, so_far.empty() ? part : so_far + " " + part)) return true;
          }
          return false;
        }
        if (pattern[p] == '#') {
          for (std::size_t end = i; end < id.size() && digit(id[end]);) {
            if (fits(p + 1, ++end, so_far)) return true;
          }
          return false;
        }
        return i < id.size() && id[i] == pattern[p] && fits(p + 1, i + 1, so_far);
      };
  return fits(0, 0, {});
}

}  // namespace xfq::report
