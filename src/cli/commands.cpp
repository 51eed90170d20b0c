// The list of commands.
#include "commands.h"

namespace xfq::cli {

const std::vector<Command>& other_commands() {
  static const std::vector<Command> commands = {compare_command(),    report_command(),
                                                explain_command(),    schema_command(),
                                                completion_command(), manual_command()};
  return commands;
}

std::vector<CommandHelp> all_commands(const Entries& entries) {
  std::vector<CommandHelp> commands;
  for (const experiments::Entry& entry : entries) commands.push_back(experiment_command(entry));
  for (const Command& command : other_commands()) commands.push_back(command.help);
  return commands;
}

}  // namespace xfq::cli
