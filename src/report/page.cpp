// Results as one page for people.
#include "xfq/report/page.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "drawing.h"
#include "embedded.h"
#include "gnuplot.h"
#include "gnuplot_svg.h"
#include "html.h"
#include "named_charts.h"
#include "sweep.h"
#include "xfq/report/schema.h"
#include "xfq/report/text.h"

namespace xfq::report {

namespace {

constexpr std::size_t kMostRows = 60;  // of a table behind a chart

std::string tag(const std::string& name, const std::string& text) {
  return fmt::format("<{0}>{1}</{0}>\n", name, html_escaped(text));
}

/// A paragraph of a class of the style sheet.
std::string paragraph(const std::string& style, const std::string& text) {
  return fmt::format("<p class=\"{}\">{}</p>\n", style, html_escaped(text));
}

const char* verdict_sign(Verdict verdict) {
  switch (verdict) {
    case Verdict::supported:
      return "&#10003;";
    case Verdict::refuted:
      return "&#10007;";
    case Verdict::conditional:
      return "&#9680;";
    case Verdict::inconclusive:
      break;
  }
  return "?";
}

/// The word for what came out of a test.
const char* outcome_word(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return "holds";
    case Outcome::fail:
      return "contradicted";
    case Outcome::undecided:
      break;
  }
  return "undecided";
}

class Page {
 public:
  explicit Page(Language language) : language_(language) {}

  std::string html(const std::vector<NamedResult>& results) {
    const std::vector<ResultGroup> groups = grouped(results);
    std::vector<GroupCharts> sets;
    std::vector<Chart> all;
    for (const ResultGroup& group : groups) {
      sets.push_back(charts_of_group(group, language_));
      const auto add = [&all](const ChartSet& set) {
        all.insert(all.end(), set.charts.begin(), set.charts.end());
      };
      add(sets.back().sweep);
      for (const ChartSet& set : sets.back().results) add(set);
    }
    drawings_ = draw(all);
    std::string body = head(groups);
    for (std::size_t i = 0; i < groups.size(); ++i) body += section(groups[i], sets[i]);
    const std::string footer = text(
        "Written by xfq report. Equal options give equal numbers; only times and environment "
        "differ.");
    body += "</main>\n<footer>" + tag("p", footer) + "</footer>\n";
    return fmt::format(
        "<!DOCTYPE html>\n"
        "<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n"
        "<svg class=\"markers\" aria-hidden=\"true\">{}</svg>\n{}</body>\n</html>\n",
        language_ == Language::zh ? "zh" : "en",
        html_escaped(text("Transformer interview answers, measured")),
        embedded_file("page/style.css"), drawings_.markers, body);
  }

 private:
  template <class... Values>
  std::string text(const char* english, const Values&... values) const {
    return phrase(english, {values...}).in(language_);
  }

  std::string say(const Text& words) const { return words.in(language_); }

  std::string badge(Verdict verdict, const std::string& behind = {}) const {
    const std::string word = to_string(verdict);
    return fmt::format("<span class=\"badge {}\">{} {}{}</span>", word, verdict_sign(verdict),
                       html_escaped(Text(word).in(language_)), html_escaped(behind));
  }

  std::string question(const Record& record) const {
    return text("Question {}: {}", record.question_number, record.question_title);
  }

  static std::string anchor(const ResultGroup& group) { return "q-" + html_id(group.experiment); }
  static std::string anchor(const ResultGroup& group, const Claim& claim) {
    return anchor(group) + "-" + html_id(claim.id);
  }

  std::string head(const std::vector<ResultGroup>& groups) const {
    std::string cards;
    for (const ResultGroup& group : groups) {
      const Record& record = group.results.front()->result.record;
      std::string list;
      for (const Claim& claim : record.claims) {
        list += fmt::format("<li>{} <a href=\"#{}\">{}</a></li>\n", verdicts(group, claim.id),
                            anchor(group, claim), html_escaped(say(claim.claim)));
      }
      if (list.empty()) list = tag("li", text("This result judges no claim."));
      cards += fmt::format(
          "<article><h3><a href=\"#{}\">{}</a></h3>\n{}<ul "
          "class=\"verdicts\">\n{}</ul></article>\n",
          anchor(group), html_escaped(question(record)), smoke_note(record), list);
    }
    return fmt::format(
        "<header><h1>{}</h1>\n<p>{}</p></header>\n<main>\n"
        "<section class=\"glance\"><h2>{}</h2>\n<div class=\"cards\">\n{}</div></section>\n",
        html_escaped(text("Transformer interview answers, measured")),
        html_escaped(text("Every claim was written down with its test before the run. Brackets "
                          "hold 95 % intervals.")),
        html_escaped(text("Verdicts at a glance")), cards);
  }

  std::string smoke_note(const Record& record) const {
    if (record.evidence) return {};
    return paragraph("smoke",
                     text("Smoke run: it proves that the program runs, and is no evidence."));
  }

  /// One badge, or with several results one for each verdict and how often it fell.
  std::string verdicts(const ResultGroup& group, const std::string& id) const {
    std::vector<std::pair<Verdict, std::size_t>> counts;
    for (const NamedResult* const result : group.results) {
      for (const Claim& claim : result->result.record.claims) {
        if (claim.id != id) continue;
        const auto found = std::find_if(counts.begin(), counts.end(), [&](const auto& count) {
          return count.first == claim.verdict;
        });
        if (found == counts.end()) {
          counts.emplace_back(claim.verdict, 1);
        } else {
          ++found->second;
        }
      }
    }
    std::string out;
    for (const auto& [verdict, count] : counts) {
      out += badge(verdict, group.results.size() == 1
                                ? std::string()
                                : fmt::format(" {}/{}", count, group.results.size()));
    }
    return out;
  }

  std::string section(const ResultGroup& group, const GroupCharts& charts) {
    const Record& first = group.results.front()->result.record;
    std::string out = fmt::format("<section id=\"{}\"><h2>{}</h2>\n", anchor(group),
                                  html_escaped(question(first)));
    if (group.results.size() == 1) {
      return out + whole(group, *group.results.front(), charts.results.front()) + "</section>\n";
    }
    out += sweep(group, charts.sweep);
    for (std::size_t i = 0; i < charts.results.size(); ++i) {
      const NamedResult& result = *group.results[i];
      out += html_details(result_label(group, result), whole(group, result, charts.results[i]));
    }
    return out + "</section>\n";
  }

  std::string sweep(const ResultGroup& group, const ChartSet& charts) {
    const std::vector<std::string> keys = differing_keys(group);
    std::string out =
        tag("p", text("{} results, which differ in: {}.", group.results.size(),
                      keys.empty() ? text("no option") : fmt::format("{}", fmt::join(keys, ", "))));
    std::vector<std::string> columns = {text("Claim")};
    std::vector<std::string> ids;
    for (const NamedResult* const result : group.results) {
      columns.push_back(result_label(group, *result));
      for (const Claim& claim : result->result.record.claims) {
        if (std::find(ids.begin(), ids.end(), claim.id) == ids.end()) ids.push_back(claim.id);
      }
    }
    std::vector<std::vector<std::string>> rows;
    for (const std::string& id : ids) {
      std::vector<std::string> row = {id};
      for (const NamedResult* const result : group.results) {
        const std::vector<Claim>& claims = result->result.record.claims;
        const auto found = std::find_if(claims.begin(), claims.end(),
                                        [&id](const Claim& claim) { return claim.id == id; });
        row.push_back(found == claims.end() ? "-" : Text(to_string(found->verdict)).in(language_));
      }
      rows.push_back(std::move(row));
    }
    if (!rows.empty()) out += html_table(columns, rows);
    out += figures(charts);
    if (group.results.size() > kMostWhole) {
      out += tag("p",
                 text("The first {} results in full; the others are in their files.", kMostWhole));
    }
    return out;
  }

  /// Everything about one result.
  std::string whole(const ResultGroup& group, const NamedResult& result, const ChartSet& charts) {
    const Record& record = result.result.record;
    std::string out = smoke_note(record);
    if (!record.answer.empty()) out += paragraph("answer", say(record.answer));
    const bool first = &result == group.results.front();
    if (!record.claims.empty()) out += tag("h3", text("Claims and their tests"));
    for (const Claim& claim : record.claims) {
      out += claim_html(record, claim, first ? anchor(group, claim) : std::string());
    }
    if (!charts.charts.empty()) out += tag("h3", text("Charts")) + figures(charts);
    if (!record.warnings.empty()) {
      out += tag("h3", text("Warnings")) + "<ul>\n";
      for (const Warning& warning : record.warnings) {
        out += tag("li", fmt::format("{}{}{}", say(warning.text), warning.fix.empty() ? "" : "; ",
                                     say(warning.fix)));
      }
      out += "</ul>\n";
    }
    if (!record.metrics.empty()) {
      out +=
          html_details(text("All {} metrics", record.metrics.size()), metrics_html(record.metrics));
    }
    if (!record.cost.measurements.empty()) {
      out += html_details(
          text("Times and speeds measured on that machine ({})", record.cost.measurements.size()),
          metrics_html(record.cost.measurements));
    }
    return out + html_details(text("Configuration and provenance"), provenance(result));
  }

  std::string claim_html(const Record& record, const Claim& claim, const std::string& id) const {
    std::string out = "<article class=\"claim\"";
    if (!id.empty()) out += fmt::format(" id=\"{}\"", id);
    out += fmt::format(
        ">\n<h4>{} {}</h4>\n<p class=\"small\"><code>{}</code>{}{}</p>\n", badge(claim.verdict),
        html_escaped(say(claim.claim)), html_escaped(claim.id),
        claim.conditions.empty() ? std::string() : html_escaped(" - " + say(claim.conditions)),
        claim.seeds_needed ? html_escaped(text(" - {} seeds would settle it", *claim.seeds_needed))
                           : std::string());
    std::vector<ClaimTest> timed;
    for (const TimedTest& one : record.cost.tests) {
      if (one.claim == claim.id) timed.push_back(one.test);
    }
    if (!claim.tests.empty()) out += tests_html(claim.tests);
    if (!timed.empty()) {
      out += paragraph("small", text("Measured time; it does not enter the verdict:"));
      out += tests_html(timed);
    }
    return out + "</article>\n";
  }

  std::string tests_html(const std::vector<ClaimTest>& tests) const {
    const bool conditions = std::any_of(
        tests.begin(), tests.end(), [](const ClaimTest& test) { return !test.condition.empty(); });
    std::vector<std::string> columns = {text("Outcome"), text("Test")};
    if (conditions) columns.push_back(text("Condition"));
    columns.insert(columns.end(), {text("Value"), text("95 % interval"), text("Rule"), "n"});
    std::vector<std::vector<std::string>> rows;
    for (const ClaimTest& test : tests) {
      std::vector<std::string> row = {
          Text(outcome_word(test.outcome)).in(language_),
          test.reason.empty() ? say(test.statement)
                              : fmt::format("{} ({})", say(test.statement), say(test.reason))};
      if (conditions) row.push_back(say(test.condition));
      row.insert(row.end(), {short_number(test.value), short_interval(test.ci), test.rule,
                             std::to_string(test.n)});
      rows.push_back(std::move(row));
    }
    return html_table(columns, rows);
  }

  std::string metrics_html(const std::vector<Metric>& metrics) const {
    std::vector<std::vector<std::string>> rows;
    for (const Metric& metric : metrics) {
      rows.push_back({metric.id, metric.value ? short_number(metric.value) : say(metric.reason),
                      short_interval(metric.ci), metric.unit, std::to_string(metric.n)});
    }
    return html_table({text("Metric"), text("Value"), text("95 % interval"), text("Unit"), "n"},
                      rows);
  }

  std::string provenance(const NamedResult& result) const {
    const Record& record = result.result.record;
    const auto pairs = [](const std::vector<std::pair<std::string, Value>>& list) {
      std::vector<std::vector<std::string>> rows;
      for (const auto& [key, value] : list) rows.push_back({key, to_text(value)});
      return rows;
    };
    const std::string experiment = experiment_name(record.schema);
    // An option file holds one result.
    const std::string again =
        result.result.line == 0 ? fmt::format("xfq {} --config {}", experiment, result.file)
                                : fmt::format("sed -n {}p {} > one.json; xfq {} --config one.json",
                                              result.result.line, result.file, experiment);
    std::string out = fmt::format("<p>{} <code>{}</code></p>\n",
                                  html_escaped(text("Run it again:")), html_escaped(again));
    out += html_table({text("Field"), text("Value")},
                      {{"file", result.file},
                       {"schema", record.schema},
                       {"signature", result.result.signature},
                       {"wall_s", short_number(record.cost.wall_s)},
                       {"cpu_s", short_number(record.cost.cpu_s)},
                       {"peak_rss_bytes", std::to_string(record.cost.peak_rss_bytes)},
                       {"tokens", std::to_string(record.cost.tokens)},
                       {"flops", short_number(record.cost.flops)}});
    out += tag("h4", text("Options")) +
           html_table({text("Option"), text("Value")}, pairs(record.config));
    std::vector<std::vector<std::string>> rows;
    for (const DataSource& source : record.data) {
      rows.push_back({source.name, std::to_string(source.documents), std::to_string(source.tokens),
                      source.sha256});
    }
    if (!rows.empty()) {
      out += tag("h4", text("Data")) +
             html_table({text("Name"), text("Documents"), text("Tokens"), "sha256"}, rows);
    }
    return out + tag("h4", text("Environment")) +
           html_table({text("Field"), text("Value")}, pairs(record.environment));
  }

  std::string figures(const ChartSet& set) {
    if (set.charts.empty()) return {};
    std::string out = "<div class=\"charts\">\n";
    for (const Chart& chart : set.charts) out += figure(chart, set.name);
    return out + "</div>\n";
  }

  std::string figure(const Chart& chart, const std::string& name) {
    const std::vector<std::string>& panels = drawings_.panels[next_drawing_++];
    const bool several = panels.size() > 1;
    std::string shown;
    std::string hidden;
    for (std::size_t i = 0; i < panels.size(); ++i) {
      std::string& into = i < chart.shown ? shown : hidden;
      into += "<div class=\"panel\">";
      if (!chart.panels[i].name.empty()) into += tag("p", chart.panels[i].name);
      into += panels[i] + "</div>\n";
    }
    std::string out = fmt::format(
        "<figure{} id=\"chart-{}\"><figcaption>{}</figcaption>\n{}<div "
        "class=\"panels\">\n{}</div>\n",
        several ? " class=\"wide\"" : "", html_id(name + "." + chart.id), html_escaped(chart.title),
        legend(chart), shown);
    if (!hidden.empty()) {
      out += html_details(text("{} more", panels.size() - chart.shown),
                          "<div class=\"panels\">\n" + hidden + "</div>\n");
    }
    for (const std::string& note : chart.notes) {
      out += paragraph("small", note);
    }
    return out + html_details(text("Numbers behind this chart"), numbers(chart)) + "</figure>\n";
  }

  std::string legend(const Chart& chart) const {
    std::string items;
    for (const LegendItem& item : legend_of(chart)) {
      items += fmt::format("<li><span class=\"series-{}\" aria-hidden=\"true\">{}</span> {}</li>\n",
                           item.series % kColors + 1, item.sign,
                           html_escaped(chart.series[item.series]));
    }
    return items.empty() ? items : "<ul class=\"legend\">\n" + items + "</ul>\n";
  }

  /// The drawn numbers.
  std::string numbers(const Chart& chart) const {
    const ChartPanel& front = chart.panels.front();
    const bool several = chart.panels.size() > 1;
    const bool named = std::any_of(chart.series.begin(), chart.series.end(),
                                   [](const std::string& name) { return !name.empty(); });
    const bool valued = chart.has(Mark::heatmap);
    std::vector<std::string> columns;
    if (several) columns.push_back(text("Panel"));
    if (named) columns.push_back(text("Series"));
    columns.insert(columns.end(), {front.x.title, front.y.title});
    if (valued) columns.push_back(chart.value_title);
    columns.insert(columns.end(), {text("95 % interval"), "n"});
    const auto place = [](double at, const ChartAxis& axis) {
      return axis.scale == Scale::category ? axis.categories[static_cast<std::size_t>(at)]
                                           : short_number(at);
    };
    std::vector<std::vector<std::string>> rows;
    std::size_t left = 0;
    for (const ChartPanel& panel : chart.panels) {
      for (const ChartSeries& series : panel.series) {
        for (const ChartPoint& point : series.points) {
          if (rows.size() == kMostRows) {
            ++left;
            continue;
          }
          std::vector<std::string> row;
          if (several) row.push_back(panel.name);
          if (named) row.push_back(chart.series[series.name]);
          row.push_back(series.mark == Mark::horizontal ? "-" : place(point.x, panel.x));
          if (series.mark == Mark::histogram) row.back() += " - " + short_number(point.x_end);
          row.push_back(series.mark == Mark::vertical ? "-" : place(point.y, panel.y));
          if (valued) row.push_back(short_number(point.value));
          row.insert(row.end(), {short_interval(point.ci), std::to_string(point.n)});
          rows.push_back(std::move(row));
        }
      }
    }
    std::string source = text("From: {}.", chart.source);
    if (left > 0) source += text(" {} more rows stand in the result file.", left);
    return html_table(columns, rows) + paragraph("small", source);
  }

  Language language_;
  Drawings drawings_;
  std::size_t next_drawing_ = 0;
};

}  // namespace

std::string to_html(const std::vector<NamedResult>& results, Language language) {
  return Page(language).html(results);
}

}  // namespace xfq::report
