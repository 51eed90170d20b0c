// Splits a command's arguments into options and the rest. CLI11 does the
// splitting and lives in arguments.cpp alone; values are checked by the option
// tables, not here.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/options.h"

namespace xfq::cli {

struct GivenOption {
  Option* option;
  std::string flag;  ///< as the user knows it: --batch-size, --no-cache
  std::string text;  ///< "true" or "false" for a flag
};

struct Arguments {
  std::vector<GivenOption> options;  ///< in the order given
  std::vector<std::string> rest;     ///< what is no option
};

/// -o for --output, -q for --quiet; empty for the others.
std::string short_flag(const Option& option);

/// Every option takes exactly one argument, a flag none; a flag `--x` also has
/// `--no-x`. Throws ErrorKind::usage for an unknown option (the nearest one
/// suggested), a missing value or an option given twice. `command` is the text
/// for error messages, for example "xfq quantize".
Arguments split_arguments(const std::string& command, const std::vector<std::string>& arguments,
                          const std::vector<OptionTable*>& tables);

}  // namespace xfq::cli
