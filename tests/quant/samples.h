// Random data of known shapes, and errors by their text.
#pragma once

#include <rapidcheck.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"

namespace xfq::test {

/// Unit variance but for the Student ones, whose scale is 1.
enum class Shape { normal, laplace, student4, student3, outliers5, outliers20, outliers60 };

inline std::vector<float> sample(Shape shape, std::size_t size, std::uint64_t draw = 0) {
  Stream stream(7, "test.quant.sample", draw);
  const auto student = [&](int df) {
    const double z = stream.normal();
    double chi2 = 0;
    for (int i = 0; i < df; ++i) {
      const double g = stream.normal();
      chi2 += g * g;
    }
    return z / std::sqrt(chi2 / df);
  };
  // One value in a thousand comes from a normal distribution `factor` times wider.
  const auto outliers = [&](double factor) {
    const double z = stream.normal();
    return stream.bernoulli(0.001) ? factor * z : z;
  };
  std::vector<float> values(size);
  for (float& value : values) {
    double x = 0;
    switch (shape) {
      case Shape::normal:
        x = stream.normal();
        break;
      case Shape::laplace: {
        const double u = stream.uniform() - 0.5;
        x = -std::copysign(std::log1p(-2 * std::abs(u)), u) / std::sqrt(2.0);
        break;
      }
      case Shape::student4:
        x = student(4);
        break;
      case Shape::student3:
        x = student(3);
        break;
      case Shape::outliers5:
        x = outliers(5);
        break;
      case Shape::outliers20:
        x = outliers(20);
        break;
      case Shape::outliers60:
        x = outliers(60);
        break;
    }
    value = static_cast<float>(x);
  }
  return values;
}

/// Runs rapidcheck inside a Catch2 test; the counterexample goes to the error stream.
template <class Property>
void check_property(const std::string& what, Property&& property) {
  INFO(what);
  CHECK(rc::check(what, std::forward<Property>(property)));
}

/// "message | hint" of the Error that the call must throw.
inline std::string error_of(const std::function<void()>& call, ErrorKind kind) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return std::string(error.what()) + " | " + error.hint();
  }
  FAIL("no error was thrown");
  return {};
}

}  // namespace xfq::test
