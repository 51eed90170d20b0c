// Products of codes.
#include "code_product.h"

#include <fmt/format.h>

#include <algorithm>

#include "slices.h"
#include "xfq/core/error.h"
#include "xfq/kernels/kernels.h"

namespace xfq::quant {
namespace {

// 33,025 * 255 * 255 < 2^31: no sum of centred codes leaves 32 bits.
constexpr Index kMostDepth = 33025;

// How the int8 kernels name a scale: codes are bytes, symmetric ones about 128.
kernels::ActivationCodes byte_codes(const NumberFormat& format, const Scale& scale) {
  const std::int32_t shift = format.scheme() == Scheme::symmetric ? 128 : 0;
  kernels::ActivationCodes codes;
  codes.step = scale.step;
  codes.inverse = scale.inverse;
  codes.zero_point = scale.zero_point + shift;
  codes.lowest = format.lowest_code() + shift;
  codes.highest = format.highest_code() + shift;
  return codes;
}

kernels::Gemm<float> dense_gemm(Index m, Index n, Index k, const float* a, Index lda,
                                const float* b, float* c) {
  kernels::Gemm<float> g;
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a;
  g.a_row = lda;
  g.b = b;
  g.b_row = n;
  g.c = c;
  g.ldc = n;
  return g;
}

}  // namespace

CodeProduct::CodeProduct(const models::LinearSite& site, const SitePlan& plan,
                         const QuantizedWeight& weight, const float* fp32, Execution how)
    : in_(site.in), out_(site.out), activation_(plan.activation->format), how_(how) {
  XFQ_ASSERT(integer_refusal(plan).empty());
  if (in_ > kMostDepth) {
    throw_run(
        fmt::format("a product over {} inputs in integers, expected at most {}", in_, kMostDepth));
  }
  const NumberFormat& format = plan.weight->format;
  depth_ = exact_depth(activation_, format);
  std::vector<Scale> scales(static_cast<std::size_t>(out_));
  for (std::size_t o = 0; o < scales.size(); ++o) {
    scales[o] = weight.scales[weight.groups == 0 ? 0 : o];
    steps_.push_back(scales[o].step);
  }

  std::vector<std::int32_t> codes(weight.codes.size());  // [in, out], as they are
  for (Index i = 0; i < in_; ++i) {
    for (Index o = 0; o < out_; ++o) {
      codes[static_cast<std::size_t>(i * out_ + o)] =
          weight.codes[static_cast<std::size_t>(weight_offset(site, i, o))];
    }
  }
  if (how == Execution::fake) {
    codes_.resize(codes.size());
    for (std::size_t k = 0; k < codes.size(); ++k) {
      codes_[k] =
          static_cast<float>(codes[k] - scales[k % static_cast<std::size_t>(out_)].zero_point);
    }
  } else {
    // Affine codes 0 .. 255 become bytes by taking off 128, which moves the zero point along.
    const std::int32_t shift = format.scheme() == Scheme::affine ? 128 : 0;
    std::vector<std::int8_t> bytes(codes.size());
    for (std::size_t k = 0; k < codes.size(); ++k) {
      bytes[k] = static_cast<std::int8_t>(codes[k] - shift);
    }
    packed_ = kernels::PackedWeights(in_, out_, bytes.data(), out_);
    if (shift != 0) {
      for (const Scale& scale : scales) zero_points_.push_back(scale.zero_point - shift);
    }
  }
  for (const Index c : plan.input.outlier_columns) {
    for (Index o = 0; o < out_; ++o) outliers_.push_back(fp32[weight_offset(site, c, o)]);
  }
}

void CodeProduct::run(const nn::Product<float>& product, const std::vector<Scale>& scales,
                      const float* kept) {
  XFQ_ASSERT(product.in == in_ && product.out == out_);
  XFQ_ASSERT(scales.size() == 1 || static_cast<Index>(scales.size()) == product.rows);
  if (how_ == Execution::fake) {
    run_fake(product, scales);
  } else {
    run_integer(product, scales);
  }
  if (outliers_.empty()) return;
  const Index columns = static_cast<Index>(outliers_.size()) / out_;
  auto g = dense_gemm(product.rows, out_, columns, kept, columns, outliers_.data(), product.y);
  g.accumulate = true;
  kernels::gemm(g);
}

template <class Sum>
void CodeProduct::dequantize_row(const Sum* sums, float step, const float* bias, float* y) const {
  const float* steps = steps_.data();
  if (bias == nullptr) {
    for (Index o = 0; o < out_; ++o) y[o] = (step * steps[o]) * static_cast<float>(sums[o]);
  } else {
    for (Index o = 0; o < out_; ++o) {
      y[o] = (step * steps[o]) * static_cast<float>(sums[o]) + bias[o];
    }
  }
}

void CodeProduct::run_fake(const nn::Product<float>& product, const std::vector<Scale>& scales) {
  const Index rows = product.rows;
  x_codes_.resize(static_cast<std::size_t>(rows * in_));
  // Centred codes are the values at step 1.
  const auto round = [&](Index count, const float* x, Scale scale, float* codes) {
    scale.step = 1;
    activation_.fake_quantize(count, x, scale, codes);
  };
  if (scales.size() == 1) {
    round(rows * in_, product.x, scales[0], x_codes_.data());
  } else {
    for (Index r = 0; r < rows; ++r) {
      round(in_, product.x + r * in_, scales[static_cast<std::size_t>(r)],
            x_codes_.data() + r * in_);
    }
  }
  const auto step_of = [&](Index r) {
    return scales[scales.size() == 1 ? 0 : static_cast<std::size_t>(r)].step;
  };
  if (in_ <= depth_) {
    kernels::gemm(dense_gemm(rows, out_, in_, x_codes_.data(), in_, codes_.data(), product.y));
    for (Index r = 0; r < rows; ++r) {
      float* y = product.y + r * out_;
      dequantize_row(y, step_of(r), product.bias, y);
    }
    return;
  }
  partial_.resize(static_cast<std::size_t>(rows * out_));
  sums_.assign(static_cast<std::size_t>(rows * out_), 0);
  for (Index first = 0; first < in_; first += depth_) {
    kernels::gemm(dense_gemm(rows, out_, std::min(depth_, in_ - first), x_codes_.data() + first,
                             in_, codes_.data() + first * out_, partial_.data()));
    for (std::size_t k = 0; k < sums_.size(); ++k) {
      sums_[k] += static_cast<std::int32_t>(partial_[k]);
    }
  }
  for (Index r = 0; r < rows; ++r) {
    dequantize_row(sums_.data() + r * out_, step_of(r), product.bias, product.y + r * out_);
  }
}

void CodeProduct::run_integer(const nn::Product<float>& product, const std::vector<Scale>& scales) {
  const Index rows = product.rows;
  const bool one_scale = scales.size() == 1;
  // The whole layer in one kernel, where scales are what it finds by itself.
  if (zero_points_.empty() && (one_scale || activation_.scheme() == Scheme::symmetric)) {
    kernels::Int8Linear layer;
    layer.m = rows;
    layer.x = product.x;
    layer.ldx = in_;
    layer.weights = &packed_;
    layer.weight_steps = steps_.data();
    layer.bias = product.bias;
    layer.y = product.y;
    layer.ldy = out_;
    layer.activations = byte_codes(activation_, scales[0]);
    layer.dynamic = !one_scale;
    kernels::int8_linear(layer);
    return;
  }
  x_bytes_.resize(static_cast<std::size_t>(rows * in_));
  sums_.resize(static_cast<std::size_t>(rows * out_));
  for (Index r = 0; r < rows; ++r) {
    const Scale& scale = scales[one_scale ? 0 : static_cast<std::size_t>(r)];
    kernels::int8_quantize(in_, product.x + r * in_, byte_codes(activation_, scale),
                           x_bytes_.data() + r * in_);
  }
  kernels::int8_gemm(rows, x_bytes_.data(), in_, packed_, sums_.data(), out_);
  for (Index r = 0; r < rows; ++r) {
    const Scale& scale = scales[one_scale ? 0 : static_cast<std::size_t>(r)];
    const std::int32_t zero = byte_codes(activation_, scale).zero_point;
    std::int32_t* sums = sums_.data() + r * out_;
    // sum (a - z)(w - z') = sum a w - z sum w - z' sum (a - z)
    std::int32_t centred = -zero * static_cast<std::int32_t>(in_);
    for (Index i = 0; i < in_; ++i) centred += x_bytes_[static_cast<std::size_t>(r * in_ + i)];
    for (Index o = 0; o < out_; ++o) {
      sums[o] -= zero * packed_.column_sums()[o];
      if (!zero_points_.empty()) sums[o] -= zero_points_[static_cast<std::size_t>(o)] * centred;
    }
    dequantize_row(sums, scale.step, product.bias, product.y + r * out_);
  }
}

}  // namespace xfq::quant
