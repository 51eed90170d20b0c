// xfq completion: what a shell needs to complete commands, options and values, from
// the same list as help.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "arguments.h"
#include "commands.h"
#include "streams.h"
#include "xfq/core/error.h"

namespace xfq::cli {

namespace {

using Commands = std::vector<CommandHelp>;

const std::vector<std::string>& shells() {
  static const std::vector<std::string> names = {"bash", "zsh", "fish"};
  return names;
}

/// Inside single quotes of bash and zsh.
std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string names_of(const Commands& commands) {
  std::string out;
  for (const CommandHelp& command : commands) out += command.name + ' ';
  return out + "help --help --version";
}

bool is_flag(const HelpOption& option) { return option.value_name.empty(); }

/// --batch-size, -o, --no-cache: all spellings.
std::vector<std::string> spellings(const HelpOption& option) {
  std::vector<std::string> out = {option.flag};
  if (!option.alias.empty()) out.push_back(option.alias);
  if (is_flag(option)) out.push_back("--no-" + option.flag.substr(2));
  return out;
}

std::string bash(const Commands& commands) {
  std::string options;
  std::string values;
  for (const CommandHelp& command : commands) {
    std::vector<std::string> flags = {"-h", "--help"};
    for (const HelpOption& option : command.options) {
      for (const std::string& flag : spellings(option)) flags.push_back(flag);
      if (is_flag(option)) continue;
      const std::string names =
          fmt::format("{}:{}{}", command.name, option.flag,
                      option.alias.empty() ? "" : "|" + command.name + ":" + option.alias);
      values += fmt::format("    {}) words={} list={} files={} ;;\n", names,
                            single_quoted(fmt::format("{}", fmt::join(option.words(), " "))),
                            option.list ? 1 : 0, option.takes_file() ? 1 : 0);
    }
    options += fmt::format("    {}) options={} words={} files={} ;;\n", command.name,
                           single_quoted(fmt::format("{}", fmt::join(flags, " "))),
                           single_quoted(fmt::format("{}", fmt::join(command.operand_words, " "))),
                           !command.operands.empty() && command.operand_words.empty() ? 1 : 0);
  }
  options += fmt::format("    help) words={} ;;\n", single_quoted(names_of(commands)));
  return fmt::format(R"(# bash completion for xfq; written by `xfq completion bash`.
_xfq() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command=${{COMP_WORDS[1]}} options='' words='' list=0 files=0 lead=''
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    mapfile -t COMPREPLY < <(compgen -W '{}' -- "$cur")
    return
  fi
  # bash breaks --option=value into three words.
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]]; then
    prev=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  case $command in
{}  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    return
  fi
  case $command:$prev in
{}  esac
  if (( list )) && [[ $cur == *,* ]]; then
    lead=${{cur%,*}},
    cur=${{cur##*,}}
  fi
  mapfile -t COMPREPLY < <(compgen -P "$lead" -W "$words" -- "$cur")
  if (( files )); then
    mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
  fi
}}
complete -F _xfq xfq
)",
                     names_of(commands), options, values);
}

/// Inside an _arguments specification, where brackets and colons mean something.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const HelpOption& option) {
  const std::vector<std::string> words = option.words();
  std::string action;
  if (!words.empty()) {
    std::vector<std::string> quoted;
    for (const std::string& word : words) quoted.push_back(zsh_text(word));
    const std::string all = fmt::format("{}", fmt::join(quoted, " "));
    if (option.takes_file()) {
      action = fmt::format("{{compadd -- {}; _files}}", fmt::join(words, " "));
    } else if (option.list) {
      action = fmt::format("_values -s , value {}", all);
    } else {
      action = fmt::format("({})", all);
    }
  } else if (option.takes_file()) {
    action = "_files";
  }
  return fmt::format(":{}:{}", zsh_text(option.value_name), action);
}

std::string zsh(const Commands& commands) {
  std::string names;
  std::string cases;
  for (const CommandHelp& command : commands) {
    names += fmt::format("    {}\n", single_quoted(command.name + ":" + command.summary));
    std::string specs = "        '(- *)'{-h,--help}'[help]'";
    for (const HelpOption& option : command.options) {
      for (const std::string& flag : spellings(option)) {
        // An option takes its value as the next word or behind '='.
        const bool takes_value = !is_flag(option);
        const bool is_long = flag.compare(0, 2, "--") == 0;
        specs += fmt::format(" \\\n        {}",
                             single_quoted(fmt::format(
                                 "{}{}[{}]{}", flag, takes_value && is_long ? "=" : "",
                                 zsh_text(option.help), takes_value ? zsh_action(option) : "")));
      }
    }
    if (!command.operand_words.empty()) {
      specs += fmt::format(" \\\n        '*:{}:({})'", zsh_text(command.operands),
                           fmt::join(command.operand_words, " "));
    } else if (!command.operands.empty()) {
      specs += fmt::format(" \\\n        '*:{}:_files'", zsh_text(command.operands));
    }
    cases += fmt::format("    {})\n      _arguments -s \\\n{}\n      ;;\n", command.name, specs);
  }
  return fmt::format(R"(#compdef xfq
# zsh completion for xfq; written by `xfq completion zsh`.
_xfq() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _xfq ]]; then
  _xfq "$@"
else
  compdef _xfq xfq
fi
)",
                     names, cases);
}

/// Inside single quotes of fish, where a backslash escapes itself and the quote.
std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\\' || c == '\'') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish(const Commands& commands) {
  std::string out =
      "# fish completion for xfq; written by `xfq completion fish`.\n"
      "complete -c xfq -f\n"
      "complete -c xfq -n __fish_use_subcommand -l help -s h -d Help\n"
      "complete -c xfq -n __fish_use_subcommand -l version -d 'Version and commit'\n";
  for (const CommandHelp& command : commands) {
    out += fmt::format("complete -c xfq -n __fish_use_subcommand -a {} -d {}\n", command.name,
                       fish_quoted(command.summary));
  }
  for (const CommandHelp& command : commands) {
    const std::string here =
        fmt::format("complete -c xfq -n '__fish_seen_subcommand_from {}'", command.name);
    out += here + " -l help -s h -d Help\n";
    if (!command.operand_words.empty()) {
      out += fmt::format("{} -a {}\n", here,
                         fish_quoted(fmt::format("{}", fmt::join(command.operand_words, " "))));
    } else if (!command.operands.empty()) {
      out += here + " -F\n";
    }
    for (const HelpOption& option : command.options) {
      std::string value;
      if (!is_flag(option)) {
        value = option.takes_file() ? " -r -F" : " -x";
        const std::vector<std::string> words = option.words();
        if (!words.empty()) {
          value += " -a " + fish_quoted(fmt::format("{}", fmt::join(words, " ")));
        }
      }
      for (const std::string& flag : spellings(option)) {
        const bool is_long = flag.compare(0, 2, "--") == 0;
        out += fmt::format("{} {} {} -d {}{}\n", here, is_long ? "-l" : "-s",
                           flag.substr(is_long ? 2 : 1), fish_quoted(option.help), value);
      }
    }
  }
  return out;
}

int run_completion(const Arglist& arguments, const Entries& all) {
  const Arguments given = split_arguments("xfq completion", arguments, {});
  const std::string names = fmt::format("{}", fmt::join(shells(), ", "));
  if (given.rest.size() != 1) {
    throw_usage(
        fmt::format("completion: got {} names, expected one of {}", given.rest.size(), names));
  }
  const std::string& shell = given.rest.front();
  if (std::find(shells().begin(), shells().end(), shell) == shells().end()) {
    const std::string near = nearest_name(shell, shells());
    throw_usage(fmt::format("completion: got '{}', expected one of {}", shell, names),
                near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
  }
  const Commands commands = all_commands(all);
  write_stdout(shell == "bash" ? bash(commands) : shell == "zsh" ? zsh(commands) : fish(commands));
  return kDone;
}

}  // namespace

Command completion_command() {
  CommandHelp help;
  help.name = "completion";
  help.operands = "SHELL";
  help.summary = "A script with which a shell completes commands, options and values";
  help.examples = {"bash > ~/.local/share/bash-completion/completions/xfq", "zsh > ~/.zfunc/_xfq",
                   "fish > ~/.config/fish/completions/xfq.fish"};
  help.about = fmt::format("Shells: {}\n", fmt::join(shells(), ", "));
  help.operand_words = shells();
  return {help, run_completion};
}

}  // namespace xfq::cli
