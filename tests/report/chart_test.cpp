// Charts: what declarations say, how rows become points, and what renderers get.
#include "chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "catch.h"
#include "chart_declaration.h"
#include "chart_resolve.h"
#include "gnuplot.h"
#include "vega_lite.h"
#include "xfq/core/error.h"

namespace xfq::report {
namespace {

/// A file with one chart of these fields and no sweep.
ChartDeclaration declared(const std::string& fields) {
  const std::string text = R"("title": {"en": "T", "zh": "B"}, "alt": {"en": "A.", "zh": "A."})";
  return parse_charts(
             R"({"charts": [{"id": "one", )" + text + ", " + fields + R"(}], "sweep": []})", "test")
      .charts.front();
}

std::string axis(const std::string& more = "") {
  return R"({"title": {"en": "size", "zh": "d"})" + more + "}";
}

std::string axes(const std::string& x = "", const std::string& y = "") {
  return R"("x": )" + axis(x) + R"(, "y": )" + axis(y);
}

Record record_with(const Table& table) {
  Record record;
  record.tables.push_back(table);
  return record;
}

Chart resolved(const std::string& fields, const Record& record) {
  const auto chart = resolve(declared(fields), record, Language::en);
  REQUIRE(chart.has_value());
  return *chart;
}

Value text(const char* value) { return std::string(value); }

/// Two series of three seeds at one size.
Record seeds() {
  return record_with({"runs",
                      {"size", "arm", "seed", "loss"},
                      {{std::int64_t{8}, text("a"), std::int64_t{1}, 1.0},
                       {std::int64_t{8}, text("a"), std::int64_t{2}, 2.0},
                       {std::int64_t{8}, text("a"), std::int64_t{3}, 3.0},
                       {std::int64_t{4}, text("a"), std::int64_t{1}, 5.0},
                       {std::int64_t{8}, text("b"), std::int64_t{1}, 4.0},
                       {std::int64_t{8}, text("b"), std::int64_t{2}, {}}}});
}

const char* const kLines =
    R"(, "layers": [{"table": "runs", "mark": "line", "x": "size", "y": "loss", "series": "arm",
       "over": "seed"}])";

}  // namespace

TEST_CASE("a declaration with a slip is refused") {
  const std::string good = axes() + kLines;
  CHECK_NOTHROW(declared(good));
  CHECK_THROWS_AS(declared(good + R"(, "titel": 1)"), Error);
  CHECK_THROWS_AS(declared(axes(R"(, "scale": "logarithmic")") + kLines), Error);
  CHECK_THROWS_AS(declared(axes() + R"(, "layers": [])"), Error);
  const auto layer = [](const std::string& fields) {
    return declared(axes() + R"(, "layers": [{)" + fields + "}]");
  };
  CHECK_THROWS_AS(layer(R"("table": "t", "mark": "line", "x": "a")"), Error);
  CHECK_THROWS_AS(layer(R"("mark": "line", "x": "a", "y": "b")"), Error);
  CHECK_THROWS_AS(layer(R"("table": "t", "mark": "line", "x": "a", "y": "b", "lo": "c")"), Error);
  // A dot stands in a category.
  CHECK_THROWS_AS(layer(R"("table": "t", "mark": "dot", "x": "a", "y": "b")"), Error);
  CHECK_THROWS_AS(
      parse_charts(R"({"charts": [], "sweep": [{"metric": "m", "title": {"en": "x", "zh": ""}}]})",
                   "test"),
      Error);
}

TEST_CASE("layers name the panels of a table that has a column for each") {
  const Record record =
      record_with({"units", {"kl", "a", "b"}, {{1.0, 2.0, 5.0}, {3.0, 4.0, 6.0}}});
  const auto layer = [](const std::string& column) {
    return R"({"table": "units", "mark": "point", "x": ")" + column +
           R"(", "y": "kl", "panel": {"en": ")" + column + R"(", "zh": "z"}})";
  };
  const std::string layers =
      R"(, "layers": [)" + layer("a") + ", " + layer("b") + R"(, {"mark": "horizontal", "y": 2}])";
  const Chart chart = resolved(axes() + layers, record);
  REQUIRE(chart.panels.size() == 2);
  CHECK(chart.panels[0].name == "a");
  CHECK(chart.panels[1].name == "b");
  CHECK(chart.panels[1].series.at(0).points.at(1).x == 6);
  // A rule stands in all panels.
  CHECK(chart.panels[0].series.size() == 2);
  CHECK(chart.panels[1].series.size() == 2);
  CHECK_THROWS_AS(declared(axes() + R"(, "facet": "kl")" + layers), Error);
}

TEST_CASE("rows of several seeds are one point with the t interval of their mean") {
  const Chart chart = resolved(axes() + kLines, seeds());
  REQUIRE(chart.panels.size() == 1);
  CHECK(chart.series == std::vector<std::string>{"a", "b"});
  const std::vector<ChartPoint>& a = chart.panels[0].series.at(0).points;
  REQUIRE(a.size() == 2);
  CHECK(a[0].x == 4);  // a line is ordered by x
  CHECK(a[0].n == 1);
  CHECK_FALSE(a[0].ci.has_value());
  CHECK(a[1].y == Approx(2));
  // Standard deviation 1, t(0.975, 2 degrees) = 4.302653: 2 -+ 4.302653 / sqrt(3).
  REQUIRE(a[1].ci.has_value());
  CHECK(a[1].ci->lo == Approx(2 - 4.302653 / std::sqrt(3.0)));
  CHECK(a[1].ci->hi == Approx(2 + 4.302653 / std::sqrt(3.0)));
  CHECK(a[1].n == 3);
  // The row without a value is none.
  CHECK(chart.panels[0].series.at(1).points.at(0).n == 1);
  CHECK_FALSE(chart.ambiguous);
  // The axis holds the interval.
  CHECK(chart.panels[0].y.hi > a[1].ci->hi);
  CHECK(chart.alt.find("Series: a, b.") != std::string::npos);
}

TEST_CASE("a logarithmic axis has geometric means and leaves out what is not positive") {
  Record record = seeds();
  record.tables[0].rows[0][3] = 1.0;
  record.tables[0].rows[1][3] = 10.0;
  record.tables[0].rows[2][3] = 100.0;
  record.tables[0].rows[4][3] = -1.0;
  const Chart chart = resolved(axes("", R"(, "scale": "log")") + kLines, record);
  const ChartPoint& point = chart.panels[0].series.at(0).points.at(1);
  CHECK(point.y == Approx(10));
  // The logarithms are 0, 1, 2 decades: the interval is the same as above, in decades.
  CHECK(point.ci->lo == Approx(std::pow(10, 1 - 4.302653 / std::sqrt(3.0))));
  // Points from 5 to 10, the interval to 3040: it widens the axis to 30 x 10 and its room.
  CHECK(chart.panels[0].y.hi > 300);
  CHECK(chart.panels[0].y.hi < 500);
  CHECK(chart.panels[0].series.size() == 1);
  REQUIRE(chart.notes.size() == 2);
  CHECK(chart.notes[1].find("zero: 1 ") != std::string::npos);
}

TEST_CASE("rows that a declaration does not tell apart are averaged and said to be") {
  const std::string layer = R"("table": "runs", "mark": "line", "x": "size", "y": "loss")";
  const Chart chart = resolved(axes() + R"(, "layers": [{)" + layer + "}]", seeds());
  CHECK(chart.ambiguous);
  CHECK(chart.panels[0].series.at(0).points.at(1).y == Approx((1.0 + 2 + 3 + 4) / 4));
  // Seeds are told apart, arms are not.
  CHECK(
      resolved(axes() + R"(, "layers": [{)" + layer + R"(, "over": "seed"}])", seeds()).ambiguous);
  // Averaged within each seed on purpose: (1 + 4) / 2, 2, 3.
  const Chart nested = resolved(
      axes() + R"(, "layers": [{)" + layer + R"(, "over": "seed", "within": "arm"}])", seeds());
  CHECK_FALSE(nested.ambiguous);
  CHECK(nested.panels[0].series.at(0).points.at(1).y == Approx(2.5));
  CHECK(nested.panels[0].series.at(0).points.at(1).n == 3);
}

TEST_CASE("what a result does not hold is left out") {
  CHECK_FALSE(resolve(declared(axes() + kLines), Record(), Language::en).has_value());
  // A table of an older result without the column.
  const Record old = record_with({"runs", {"size", "loss"}, {{1.0, 2.0}}});
  CHECK_FALSE(resolve(declared(axes() + kLines), old, Language::en).has_value());
  // No row, and a line at a number alone is no chart.
  const Record empty = record_with({"runs", {}, {}});
  CHECK_FALSE(resolve(declared(axes() + R"(, "layers": [{"mark": "horizontal", "y": 1}, {"table":
      "runs", "mark": "point", "x": "size", "y": "loss"}])"),
                      empty, Language::en)
                  .has_value());
}

TEST_CASE("panels, conditions and lines at a number") {
  const Record record = record_with({"t",
                                     {"kind", "name", "x", "y"},
                                     {{text("big"), text("random:1"), 1.0, 10.0},
                                      {text("big"), text("random:2"), 2.0, 20.0},
                                      {text("small"), text("random:1"), 1.0, 1.0},
                                      {text("small"), text("best"), 2.0, 2.0}}});
  const std::string layers =
      R"(, "facet": "kind", "facet_title": {"en": "kind", "zh": "k"}, "layers": [
          {"table": "t", "mark": "point", "x": "x", "y": "y", "where": {"name": "random:*"}},
          {"mark": "vertical", "x": 7, "label": {"en": "limit", "zh": "l"}}])";
  const Chart chart = resolved(axes() + layers, record);
  REQUIRE(chart.panels.size() == 2);
  CHECK(chart.panels[0].name == "kind: big");
  CHECK(chart.panels[0].series.at(0).points.size() == 2);
  CHECK(chart.panels[1].series.at(0).points.size() == 1);
  // The line reaches both, and the axis reaches the line.
  CHECK(chart.panels[1].series.at(1).mark == Mark::vertical);
  CHECK(chart.panels[1].x.hi > 7);
  // Shared ranges, unless the chart says otherwise.
  CHECK(chart.panels[0].y.hi == chart.panels[1].y.hi);
  const Chart free = resolved(axes() + R"(, "free": true)" + layers, record);
  CHECK(free.panels[1].y.hi < 2);
  // Lists and the other language.
  const auto other =
      resolve(declared(axes() + R"(, "layers": [{"table": "t", "mark": "point", "x": "x", "y": "y",
          "where": {"name": ["best", "worst"]}, "label": {"en": "E", "zh": "Z"}}])"),
              record, Language::zh);
  REQUIRE(other.has_value());
  CHECK(other->panels[0].series.at(0).points.size() == 1);
  CHECK(other->series == std::vector<std::string>{"Z"});
  CHECK(other->title == "B");
}

TEST_CASE("panels of numbers stand in their order") {
  const Record record = record_with(
      {"t",
       {"bits", "x", "y"},
       {{std::int64_t{16}, 1.0, 1.0}, {std::int64_t{2}, 1.0, 1.0}, {std::int64_t{8}, 1.0, 1.0}}});
  const Chart chart = resolved(
      axes() +
          R"(, "facet": "bits", "layers": [{"table": "t", "mark": "point", "x": "x", "y": "y"}])",
      record);
  REQUIRE(chart.panels.size() == 3);
  CHECK(chart.panels[0].name == "2");
  CHECK(chart.panels[2].name == "16");
}

TEST_CASE("a thinned line keeps the ends of every part") {
  std::vector<ChartPoint> points(1000);
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].x = static_cast<double>(i);
    points[i].y = std::sin(static_cast<double>(i));
  }
  points[345].y = 50;
  points[678].y = -50;
  const std::vector<ChartPoint> kept = thinned(points, 100);
  CHECK(kept.size() <= 200);
  const auto has = [&kept](double y) {
    return std::any_of(kept.begin(), kept.end(), [y](const ChartPoint& p) { return p.y == y; });
  };
  CHECK(has(50));
  CHECK(has(-50));
  CHECK(std::is_sorted(kept.begin(), kept.end(),
                       [](const ChartPoint& a, const ChartPoint& b) { return a.x < b.x; }));
  CHECK(thinned(points, 500).size() == 1000);
}

TEST_CASE("a text is a gnuplot string of letters and escapes") {
  CHECK(gnuplot_quoted("it's") == R"("it\047s")");
  CHECK(gnuplot_quoted("a\nb\tc") == R"("a b c")");
  CHECK(gnuplot_quoted("`id` \"$(id)\"") == R"("\140id\140 \042\044\050id\051\042")");
  CHECK(gnuplot_quoted("\xc3\xa9") == R"("\303\251")");
  CHECK(gnuplot_quoted("v1.5") == R"("v\061\056\065")");
  CHECK(gnuplot_tick("%s") == R"("\045\045s")");
}

TEST_CASE("hostile names reach gnuplot escaped") {
  const Record record = record_with(
      {"t", {"arm", "x"}, {{text("'; system(\"id\") #"), 1.0}, {text("`id`\nEOD\n"), 2.0}}});
  const Chart chart =
      resolved(axes("", R"(, "scale": "category")") +
                   R"(, "layers": [{"table": "t", "mark": "dot", "x": "x", "y": "arm"}])",
               record);
  const std::string script = gnuplot_script(chart, chart.panels.front());
  CHECK(script.find('`') == std::string::npos);
  CHECK(script.find("system(") == std::string::npos);
  CHECK(script.find("\"\\047\\073 system\\050\\042id") != std::string::npos);
}

// Ticks are multiples of a step: here the step is lost in the rounding of its multiples.
TEST_CASE("ranges at the ends of what a double holds still have an end") {
  for (const auto& [low, high] : {std::pair(1e16, 1e16 + 2), std::pair(-1e300, 1e300),
                                  std::pair(5e-324, 1e308), std::pair(3.0, 3.0)}) {
    for (const char* scale : {"linear", "log"}) {
      const Record record = record_with({"t", {"x", "y"}, {{1.0, low}, {2.0, high}}});
      const Chart chart =
          resolved(axes("", fmt::format(R"(, "scale": "{}")", scale)) +
                       R"(, "layers": [{"table": "t", "mark": "point", "x": "x", "y": "y"}])",
                   record);
      INFO(low << " " << high << " " << scale);
      CHECK(std::isfinite(chart.panels[0].y.lo));
      CHECK(std::isfinite(chart.panels[0].y.hi));
      CHECK(chart.panels[0].y.lo < chart.panels[0].y.hi);
      CHECK(gnuplot_script(chart, chart.panels[0]).size() < 2000);
    }
  }
}

TEST_CASE("a Vega-Lite specification holds the rows, the intervals and the panels") {
  const Json plain = vega_lite(resolved(axes() + kLines, seeds()));
  CHECK(plain.at("$schema") == "https://vega.github.io/schema/vega-lite/v5.json");
  CHECK(plain.at("data").at("values").size() == 3);
  const Json& row = plain.at("data").at("values").at(1);
  CHECK(row.at("series") == "a");
  CHECK(row.at("y") == 2.0);
  CHECK(row.at("lo") < 2.0);
  CHECK_FALSE(plain.contains("facet"));
  REQUIRE(plain.at("layer").size() == 2);  // intervals, then the line
  CHECK(plain.at("layer").at(0).at("encoding").at("y2").at("field") == "hi");
  CHECK(plain.at("layer").at(1).at("mark").at("type") == "line");

  const Json panels = vega_lite(resolved(
      axes() + R"(, "facet": "arm", "layers": [{"table": "runs", "mark": "line", "x": "size",
          "y": "loss", "over": "seed"}])",
      seeds()));
  CHECK(panels.at("facet").at("field") == "panel");
  CHECK(panels.at("spec").at("layer").size() == 2);
}

}  // namespace xfq::report
