// xfq explain: what a metric, a column, a claim, an option or a term means.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "arguments.h"
#include "commands.h"
#include "streams.h"
#include "xfq/core/error.h"
#include "xfq/core/text.h"
#include "xfq/report/explain.h"
#include "xfq/report/schema.h"

namespace xfq::cli {

namespace {

struct ExplainOptions {
  std::string lang = "en";
  OptionTable table;

  ExplainOptions() { table.choice("lang", lang, "Language of the texts", language_names()); }
  ExplainOptions(const ExplainOptions&) = delete;
  ExplainOptions& operator=(const ExplainOptions&) = delete;
};

/// One name, explained: a title, a text, labelled lines.
struct Page {
  std::string title;
  Text text;
  std::vector<std::pair<std::string, std::string>> lines;  ///< label, value
};

std::string render(const Page& page, Language language) {
  std::string out = page.title + '\n';
  if (!page.text.empty()) out += fmt::format("  {}\n", page.text.in(language));
  for (const auto& [label, value] : page.lines) {
    if (value.empty()) continue;
    out += fmt::format("  {}: {}\n", report::explain_label(label).in(language), value);
  }
  return out;
}

Page page_of(const report::Explanation& entry, Language language) {
  Page page;
  page.title = fmt::format("{} ({}{})", entry.name, report::explain_label(entry.kind).in(language),
                           entry.experiment.empty() ? "" : ", xfq " + entry.experiment);
  page.text = entry.text;
  page.lines = {{"unit", entry.unit},
                {"formula", entry.formula},
                {"paper", entry.paper},
                {"source", entry.source}};
  return page;
}

/// "--batch-size", "batch-size" and "batch_size" are one option.
bool names_option(const HelpOption& option, const std::string& name) {
  std::string key = name.substr(std::min(name.find_first_not_of('-'), name.size()));
  std::replace(key.begin(), key.end(), '-', '_');
  return option.key == key || (!option.alias.empty() && option.alias == name);
}

/// One page for each meaning; commands that share an option share the page.
std::vector<Page> option_pages(const std::vector<CommandHelp>& commands, const std::string& name,
                               Language language) {
  struct Meaning {
    const HelpOption* option;
    std::string commands;
  };
  std::vector<Meaning> meanings;
  for (const CommandHelp& command : commands) {
    for (const HelpOption& option : command.options) {
      if (!names_option(option, name)) continue;
      const auto same =
          std::find_if(meanings.begin(), meanings.end(), [&option](const Meaning& other) {
            return other.option->help == option.help && other.option->value == option.value;
          });
      if (same == meanings.end()) {
        meanings.push_back({&option, "xfq " + command.name});
      } else {
        same->commands += ", " + command.name;
      }
    }
  }
  std::vector<Page> pages;
  for (const Meaning& meaning : meanings) {
    const HelpOption& option = *meaning.option;
    Page page;
    page.title = fmt::format("{}{}{} ({}, {})", option.flag, option.value_name.empty() ? "" : " ",
                             option.value_name, report::explain_label("option").in(language),
                             meaning.commands);
    page.text = Text(option.help);
    page.lines = {{"default", option.value}, {"key", option.key}};
    pages.push_back(page);
  }
  return pages;
}

/// A table of that name, of each experiment that has one.
std::vector<Page> table_pages(const Entries& all, const std::string& name, Language language) {
  std::vector<Page> pages;
  for (const experiments::Entry& entry : all) {
    const std::vector<std::string> columns = report::schema_columns(entry.name, name);
    if (columns.empty()) continue;
    Page page;
    page.title = fmt::format("{} ({}, xfq {})", name, report::explain_label("table").in(language),
                             entry.name);
    page.lines = {{"columns", fmt::format("{}", fmt::join(columns, ", "))}};
    pages.push_back(page);
  }
  return pages;
}

std::vector<std::string> known_names(const std::vector<CommandHelp>& commands, const Entries& all) {
  std::vector<std::string> names;
  for (const experiments::Entry& entry : all) {
    for (std::string& table : report::schema_tables(entry.name)) names.push_back(std::move(table));
  }
  for (const report::Explanation& entry : report::explanations()) {
    const std::size_t place = entry.name.rfind(">.");
    names.push_back(place == std::string::npos ? entry.name : entry.name.substr(place + 2));
  }
  for (const CommandHelp& command : commands) {
    names.push_back(command.name);
    for (const HelpOption& option : command.options) names.push_back(option.flag);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

int run_explain(const Arglist& arguments, const Entries& all) {
  ExplainOptions options;
  // What is asked for may look like an option: xfq explain --bits.
  std::string name;
  Arglist rest;
  for (const std::string& argument : arguments) {
    const bool own = argument.compare(0, 6, "--lang") == 0;
    const bool value = !rest.empty() && rest.back() == "--lang";
    if (name.empty() && !own && !value) {
      name = argument;
    } else {
      rest.push_back(argument);
    }
  }
  const Arguments given = split_arguments("xfq explain", rest, {&options.table});
  for (const GivenOption& option : given.options) option.option->parse(option.text);
  if (name.empty() || !given.rest.empty()) {
    throw_usage(fmt::format("explain: got {} names, expected one",
                            given.rest.size() + (name.empty() ? 0 : 1)),
                "for example: xfq explain perplexity");
  }
  const Language language = parse_language(options.lang);
  const std::vector<CommandHelp> commands = all_commands(all);

  std::vector<Page> pages;
  for (const report::Explanation* entry : report::explain(name)) {
    pages.push_back(page_of(*entry, language));
  }
  for (Page& page : table_pages(all, name, language)) pages.push_back(std::move(page));
  for (Page& page : option_pages(commands, name, language)) pages.push_back(std::move(page));
  for (const CommandHelp& command : commands) {
    if (command.name == name) {
      pages.push_back({"xfq " + name, Text(command.summary), {{"usage", command.usage()}}});
    }
  }
  if (pages.empty()) {
    const std::string near = nearest_name(name, known_names(commands, all));
    throw_usage(fmt::format("explain: got '{}', expected a metric, a table, its column, a claim, "
                            "an option, a command or a term",
                            name),
                near.empty() ? std::string("a result names its metrics and claims")
                             : fmt::format("did you mean '{}'?", near));
  }
  std::string out;
  for (const Page& page : pages) out += (out.empty() ? "" : "\n") + render(page, language);
  write_stdout(out);
  return kDone;
}

}  // namespace

Command explain_command() {
  CommandHelp help;
  help.name = "explain";
  help.operands = "NAME";
  help.summary = "What a metric, table, column, claim, option or term means";
  help.examples = {"perplexity", "w8a8.mse.delta_nll --lang zh"};
  help.about =
      "NAME is as it stands in a result: a metric with its arm or without, a column with\n"
      "its table or without, the id of a claim; or an option, a command or a term.\n";
  for (const report::Explanation& entry : report::explanations()) {
    if (entry.name.find('<') == std::string::npos) help.operand_words.push_back(entry.name);
  }
  std::sort(help.operand_words.begin(), help.operand_words.end());
  help.operand_words.erase(std::unique(help.operand_words.begin(), help.operand_words.end()),
                           help.operand_words.end());
  help.add(ExplainOptions().table);
  return {help, run_explain};
}

}  // namespace xfq::cli
