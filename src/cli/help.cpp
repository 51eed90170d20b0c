// What --help prints; built from the option tables.
#include "help.h"

#include <fmt/core.h>

#include <algorithm>

#include "arguments.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kHelpColumn = 30;
constexpr std::size_t kColumns = 100;

/// Breaks at spaces; every further line starts at the help column.
std::string wrap(const std::string& text) {
  std::string out;
  std::size_t used = kHelpColumn;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::size_t length = end - begin;
    if (used > kHelpColumn && used + 1 + length > kColumns) {
      out += "\n" + std::string(kHelpColumn, ' ');
      used = kHelpColumn;
    } else if (used > kHelpColumn) {
      out += ' ';
      ++used;
    }
    out += text.substr(begin, length);
    used += length;
    begin = end + 1;
  }
  return out;
}

std::string option_line(const Option& option) {
  const Value value = option.value();
  const bool is_flag = option.value_name.empty();
  const bool on = is_flag && std::get<bool>(value);
  std::string names = short_flag(option);
  names = (names.empty() ? "  " : "  " + names + ", ") +
          (on ? "--[no-]" + option.flag().substr(2) : option.flag());
  if (!is_flag) names += " " + option.value_name;
  if (names.size() + 2 <= kHelpColumn) {
    names.resize(kHelpColumn, ' ');
  } else {
    names += "\n" + std::string(kHelpColumn, ' ');
  }
  const std::string text = is_flag ? std::string(on ? "on" : "") : to_text(value);
  return names + wrap(text.empty() ? option.help : fmt::format("{} [{}]", option.help, text)) +
         '\n';
}

std::string example_lines(const experiments::Entry& entry) {
  std::string out;
  for (const std::string& example : entry.examples) {
    out += fmt::format("  xfq {}{}{}\n", entry.name, example.empty() ? "" : " ", example);
  }
  return out;
}

}  // namespace

std::string options_help(const OptionTable& table) {
  std::vector<std::string> groups;
  for (const Option& option : table.options()) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) {
      groups.push_back(option.group);
    }
  }
  std::string out;
  for (const std::string& group : groups) {
    out += fmt::format("\n{}:\n", group.empty() ? "Options" : group);
    for (const Option& option : table.options()) {
      if (option.group == group) out += option_line(option);
    }
  }
  return out;
}

std::string experiment_help(const experiments::Entry& entry, const std::string& profile,
                            const OptionTable& own, const OptionTable& common) {
  std::string out = fmt::format("xfq {}: {}\n", entry.name, entry.summary);
  if (!entry.examples.empty()) out += "\nExamples:\n" + example_lines(entry);
  out += fmt::format("\nUsage: xfq {} [options]\n", entry.name);
  out += fmt::format("Defaults in brackets are those of the profile {}.\n", profile);
  return out + options_help(own) + options_help(common);
}

std::string program_help(const std::vector<experiments::Entry>& entries) {
  std::string out = "xfq: five Transformer interview answers turned into measurements\n";
  std::string examples;
  for (const experiments::Entry& entry : entries) {
    experiments::Entry first = entry;
    first.examples.resize(std::min<std::size_t>(first.examples.size(), 1));
    examples += example_lines(first);
  }
  if (!examples.empty()) out += "\nExamples:\n" + examples;
  out +=
      "\nUsage: xfq COMMAND [options]\n"
      "       xfq COMMAND --help\n";
  if (!entries.empty()) {
    out += "\nExperiments:\n";
    for (const experiments::Entry& entry : entries) {
      out += fmt::format("  {:<20}{}\n", entry.name, entry.summary);
    }
  }
  out +=
      "\nOther commands:\n"
      "  compare A B         What moved from result A to result B; exit code 3 on a regression\n"
      "  schema NAME         The JSON Schema of a result\n"
      "\n"
      "  --help, -h          This text\n"
      "  --version           Version and commit\n"
      "\n"
      "Exit codes: 0 done; 1 the run failed; 2 usage, configuration or a file;\n"
      "3 a regression against a baseline; 130 interrupted (finished runs are kept).\n";
  return out;
}

}  // namespace xfq::cli
