// The subcommands. Each returns an exit code or throws; each has a description that
// help, man page, completions and explain share.
#pragma once

#include <string>
#include <vector>

#include "help.h"
#include "xfq/experiments/experiment.h"

namespace xfq::cli {

inline constexpr int kDone = 0;
inline constexpr int kRunFailed = 1;
inline constexpr int kBadUse = 2;
inline constexpr int kRegression = 3;
inline constexpr int kInterrupted = 130;

using Arglist = std::vector<std::string>;
using Entries = std::vector<experiments::Entry>;

/// `all` are the experiments whose sections a configuration file may hold.
int run_experiment(const experiments::Entry& entry, const Entries& all, const Arglist& arguments);
/// With the defaults of --profile quick.
CommandHelp experiment_command(const experiments::Entry& entry);

/// A command that is no experiment.
struct Command {
  CommandHelp help;
  int (*run)(const Arglist& arguments, const Entries& all);
};
Command compare_command();
Command completion_command();
Command explain_command();
Command manual_command();
Command report_command();
Command schema_command();

/// The commands beside the experiments; a new one adds its line there.
const std::vector<Command>& other_commands();

/// All commands, experiments first.
std::vector<CommandHelp> all_commands(const Entries& entries);

}  // namespace xfq::cli
