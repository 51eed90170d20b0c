// Layout and initial values of parameters.
#include "xfq/nn/parameters.h"

#include <cmath>

#include "catch.h"

namespace xfq::nn {

TEST_CASE("a layout aligns tensors and counts parameters without the gaps") {
  ParameterLayout layout;
  const Index a = layout.add_matrix("a", 3, 5, Init::normal(0.5));
  const Index b = layout.add_vector("b", 17, Init::ones());
  const Index c = layout.add_vector("c", 1, Init::zeros());
  CHECK(a == 0);
  CHECK(b == 16);
  CHECK(c == 48);
  CHECK(layout.size() == 64);
  CHECK(layout.count() == 15 + 17 + 1);
  REQUIRE(layout.find("b") != nullptr);
  CHECK(layout.find("b")->vector);
  CHECK(layout.find("d") == nullptr);
}

TEST_CASE("initial values follow the tensor's name, not its place") {
  ParameterLayout one, two;
  one.add_matrix("w", 40, 50, Init::normal(0.5));
  two.add_vector("first", 3, Init::ones());
  const Index offset = two.add_matrix("w", 40, 50, Init::normal(0.5));
  Vector<double> p, q, r;
  initialise(one, 3, p);
  initialise(two, 3, q);
  initialise(one, 4, r);
  CHECK(p.head(2000) == q.segment(offset, 2000));
  CHECK(p.head(2000) != r.head(2000));
  CHECK(q.head(3).isOnes());
  CHECK(q.segment(3, 13).isZero());
  // 2000 normal draws: mean 0 and sd 0.5 within four standard errors,
  // 0.5 / sqrt(2000) and 0.5 / sqrt(4000).
  const double mean = p.head(2000).mean();
  const double sd = std::sqrt((p.head(2000).array() - mean).square().sum() / 1999);
  CHECK(std::abs(mean) < 4 * 0.5 / std::sqrt(2000.0));
  CHECK(std::abs(sd - 0.5) < 4 * 0.5 / std::sqrt(4000.0));
}

}  // namespace xfq::nn
