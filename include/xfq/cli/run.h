// The command line: `xfq <experiment> [options]`, `xfq compare`, `xfq schema`.
//
// stdout carries the result and nothing else; progress, warnings, a short
// summary and errors go to stderr. Exit codes: 0 done; 1 the run failed; 2 usage,
// configuration or a file; 3 a regression against a baseline; 130 interrupted.
#pragma once

#include <vector>

#include "xfq/experiments/experiment.h"

namespace xfq::cli {

/// Runs the program and returns its exit code; never throws. `experiments` are
/// the subcommands. Installs handlers for SIGINT, SIGTERM and SIGPIPE.
int run(int argc, const char* const* argv, const std::vector<experiments::Entry>& experiments);

}  // namespace xfq::cli
