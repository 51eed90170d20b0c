#include "xfq/train/gradient_noise.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/kernels/kernels.h"

namespace xfq::train {

namespace {

double dot(const float* a, const float* b, Index size) {
  double sum = 0;
  for (Index i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

double squared_norm(const Vector<float>& v) { return kernels::sum_squares(v.size(), v.data()); }

std::vector<Index> range(Index begin, Index count) {
  std::vector<Index> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), begin);
  return indices;
}

}  // namespace

GradientSample sample_gradients(const models::Decoder& decoder, const Vector<float>& parameters,
                                const corpus::LanguageData& data, std::uint64_t seed,
                                std::uint64_t batch, Index units, Index unit) {
  const Index time = data.row_length(), count = units * unit, size = decoder.layout().size();
  std::vector<std::int32_t> inputs(static_cast<std::size_t>(count * time)), targets(inputs.size());
  data.sample_batch(seed, batch, count, inputs.data(), targets.data());
  const auto predictions =
      std::count_if(targets.begin(), targets.end(), [](std::int32_t t) { return t >= 0; });
  const float scale =
      static_cast<float>(static_cast<double>(count) / static_cast<double>(predictions));  // 1 / n

  GradientSample sample;
  sample.unit = unit;
  sample.units.setZero(units, size);
  sample.sequence_norms.reserve(static_cast<std::size_t>(count));
  auto workspace = decoder.make_workspace<float>(1, time);
  Vector<float> gradient(size);
  for (Index i = 0; i < count; ++i) {
    gradient.setZero();
    const models::TokenBatch sequence{1, time, inputs.data() + i * time, targets.data() + i * time,
                                      nullptr};
    decoder.forward_backward(parameters.data(), sequence, workspace, gradient.data(), scale);
    sample.sequence_norms.push_back(squared_norm(gradient));
    kernels::add(size, gradient.data(), sample.units.data() + (i / unit) * size);
  }
  kernels::scale(units * size, 1 / static_cast<float>(unit), sample.units.data());
  return sample;
}

GradientNoise::GradientNoise(const GradientSample& sample) : sample_(sample) {
  const Index count = units(), size = sample.units.cols();
  XFQ_ASSERT(count >= 2 && sample.sequences() == count * sample.unit);
  Matrix<float> products(count, count);
  kernels::Gemm<float> g;
  g.m = g.n = count;
  g.k = size;
  g.a = g.b = sample.units.data();
  g.a_row = g.b_col = size;
  g.b_row = 1;
  g.c = products.data();
  g.ldc = count;
  kernels::gemm(g);
  products_ = products.cast<double>();
  mean_.setZero(size);
  kernels::add_column_sums(count, size, sample.units.data(), size, mean_.data());
  kernels::scale(size, 1 / static_cast<float>(count), mean_.data());
  mean_norm_ = squared_norm(mean_);
}

double GradientNoise::product(const std::vector<Index>& a, const std::vector<Index>& b) const {
  double sum = 0;
  for (const Index i : a) {
    for (const Index j : b) sum += products_(i, j);
  }
  return sum / (static_cast<double>(a.size()) * static_cast<double>(b.size()));
}

std::vector<Index> GradientNoise::all_but(Index begin, Index count) const {
  std::vector<Index> rest = range(0, begin);
  for (Index i = begin + count; i < units(); ++i) rest.push_back(i);
  return rest;
}

GradientNoise::Exact GradientNoise::exact() const {
  const double n = static_cast<double>(sample_.sequences());
  const double sum =
      std::accumulate(sample_.sequence_norms.begin(), sample_.sequence_norms.end(), 0.0);
  Exact exact;
  exact.trace = (sum - n * mean_norm_) / (n - 1);
  exact.squared_norm = mean_norm_ - exact.trace / n;
  if (exact.squared_norm > 0) exact.b_simple = exact.trace / exact.squared_norm;
  return exact;
}

GradientNoise::TwoBatch GradientNoise::two_batch(Index big, std::int64_t pairs,
                                                 std::uint64_t seed) const {
  XFQ_ASSERT(big >= 2 && big <= units() && pairs >= 1);
  TwoBatch result;
  result.small_batch = sample_.unit;
  result.big_batch = big * sample_.unit;
  const double b_s = static_cast<double>(result.small_batch);
  const double b_b = static_cast<double>(result.big_batch);
  std::vector<double> traces, norms;
  std::int64_t negative = 0;
  for (std::int64_t k = 0; k < pairs; ++k) {
    Stream stream(seed, "noise_pair", static_cast<std::uint64_t>(k));
    std::vector<Index> drawn = range(0, units());
    stream.shuffle(drawn);
    drawn.resize(static_cast<std::size_t>(big));
    const double g_b = product(drawn, drawn), g_s = products_(drawn[0], drawn[0]);
    norms.push_back((b_b * g_b - b_s * g_s) / (b_b - b_s));
    traces.push_back((g_s - g_b) / (1 / b_s - 1 / b_b));
    if (norms.back() < 0) ++negative;
  }
  result.b_simple = stats::ratio_of_means(traces, norms);
  result.b_simple.over_seeds = false;
  result.negative_share = static_cast<double>(negative) / static_cast<double>(pairs);
  return result;
}

std::vector<GradientNoise::Variance> GradientNoise::variance_with_replacement() const {
  std::vector<Variance> curve;
  for (Index size = 1; units() / size >= kLeastGroups; size *= 2) {
    const Index groups = units() / size;
    double sum = 0;
    for (Index k = 0; k < groups; ++k) {
      const auto group = range(k * size, size);
      sum += product(group, group);
    }
    const auto used = range(0, groups * size);
    const double n = static_cast<double>(groups);
    Variance point;
    point.batch = size * sample_.unit;
    point.variance = (sum - n * product(used, used)) / (n - 1);
    point.expected = exact().trace / static_cast<double>(point.batch);
    curve.push_back(point);
  }
  return curve;
}

std::vector<GradientNoise::Variance> GradientNoise::variance_without_replacement(
    std::int64_t draws, std::uint64_t seed) const {
  std::vector<Variance> curve;
  const auto everything = range(0, units());
  const double mean = product(everything, everything);
  double unit_variance = 0;
  for (Index i = 0; i < units(); ++i) unit_variance += products_(i, i);
  const double population = static_cast<double>(units());
  unit_variance = (unit_variance - population * mean) / (population - 1);
  for (Index size = 1; 2 * size <= units(); size *= 2) {
    Stream stream(seed, "noise_subset", static_cast<std::uint64_t>(size));
    double sum = 0;
    for (std::int64_t d = 0; d < draws; ++d) {
      std::vector<Index> drawn = everything;
      stream.shuffle(drawn);
      drawn.resize(static_cast<std::size_t>(size));
      sum += product(drawn, drawn) - 2 * product(drawn, everything) + mean;
    }
    Variance point;
    point.batch = size * sample_.unit;
    point.variance = sum / static_cast<double>(draws);
    point.expected = unit_variance * (1 / static_cast<double>(size) - 1 / population);
    curve.push_back(point);
  }
  return curve;
}

std::vector<GradientNoise::Cosine> GradientNoise::cosines() const {
  std::vector<Cosine> curve;
  const Exact noise = exact();
  if (!noise.b_simple) return curve;
  for (Index size = 1; units() / size >= kLeastGroups; size *= 2) {
    const Index groups = units() / size;
    Cosine point;
    point.batch = size * sample_.unit;
    for (Index k = 0; k < groups; ++k) {
      const auto group = range(k * size, size);
      point.cosine += product(group, all_but(k * size, size)) /
                      std::sqrt(product(group, group) * noise.squared_norm);
    }
    point.cosine /= static_cast<double>(groups);
    point.expected = 1 / std::sqrt(1 + *noise.b_simple / static_cast<double>(point.batch));
    curve.push_back(point);
  }
  return curve;
}

std::vector<GradientNoise::Cosine> GradientNoise::update_cosines(const Update& update) const {
  std::vector<Cosine> curve;
  const Index size_of_gradient = mean_.size();
  Vector<float> gradient(size_of_gradient), one, other;
  for (Index size = 1; units() / size >= kLeastGroups; size *= 2) {
    const Index groups = units() / size;
    Cosine point;
    point.batch = size * sample_.unit;
    for (Index k = 0; k < groups; ++k) {
      gradient.setZero();
      kernels::add_column_sums(size, size_of_gradient,
                               sample_.units.data() + k * size * size_of_gradient, size_of_gradient,
                               gradient.data());
      const double share = static_cast<double>(size) / static_cast<double>(units());
      kernels::scale(size_of_gradient, 1 / static_cast<float>(size), gradient.data());
      update(gradient, one);
      // The mean of the rest from the mean of all.
      gradient = (mean_ - static_cast<float>(share) * gradient) / static_cast<float>(1 - share);
      update(gradient, other);
      point.cosine += dot(one.data(), other.data(), size_of_gradient) /
                      std::sqrt(squared_norm(one) * squared_norm(other));
    }
    point.cosine /= static_cast<double>(groups);
    curve.push_back(point);
  }
  return curve;
}

GradientNoise::Update optimizer_update(const OptimizerConfig& config, std::int64_t updates,
                                       const Vector<float>& first_moment,
                                       const Vector<float>& second_moment) {
  return [config, updates, &first_moment, &second_moment](const Vector<float>& gradient,
                                                          Vector<float>& update) {
    const double norm = std::sqrt(squared_norm(gradient));
    const float scale =
        static_cast<float>(config.clip > 0 ? std::min(1.0, config.clip / (norm + 1e-6)) : 1.0);
    if (config.kind == "sgd") {
      update = static_cast<float>(config.momentum) * first_moment + scale * gradient;
      return;
    }
    const double count = static_cast<double>(updates + 1);
    kernels::AdamW p;
    p.lr = 1;
    p.beta1 = config.beta1;
    p.beta2 = config.beta2;
    p.epsilon = config.epsilon;
    p.bias1 = 1 - std::pow(config.beta1, count);
    p.bias2 = 1 - std::pow(config.beta2, count);
    p.gradient_scale = static_cast<double>(scale);
    Vector<float> m = first_moment, v = second_moment;
    update.setZero(gradient.size());
    kernels::adamw(p, gradient.size(), update.data(), gradient.data(), m.data(), v.data());
  };
}

}  // namespace xfq::train
