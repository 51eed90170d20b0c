// xfq report: results as a page for people.
#include <fmt/core.h>

#include <algorithm>

#include "arguments.h"
#include "commands.h"
#include "streams.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/core/text.h"
#include "xfq/report/page.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kLargestResult = std::size_t{1} << 30;

struct ReportOptions {
  std::string format = "html";
  std::string lang = "en";
  std::string chart;
  std::string output;
  OptionTable table;

  ReportOptions() {
    table.text("output", output, "Write it there, whole or not at all", "FILE");
    table.choice("format", format, "A page for a browser, or its charts as specifications",
                 {"html", "vega-lite"});
    table.text("chart", chart,
               "One chart alone, by its name, as an SVG drawing or a specification; a wrong "
               "name lists them",
               "NAME");
    table.choice("lang", lang, "Language of titles and headings", language_names());
  }
  ReportOptions(const ReportOptions&) = delete;
  ReportOptions& operator=(const ReportOptions&) = delete;
};

std::string written(const ReportOptions& options, const std::vector<report::NamedResult>& results,
                    Language language) {
  const bool drawn = options.format == "html";
  if (!options.chart.empty()) {
    return drawn ? report::chart_to_svg(results, options.chart, language)
                 : report::chart_to_vega_lite(results, options.chart, language);
  }
  return drawn ? report::to_html(results, language) : report::to_vega_lite(results, language);
}

/// What a file's name says about its content is not contradicted.
void check_ending(const ReportOptions& options) {
  const std::size_t dot = options.output.find_last_of("./");
  if (dot == std::string::npos || options.output[dot] == '/') return;
  const std::string ending = options.output.substr(dot + 1);
  const std::string expected = options.format == "vega-lite" ? "json"
                               : options.chart.empty()       ? "html"
                                                             : "svg";
  for (const char* other : {"html", "svg", "json", "png", "pdf"}) {
    if (ending != other || ending == expected) continue;
    throw_usage(fmt::format("--output: got '{}', expected a name that ends in .{}", options.output,
                            expected),
                ending == "svg" || ending == "png" || ending == "pdf"
                    ? "--chart NAME gives an SVG drawing, which other programs turn into more"
                    : "--format says what is written");
  }
}

int run_report(const Arglist& arguments, const Entries& /*all*/) {
  ReportOptions options;
  const Arguments given = split_arguments("xfq report", arguments, {&options.table});
  for (const GivenOption& option : given.options) option.option->parse(option.text);
  if (given.rest.empty()) {
    throw_usage("report: got no file, expected one result or more",
                "xfq report RESULT.json... --output report.html");
  }
  check_ending(options);
  if (options.output.empty()) {
    check_stdout();
  } else {
    check_writable(options.output, "--output");
  }
  std::vector<report::NamedResult> results;
  for (const std::string& path : given.rest) {
    for (report::Result& result :
         report::parse_results(read_file(path, "report", kLargestResult), path)) {
      results.push_back({path, std::move(result)});
    }
  }
  const Language language = parse_language(options.lang);
  const std::string text = written(options, results, language);
  if (options.output.empty()) {
    write_stdout(text);
  } else {
    write_file_atomic(options.output, text, "--output");
  }
  return kDone;
}

}  // namespace

Command report_command() {
  CommandHelp help;
  help.name = "report";
  help.operands = "RESULT.json...";
  help.summary = "Results as one page with verdicts and charts";
  help.examples = {"nsp.json quantize.json -o report.html", "sweep.ndjson --lang zh -o report.html",
                   "quantize.json --chart bits-loss -o bits.svg",
                   "quantize.json --format vega-lite -o charts.json"};
  help.about =
      "A file holds one result, or one a line. Several results of one experiment are a sweep:\n"
      "its metrics are drawn over the option with the most values, a series for each combination\n"
      "of the others. The page is one file that needs no network; the program gnuplot draws its\n"
      "charts, vega-lite does without.\n";
  help.add(ReportOptions().table);
  return {help, run_report};
}

}  // namespace xfq::cli
