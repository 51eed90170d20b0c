// The page, sweeps, and strings that want to be more than text.
#include "xfq/report/page.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "catch.h"
#include "drawing.h"
#include "html.h"
#include "made_record.h"
#include "sweep.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"

namespace xfq::report {
namespace {

NamedResult named(const std::string& file, const Record& record) {
  return {file, {record, signature(record)}};
}

/// No experiment declares charts under this name, so no gnuplot is needed.
Record chartless() {
  Record record = made_record();
  record.schema = "xfq/made/1";
  return record;
}

Record with_setting(const std::string& key, const Value& value) {
  Record record = chartless();
  for (auto& [name, old] : record.config) {
    if (name == key) old = value;
  }
  return record;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the page says verdicts, tests, timed tests, warnings and provenance") {
  const std::string page = to_html({named("made.json", chartless())}, Language::en);
  for (const char* part :
       {"Question 23: Why INT8?", "conditional", "INT8 is the sweet spot.", "ci.hi &lt;= 0.005",
        "[0.0005, 0.0015]", "contradicted", "undecided", "12 seeds would settle it",
        "int8 is twice as fast", "3 seeds are few", "e3b0c44298fc1c14", "g++ 12.2.0",
        "xfq made --config made.json", "href=\"#q-made-quant.int8-sweet-spot\"",
        "id=\"q-made-quant.int8-sweet-spot\""}) {
    INFO(part);
    CHECK(has(page, part));
  }
  CHECK_FALSE(has(page, "Smoke run"));
  Record smoke = chartless();
  smoke.evidence = false;
  CHECK(has(to_html({named("made.json", smoke)}, Language::en), "Smoke run"));
}

TEST_CASE("the page runs and loads nothing") {
  const std::string page = to_html({named("made.json", chartless())}, Language::en);
  CHECK(has(page, "default-src 'none'"));
  for (const char* part :
       {"<script", "<link", "<img", "<iframe", "src=", "url(", "@import", "href=\"http"}) {
    INFO(part);
    CHECK_FALSE(has(page, part));
  }
}

namespace {

const std::string kBad = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`id`";

/// A record whose every string wants to be more than text.
Record hostile() {
  Record record = chartless();
  record.question_title = record.answer = kBad;
  for (auto& [key, value] : record.config) value = kBad;
  record.config.emplace_back(kBad, kBad);
  record.data[0].name = record.data[0].sha256 = kBad;
  for (Metric& metric : record.metrics) metric.reason = metric.id = metric.unit = kBad;
  for (Claim& claim : record.claims) {
    claim.claim = claim.conditions = claim.id = kBad;
    for (ClaimTest& test : claim.tests) {
      test.statement = test.condition = test.reason = test.rule = kBad;
    }
  }
  record.warnings = {{kBad, kBad, kBad}};
  for (auto& [key, value] : record.environment) value = kBad;
  record.cost.tests[0].claim = kBad;
  return record;
}

void check_harmless(const std::string& page) {
  CHECK_FALSE(has(page, "<script"));
  CHECK_FALSE(has(page, "<img"));
  CHECK(has(page, "&lt;script&gt;alert(1)"));
  CHECK(has(page, "&amp;amp;"));
}

}  // namespace

TEST_CASE("hostile strings stay text wherever they stand") {
  for (const Language language : {Language::en, Language::zh}) {
    check_harmless(to_html({named(kBad, hostile())}, language));
  }
}

TEST_CASE("hostile strings stay text in drawings") {
  Record other = hostile();
  other.config[0].second = "another " + kBad;
  Record declared = hostile();
  declared.schema = "xfq/quantize/1";
  declared.tables = {
      {"arms", {"arm", "seed", "kl_mean"}, {{kBad, kBad, 0.5}, {kBad + "2", kBad, 0.25}}}};
  std::string page;
  try {
    page = to_html({named(kBad, hostile()), named("b", other), named("c", declared)}, Language::en);
  } catch (const Error& error) {
    if (!has(error.what(), "not in PATH")) throw;
    WARN("no gnuplot here");
    return;
  }
  check_harmless(page);
  const std::string drawing = page.substr(std::min(page.find("<svg class=\"plot\""), page.size()));
  CHECK(has(drawing.substr(0, drawing.find("</svg>")), "&lt;script&gt;"));
}

TEST_CASE("HTML pieces escape what they are given") {
  CHECK(html_escaped("<a b=\"c\" d='e'>&") == "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;");
  CHECK(html_escaped(std::string("a\0b\x1b", 4)) == "a b ");
  CHECK(html_id("quant.kl \"><b") == "quant.kl----b");
  CHECK(has(html_table({"<h>"}, {{"<c>"}}), "&lt;h&gt;"));
  CHECK(has(html_table({"<h>"}, {{"<c>"}}), "&lt;c&gt;"));
  CHECK(has(html_details("<s>", "<p>kept</p>"), "<summary>&lt;s&gt;</summary>\n<p>kept</p>"));
}

TEST_CASE("the page has no untranslated heading") {
  const std::string page = to_html({named("made.json", chartless())}, Language::zh);
  CHECK(has(page, "<html lang=\"zh\">"));
  for (const char* english : {"Verdicts at a glance", "Claims and their tests", "Warnings",
                              "Configuration and provenance", "Environment", "95 % interval",
                              ">holds<", "conditional <", "contradicted", "would settle"}) {
    INFO(english);
    CHECK_FALSE(has(page, english));
  }
}

// Sentences of the page and its charts stand in text("..."), phrase("...") and say("...").
TEST_CASE("every sentence of the page is in the catalogue") {
  const std::regex call(R"re(\b(?:text|phrase|say)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+))re");
  const std::regex literal(R"re("((?:[^"\\]|\\.)*)")re");
  std::size_t sentences = 0;
  for (const char* file : {"chart.cpp", "chart_resolve.cpp", "page.cpp", "sweep.cpp"}) {
    const std::string source =
        read_file(std::string(XFQ_SOURCE_DIR "/src/report/") + file, "source");
    for (std::sregex_iterator it(source.begin(), source.end(), call), end; it != end; ++it) {
      const std::string literals = (*it)[1].str();
      std::string sentence;
      for (std::sregex_iterator part(literals.begin(), literals.end(), literal); part != end;
           ++part) {
        sentence += (*part)[1].str();
      }
      INFO(file << ": " << sentence);
      CHECK_FALSE(translation(Language::zh, sentence).empty());
      ++sentences;
    }
  }
  CHECK(sentences > 40);  // that the expression finds them at all
}

TEST_CASE("patterns of metrics") {
  std::string name;
  CHECK(fits_metric("fp32.nll", "fp32.nll", name));
  CHECK(name.empty());
  CHECK(fits_metric("w#a#.*.kl_mean", "w8a16.percentile:99.9.kl_mean", name));
  CHECK(name == "percentile:99.9");
  CHECK(fits_metric("*.*_nll", "a.b.delta_nll", name));
  CHECK(name == "a b.delta");
  CHECK_FALSE(fits_metric("w#a#.*.kl_mean", "wxa8.mse.kl_mean", name));
  CHECK_FALSE(fits_metric("fp32.nll", "fp32.nll2", name));
  CHECK_FALSE(fits_metric("*.nll", ".nll", name));
}

TEST_CASE("results of one experiment are a sweep over the options in which they differ") {
  const std::vector<NamedResult> results = {
      named("b.json", with_setting("seed", std::int64_t{64})),
      named("a.json", with_setting("seed", std::int64_t{2})),
      named("again.json", with_setting("seed", std::int64_t{2}))};
  const std::vector<ResultGroup> groups = grouped(results);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].results.size() == 2);  // a result that is there twice counts once
  CHECK(differing_keys(groups[0]) == std::vector<std::string>{"seed"});
  CHECK(result_label(groups[0], results[0]) == "seed=64");

  // One metric of the made record has an interval.
  const std::vector<Chart> charts = sweep_charts(groups[0], Language::en);
  REQUIRE(charts.size() == 1);
  const ChartPanel& panel = charts[0].panels.at(0);
  CHECK(panel.x.title == "seed");
  CHECK(panel.x.scale == Scale::log);  // 2 to 64
  REQUIRE(panel.series.at(0).points.size() == 2);
  CHECK(panel.series[0].mark == Mark::line);
  CHECK(panel.series[0].points[0].x == 2);  // in the order of the option
  CHECK(panel.series[0].points[0].y == 0.1);
  REQUIRE(panel.series[0].points[0].ci.has_value());
  CHECK(panel.series[0].points[0].ci->hi == 0.11);
}

TEST_CASE("a sweep over words has a place for each") {
  Record third = with_setting("corpus", std::string("c"));
  third.metrics[0].value.reset();
  third.metrics[0].reason = "it diverged";
  const std::vector<NamedResult> results = {
      named("a.json", with_setting("corpus", std::string("a"))),
      named("b.json", with_setting("corpus", std::string("b"))), named("c.json", third)};
  const std::vector<Chart> charts = sweep_charts(grouped(results)[0], Language::en);
  REQUIRE(charts.size() == 1);
  const ChartPanel& panel = charts[0].panels.at(0);
  CHECK(panel.y.categories == std::vector<std::string>{"a", "b", "c"});
  CHECK(panel.series.at(0).mark == Mark::dot);
  CHECK(panel.series[0].points.size() == 2);  // the missing value is no point

  Record far = with_setting("corpus", std::string("d"));
  far.config = {{"other", std::string("x")}};
  const std::vector<NamedResult> apart = {results[0], named("far.json", far)};
  CHECK(result_label(grouped(apart)[0], apart[1]) == "far.json");  // too much differs
}

namespace {

/// Results of every pair of values, `b` inside `a`; the metric is 10 * a + b.
std::vector<NamedResult> grid(const std::vector<std::int64_t>& a,
                              const std::vector<std::int64_t>& b) {
  std::vector<NamedResult> results;
  for (const std::int64_t one : a) {
    for (const std::int64_t other : b) {
      Record record = chartless();
      record.config = {{"a", one}, {"b", other}};
      record.metrics[0].value = static_cast<double>(10 * one + other);
      results.push_back(named(std::to_string(one) + "-" + std::to_string(other), record));
    }
  }
  return results;
}

}  // namespace

TEST_CASE("of several options the one with the most values is swept, the others are series") {
  const std::vector<NamedResult> results = grid({16, 8}, {1, 3, 2});
  const std::vector<Chart> charts = sweep_charts(grouped(results)[0], Language::en);
  REQUIRE(charts.size() == 1);
  const ChartPanel& panel = charts[0].panels.at(0);
  CHECK(panel.x.title == "b");
  CHECK(charts[0].series == std::vector<std::string>{"a 8", "a 16"});  // by size, not by text
  REQUIRE(panel.series.size() == 2);
  REQUIRE(panel.series[0].points.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(panel.series[0].points[i].x == static_cast<double>(i + 1));
    CHECK(panel.series[0].points[i].y == static_cast<double>(80 + i + 1));
  }
  CHECK(charts[0].notes.empty());
  CHECK(has(charts[0].alt, "A series for each combination of a."));
}

TEST_CASE("a sweep says which series it leaves out") {
  // Ten values of each; the first one is swept, and the chart holds eight of the other's.
  const std::vector<std::int64_t> ten = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const std::vector<NamedResult> results = grid(ten, ten);
  const Chart chart = sweep_charts(grouped(results)[0], Language::en).at(0);
  CHECK(chart.panels.at(0).x.title == "a");
  CHECK(chart.series.size() == 8);
  CHECK(chart.series.back() == "b 8");
  CHECK(chart.notes == std::vector<std::string>{"Not drawn: b 9; b 10."});
}

TEST_CASE("words have places in a sweep of several options too") {
  std::vector<NamedResult> results;
  for (const char* corpus : {"x", "y", "z"}) {
    for (const std::int64_t bits : {4, 8}) {
      Record record = chartless();
      record.config = {{"corpus", std::string(corpus)}, {"bits", bits}};
      results.push_back(named(corpus + std::to_string(bits), record));
    }
  }
  const Chart chart = sweep_charts(grouped(results)[0], Language::en).at(0);
  CHECK(chart.panels.at(0).y.categories == std::vector<std::string>{"x", "y", "z"});
  CHECK(chart.series == std::vector<std::string>{"bits 4", "bits 8"});
  CHECK(chart.panels[0].series.at(1).points.at(2).y == 2);
}

TEST_CASE("a metric whose name looks like a pattern is a name") {
  Record first = with_setting("seed", std::int64_t{1});
  Record second = with_setting("seed", std::int64_t{2});
  for (Record* const record : {&first, &second}) {
    record->metrics[0].id = std::string(60, '*');
    record->metrics[1].id = std::string(200, 'a');
  }
  const std::vector<NamedResult> results = {named("a", first), named("b", second)};
  const std::vector<Chart> charts = sweep_charts(grouped(results)[0], Language::en);
  REQUIRE(charts.size() == 1);
  CHECK(charts[0].series == std::vector<std::string>{std::string(60, '*')});
}

TEST_CASE("different experiments stand in the order of their questions") {
  Record first = chartless();
  first.schema = "xfq/early/1";
  first.question_number = 21;
  const std::vector<ResultGroup> groups =
      grouped({named("b.json", chartless()), named("a.json", first)});
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].experiment == "early");
  CHECK(sweep_charts(groups[0], Language::en).empty());
}

namespace {

/// Two seeds of one arm, which quantize draws.
Record with_one_chart() {
  Record record = chartless();
  record.schema = "xfq/quantize/1";
  record.tables = {{"arms",
                    {"arm", "seed", "kl_mean"},
                    {{std::string("w8a8.kl"), std::int64_t{1}, 0.5},
                     {std::string("w8a8.kl"), std::int64_t{2}, 0.25}}}};
  return record;
}

}  // namespace

TEST_CASE("the page says how a result is run again") {
  NamedResult one = named("a.json", chartless());
  CHECK(has(to_html({one}, Language::en), "--config a.json</code>"));
  // An option file holds one result.
  one.result.line = 2;
  const std::string page = to_html({one}, Language::en);
  CHECK(has(page, "<code>sed -n 2p a.json &gt; one.json; xfq "));
  CHECK(has(page, "--config one.json</code>"));
}

TEST_CASE("specifications have a name for each chart") {
  const Record record = with_one_chart();
  const nlohmann::json specs =
      nlohmann::json::parse(to_vega_lite({named("q.json", record)}, Language::en));
  REQUIRE(specs.contains("quantize.arms"));
  CHECK(specs.at("quantize.arms").at("data").at("values").at(0).at("y") == "w8a8.kl");
  CHECK(nlohmann::json::parse(to_vega_lite({named("m.json", chartless())}, Language::en)).empty());
}

TEST_CASE("a chart is asked for by its name, or by its id where that is clear") {
  const Record record = with_one_chart();
  const std::vector<NamedResult> results = {named("q.json", record)};
  const std::string spec = chart_to_vega_lite(results, "quantize.arms", Language::en);
  CHECK(spec == chart_to_vega_lite(results, "arms", Language::en));
  CHECK(nlohmann::json::parse(spec) ==
        nlohmann::json::parse(to_vega_lite(results, Language::en)).at("quantize.arms"));
  const auto complaint = [](const std::vector<NamedResult>& given, const std::string& name) {
    try {
      chart_to_vega_lite(given, name, Language::en);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(complaint(results, "arm") == "--chart: got 'arm', expected one of quantize.arms");
  CHECK(complaint({named("m.json", chartless())}, "arms") ==
        "--chart: these results have nothing to draw");
  // Two results of one experiment have the chart once each.
  Record second = record;
  second.config[0].second = std::string("other");
  const std::vector<NamedResult> both = {results[0], named("r.json", second)};
  CHECK(complaint(both, "arms").find("quantize.arms, quantize.2.arms") != std::string::npos);
  CHECK(complaint(both, "quantize.2.arms").empty());
}

TEST_CASE("a drawing is a file of its own in the colours of both kinds of screen") {
  Chart chart;
  chart.id = "c";
  chart.title = "Title <of> a chart that is far too long for one line of a drawing with one panel";
  chart.alt = "what \"it\" shows";
  chart.series = {"first", kBad};
  chart.notes = {"A note.", "Is var(--ink) a colour?"};
  ChartPanel panel;
  panel.series = {{0, Mark::line, false, {{1, 1, 0, 0, {}, 1}, {2, 3, 0, 0, {}, 1}}},
                  {1, Mark::line, true, {{1, 2, 0, 0, {}, 1}, {2, 2, 0, 0, {}, 1}}}};
  chart.panels = {panel};
  set_ranges({}, chart);
  CHECK(legend_of(chart).size() == 2);
  CHECK(legend_of(chart)[1].sign == "- -");
  std::string svg;
  try {
    svg = to_svg(chart);
  } catch (const Error& error) {
    if (!has(error.what(), "not in PATH")) throw;
    WARN("no gnuplot here");
    return;
  }
  CHECK(svg.rfind("<svg xmlns=\"http://www.w3.org/2000/svg\"", 0) == 0);
  CHECK(svg.substr(svg.size() - 7) == "</svg>\n");
  CHECK(has(svg, "<title>what &quot;it&quot; shows</title>"));
  CHECK(has(svg, ">Title &lt;of&gt; a chart"));
  // Too long for one line.
  CHECK(svg.find("font-weight") != svg.rfind("font-weight"));
  CHECK(has(svg, ">A note.</text>"));
  CHECK_FALSE(has(svg, "<script"));
  CHECK_FALSE(has(svg, "=\"var("));
  CHECK(has(svg, ">Is var(--ink) a colour?</text>"));  // in a text it is none
  // The first and the second series of the style sheet, on light and on dark ground.
  CHECK(has(svg, "[stroke=\"#0072b2\"]{stroke:#4aa8e0}"));
  CHECK(has(svg, "#d55e00"));
  CHECK_FALSE(has(svg, "#009e73"));  // the third is not drawn
}

TEST_CASE("a file holds one result or one a line") {
  const Record one = chartless();
  const Record two = with_setting("seed", std::int64_t{2});
  CHECK(parse_results(to_json(one), "a.json").size() == 1);
  const std::vector<Result> lines = parse_results(to_ndjson(one) + "\n" + to_ndjson(two), "a");
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].signature == signature(two));
  CHECK(parse_results(to_ndjson(one), "a").size() == 1);
  try {
    parse_results(to_ndjson(one) + "{\"schema\": 1}\n", "a.ndjson");
    FAIL("expected an error");
  } catch (const Error& error) {
    CHECK(has(error.what(), "a.ndjson (line 2)"));
  }
}

}  // namespace xfq::report
