// xfq compare and xfq schema: what works on files alone.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "arguments.h"
#include "commands.h"
#include "help.h"
#include "streams.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/report/compare.h"
#include "xfq/report/schema.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kLargestResult = std::size_t{1} << 30;

bool wants_help(const std::vector<std::string>& arguments) {
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const std::string& text) { return text == "--help" || text == "-h"; });
}

report::Result read_result(const std::string& path) {
  return report::parse_result(read_file(path, "compare", kLargestResult), path);
}

}  // namespace

int run_compare(const std::vector<std::string>& arguments) {
  std::string tolerance = "0.01";
  std::string format = "json";
  std::string output;
  bool quiet = false;
  OptionTable table;
  table.text("tolerance", tolerance,
             "Allowed change: relative, 'abs' behind it for absolute, METRIC=X for one metric",
             "X,...");
  table.choice("format", format, "Form of the comparison", {"json", "md"});
  table.text("output", output, "Write it there, whole or not at all", "FILE");
  table.flag("quiet", quiet, "No summary on standard error");
  if (wants_help(arguments)) {
    write_stdout(
        "xfq compare: what moved from one result to another\n"
        "\nExamples:\n"
        "  xfq compare before.json after.json\n"
        "  xfq compare before.json after.json --tolerance 0.02,int8.delta_nll=0.005abs\n"
        "\nUsage: xfq compare BASELINE.json CANDIDATE.json [options]\n"
        "A metric that got worse by more than the tolerance, its interval apart from the old one\n"
        "where both are known, is a regression; then the exit code is 3.\n" +
        options_help(table));
    return kDone;
  }
  const Arguments given = split_arguments("xfq compare", arguments, {&table});
  for (const GivenOption& option : given.options) option.option->parse(option.text);
  if (given.rest.size() != 2) {
    throw_usage(fmt::format("compare: got {} file{}, expected two results", given.rest.size(),
                            given.rest.size() == 1 ? "" : "s"),
                "xfq compare BASELINE.json CANDIDATE.json");
  }
  const report::Tolerances tolerances = report::parse_tolerances(tolerance);
  if (output.empty()) {
    check_stdout();
  } else {
    check_writable(output, "--output");
  }
  const report::Comparison comparison =
      report::compare(read_result(given.rest[0]), read_result(given.rest[1]), tolerances);

  const std::string text =
      format == "md" ? report::to_markdown(comparison) : report::to_json(comparison);
  if (output.empty()) {
    write_stdout(text);
  } else {
    write_file_atomic(output, text, "--output");
  }
  if (!quiet && (format != "md" || !output.empty())) {
    write_stderr(report::to_markdown(comparison));
  }
  return comparison.regressions > 0 ? kRegression : kDone;
}

int run_schema(const std::vector<std::string>& arguments) {
  if (wants_help(arguments)) {
    write_stdout(
        fmt::format("xfq schema: the JSON Schema (draft 7) of a result\n"
                    "\nExamples:\n"
                    "  xfq schema result > result.schema.json\n"
                    "\nUsage: xfq schema NAME\n"
                    "Names: {}\n",
                    fmt::join(report::schema_names(), ", ")));
    return kDone;
  }
  const Arguments given = split_arguments("xfq schema", arguments, {});
  if (given.rest.size() != 1) {
    throw_usage(fmt::format("schema: got {} names, expected one", given.rest.size()),
                fmt::format("names: {}", fmt::join(report::schema_names(), ", ")));
  }
  write_stdout(report::schema_text(given.rest.front()));
  return kDone;
}

}  // namespace xfq::cli
