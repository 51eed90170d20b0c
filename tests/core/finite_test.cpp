// Finite checks over data with one bad value at every position.
#include "xfq/core/finite.h"

#include <limits>
#include <vector>

#include "catch.h"

namespace {

template <class S>
void check_positions() {
  const S largest = std::numeric_limits<S>::max();
  for (const S bad : {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity(),
                      -std::numeric_limits<S>::infinity()}) {
    for (std::size_t position = 0; position < 9; ++position) {
      std::vector<S> data(9, largest);  // their sum would overflow
      CHECK(xfq::all_finite(data.data(), data.size()));
      data[position] = bad;
      CHECK_FALSE(xfq::all_finite(data.data(), data.size()));
    }
  }
  CHECK(xfq::all_finite(static_cast<const S*>(nullptr), 0));
}

}  // namespace

TEST_CASE("a single NaN or infinity is found, large values are fine") {
  check_positions<float>();
  check_positions<double>();
}
