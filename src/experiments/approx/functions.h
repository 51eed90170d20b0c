// Learned functions for people to look at: values on a grid of an interval, kept among
// the numbers of a job.
#pragma once

#include <string>
#include <vector>

#include "fit.h"
#include "jobs.h"
#include "targets.h"

namespace xfq::experiments::approx {

/// Places from lo to hi, both included, `cells` equal cells; `y` stays empty.
Samples drawing_grid(double lo, double hi, Index cells);

/// Keeps the network's values on the grid under `id`.
void keep_function(const std::string& id, const Fit& trained, const Samples& grid,
                   Numbers& numbers);
/// What was kept, in the order of the grid; throws where nothing was.
std::vector<double> kept_function(const std::string& id, const Samples& grid,
                                  const Numbers& numbers);

}  // namespace xfq::experiments::approx
