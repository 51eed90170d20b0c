// The text of the progress line; that it appears on a terminal only is a text case.
#include "progress.h"

#include <limits>

#include "catch.h"

namespace xfq::cli {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("the progress line has run, label, step, loss and time left") {
  CHECK(progress_text(2, 6, "fp32 seed 1", 340, 600, 2.34561, 12.2, 100) ==
        "run 2/6  fp32 seed 1  step 340/600  loss 2.3456  ETA 13 s");
  CHECK(progress_text(1, 0, "x", 1, 2, kNan, -1, 100) == "x  step 1/2");
  CHECK(progress_text(7, 6, "x", 1, 2, kNan, -1, 100) == "run 6/6  x  step 1/2");
}

TEST_CASE("times are readable") {
  CHECK(progress_text(1, 0, "x", 1, 2, kNan, 59.5, 100) == "x  step 1/2  ETA 1 min 00 s");
  CHECK(progress_text(1, 0, "x", 1, 2, kNan, 3723, 100) == "x  step 1/2  ETA 1 h 02 min");
}

TEST_CASE("a narrow terminal cuts the line below its width") {
  CHECK(progress_text(2, 6, "fp32", 3, 6, 2.5, 1, 11) == "run 2/6  f");
  CHECK(progress_text(2, 6, "fp32", 3, 6, 2.5, 1, 0).empty());
}

}  // namespace
}  // namespace xfq::cli
