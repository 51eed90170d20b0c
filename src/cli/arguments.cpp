// The only source that includes CLI11.
#include "arguments.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <utility>

#include "xfq/core/error.h"

namespace xfq::cli {

namespace {

struct Meaning {
  Option* option;
  bool truth;  ///< of a flag
};

[[noreturn]] void unknown_option(const std::string& command, const std::string& argument,
                                 const std::map<std::string, Meaning>& meanings) {
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known = {"--help"};
  for (const auto& [flag, meaning] : meanings) known.push_back(flag);
  std::string near = nearest_name(name, known);
  if (near.empty() && name.compare(0, 2, "--") != 0) near = nearest_name("-" + name, known);
  throw_usage(fmt::format("unknown option '{}'", name),
              near.empty() ? fmt::format("see {} --help", command)
                           : fmt::format("did you mean '{}'?", near));
}

}  // namespace

std::string short_flag(const Option& option) {
  if (option.key == "output") return "-o";
  if (option.key == "quiet") return "-q";
  return {};
}

Arguments split_arguments(const std::string& command, const std::vector<std::string>& arguments,
                          const std::vector<OptionTable*>& tables) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.allow_windows_style_options(false);

  std::map<std::string, Meaning> meanings;
  std::map<const CLI::Option*, std::string> flags;
  const auto add = [&](const std::string& flag, const std::string& alias, Option* option,
                       bool truth) {
    const std::string names = alias.empty() ? flag : alias + "," + flag;
    // Every use is kept, so that a repeated option can be refused by name.
    CLI::Option* const added =
        option->value_name.empty() ? app.add_flag(names) : app.add_option(names)->expected(1);
    added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    flags[added] = flag;
    meanings[flag] = {option, truth};
  };
  for (OptionTable* const table : tables) {
    for (const Option& entry : table->options()) {
      Option* const option = table->find(entry.key);
      add(option->flag(), short_flag(*option), option, true);
      if (option->value_name.empty()) add("--no-" + option->flag().substr(2), {}, option, false);
    }
  }

  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    // CLI11 would take the next argument as the value.
    if (argument.compare(0, 2, "--") == 0 && argument.size() > 3 && argument.back() == '=') {
      const std::string flag = argument.substr(0, argument.size() - 1);
      if (meanings.count(flag) > 0) {
        throw_usage(fmt::format("{}: got no value after '='", flag),
                    fmt::format("write {} VALUE or {}=VALUE", flag, flag));
      }
    }
  }
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ArgumentMismatch&) {
    // The value is missing only where an option is the last argument.
    throw_usage(fmt::format("{}: got no value, expected one", arguments.back()),
                fmt::format("see {} --help", command));
  } catch (const CLI::ParseError& error) {
    throw_usage(error.what(), fmt::format("see {} --help", command));
  }

  Arguments out;
  std::map<const CLI::Option*, std::size_t> used;
  std::map<const Option*, std::string> seen;
  for (CLI::Option* const parsed : app.parse_order()) {
    const std::string& flag = flags.at(parsed);
    const Meaning& meaning = meanings.at(flag);
    std::string text = parsed->results().at(used[parsed]++);
    if (const auto twice = seen.emplace(meaning.option, flag); !twice.second) {
      throw_usage(
          flag == twice.first->second
              ? fmt::format("{}: given twice, expected once", flag)
              : fmt::format("{}: given beside {}, expected one of them", flag, twice.first->second),
          meaning.option->list ? fmt::format("separate values by commas: {} A,B", flag)
                               : std::string());
    }
    if (meaning.option->value_name.empty()) {
      if (text != "true" && text != "false") {
        throw_usage(fmt::format("{}: got '{}', expected no value", flag, text));
      }
      text = (text == "true") == meaning.truth ? "true" : "false";
    }
    out.options.push_back({meaning.option, flag, std::move(text)});
  }

  bool only_positional = false;
  for (const std::string& argument : app.remaining()) {
    if (!only_positional && argument == "--") {
      only_positional = true;
    } else if (!only_positional && argument.size() > 1 && argument.front() == '-') {
      unknown_option(command, argument, meanings);
    } else {
      out.rest.push_back(argument);
    }
  }
  return out;
}

}  // namespace xfq::cli
