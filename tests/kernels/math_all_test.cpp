// exp, log, tanh, erf over every seventh of all 2^32 floats.
#include "math_errors.h"

using namespace xfq::kernels;
using namespace xfq::kernels::test;

TEST_CASE("the functions keep their error bound on every seventh float") {
  for (const Function& function : kFunctions) {
    const Worst worst = worst_error(function, 3, 7);
    INFO(function.name << " at " << worst.x << ": " << worst.error);
    CHECK(worst.error < function.bound);
  }
}
