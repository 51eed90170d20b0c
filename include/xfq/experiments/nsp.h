// Question 21: what is next-sentence prediction worth? Pre-trains small encoders with
// and without sentence tasks and measures what each of them has learnt.
// Method and claims: src/experiments/nsp/README.md.
#pragma once

#include <memory>

#include "xfq/experiments/experiment.h"

namespace xfq::experiments {

std::unique_ptr<Experiment> make_nsp();

}  // namespace xfq::experiments
