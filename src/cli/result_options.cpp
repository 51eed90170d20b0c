// The options that every experiment has and that do not shape its runs.
#include "result_options.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "xfq/core/error.h"
#include "xfq/report/json.h"
#include "xfq/report/text.h"

namespace xfq::cli {

void describe_alpha(OptionTable& table, double& alpha) {
  table.real("alpha", alpha,
             "A change counts when its p-value, corrected for all metrics, is at most this; 1: "
             "every change beyond the tolerance counts",
             {0, 1, true, false});
}

ResultOptions::ResultOptions() {
  const auto not_empty = [](const char* flag) {
    return [flag](const std::string& text) {
      if (text.empty()) throw_usage(fmt::format("{}: got '', expected a file name", flag));
    };
  };
  options.group("Profile and configuration");
  options.choice("profile", profile,
                 "How much work: smoke proves that it runs, quick answers, full is for citing",
                 {"smoke", "quick", "full"});
  options.text("config", config, "Option values: TOML, JSON, or an earlier result", "FILE",
               not_empty("--config"));
  options.group("Result");
  options.text("output", output, "Write the result there, whole or not at all", "FILE",
               not_empty("--output"));
  options.choice("format", format, "Form of the result", {"json", "ndjson", "csv", "md"});
  options.text("table", table, "Which table --format csv prints", "NAME");
  options.text("baseline", baseline, "Compare with this earlier result; exit code 3 if worse",
               "FILE", not_empty("--baseline"));
  options.text("tolerance", tolerance,
               "Change that --baseline allows: relative, 'abs' behind it for absolute, METRIC=X "
               "for one metric",
               "X,...", [](const std::string& text) { report::parse_tolerances(text); });
  describe_alpha(options, alpha);
  options.choice("lang", lang, "Language of summary, Markdown and CSV; JSON holds both",
                 language_names());
  options.flag("quiet", quiet, "No progress, notes, warnings or summary on standard error");
}

void ResultOptions::check(const std::vector<std::string>& tables) {
  if (options.find("table")->assigned && format != "csv") {
    throw_usage(
        fmt::format("--table: got '{}' with --format {}, expected --format csv", table, format));
  }
  for (const char* key : {"tolerance", "alpha"}) {
    if (options.find(key)->assigned && baseline.empty()) {
      throw_usage(fmt::format("--{}: expected --baseline beside it", key));
    }
  }
  if (format != "csv" || tables.empty()) return;
  std::vector<std::string> names = {"metrics", "claims", "measurements"};
  names.insert(names.end(), tables.begin(), tables.end());
  if (std::find(names.begin(), names.end(), table) == names.end()) {
    const std::string near = nearest_name(table, names);
    throw_usage(fmt::format("--table: got '{}', expected one of {}", table, fmt::join(names, ", ")),
                near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
  }
}

Language ResultOptions::language() const { return parse_language(lang); }

experiments::Profile ResultOptions::profile_value() const {
  if (profile == "smoke") return experiments::Profile::smoke;
  if (profile == "full") return experiments::Profile::full;
  return experiments::Profile::quick;
}

std::string ResultOptions::render(const Record& record) const {
  if (format == "ndjson") return report::to_ndjson(record);
  if (format == "csv") return report::to_csv(record, table, language());
  if (format == "md") return report::to_markdown(record, language());
  return report::to_json(record);
}

}  // namespace xfq::cli
