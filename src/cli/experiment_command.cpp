// xfq <experiment>: options, checks before any work, the run, the result.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "arguments.h"
#include "commands.h"
#include "config_file.h"
#include "environment.h"
#include "progress.h"
#include "result_options.h"
#include "streams.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/report/json.h"
#include "xfq/report/schema.h"
#include "xfq/report/text.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kLargestResult = std::size_t{1} << 30;

/// The settings that concern this experiment, checked for known names.
std::vector<Setting> relevant_settings(const ConfigFile& file, const experiments::Entry& entry,
                                       const Entries& all, const std::string& source) {
  if (!file.schema.empty() && report::experiment_name(file.schema) != entry.name) {
    throw_usage(fmt::format("{}: got a result of schema '{}', expected one of 'xfq {}'", source,
                            file.schema, entry.name));
  }
  std::vector<std::string> sections;
  for (const experiments::Entry& other : all) sections.push_back(other.name);
  std::vector<Setting> settings;
  // A section's value counts more than one outside of any.
  for (const bool in_section : {false, true}) {
    for (const Setting& setting : file.settings) {
      if (!setting.section.empty() &&
          std::find(sections.begin(), sections.end(), setting.section) == sections.end()) {
        const std::string near = nearest_name(setting.section, sections);
        throw_usage(fmt::format("{}: unknown section [{}], expected one of {}", source,
                                setting.section, fmt::join(sections, ", ")),
                    near.empty() ? std::string() : fmt::format("did you mean [{}]?", near));
      }
      if (setting.section == (in_section ? entry.name : "")) settings.push_back(setting);
    }
  }
  return settings;
}

void assign_setting(const Setting& setting, OptionTable& own, ResultOptions& common,
                    const std::string& source) {
  Option* option = own.find(setting.key);
  if (setting.key == "profile") option = common.options.find("profile");
  if (option == nullptr) {
    if (const Option* const here = common.options.find(setting.key); here != nullptr) {
      throw_usage(fmt::format("{}: got key '{}', expected it on the command line only", source,
                              setting.key),
                  fmt::format("use {}", here->flag()));
    }
    std::vector<std::string> keys = {"profile"};
    for (const Option& known : own.options()) keys.push_back(known.key);
    const std::string near = nearest_name(setting.key, keys);
    throw_usage(fmt::format("{}: unknown key '{}'", source, setting.key),
                near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
  }
  try {
    option->assign(setting.value);
    option->assigned = true;
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("{}: {}", source, error.what()), error.hint());
  }
}

/// Reads and checks a baseline before the run, so that hours are not lost to it.
report::Result read_baseline(const std::string& path, const experiments::Entry& entry) {
  report::Result baseline = report::parse_result(read_file(path, "--baseline", kLargestResult),
                                                 fmt::format("--baseline {}", path));
  const std::string& schema = baseline.record.schema;
  const std::string expected = report::schema_id(entry.name);
  const bool fits =
      expected.empty() ? report::experiment_name(schema) == entry.name : schema == expected;
  if (!fits) {
    throw_input(fmt::format("--baseline {}: got schema '{}', expected '{}'", path, schema,
                            expected.empty() ? "xfq/" + entry.name + "/..." : expected),
                "make a new baseline with --output");
  }
  return baseline;
}

std::int64_t threads_used(OptionTable& own) {
  if (Option* const option = own.find("threads"); option != nullptr) {
    const Value value = option->value();
    if (const auto* const threads = std::get_if<std::int64_t>(&value); threads && *threads > 0) {
      return *threads;
    }
  }
  return std::max(1U, std::thread::hardware_concurrency());
}

CommandHelp describe(const experiments::Entry& entry, const OptionTable& own,
                     const ResultOptions& common) {
  CommandHelp command;
  command.name = entry.name;
  command.summary = entry.summary;
  command.examples = entry.examples;
  command.about =
      fmt::format("Defaults in brackets are those of the profile {}.\n", common.profile);
  command.experiment = true;
  command.add(own);
  command.add(common.options);
  return command;
}

bool was_interrupted(const Record& record) {
  return std::any_of(record.warnings.begin(), record.warnings.end(),
                     [](const Warning& warning) { return warning.code == "interrupted"; });
}

}  // namespace

CommandHelp experiment_command(const experiments::Entry& entry) {
  const std::unique_ptr<experiments::Experiment> experiment = entry.make();
  OptionTable own;
  experiment->describe(own);
  const ResultOptions common;
  experiment->apply_profile(common.profile_value());
  return describe(entry, own, common);
}

int run_experiment(const experiments::Entry& entry, const Entries& all, const Arglist& arguments) {
  const std::string command = "xfq " + entry.name;
  const std::unique_ptr<experiments::Experiment> experiment = entry.make();
  OptionTable own;
  experiment->describe(own);
  ResultOptions common;

  const Help help = help_wanted(arguments);
  Arglist without_help;
  std::remove_copy_if(arguments.begin(), arguments.end(), std::back_inserter(without_help),
                      [](const std::string& text) { return text == "--help" || text == "-h"; });
  const Arguments given = split_arguments(command, without_help, {&own, &common.options});
  if (!given.rest.empty()) {
    throw_usage(
        fmt::format("got '{}', expected only options behind '{}'", given.rest.front(), command),
        fmt::format("see {} --help", command));
  }

  // The command line goes before the file, the file before the profile.
  const auto from_command_line = [&given](OptionTable& table) {
    for (const GivenOption& option : given.options) {
      if (table.find(option.option->key) != option.option) continue;
      option.option->parse(option.text);
      option.option->assigned = true;
    }
  };
  from_command_line(common.options);
  std::vector<Setting> settings;
  const std::string source = "--config " + common.config;
  if (!common.config.empty()) {
    settings = relevant_settings(read_config_file(common.config), entry, all, source);
    for (const Setting& setting : settings) {
      if (setting.key == "profile" && !common.options.find("profile")->assigned) {
        assign_setting(setting, own, common, source);
      }
    }
  }
  experiment->apply_profile(common.profile_value());
  if (help != Help::none) {
    write_stdout(command_help(describe(entry, own, common), help));
    return kDone;
  }
  for (const Setting& setting : settings) {
    if (setting.key != "profile") assign_setting(setting, own, common, source);
  }
  from_command_line(own);

  common.check(report::schema_tables(entry.name));
  const report::Tolerances tolerances = report::parse_tolerances(common.tolerance);
  if (common.output.empty()) {
    check_stdout();
  } else {
    check_writable(common.output, "--output");
  }
  std::optional<report::Result> baseline;
  if (!common.baseline.empty()) {
    baseline = read_baseline(common.baseline, entry);
    report::check_known(tolerances, baseline->record);
  }

  const Stopwatch stopwatch;
  experiment->check();
  Progress progress(common.quiet);
  Record record = experiment->run(progress);
  progress.clear();

  record.config = {{"profile", common.profile}};
  for (const Option& option : own.options()) {
    if (!option.runtime) record.config.emplace_back(option.key, option.value());
  }
  if (common.profile_value() == experiments::Profile::smoke) record.evidence = false;
  record.environment = complete_environment(record.environment, threads_used(own));
  stopwatch.fill(record.cost);

  const std::string text = common.render(record);
  if (common.output.empty()) {
    write_stdout(text);
  } else {
    write_file_atomic(common.output, text, "--output");
  }
  if (!common.quiet) {
    for (const Warning& warning : record.warnings) {
      const std::string fix = warning.fix.in(common.language());
      say_line("warning", warning.text.in(common.language()) + (fix.empty() ? "" : "; " + fix));
    }
    write_stderr(report::summary(record, stderr_width(), common.language()));
  }
  if (was_interrupted(record)) return kInterrupted;
  if (!baseline) return kDone;

  const report::Comparison comparison =
      report::compare(*baseline, {record, report::signature(record)}, tolerances, common.alpha);
  if (!common.quiet || comparison.regressions > 0) {
    write_stderr(report::to_markdown(comparison));
  }
  return comparison.regressions > 0 ? kRegression : kDone;
}

}  // namespace xfq::cli
