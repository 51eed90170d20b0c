// What -h and --help print; built from the option tables.
#include "help.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "arguments.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kHelpColumn = 30;
constexpr std::size_t kColumns = 100;
constexpr std::size_t kBriefExamples = 2;

/// Breaks at spaces; every further line starts at `column`.
std::string wrap(const std::string& text, std::size_t column) {
  std::string out;
  std::size_t used = column;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::size_t length = end - begin;
    if (used > column && used + 1 + length > kColumns) {
      out += "\n" + std::string(column, ' ');
      used = column;
    } else if (used > column) {
      out += ' ';
      ++used;
    }
    out += text.substr(begin, length);
    used += length;
    begin = end + 1;
  }
  return out;
}

/// Padded to `column`, or on a line of its own when it is too long for that.
std::string padded(std::string text, std::size_t column) {
  if (text.size() + 2 <= column) {
    text.resize(column, ' ');
    return text;
  }
  return text + "\n" + std::string(column, ' ');
}

std::string option_line(const HelpOption& option) {
  const bool is_flag = option.value_name.empty();
  std::string names = option.alias.empty() ? "  " : "  " + option.alias + ", ";
  names += is_flag && !option.value.empty() ? "--[no-]" + option.flag.substr(2) : option.flag;
  if (!is_flag) names += " " + option.value_name;
  const std::string text =
      option.value.empty() ? option.help : fmt::format("{} [{}]", option.help, option.value);
  return padded(names, kHelpColumn) + wrap(text, kHelpColumn) + '\n';
}

std::vector<std::string> groups_of(const CommandHelp& command) {
  std::vector<std::string> groups;
  for (const HelpOption& option : command.options) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) {
      groups.push_back(option.group);
    }
  }
  return groups;
}

std::string option_lines(const CommandHelp& command) {
  std::string out;
  for (const std::string& group : groups_of(command)) {
    out += fmt::format("\n{}:\n", group.empty() ? "Options" : group);
    for (const HelpOption& option : command.options) {
      if (option.group == group) out += option_line(option);
    }
  }
  return out;
}

std::string option_names(const CommandHelp& command) {
  std::string out;
  for (const std::string& group : groups_of(command)) {
    std::string flags;
    for (const HelpOption& option : command.options) {
      if (option.group == group) flags += (flags.empty() ? "" : " ") + option.flag;
    }
    out += padded("  " + (group.empty() ? std::string("Options") : group), kHelpColumn) +
           wrap(flags, kHelpColumn) + '\n';
  }
  return out;
}

std::string example_block(const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string out = "\nExamples:\n";
  for (const std::string& line : lines) out += "  " + line + '\n';
  return out;
}

std::string command_lines(const std::vector<CommandHelp>& commands, bool experiments) {
  std::string out;
  for (const CommandHelp& command : commands) {
    if (command.experiment != experiments) continue;
    const std::string name =
        command.operands.empty() ? command.name : command.name + ' ' + command.operands;
    out += padded("  " + name, kHelpColumn) + wrap(command.summary, kHelpColumn) + '\n';
  }
  return out;
}

}  // namespace

std::vector<std::string> HelpOption::words() const {
  std::string text = value_name;
  if (const std::size_t more = text.find(",..."); more != std::string::npos) text.resize(more);
  std::vector<std::string> out;
  if (text.find('|') == std::string::npos) return out;
  const auto upper = [](unsigned char c) { return std::isupper(c) != 0; };
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('|', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    // Capitals stand for something that the user fills in.
    if (std::none_of(word.begin(), word.end(), upper)) out.push_back(word);
    begin = end + 1;
  }
  return out;
}

bool HelpOption::takes_file() const {
  return value_name.find("FILE") != std::string::npos ||
         value_name.find("FOLDER") != std::string::npos;
}

void CommandHelp::add(const OptionTable& table) {
  for (const Option& option : table.options()) {
    const Value value = option.value();
    const bool is_flag = option.value_name.empty();
    options.push_back({option.key, option.flag(), short_flag(option), option.value_name,
                       option.help, option.group,
                       is_flag ? std::string(std::get<bool>(value) ? "on" : "") : to_text(value),
                       option.list});
  }
}

std::string CommandHelp::usage() const {
  return fmt::format("xfq {}{}{}{}", name, operands.empty() ? "" : " ", operands,
                     options.empty() ? "" : " [options]");
}

std::vector<std::string> CommandHelp::example_lines() const {
  std::vector<std::string> lines;
  for (const std::string& example : examples) {
    lines.push_back(fmt::format("xfq {}{}{}", name, example.empty() ? "" : " ", example));
  }
  return lines;
}

Help help_wanted(const std::vector<std::string>& arguments) {
  const auto given = [&arguments](const char* flag) {
    return std::find(arguments.begin(), arguments.end(), flag) != arguments.end();
  };
  if (given("--help")) return Help::full;
  return given("-h") ? Help::brief : Help::none;
}

std::string command_help(const CommandHelp& command, Help how) {
  std::string out = fmt::format("xfq {}: {}\n", command.name, command.summary);
  std::vector<std::string> examples = command.example_lines();
  if (how == Help::brief) examples.resize(std::min(examples.size(), kBriefExamples));
  out += example_block(examples) + fmt::format("\nUsage: {}\n", command.usage());
  if (how == Help::full) return out + command.about + option_lines(command);
  if (command.options.empty()) return out + command.about;
  return out + "\nOptions:\n" + option_names(command) +
         fmt::format("\nxfq {} --help says what each means, xfq explain {} more about one.\n",
                     command.name, command.options.front().flag);
}

std::string program_help(const std::vector<CommandHelp>& commands, Help how) {
  std::vector<std::string> examples;
  for (const CommandHelp& command : commands) {
    if (how == Help::brief && examples.size() == kBriefExamples) break;
    if (how == Help::full && !command.experiment) continue;
    const std::vector<std::string> lines = command.example_lines();
    if (!lines.empty()) examples.push_back(lines.front());
  }
  std::string out = "xfq: five Transformer interview answers turned into measurements\n" +
                    example_block(examples) +
                    "\nUsage: xfq COMMAND [options]\n"
                    "       xfq COMMAND -h       the command in brief\n"
                    "       xfq COMMAND --help   every option of it\n";
  const std::string experiments = command_lines(commands, true);
  if (!experiments.empty()) out += "\nExperiments:\n" + experiments;
  out += "\nOther commands:\n" + command_lines(commands, false);
  if (how == Help::brief) return out;
  return out +
         "\n"
         "  --help, -h                  This text; -h is shorter\n"
         "  --version                   Version and commit\n"
         "\n"
         "Exit codes: 0 done; 1 the run failed; 2 usage, configuration or a file;\n"
         "3 a regression against a baseline; 130 interrupted (finished runs are kept).\n";
}

}  // namespace xfq::cli
