// Sums of signal, noise and codes.
#include "xfq/quant/distortion.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "xfq/core/error.h"
#include "xfq/stats/histogram.h"

namespace xfq::quant {

Distortion::Distortion(const NumberFormat& format)
    : format_(format),
      codes_(static_cast<std::size_t>(format.highest_code() - format.lowest_code() + 1), 0) {}

namespace {
constexpr std::size_t kBlock = 512;
}

void Distortion::add(const float* x, Index size, const Scale& scale) {
  std::array<std::int32_t, kBlock> codes;
  for (Index begin = 0; begin < size; begin += static_cast<Index>(kBlock)) {
    const Index count = std::min(static_cast<Index>(kBlock), size - begin);
    format_.quantize(count, x + begin, scale, codes.data());
    add(x + begin, codes.data(), count, scale);
  }
}

void Distortion::add(const float* x, const std::int32_t* codes, Index size, const Scale& scale) {
  constexpr std::size_t kLanes = 8;
  std::array<float, kBlock> values;
  const std::int32_t lowest = format_.lowest_code();
  for (Index begin = 0; begin < size; begin += static_cast<Index>(kBlock)) {
    const Index count = std::min(static_cast<Index>(kBlock), size - begin);
    const auto used = static_cast<std::size_t>(count);
    const float* block = x + begin;
    const std::int32_t* block_codes = codes + begin;
    format_.dequantize(count, block_codes, scale, values.data());
    clipped_ += format_.count_clipped(count, block, scale);
    for (std::size_t i = 0; i < used; ++i) {
      ++codes_[static_cast<std::size_t>(block_codes[i] - lowest)];
    }
    // Lanes, so that several sums run side by side.
    std::array<double, kLanes> signal{};
    std::array<double, kLanes> noise{};
    const auto add_one = [&](std::size_t i, std::size_t lane) {
      const auto value = static_cast<double>(block[i]);
      const double error = value - static_cast<double>(values[i]);
      signal[lane] += value * value;
      noise[lane] += error * error;
    };
    const std::size_t whole = used - used % kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) add_one(i + lane, lane);
    }
    for (std::size_t i = whole; i < used; ++i) add_one(i, 0);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      signal_ += signal[lane];
      noise_ += noise[lane];
    }
  }
  count_ += size;
}

void Distortion::merge(const Distortion& other) {
  XFQ_ASSERT(format_.name() == other.format_.name());
  count_ += other.count_;
  clipped_ += other.clipped_;
  signal_ += other.signal_;
  noise_ += other.noise_;
  for (std::size_t i = 0; i < codes_.size(); ++i) codes_[i] += other.codes_[i];
}

std::optional<double> Distortion::sqnr_db() const {
  if (!(signal_ > 0 && noise_ > 0)) return std::nullopt;
  return 10 * std::log10(signal_ / noise_);
}

std::optional<double> Distortion::clip_share() const {
  if (count_ == 0) return std::nullopt;
  return static_cast<double>(clipped_) / static_cast<double>(count_);
}

std::optional<double> Distortion::code_entropy_bits() const {
  if (count_ == 0) return std::nullopt;
  return stats::entropy(codes_) / std::log(2.0);
}

}  // namespace xfq::quant
