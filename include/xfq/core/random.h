// Counter-based random streams: Philox4x32-10 (Salmon et al. 2011, "Parallel
// random numbers: as easy as 1, 2, 3"), from Random123.
//
// A stream is named by (seed, purpose, index), for example (7, "batch", step).
// Streams with different names are independent; what one stream draws never
// shifts another, so results depend neither on the order of runs nor on the
// number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace xfq {

class Stream {
 public:
  Stream(std::uint64_t seed, std::string_view purpose, std::uint64_t index = 0);

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  /// Uniform on [0, 1), 53 random bits.
  double uniform();
  /// Uniform on {0, ..., n-1} without modulo bias; n > 0.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal (Box-Muller, in double).
  double normal();
  bool bernoulli(double probability) { return uniform() < probability; }

  /// Fisher-Yates.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<std::uint32_t, 2> key_{};
  std::uint64_t index_ = 0;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> buffer_{};
  unsigned used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0;
};

}  // namespace xfq
