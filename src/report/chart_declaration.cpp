// Reads data/charts.
#include "chart_declaration.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>

#include "embedded.h"
#include "json_tools.h"
#include "xfq/core/error.h"

namespace xfq::report {

namespace {

constexpr std::string_view kFolder = "charts/";
constexpr std::string_view kEnding = ".json";

/// A misspelt key would otherwise be a wish that nobody reads.
void check_keys(const Field& field, std::initializer_list<std::string_view> known) {
  if (!field.node().is_object()) field.fail("an object");
  for (const Field& item : field.items()) {
    if (std::find(known.begin(), known.end(), item.name()) == known.end()) {
      item.fail("no such field");
    }
  }
}

std::string optional_text(const Field& field, const char* key) {
  return field.has(key) ? field.at(key).text() : std::string();
}

bool optional_truth(const Field& field, const char* key) {
  return field.has(key) && field.at(key).truth();
}

/// {"en": "...", "zh": "..."}
Text read_text(const Field& field) {
  check_keys(field, {"en", "zh"});
  const std::string english = field.at("en").text();
  const std::string chinese = field.at("zh").text();
  if (english.empty() || chinese.empty()) field.fail("a text in both languages");
  return Text::from(english, chinese);
}

template <class E>
E read_word(const Field& field, std::initializer_list<std::pair<std::string_view, E>> words) {
  const std::string text = field.text();
  std::string expected;
  for (const auto& [word, value] : words) {
    if (text == word) return value;
    expected += (expected.empty() ? "" : ", ") + std::string(word);
  }
  field.fail("one of " + expected);
}

Scale read_scale(const Field& field) {
  return read_word<Scale>(
      field, {{"linear", Scale::linear}, {"log", Scale::log}, {"category", Scale::category}});
}

Mark read_mark(const Field& field) {
  return read_word<Mark>(field, {{"line", Mark::line},
                                 {"point", Mark::point},
                                 {"dot", Mark::dot},
                                 {"histogram", Mark::histogram},
                                 {"heatmap", Mark::heatmap},
                                 {"vertical", Mark::vertical},
                                 {"horizontal", Mark::horizontal}});
}

Source read_source(const Field& field, const char* key) {
  Source source;
  if (!field.has(key)) return source;
  const Field node = field.at(key);
  if (node.node().is_number()) {
    source.number = node.real();
  } else {
    source.column = node.text();
  }
  return source;
}

/// A text, or a list of texts.
std::vector<std::string> read_texts(const Field& field) {
  if (!field.node().is_array()) return {to_text(field.value())};
  std::vector<std::string> texts;
  for (const Field& item : field.items()) texts.push_back(to_text(item.value()));
  return texts;
}

AxisDeclaration read_axis(const Field& field) {
  check_keys(field, {"title", "scale", "zero", "ticks", "range"});
  AxisDeclaration axis;
  axis.title = read_text(field.at("title"));
  if (field.has("scale")) axis.scale = read_scale(field.at("scale"));
  axis.zero = optional_truth(field, "zero");
  if (field.has("ticks")) axis.value_ticks = read_word<bool>(field.at("ticks"), {{"values", true}});
  if (field.has("range")) {
    const std::vector<Field> ends = field.at("range").items();
    if (ends.size() != 2) field.at("range").fail("two numbers");
    axis.range = Interval{ends[0].real(), ends[1].real()};
  }
  return axis;
}

/// What each mark needs of a layer.
void check_layer(const Field& field, const LayerDeclaration& layer) {
  const bool x = layer.x.given();
  const bool y = layer.y.given();
  bool good = false;
  switch (layer.mark) {
    case Mark::line:
    case Mark::point:
    case Mark::dot:
      good = x && y;
      break;
    case Mark::histogram:
      good = x && y && layer.x_end.given();
      break;
    case Mark::heatmap:
      good = x && y && layer.value.given();
      break;
    case Mark::vertical:
      good = x && !y;
      break;
    case Mark::horizontal:
      good = y && !x;
      break;
  }
  if (!good) field.fail("the fields that its mark needs");
  if (layer.lo.empty() != layer.hi.empty()) field.fail("both of lo and hi, or none");
  if (layer.table.empty() != layer.columns().empty()) field.fail("a table for its columns");
}

LayerDeclaration read_layer(const Field& field) {
  check_keys(field, {"table", "mark", "x", "y", "x_end", "value", "lo", "hi", "series", "label",
                     "panel", "where", "over", "within", "dashed"});
  LayerDeclaration layer;
  layer.table = optional_text(field, "table");
  layer.mark = read_mark(field.at("mark"));
  layer.x = read_source(field, "x");
  layer.y = read_source(field, "y");
  layer.x_end = read_source(field, "x_end");
  layer.value = read_source(field, "value");
  layer.lo = optional_text(field, "lo");
  layer.hi = optional_text(field, "hi");
  if (field.has("series")) layer.series = read_texts(field.at("series"));
  if (field.has("label")) layer.label = read_text(field.at("label"));
  if (field.has("panel")) layer.panel = read_text(field.at("panel"));
  if (field.has("where")) {
    for (const Field& item : field.at("where").items()) {
      layer.where.emplace_back(item.name(), read_texts(item));
    }
  }
  layer.over = optional_text(field, "over");
  layer.within = optional_text(field, "within");
  layer.dashed = optional_truth(field, "dashed");
  check_layer(field, layer);
  return layer;
}

ChartDeclaration read_chart(const Field& field) {
  check_keys(field, {"id", "title", "alt", "x", "y", "value", "facet", "facet_title", "shown",
                     "free", "layers"});
  ChartDeclaration chart;
  chart.id = field.at("id").text();
  chart.title = read_text(field.at("title"));
  chart.alt = read_text(field.at("alt"));
  chart.x = read_axis(field.at("x"));
  chart.y = read_axis(field.at("y"));
  if (field.has("value")) chart.value = read_text(field.at("value"));
  chart.facet = optional_text(field, "facet");
  if (field.has("facet_title")) chart.facet_title = read_text(field.at("facet_title"));
  if (field.has("shown")) chart.shown = static_cast<std::size_t>(field.at("shown").integer());
  chart.free = optional_truth(field, "free");
  for (const Field& item : field.at("layers").items()) {
    chart.layers.push_back(read_layer(item));
    if (!chart.facet.empty() && !chart.layers.back().panel.empty()) {
      item.fail("panels from the facet or from the layers, not from both");
    }
    const Mark mark = chart.layers.back().mark;
    if (mark == Mark::dot && chart.y.scale != Scale::category) item.fail("categories on y");
    if (mark == Mark::heatmap &&
        (chart.x.scale != Scale::category || chart.y.scale != Scale::category)) {
      item.fail("categories on x and y");
    }
  }
  if (chart.layers.empty()) field.at("layers").fail("one layer or more");
  return chart;
}

SweepDeclaration read_sweep(const Field& field) {
  check_keys(field, {"metric", "title", "scale"});
  SweepDeclaration sweep;
  sweep.metric = field.at("metric").text();
  sweep.title = read_text(field.at("title"));
  if (field.has("scale")) sweep.scale = read_scale(field.at("scale"));
  return sweep;
}

}  // namespace

std::vector<std::string> LayerDeclaration::columns() const {
  std::vector<std::string> names = series;
  for (const Source* const source : {&x, &y, &x_end, &value}) {
    if (!source->column.empty()) names.push_back(source->column);
  }
  for (const std::string& name : {lo, hi, over, within}) {
    if (!name.empty()) names.push_back(name);
  }
  for (const auto& [name, texts] : where) names.push_back(name);
  return names;
}

std::vector<std::string> chart_experiments() {
  std::vector<std::string> names;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.path.substr(0, kFolder.size()) != kFolder) continue;
    names.emplace_back(
        file.path.substr(kFolder.size(), file.path.size() - kFolder.size() - kEnding.size()));
  }
  return names;
}

ExperimentCharts chart_declarations(const std::string& experiment) {
  const std::string path = fmt::format("{}{}{}", kFolder, experiment, kEnding);
  const std::string_view json = embedded_file(path);
  return json.empty() ? ExperimentCharts() : parse_charts(json, path);
}

ExperimentCharts parse_charts(std::string_view text, const std::string& source) {
  const Json json = parse(text, source, ErrorKind::run);
  const Field root(json, source, ErrorKind::run);
  check_keys(root, {"charts", "sweep"});
  ExperimentCharts out;
  for (const Field& item : root.at("charts").items()) out.charts.push_back(read_chart(item));
  for (const Field& item : root.at("sweep").items()) out.sweep.push_back(read_sweep(item));
  return out;
}

}  // namespace xfq::report
