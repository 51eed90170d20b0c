// What --help prints; built from the option tables.
#pragma once

#include <string>
#include <vector>

#include "xfq/core/options.h"
#include "xfq/experiments/experiment.h"

namespace xfq::cli {

std::string program_help(const std::vector<experiments::Entry>& entries);

/// Options under their headings with their current values as defaults.
std::string options_help(const OptionTable& table);

std::string experiment_help(const experiments::Entry& entry, const std::string& profile,
                            const OptionTable& own, const OptionTable& common);

}  // namespace xfq::cli
