// The subcommands. Each returns an exit code or throws.
#pragma once

#include <string>
#include <vector>

#include "xfq/experiments/experiment.h"

namespace xfq::cli {

inline constexpr int kDone = 0;
inline constexpr int kRunFailed = 1;
inline constexpr int kBadUse = 2;
inline constexpr int kRegression = 3;
inline constexpr int kInterrupted = 130;

using Entries = std::vector<experiments::Entry>;

/// `all` are the experiments whose sections a configuration file may hold.
int run_experiment(const experiments::Entry& entry, const Entries& all,
                   const std::vector<std::string>& arguments);
int run_compare(const std::vector<std::string>& arguments);
int run_schema(const std::vector<std::string>& arguments);

}  // namespace xfq::cli
