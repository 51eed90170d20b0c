// What an experiment is to the rest of the program: options, a check, a run
// that returns a Record. No JSON and no command line in here.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/core/options.h"
#include "xfq/core/record.h"

namespace xfq::experiments {

/// How much work: `smoke` proves that it runs (seconds, its record says
/// evidence = false), `quick` answers while one waits, `full` is what the README quotes.
enum class Profile { smoke, quick, full };

class Experiment {
 public:
  virtual ~Experiment() = default;

  /// Binds the experiment's options, common ones included, to the table.
  virtual void describe(OptionTable& table) = 0;
  /// Sets the defaults of a profile; called once, before any user value.
  virtual void apply_profile(Profile profile) = 0;
  /// Checks options against each other and the corpus for readability, before
  /// any work. Throws ErrorKind::usage or ErrorKind::input.
  virtual void check() = 0;
  /// Runs. Everything of the record but `config`, `environment` and the timing
  /// part of `cost` is filled. When the monitor asks to stop, returns what the
  /// finished runs support, with a warning of code "interrupted", or throws
  /// ErrorKind::interrupted when nothing is finished.
  virtual Record run(Monitor& monitor) = 0;
};

/// One row of the written registry (src/experiments/registry.cpp).
struct Entry {
  std::string name;     ///< subcommand and file name: "quantize"
  std::string summary;  ///< one line for --help
  std::int64_t question_number;
  std::vector<std::string> examples;  ///< arguments of example commands, for --help
  std::function<std::unique_ptr<Experiment>()> make;
};

const std::vector<Entry>& registry();

}  // namespace xfq::experiments
