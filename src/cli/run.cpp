// Chooses the command and turns what it throws into one line and an exit code.
#include "xfq/cli/run.h"

#include <fmt/core.h>

#include <exception>
#include <new>
#include <string>

#include "commands.h"
#include "environment.h"
#include "signals.h"
#include "streams.h"
#include "xfq/core/error.h"

namespace xfq::cli {

namespace {

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
    case ErrorKind::input:
      return kBadUse;
    case ErrorKind::interrupted:
      return kInterrupted;
    case ErrorKind::run:
      break;
  }
  return kRunFailed;
}

int dispatch(const std::vector<std::string>& arguments, const Entries& entries) {
  if (arguments.empty()) throw_usage("got no command, expected one", "see xfq --help");
  std::string command = arguments.front();
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (command == "help" && !rest.empty()) {
    command = rest.front();
    rest = {"--help"};
  }
  if (command == "--help" || command == "-h" || command == "help") {
    write_stdout(program_help(all_commands(entries), command == "-h" ? Help::brief : Help::full));
    return kDone;
  }
  if (command == "--version") {
    write_stdout(fmt::format("xfq {}\n", version_text()));
    return kDone;
  }
  std::vector<std::string> names = {"--help", "--version"};
  for (const Command& other : other_commands()) {
    if (other.help.name == command) {
      if (const Help how = help_wanted(rest); how != Help::none) {
        write_stdout(command_help(other.help, how));
        return kDone;
      }
      return other.run(rest, entries);
    }
    names.push_back(other.help.name);
  }
  for (const experiments::Entry& entry : entries) {
    if (entry.name == command) return run_experiment(entry, entries, rest);
    names.push_back(entry.name);
  }
  const std::string near = nearest_name(command, names);
  if (near.empty() && !command.empty() && command.front() == '-') {
    throw_usage(fmt::format("got '{}' first, expected a command", command),
                "options stand behind the command: xfq COMMAND [options]");
  }
  throw_usage(fmt::format("unknown command '{}'", command),
              near.empty() ? "see xfq --help" : fmt::format("did you mean '{}'?", near));
}

}  // namespace

int run(int argc, const char* const* argv, const std::vector<experiments::Entry>& experiments) {
  try {
    prepare_streams();
    install_signal_handlers();
    return dispatch({argv + (argc > 0 ? 1 : 0), argv + argc}, experiments);
  } catch (const Error& error) {
    const std::string hint = error.hint().empty() ? "" : "; " + error.hint();
    say_line("error", error.what() + hint);
    return exit_code(error.kind());
  } catch (const std::bad_alloc&) {
    say_line("error", "out of memory; lower --dim, --layers, --batch-size or --threads");
  } catch (const std::exception& error) {
    say_line("error", fmt::format("unexpected: {}; please report this", error.what()));
  } catch (...) {
    say_line("error", "unexpected failure; please report this");
  }
  return kRunFailed;
}

}  // namespace xfq::cli
