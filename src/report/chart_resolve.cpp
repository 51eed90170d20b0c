// From a declared chart and the tables of a record to numbers.
#include "chart_resolve.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "pattern.h"
#include "xfq/report/schema.h"
#include "xfq/stats/intervals.h"

namespace xfq::report {

namespace {

constexpr std::size_t kBuckets = 150;  // of a thinned line

const Table* find_table(const Record& record, const std::string& name) {
  for (const std::vector<Table>* const tables : {&record.tables, &record.cost.tables}) {
    for (const Table& table : *tables) {
      if (table.name == name) return &table;
    }
  }
  return nullptr;
}

std::optional<double> as_number(const Value& value) {
  if (const auto* const real = std::get_if<double>(&value)) return *real;
  if (const auto* const integer = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*integer);
  }
  return std::nullopt;
}

/// One row of a table, by column name.
class Row {
 public:
  Row(const Table& table, std::size_t row) : table_(table), row_(row) {}

  const Value& cell(const std::string& column) const {
    const auto found = std::find(table_.columns.begin(), table_.columns.end(), column);
    return table_.rows[row_][static_cast<std::size_t>(found - table_.columns.begin())];
  }
  std::string text(const std::string& column) const { return to_text(cell(column)); }
  /// For people: a long number is cut.
  std::string label(const std::string& column) const {
    const auto* const real = std::get_if<double>(&cell(column));
    return real == nullptr ? text(column) : axis_number(*real);
  }
  std::optional<double> number(const Source& source) const {
    return source.number ? source.number : as_number(cell(source.column));
  }

  bool fits(const LayerDeclaration& layer) const {
    return std::all_of(layer.where.begin(), layer.where.end(), [this](const auto& condition) {
      const std::string cell = text(condition.first);
      return std::any_of(condition.second.begin(), condition.second.end(),
                         [&cell](const std::string& wanted) { return fits_pattern(wanted, cell); });
    });
  }

 private:
  const Table& table_;
  std::size_t row_;
};

/// Texts in the order of their first appearance.
class Names {
 public:
  std::size_t index(const std::string& name) {
    const auto [found, added] = index_.emplace(name, names_.size());
    if (added) names_.push_back(name);
    return found->second;
  }
  const std::vector<std::string>& all() const { return names_; }

 private:
  std::map<std::string, std::size_t> index_;
  std::vector<std::string> names_;
};

/// Rows that become one point.
struct Group {
  std::string panel;  ///< empty: every panel
  std::size_t layer = 0;
  std::size_t name = 0;
  ChartPoint point;  ///< its position
  /// What was measured, by the value of the column `over`.
  std::map<std::string, std::vector<double>> values;
  std::optional<Interval> given;
};

class Resolver {
 public:
  Resolver(const ChartDeclaration& declaration, const Record& record, Language language)
      : declaration_(declaration), record_(record), language_(language) {}

  std::optional<Chart> run() {
    for (std::size_t i = 0; i < declaration_.layers.size(); ++i) collect(i);
    if (tables_.all().empty()) return std::nullopt;
    fill();
    if (chart_.panels.empty()) return std::nullopt;
    describe();
    return std::move(chart_);
  }

 private:
  using Key = std::tuple<std::string, std::size_t, std::size_t, double, double, double>;

  Scale measured_scale(const LayerDeclaration& layer) const {
    if (layer.mark == Mark::heatmap) return Scale::linear;
    const bool along_x = layer.mark == Mark::dot || layer.mark == Mark::vertical;
    return along_x ? declaration_.x.scale : declaration_.y.scale;
  }

  void collect(std::size_t index) {
    const LayerDeclaration& layer = declaration_.layers[index];
    if (layer.table.empty()) {
      Group group;
      group.layer = index;
      group.name = names_.index(layer.label.in(language_));
      group.values[""] = {layer.mark == Mark::vertical ? *layer.x.number : *layer.y.number};
      groups_.push_back(std::move(group));
      return;
    }
    const Table* const table = find_table(record_, layer.table);
    if (table == nullptr) return;
    const auto has = [table](const std::string& column) {
      return std::find(table->columns.begin(), table->columns.end(), column) !=
             table->columns.end();
    };
    const std::vector<std::string> columns = layer.columns();
    if (!std::all_of(columns.begin(), columns.end(), has)) return;
    const bool facets = !declaration_.facet.empty() && has(declaration_.facet);
    std::map<Key, std::size_t> found;
    for (std::size_t i = 0; i < table->rows.size(); ++i) {
      const Row row(*table, i);
      if (row.fits(layer)) {
        add_row(index, row, facets ? panel_name(row) : layer.panel.in(language_), found);
      }
    }
  }

  std::string panel_name(const Row& row) const {
    const std::string& title = declaration_.facet_title.in(language_);
    return title + (title.empty() ? "" : ": ") + row.label(declaration_.facet);
  }

  void add_row(std::size_t index, const Row& row, const std::string& panel,
               std::map<Key, std::size_t>& found) {
    const LayerDeclaration& layer = declaration_.layers[index];
    Group group;
    group.panel = panel;
    group.layer = index;
    std::optional<double> measured;
    const auto place = [&](const Source& source, Names& categories, Scale scale, double& at) {
      if (scale == Scale::category) {
        at = static_cast<double>(categories.index(row.text(source.column)));
        return true;
      }
      const std::optional<double> number = row.number(source);
      if (number) at = *number;
      return number.has_value();
    };
    const auto on_x = [&] {
      return place(layer.x, x_categories_, declaration_.x.scale, group.point.x);
    };
    const auto on_y = [&] {
      return place(layer.y, y_categories_, declaration_.y.scale, group.point.y);
    };
    bool complete = true;
    switch (layer.mark) {
      case Mark::line:
      case Mark::point:
        measured = row.number(layer.y);
        complete = on_x();
        break;
      case Mark::histogram:
        measured = row.number(layer.y);
        complete = on_x();
        group.point.x_end = row.number(layer.x_end).value_or(group.point.x);
        break;
      case Mark::dot:
        measured = row.number(layer.x);
        complete = on_y();
        break;
      case Mark::heatmap:
        measured = row.number(layer.value);
        complete = on_x() && on_y();
        break;
      case Mark::vertical:
        measured = row.number(layer.x);
        break;
      case Mark::horizontal:
        measured = row.number(layer.y);
        break;
    }
    if (!measured || !complete) return;
    tables_.index(layer.table);
    std::vector<std::string> words;
    for (const std::string& column : layer.series) words.push_back(row.label(column));
    const std::string& label = layer.label.in(language_);
    group.name = names_.index(fmt::format(
        "{}{}{}", label, label.empty() || words.empty() ? "" : ": ", fmt::join(words, ", ")));

    // Every row of a scatter plot is a point of its own.
    const bool apart = layer.mark == Mark::point && layer.over.empty();
    Key key(panel, group.name, apart ? groups_.size() : 0, group.point.x, group.point.y,
            group.point.x_end);
    const auto [at, added] = found.emplace(std::move(key), groups_.size());
    if (added) groups_.push_back(std::move(group));
    Group& into = groups_[at->second];
    std::vector<double>& values = into.values[layer.over.empty() ? "" : row.text(layer.over)];
    values.push_back(*measured);
    if (values.size() > 1 && layer.within.empty()) chart_.ambiguous = true;
    if (!layer.lo.empty()) {
      const auto lo = as_number(row.cell(layer.lo));
      const auto hi = as_number(row.cell(layer.hi));
      if (lo && hi) into.given = Interval{*lo, *hi};
    }
  }

  /// The point with its mean and interval; none when it has no place on a logarithmic axis.
  std::optional<ChartPoint> finish(const Group& group) {
    const LayerDeclaration& layer = declaration_.layers[group.layer];
    ChartPoint point = group.point;
    point.n = static_cast<std::int64_t>(group.values.size());
    const bool log = measured_scale(layer) == Scale::log;
    const bool x_is_log = declaration_.x.scale == Scale::log;
    const bool beside = layer.mark == Mark::line || layer.mark == Mark::point;
    std::vector<double> values;
    for (const auto& [over, rows] : group.values) {
      values.push_back(*stats::mean_t(rows).value);
    }
    for (double& value : values) {
      if ((log && value <= 0) || (beside && x_is_log && point.x <= 0)) {
        if (layer.mark != Mark::histogram) ++not_positive_;  // an empty bin is no loss
        return std::nullopt;
      }
      if (log) value = std::log(value);
    }
    const stats::Estimate estimate = stats::mean_t(values);
    const double mean = log ? std::exp(*estimate.value) : *estimate.value;
    if (estimate.ci && values.size() > 1) {
      (log ? geometric_means_ : means_).index(layer.over);
      const Interval ci =
          log ? Interval{std::exp(estimate.ci->lo), std::exp(estimate.ci->hi)} : *estimate.ci;
      if (std::isfinite(ci.hi)) point.ci = ci;
    }
    if (group.given && values.size() == 1) point.ci = group.given;
    switch (layer.mark) {
      case Mark::dot:
      case Mark::vertical:
        point.x = mean;
        break;
      case Mark::heatmap:
        point.value = mean;
        break;
      case Mark::line:
      case Mark::point:
      case Mark::histogram:
      case Mark::horizontal:
        point.y = mean;
        break;
    }
    return point;
  }

  bool has_panels() const {
    return !declaration_.facet.empty() ||
           std::any_of(declaration_.layers.begin(), declaration_.layers.end(),
                       [](const LayerDeclaration& layer) { return !layer.panel.empty(); });
  }

  ChartPanel& panel(const std::string& name) {
    for (ChartPanel& one : chart_.panels) {
      if (one.name == name) return one;
    }
    ChartPanel added;
    added.name = name;
    chart_.panels.push_back(std::move(added));
    return chart_.panels.back();
  }

  void add_point(std::size_t layer, std::size_t name, const ChartPoint& point, ChartPanel& into) {
    const LayerDeclaration& declared = declaration_.layers[layer];
    for (ChartSeries& series : into.series) {
      if (series.name == name && series.mark == declared.mark && series.dashed == declared.dashed) {
        series.points.push_back(point);
        return;
      }
    }
    into.series.push_back({name, declared.mark, declared.dashed, {point}});
  }

  void fill() {
    // Panels first, so that layers without the facet's column reach all of them.
    std::vector<std::optional<ChartPoint>> points;
    for (const Group& group : groups_) {
      points.push_back(finish(group));
      const bool everywhere = group.panel.empty() && has_panels();
      const bool ruled = declaration_.layers[group.layer].table.empty();
      if (points.back() && !everywhere && !ruled) panel(group.panel);
    }
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      const Group& group = groups_[i];
      if (!points[i]) continue;
      for (ChartPanel& one : chart_.panels) {
        if (group.panel.empty() || one.name == group.panel) {
          add_point(group.layer, group.name, *points[i], one);
        }
      }
    }
    sort_panels();
    for (ChartPanel& one : chart_.panels) finish_panel(one);
    if (chart_.panels.empty()) return;
    set_ranges({declaration_.free, declaration_.x.zero, declaration_.y.zero, declaration_.x.range,
                declaration_.y.range},
               chart_);
  }

  /// Panels of numbers by their number, others as they came.
  void sort_panels() {
    std::map<std::string, double> numbers;
    for (const ChartPanel& one : chart_.panels) {
      const std::size_t value = one.name.rfind(' ') + 1;  // 0 where there is no title
      double number = 0;
      const char* const end = one.name.data() + one.name.size();
      const auto [stop, code] = std::from_chars(one.name.data() + value, end, number);
      if (code != std::errc{} || stop != end) return;
      numbers[one.name] = number;
    }
    std::stable_sort(chart_.panels.begin(), chart_.panels.end(),
                     [&](const ChartPanel& a, const ChartPanel& b) {
                       return numbers[a.name] < numbers[b.name];
                     });
  }

  void finish_panel(ChartPanel& one) {
    for (ChartSeries& series : one.series) {
      if (series.mark != Mark::line) continue;
      std::stable_sort(series.points.begin(), series.points.end(),
                       [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; });
      series.points = thinned(series.points, kBuckets);
    }
    const auto set = [&](const AxisDeclaration& declared, const Names& categories, bool along_x) {
      ChartAxis axis;
      axis.title = declared.title.in(language_);
      axis.scale = declared.scale;
      if (declared.scale == Scale::category) axis.categories = categories.all();
      if (declared.value_ticks) {
        std::set<double> values;
        for (const ChartSeries& series : one.series) {
          for (const ChartPoint& point : series.points) {
            values.insert(along_x ? point.x : point.y);
          }
        }
        axis.ticks.assign(values.begin(), values.end());
      }
      return axis;
    };
    one.x = set(declaration_.x, x_categories_, true);
    one.y = set(declaration_.y, y_categories_, false);
    if (declaration_.free) {
      keep_own_categories(one.x, &ChartPoint::x, one);
      keep_own_categories(one.y, &ChartPoint::y, one);
    }
  }

  /// Drops the categories that the panel has no point in.
  static void keep_own_categories(ChartAxis& axis, double ChartPoint::*place, ChartPanel& panel) {
    if (axis.scale != Scale::category) return;
    std::map<double, double> places;
    for (const ChartSeries& series : panel.series) {
      for (const ChartPoint& point : series.points) places[point.*place] = 0;
    }
    std::vector<std::string> categories;
    for (auto& [old_place, new_place] : places) {
      new_place = static_cast<double>(categories.size());
      categories.push_back(axis.categories[static_cast<std::size_t>(old_place)]);
    }
    for (ChartSeries& series : panel.series) {
      for (ChartPoint& point : series.points) point.*place = places[point.*place];
    }
    axis.categories = std::move(categories);
  }

  void describe() {
    chart_.id = declaration_.id;
    chart_.title = declaration_.title.in(language_);
    chart_.value_title = declaration_.value.in(language_);
    chart_.series = names_.all();
    chart_.shown = std::min(declaration_.shown, chart_.panels.size());
    chart_.source = fmt::format("{}", fmt::join(tables_.all(), ", "));
    const auto say = [this](const Text& note) { chart_.notes.push_back(note.in(language_)); };
    for (const std::string& column : means_.all()) {
      say(phrase("Means over {} with 95 % t intervals.", {column}));
    }
    for (const std::string& column : geometric_means_.all()) {
      say(phrase("Geometric means over {} with 95 % t intervals on the logarithms.", {column}));
    }
    if (not_positive_ > 0) say(not_positive_note(not_positive_));
    if (chart_.ambiguous) say("Rows that differ in columns not shown here were averaged.");
    chart_.alt = alt_text();
  }

  /// What the declaration says, then series and ranges.
  std::string alt_text() const {
    std::string text = declaration_.alt.in(language_);
    std::vector<std::string> names;
    for (const std::string& name : chart_.series) {
      if (!name.empty()) names.push_back(name);
    }
    if (!names.empty()) {
      text += phrase(" Series: {}.", {fmt::format("{}", fmt::join(names, ", "))}).in(language_);
    }
    for (const bool along_x : {true, false}) {
      const ChartPanel& first = chart_.panels.front();
      const ChartAxis& axis = along_x ? first.x : first.y;
      if (axis.scale == Scale::category) continue;
      double lo = axis.lo;
      double hi = axis.hi;
      for (const ChartPanel& one : chart_.panels) {
        lo = std::min(lo, (along_x ? one.x : one.y).lo);
        hi = std::max(hi, (along_x ? one.x : one.y).hi);
      }
      text +=
          phrase(" {}: {} to {}.", {axis.title, axis_number(lo), axis_number(hi)}).in(language_);
    }
    return text;
  }

  const ChartDeclaration& declaration_;
  const Record& record_;
  Language language_;
  Chart chart_;
  std::vector<Group> groups_;
  Names names_;
  Names tables_;
  Names means_;  ///< columns over which rows became means
  Names geometric_means_;
  Names x_categories_;
  Names y_categories_;
  std::int64_t not_positive_ = 0;
};

}  // namespace

std::optional<Chart> resolve(const ChartDeclaration& declaration, const Record& record,
                             Language language) {
  return Resolver(declaration, record, language).run();
}

std::vector<Chart> charts_of(const Record& record, Language language) {
  std::vector<Chart> charts;
  for (const ChartDeclaration& declaration :
       chart_declarations(experiment_name(record.schema)).charts) {
    if (auto chart = resolve(declaration, record, language)) charts.push_back(std::move(*chart));
  }
  return charts;
}

}  // namespace xfq::report
