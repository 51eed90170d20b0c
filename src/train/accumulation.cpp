#include "xfq/train/accumulation.h"

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"
#include "xfq/kernels/kernels.h"

namespace xfq::train {

namespace {

models::TokenBatch part_of(const models::TokenBatch& batch, Index first, Index count) {
  models::TokenBatch part = batch;
  part.batch = count;
  part.inputs = batch.inputs + first * batch.time;
  part.targets = batch.targets + first * batch.time;
  part.lengths = batch.lengths == nullptr ? nullptr : batch.lengths + first;
  return part;
}

std::int64_t predictions(const models::TokenBatch& batch) {
  return std::count_if(batch.targets, batch.targets + batch.batch * batch.time,
                       [](std::int32_t target) { return target >= 0; });
}

template <class Visit>
void for_each_part(const models::TokenBatch& batch, Index part, const Visit& visit) {
  XFQ_ASSERT(part >= 1);
  for (Index first = 0; first < batch.batch; first += part) {
    visit(part_of(batch, first, std::min(part, batch.batch - first)));
  }
}

}  // namespace

nn::Loss accumulate_gradient(const models::Decoder& decoder, const float* parameters,
                             const models::TokenBatch& batch, Index part,
                             models::DecoderWorkspace<float>& workspace, float* gradients) {
  const float scale = static_cast<float>(1.0 / static_cast<double>(predictions(batch)));
  nn::Loss loss;
  for_each_part(batch, part, [&](const models::TokenBatch& tokens) {
    loss += decoder.forward_backward(parameters, tokens, workspace, gradients, scale);
  });
  return loss;
}

AccumulationCheck check_accumulation(const models::Decoder& decoder,
                                     const Vector<float>& parameters,
                                     const models::TokenBatch& batch, Index part) {
  auto workspace = decoder.make_workspace<float>(batch.batch, batch.time);
  Vector<float> parts = nn::make_parameters<float>(decoder.layout());
  accumulate_gradient(decoder, parameters.data(), batch, part, workspace, parts.data());
  Vector<float> whole = nn::make_parameters<float>(decoder.layout());
  decoder.forward_backward(parameters.data(), batch, workspace, whole.data());

  const nn::ParameterInfo* table = decoder.layout().find("wte.weight");
  XFQ_ASSERT(table != nullptr);
  // What backward left behind: the terms of the table's gradient.
  const Index rows = batch.batch * batch.time, width = table->cols, vocab = table->rows;
  const auto absolute = [rows](const Vector<float>& values, Index cols) {
    return Matrix<double>(
        ConstMatrixMap<float>(values.data(), rows, cols).cast<double>().cwiseAbs());
  };
  const Matrix<double> d_logits = absolute(workspace.logits, vocab);
  const Matrix<double> normed = absolute(workspace.normed, width);
  const Matrix<double> d_input = absolute(workspace.d, width);
  Matrix<double> magnitudes(vocab, width);
  kernels::Gemm<double> g;  // |d logits|^T |normed|
  g.m = vocab;
  g.n = width;
  g.k = rows;
  g.a = d_logits.data();
  g.a_row = 1;
  g.a_col = vocab;
  g.b = normed.data();
  g.b_row = width;
  g.c = magnitudes.data();
  g.ldc = width;
  kernels::gemm(g);
  for (Index r = 0; r < rows; ++r) magnitudes.row(batch.inputs[r]) += d_input.row(r);
  const double terms = 2 * static_cast<double>(rows) * 0x1p-24;

  AccumulationCheck check;
  check.rest_is_equal = true;
  for (Index i = 0; i < whole.size(); ++i) {
    const Index place = i - table->offset;
    if (place < 0 || place >= table->size()) {
      check.rest_is_equal = check.rest_is_equal && parts[i] == whole[i];
      continue;
    }
    const double difference =
        std::abs(static_cast<double>(parts[i]) - static_cast<double>(whole[i]));
    const double bound = 2 * terms / (1 - terms) * magnitudes(place / width, place % width);
    check.difference = std::max(check.difference, difference);
    if (difference > 0) check.share_of_bound = std::max(check.share_of_bound, difference / bound);
  }
  return check;
}

double mean_of_means_error(const models::Decoder& decoder, const Vector<float>& parameters,
                           const models::TokenBatch& batch, Index part) {
  auto workspace = decoder.make_workspace<float>(batch.batch, batch.time);
  Vector<float> whole = nn::make_parameters<float>(decoder.layout());
  decoder.forward_backward(parameters.data(), batch, workspace, whole.data());
  Vector<float> means = nn::make_parameters<float>(decoder.layout());
  std::int64_t parts = 0;
  for_each_part(batch, part, [&](const models::TokenBatch& tokens) {
    decoder.forward_backward(parameters.data(), tokens, workspace, means.data());
    ++parts;
  });
  const Vector<float> error = means / static_cast<float>(parts) - whole;
  return std::sqrt(kernels::sum_squares(error.size(), error.data()) /
                   kernels::sum_squares(whole.size(), whole.data()));
}

}  // namespace xfq::train
