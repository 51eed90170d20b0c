// xfq man: the manual page, from the same list as help.
#include <fmt/core.h>

#include <algorithm>

#include "arguments.h"
#include "commands.h"
#include "environment.h"
#include "streams.h"
#include "xfq/core/error.h"

namespace xfq::cli {

namespace {

/// Text that stays text: no escapes, no hyphenated minus signs, no requests.
std::string roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += "\\&";
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

bool same_option(const HelpOption& a, const HelpOption& b) {
  return a.key == b.key && a.help == b.help && a.value_name == b.value_name;
}

const HelpOption* find_same(const CommandHelp& command, const HelpOption& wanted) {
  for (const HelpOption& option : command.options) {
    if (same_option(option, wanted)) return &option;
  }
  return nullptr;
}

std::string option_item(const HelpOption& option, bool with_default) {
  std::string names = option.alias.empty() ? "" : fmt::format("\\fB{}\\fR, ", roff(option.alias));
  const bool is_flag = option.value_name.empty();
  names += is_flag && !option.value.empty()
               ? fmt::format("\\fB\\-\\-[no\\-]{}\\fR", roff(option.flag.substr(2)))
               : fmt::format("\\fB{}\\fR", roff(option.flag));
  if (!is_flag) names += fmt::format(" \\fI{}\\fR", roff(option.value_name));
  std::string text = roff(option.help) + ".";
  if (with_default && !option.value.empty()) {
    text += fmt::format(" Default: {}.", roff(option.value));
  }
  return fmt::format(".TP\n{}\n{}\n", names, text);
}

std::string examples_of(const CommandHelp& command) {
  if (command.examples.empty()) return {};
  std::string out = ".PP\n.EX\n";
  for (const std::string& line : command.example_lines()) out += roff(line) + '\n';
  return out + ".EE\n";
}

/// The options that all experiments have in common.
std::vector<HelpOption> shared_options(const std::vector<const CommandHelp*>& experiments) {
  std::vector<HelpOption> shared;
  if (experiments.size() < 2) return shared;
  for (const HelpOption& option : experiments.front()->options) {
    if (std::all_of(experiments.begin(), experiments.end(), [&option](const CommandHelp* command) {
          return find_same(*command, option) != nullptr;
        })) {
      shared.push_back(option);
    }
  }
  return shared;
}

std::string manual(const std::vector<CommandHelp>& commands) {
  std::vector<const CommandHelp*> experiments;
  for (const CommandHelp& command : commands) {
    if (command.experiment) experiments.push_back(&command);
  }
  const std::vector<HelpOption> shared = shared_options(experiments);
  const auto is_shared = [&shared](const HelpOption& option) {
    return std::any_of(shared.begin(), shared.end(),
                       [&option](const HelpOption& other) { return same_option(option, other); });
  };

  std::string out = fmt::format(
      ".\\\" Written by `xfq man`.\n"
      ".TH XFQ 1 \"\" \"xfq {}\" \"User Commands\"\n"
      ".SH NAME\nxfq \\- Transformer interview answers turned into measurements\n"
      ".SH SYNOPSIS\n.B xfq\n.I COMMAND\n[\\fIoptions\\fR]\n"
      ".SH DESCRIPTION\n"
      "Trains small Transformers, measures what interview answers claim, and writes the result\n"
      "with a verdict for every claim as JSON on standard output. Progress, warnings and a short\n"
      "summary go to standard error.\n"
      "\\fBxfq\\fR \\fICOMMAND\\fR \\fB\\-h\\fR and \\fB\\-\\-help\\fR describe a command.\n",
      roff(version_number()));
  for (const bool experiment : {true, false}) {
    out += experiment ? ".SH EXPERIMENTS\n" : ".SH OTHER COMMANDS\n";
    for (const CommandHelp& command : commands) {
      if (command.experiment != experiment) continue;
      out += fmt::format(".SS {}\n{}.\n", roff(command.usage()), roff(command.summary));
      if (!experiment) out += roff(command.about);
      out += examples_of(command);
      std::string others;
      for (const HelpOption& option : command.options) {
        if (!is_shared(option) || !experiment) {
          out += option_item(option, true);
          continue;
        }
        // A shared option's default may be this experiment's own.
        if (option.value != find_same(*experiments.front(), option)->value) {
          others += fmt::format("{}{} {}", others.empty() ? "" : ", ", option.flag,
                                option.value.empty() ? "off" : option.value);
        }
      }
      if (!others.empty()) out += ".PP\nOther defaults: " + roff(others) + ".\n";
    }
  }
  if (!shared.empty()) {
    out += ".SH OPTIONS OF EVERY EXPERIMENT\n";
    for (const HelpOption& option : shared) out += option_item(option, true);
  }
  return out +
         ".SH EXIT STATUS\n"
         ".TP\n0\nDone.\n"
         ".TP\n1\nThe run failed.\n"
         ".TP\n2\nUsage, configuration or a file.\n"
         ".TP\n3\nA regression against a baseline.\n"
         ".TP\n130\nInterrupted; finished runs are kept.\n"
         ".SH ENVIRONMENT\n"
         ".TP\nNO_COLOR\nNo colour on standard error when it is set and not empty.\n"
         ".TP\nXDG_CACHE_HOME\nTrained models are kept in \\fIxfq/models\\fR below it.\n"
         ".SH FILES\n"
         ".TP\n\\fI~/.cache/xfq/models\\fR\nTrained models, when XDG_CACHE_HOME is not set.\n";
}

int run_manual(const Arglist& arguments, const Entries& all) {
  const Arguments given = split_arguments("xfq man", arguments, {});
  if (!given.rest.empty()) {
    throw_usage(fmt::format("man: got '{}', expected nothing", given.rest.front()),
                "xfq man | man -l -");
  }
  write_stdout(manual(all_commands(all)));
  return kDone;
}

}  // namespace

Command manual_command() {
  CommandHelp help;
  help.name = "man";
  help.summary = "The manual page";
  help.examples = {"| man -l -"};
  return {help, run_manual};
}

}  // namespace xfq::cli
