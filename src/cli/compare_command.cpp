// xfq compare and xfq schema: what works on files alone.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "arguments.h"
#include "commands.h"
#include "result_options.h"
#include "streams.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/report/compare.h"
#include "xfq/report/schema.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kLargestResult = std::size_t{1} << 30;

struct CompareOptions {
  std::string tolerance = "0.01";
  double alpha = 0.05;
  std::string format = "json";
  std::string output;
  bool quiet = false;
  OptionTable table;

  CompareOptions() {
    table.text("tolerance", tolerance,
               "Allowed change: relative, 'abs' behind it for absolute, METRIC=X for one metric",
               "X,...");
    describe_alpha(table, alpha);
    table.choice("format", format, "Form of the comparison", {"json", "md"});
    table.text("output", output, "Write it there, whole or not at all", "FILE");
    table.flag("quiet", quiet, "No summary on standard error");
  }
  CompareOptions(const CompareOptions&) = delete;
  CompareOptions& operator=(const CompareOptions&) = delete;
};

report::Result read_result(const std::string& path) {
  return report::parse_result(read_file(path, "compare", kLargestResult), path);
}

int run_compare(const Arglist& arguments, const Entries& /*all*/) {
  CompareOptions options;
  const Arguments given = split_arguments("xfq compare", arguments, {&options.table});
  for (const GivenOption& option : given.options) option.option->parse(option.text);
  if (given.rest.size() != 2) {
    throw_usage(fmt::format("compare: got {} file{}, expected two results", given.rest.size(),
                            given.rest.size() == 1 ? "" : "s"),
                "xfq compare BASELINE.json CANDIDATE.json");
  }
  const report::Tolerances tolerances = report::parse_tolerances(options.tolerance);
  if (options.output.empty()) {
    check_stdout();
  } else {
    check_writable(options.output, "--output");
  }
  const report::Result baseline = read_result(given.rest[0]);
  report::check_known(tolerances, baseline.record);
  const report::Comparison comparison =
      report::compare(baseline, read_result(given.rest[1]), tolerances, options.alpha);

  const std::string text =
      options.format == "md" ? report::to_markdown(comparison) : report::to_json(comparison);
  if (options.output.empty()) {
    write_stdout(text);
  } else {
    write_file_atomic(options.output, text, "--output");
  }
  if (!options.quiet && (options.format != "md" || !options.output.empty())) {
    write_stderr(report::to_markdown(comparison));
  }
  return comparison.regressions > 0 ? kRegression : kDone;
}

int run_schema(const Arglist& arguments, const Entries& /*all*/) {
  const Arguments given = split_arguments("xfq schema", arguments, {});
  if (given.rest.size() != 1) {
    throw_usage(fmt::format("schema: got {} names, expected one", given.rest.size()),
                fmt::format("names: {}", fmt::join(report::schema_names(), ", ")));
  }
  write_stdout(report::schema_text(given.rest.front()));
  return kDone;
}

}  // namespace

Command compare_command() {
  CommandHelp help;
  help.name = "compare";
  help.operands = "BASELINE.json CANDIDATE.json";
  help.summary = "What moved from one result to another; exit code 3 on a regression";
  help.examples = {"before.json after.json",
                   "before.json after.json --tolerance 0.02,w8a8.mse.delta_nll=0.005abs"};
  help.about =
      "A metric that got worse by more than the tolerance, and not by chance, is a regression; "
      "then\n"
      "the exit code is 3. Differences are paired by seed where both results have the same seeds,\n"
      "and their p-values are corrected for the number of metrics.\n";
  help.add(CompareOptions().table);
  return {help, run_compare};
}

Command schema_command() {
  CommandHelp help;
  help.name = "schema";
  help.operands = "NAME";
  help.summary = "The JSON Schema (draft 7) of a result";
  help.examples = {"result > result.schema.json"};
  help.operand_words = report::schema_names();
  help.about = fmt::format("Names: {}\n", fmt::join(help.operand_words, ", "));
  return {help, run_schema};
}

}  // namespace xfq::cli
