// Question 24: what can networks represent, what do they learn, and what is gained by
// it? Method and claims: src/experiments/approx/README.md.
#pragma once

#include <memory>

#include "xfq/experiments/experiment.h"

namespace xfq::experiments {

std::unique_ptr<Experiment> make_approx();

}  // namespace xfq::experiments
