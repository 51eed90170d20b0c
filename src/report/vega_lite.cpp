// Charts as Vega-Lite 5 specifications.
#include "vega_lite.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace xfq::report {

namespace {

/// A kind of series: one layer of the specification.
using Layer = std::pair<Mark, bool>;  // mark, dashed

std::vector<Layer> layers_of(const Chart& chart) {
  std::vector<Layer> layers;
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartSeries& series : panel.series) {
      const Layer layer(series.mark, series.dashed);
      if (std::find(layers.begin(), layers.end(), layer) == layers.end()) layers.push_back(layer);
    }
  }
  return layers;
}

Json place(double at, const ChartAxis& axis) {
  if (axis.scale != Scale::category) return at;
  return axis.categories[static_cast<std::size_t>(at)];
}

Json rows_of(const Chart& chart, const std::vector<Layer>& layers) {
  Json rows = Json::array();
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartSeries& series : panel.series) {
      const auto layer = std::find(layers.begin(), layers.end(), Layer(series.mark, series.dashed));
      for (const ChartPoint& point : series.points) {
        Json row = {{"panel", panel.name},
                    {"layer", layer - layers.begin()},
                    {"series", chart.series[series.name]}};
        if (series.mark != Mark::horizontal) row["x"] = place(point.x, panel.x);
        if (series.mark != Mark::vertical) row["y"] = place(point.y, panel.y);
        if (series.mark == Mark::histogram) row["x_end"] = point.x_end;
        if (series.mark == Mark::heatmap) row["value"] = point.value;
        if (point.ci) {
          row["lo"] = point.ci->lo;
          row["hi"] = point.ci->hi;
        }
        row["n"] = point.n;
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

Json channel(const char* field, const ChartAxis& axis, bool fixed_range) {
  if (axis.scale == Scale::category) {
    // In the order of the rows.
    return {{"field", field}, {"type", "nominal"}, {"title", axis.title}, {"sort", nullptr}};
  }
  Json scale = {{"type", axis.scale == Scale::log ? "log" : "linear"}};
  if (fixed_range) scale["domain"] = {axis.lo, axis.hi};
  scale["nice"] = false;
  Json out = {{"field", field}, {"type", "quantitative"}, {"title", axis.title}, {"scale", scale}};
  if (!axis.ticks.empty()) out["axis"] = {{"values", axis.ticks}};
  return out;
}

/// Whether the layer's points have intervals beside them; a dashed line is a reference.
bool has_intervals(const Chart& chart, const Layer& layer) {
  if (layer.first != Mark::line && layer.first != Mark::point && layer.first != Mark::dot) {
    return false;
  }
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartSeries& series : panel.series) {
      if (Layer(series.mark, series.dashed) != layer || series.dashed) continue;
      for (const ChartPoint& point : series.points) {
        if (point.ci) return true;
      }
    }
  }
  return false;
}

/// A layer that shows intervals.
Json interval_layer(Mark mark, const ChartPanel& panel, const Json& filter, bool fixed_range) {
  const bool dot = mark == Mark::dot;
  Json encoding;
  const char* const along = dot ? "x" : "y";
  encoding[along] = channel("lo", dot ? panel.x : panel.y, fixed_range);
  encoding[dot ? "x2" : "y2"] = {{"field", "hi"}};
  encoding[dot ? "y" : "x"] =
      dot ? channel("y", panel.y, fixed_range) : channel("x", panel.x, fixed_range);
  return {{"transform", {filter, {{"filter", "isValid(datum.lo)"}}}},
          {"mark", {{"type", "rule"}, {"clip", true}}},
          {"encoding", std::move(encoding)}};
}

Json mark_of(const Layer& layer) {
  Json dashes = Json::array({6, 4});
  switch (layer.first) {
    case Mark::line: {
      Json mark = {{"type", "line"}, {"point", !layer.second}};
      if (layer.second) mark["strokeDash"] = dashes;
      return mark;
    }
    case Mark::point:
    case Mark::dot:
      return {{"type", "point"}, {"filled", true}};
    case Mark::histogram:
      return {{"type", "rect"}, {"opacity", 0.5}};
    case Mark::heatmap:
      return {{"type", "rect"}};
    case Mark::vertical:
    case Mark::horizontal:
      break;
  }
  Json mark = {{"type", "rule"}};
  if (layer.second) mark["strokeDash"] = dashes;
  return mark;
}

}  // namespace

Json vega_lite(const Chart& chart) {
  const std::vector<Layer> layers = layers_of(chart);
  const ChartPanel& panel = chart.panels.front();
  const bool facets = chart.panels.size() > 1;
  // Panels with ranges of their own leave them to Vega-Lite.
  const bool fixed =
      std::all_of(chart.panels.begin(), chart.panels.end(), [&](const ChartPanel& other) {
        return other.x.lo == panel.x.lo && other.x.hi == panel.x.hi && other.y.lo == panel.y.lo &&
               other.y.hi == panel.y.hi;
      });
  const bool named = std::any_of(chart.series.begin(), chart.series.end(),
                                 [](const std::string& name) { return !name.empty(); });
  Json list = Json::array();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Mark mark = layers[i].first;
    const Json filter = {{"filter", fmt::format("datum.layer === {}", i)}};
    Json encoding;
    if (mark != Mark::horizontal) encoding["x"] = channel("x", panel.x, fixed);
    if (mark != Mark::vertical) encoding["y"] = channel("y", panel.y, fixed);
    if (mark == Mark::histogram) {
      encoding["x2"] = {{"field", "x_end"}};
      encoding["y2"] = {{"datum", fixed || panel.y.scale == Scale::log ? panel.y.lo : 0.0}};
    }
    Json color;
    if (mark == Mark::heatmap) {
      color = {{"field", "value"}, {"type", "quantitative"}, {"title", chart.value_title}};
    } else if (named) {
      color = {
          {"field", "series"}, {"type", "nominal"}, {"sort", chart.series}, {"title", nullptr}};
    }
    if (!color.is_null()) encoding["color"] = color;
    // Series of one category stand beside each other.
    const Json beside = {{"field", "series"}, {"type", "nominal"}, {"sort", chart.series}};
    if (mark == Mark::dot && named) encoding["yOffset"] = beside;
    if (has_intervals(chart, layers[i])) {
      Json intervals = interval_layer(mark, panel, filter, fixed);
      if (!color.is_null()) intervals["encoding"]["color"] = color;
      if (encoding.contains("yOffset")) intervals["encoding"]["yOffset"] = beside;
      list.push_back(std::move(intervals));
    }
    list.push_back({{"transform", {filter}}, {"mark", mark_of(layers[i])}, {"encoding", encoding}});
    if (mark == Mark::heatmap) {
      encoding.erase("color");
      encoding["text"] = {{"field", "value"}, {"type", "quantitative"}, {"format", ".3~g"}};
      list.push_back({{"transform", {filter}}, {"mark", "text"}, {"encoding", encoding}});
    }
  }

  Json spec = {{"$schema", "https://vega.github.io/schema/vega-lite/v5.json"},
               {"title", chart.title},
               {"description", chart.alt},
               {"data", {{"values", rows_of(chart, layers)}}}};
  Json& view = facets ? spec["spec"] : spec;
  view["layer"] = std::move(list);
  if (chart.has(Mark::heatmap)) {
    view["width"] = {{"step", 60}};
    view["height"] = {{"step", 36}};
  }
  if (facets) {
    Json names = Json::array();
    for (const ChartPanel& one : chart.panels) names.push_back(one.name);
    spec["facet"] = {{"field", "panel"}, {"type", "nominal"}, {"title", nullptr}, {"sort", names}};
    spec["columns"] = 3;
    if (!fixed) spec["resolve"] = {{"scale", {{"x", "independent"}, {"y", "independent"}}}};
  }
  return spec;
}

}  // namespace xfq::report
