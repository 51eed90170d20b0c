// Property tests: rapidcheck inside Catch2, and the generators that several tests use.
#pragma once

#include <rapidcheck.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"

namespace xfq::test {

/// Fails the Catch2 test with the shrunk counterexample on the error stream.
template <class Property>
void check_property(const std::string& what, Property&& property) {
  INFO(what);
  CHECK(rc::check(what, std::forward<Property>(property)));
}

/// n numbers k / 8 with |k| <= 800: sums and differences of them are exact, ties occur.
inline std::vector<double> exact_numbers(std::size_t n) {
  const auto eighths = *rc::gen::container<std::vector<int>>(n, rc::gen::inRange(-800, 801));
  std::vector<double> values;
  for (const int k : eighths) values.push_back(k / 8.0);
  return values;
}

}  // namespace xfq::test
