#include "xfq/core/random.h"

#include <Random123/philox.h>
#include <xxhash.h>

#include <cmath>

#include "xfq/core/error.h"

namespace xfq {

Stream::Stream(std::uint64_t seed, std::string_view purpose, std::uint64_t index) : index_(index) {
  const std::uint64_t key = XXH3_64bits_withSeed(purpose.data(), purpose.size(), seed);
  key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
}

std::uint32_t Stream::next_u32() {
  if (used_ == 4) {
    const r123::Philox4x32::ctr_type counter = {
        {static_cast<std::uint32_t>(block_), static_cast<std::uint32_t>(block_ >> 32),
         static_cast<std::uint32_t>(index_), static_cast<std::uint32_t>(index_ >> 32)}};
    const r123::Philox4x32::key_type key = {{key_[0], key_[1]}};
    const auto out = r123::Philox4x32{}(counter, key);
    buffer_ = {out[0], out[1], out[2], out[3]};
    ++block_;
    used_ = 0;
  }
  return buffer_[used_++];
}

std::uint64_t Stream::next_u64() {
  const std::uint64_t lo = next_u32();
  const std::uint64_t hi = next_u32();
  return (hi << 32) | lo;
}

double Stream::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

std::uint64_t Stream::below(std::uint64_t n) {
  XFQ_ASSERT(n > 0);
  // Draws below 2^64 mod n would favour small results: throw them away.
  const std::uint64_t reject = (0 - n) % n;
  std::uint64_t draw = next_u64();
  while (draw < reject) draw = next_u64();
  return draw % n;
}

double Stream::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double u = 1.0 - uniform();  // (0, 1]: the logarithm is finite
  const double angle = 6.283185307179586476925 * uniform();
  const double radius = std::sqrt(-2.0 * std::log(u));
  spare_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

}  // namespace xfq
