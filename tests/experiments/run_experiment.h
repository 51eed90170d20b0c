// Runs an experiment as the command line does, without the command line.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/experiments/experiment.h"

namespace xfq::test {

using Settings = std::vector<std::pair<std::string, std::string>>;

/// Smoke profile, no cache, then the settings; config is filled from the options.
inline Record run_experiment(std::unique_ptr<experiments::Experiment> experiment,
                             const Settings& settings, Monitor& monitor) {
  OptionTable table;
  experiment->apply_profile(experiments::Profile::smoke);
  experiment->describe(table);
  REQUIRE(table.find("cache") != nullptr);
  table.find("cache")->parse("false");
  for (const auto& [key, text] : settings) {
    INFO(key);
    Option* const option = table.find(key);
    REQUIRE(option != nullptr);
    option->parse(text);
  }
  experiment->check();
  return experiment->run(monitor);
}

inline Record run_experiment(std::unique_ptr<experiments::Experiment> experiment,
                             const Settings& settings) {
  Monitor monitor;
  return run_experiment(std::move(experiment), settings, monitor);
}

/// Asks to stop when so many runs have finished.
class StopAfterRuns : public Monitor {
 public:
  explicit StopAfterRuns(int runs) : runs_(runs) {}
  bool stop_requested() const override { return finished_ >= runs_; }
  void finished(const std::string&) override { ++finished_; }

 private:
  int runs_;
  int finished_ = 0;
};

inline const Metric& metric(const Record& record, const std::string& id) {
  for (const Metric& m : record.metrics) {
    if (m.id == id) return m;
  }
  FAIL("no metric " << id);
  throw_run("unreachable");
}

inline double value(const Record& record, const std::string& id) {
  const Metric& m = metric(record, id);
  INFO(id);
  REQUIRE(m.value.has_value());
  return *m.value;
}

inline const Table& table(const Record& record, const std::string& name) {
  for (const Table& t : record.tables) {
    if (t.name == name) return t;
  }
  FAIL("no table " << name);
  throw_run("unreachable");
}

/// Everything that must not depend on threads, order or cache.
inline bool same_result(const Record& a, const Record& b) {
  if (a.answer != b.answer || a.metrics.size() != b.metrics.size() ||
      a.tables.size() != b.tables.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    if (a.metrics[i].id != b.metrics[i].id || a.metrics[i].value != b.metrics[i].value) {
      return false;
    }
  }
  for (std::size_t i = 0; i < a.tables.size(); ++i) {
    if (a.tables[i].rows != b.tables[i].rows) return false;
  }
  return true;
}

}  // namespace xfq::test
