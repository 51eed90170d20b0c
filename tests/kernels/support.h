// Helpers of the kernel tests: numbers, bit comparison, running every
// implementation beside the reference.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "catch.h"
#include "xfq/kernels/kernels.h"

namespace xfq::kernels::test {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

/// The given implementation inside a scope, "auto" after it.
class Using {
 public:
  explicit Using(const std::string& name) { select(name); }
  ~Using() { select("auto"); }
  Using(const Using&) = delete;
  Using& operator=(const Using&) = delete;
};

/// Those that must equal `reference` bit for bit.
inline std::vector<std::string> exact_implementations() {
  std::vector<std::string> names;
  for (const std::string& name : available()) {
    if (name != "eigen" && name != "reference" && name != "check") names.push_back(name);
  }
  return names;
}

/// Fixed pseudo-random numbers in [-scale, scale) (a splitmix64 sequence).
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  double next() {
    state_ += 0x9e3779b97f4a7c15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return double(z >> 11) * 0x1p-52 - 1;
  }
  template <class S>
  std::vector<S> fill(Index size, double scale = 1) {
    std::vector<S> values(static_cast<std::size_t>(size));
    for (S& value : values) value = S(next() * scale);
    return values;
  }

 private:
  std::uint64_t state_;
};

inline std::uint32_t bits(float x) {
  std::uint32_t b;
  std::memcpy(&b, &x, sizeof b);
  return b;
}

/// Equal bits, or both NaN (payloads are not part of the contract).
inline bool same(float a, float b) {
  return bits(a) == bits(b) || (std::isnan(a) && std::isnan(b));
}

/// Index of the first difference, -1 when there is none.
inline Index first_difference(const Floats& a, const Floats& b) {
  if (a.size() != b.size()) return 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return Index(i);
  }
  return -1;
}

/// Runs `outputs()` (which returns what the call wrote) with `reference` and with
/// each exact implementation and requires equal bits.
template <class F>
void require_same_as_reference(F outputs) {
  Floats expected;
  {
    Using reference("reference");
    expected = outputs();
  }
  for (const std::string& name : exact_implementations()) {
    Using implementation(name);
    const Floats got = outputs();
    INFO(name);
    const Index at = first_difference(got, expected);
    if (at >= 0) {
      INFO("index " << at << ": got " << got[std::size_t(at)] << ", expected "
                    << expected[std::size_t(at)]);
      REQUIRE(at == -1);
    }
  }
  // Counts as one assertion however many there were.
  REQUIRE_FALSE(expected.empty());
}

inline void append(Floats& all, const Floats& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace xfq::kernels::test
