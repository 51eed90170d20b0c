// What -h and --help print; built from the option tables.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/options.h"

namespace xfq::cli {

/// An option as help, man page, completions and explain show it.
struct HelpOption {
  std::string key;         ///< batch_size
  std::string flag;        ///< --batch-size
  std::string alias;       ///< -o; empty for most
  std::string value_name;  ///< empty for a flag
  std::string help;
  std::string group;
  std::string value;  ///< the default as text; "on" for a flag that is on
  bool list = false;  ///< takes a comma list

  /// What a value may be according to value_name: its plain words, and whether a file.
  std::vector<std::string> words() const;
  bool takes_file() const;
};

/// A command as help, man page, completions and explain show it: the one list that
/// they share.
struct CommandHelp {
  std::string name;
  std::string operands;               ///< "BASELINE.json CANDIDATE.json"; empty when there are none
  std::string summary;                ///< one line, no full stop
  std::vector<std::string> examples;  ///< what stands behind the name
  std::string about;                  ///< lines below the usage; each ends in a newline
  std::vector<HelpOption> options;
  std::vector<std::string> operand_words;  ///< what an operand may be; empty for files
  bool experiment = false;

  /// Adds a table's options with their current values as defaults.
  void add(const OptionTable& table);
  std::string usage() const;                       ///< "xfq compare A B [options]"
  std::vector<std::string> example_lines() const;  ///< "xfq compare a.json b.json"
};

/// What to print when a help option is among the arguments.
enum class Help { none, brief, full };
Help help_wanted(const std::vector<std::string>& arguments);

/// Brief: two examples and the names of the options. Full: every option with its
/// meaning and default.
std::string command_help(const CommandHelp& command, Help how);
std::string program_help(const std::vector<CommandHelp>& commands, Help how);

}  // namespace xfq::cli
