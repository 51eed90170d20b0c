#include "probe.h"

#include <algorithm>
#include <cmath>

#include "xfq/train/loop.h"
#include "xfq/train/pairs.h"

namespace xfq::experiments::nsp {

double log_odds(const float* logits, Index classes) {
  double others = 0;
  for (Index c = 1; c < classes; ++c) {
    others += std::exp(static_cast<double>(logits[c]) - static_cast<double>(logits[1]));
  }
  return static_cast<double>(logits[0]) - static_cast<double>(logits[1]) - std::log(others);
}

PairAnswers ask(const models::Encoder& encoder, const float* parameters,
                const corpus::PairData& data, const corpus::PairSplit& split,
                const std::vector<corpus::SentencePair>& pairs) {
  const Index dim = encoder.config().dim, classes = encoder.config().classes;
  PairAnswers answers;
  answers.states.setZero(static_cast<Index>(pairs.size()), 2 * dim);
  train::for_each_pair_batch(
      encoder, parameters, data, split, pairs,
      [&](std::size_t first, const models::PairBatch& batch,
          const models::EncoderWorkspace<float>& workspace) {
        const float* const hidden = workspace.residual.back().data();
        for (Index b = 0; b < batch.batch; ++b) {
          const float* const rows = hidden + b * batch.time * dim;
          float* const state = answers.states.row(static_cast<Index>(first) + b).data();
          std::copy(rows, rows + dim, state);
          for (Index t = 0; t < batch.lengths[b]; ++t) {
            kernels::add(dim, rows + t * dim, state + dim);
          }
          kernels::scale(dim, 1.0F / static_cast<float>(batch.lengths[b]), state + dim);
          answers.log_odds.push_back(log_odds(workspace.pair_logits.data() + b * classes, classes));
        }
      });
  return answers;
}

LinearProbe::LinearProbe(const Matrix<float>& states, const std::vector<std::int32_t>& labels,
                         Index classes, Monitor& monitor) {
  const Index rows = states.rows(), width = states.cols();
  for (Index c = 0; c < width; ++c) {
    double sum = 0, squares = 0;
    for (Index r = 0; r < rows; ++r) sum += static_cast<double>(states(r, c));
    const double mean = sum / static_cast<double>(rows);
    for (Index r = 0; r < rows; ++r) {
      const double d = static_cast<double>(states(r, c)) - mean;
      squares += d * d;
    }
    mean_.push_back(mean);
    scale_.push_back(1 / std::sqrt(squares / static_cast<double>(rows) + 1e-8));
  }
  linear_ = nn::Linear::add(layout_, "probe", width, classes, true, nn::Init::zeros());
  nn::initialise(layout_, 0, parameters_);
  const Matrix<float> x = standardise(states);
  Matrix<float> logits(rows, classes);

  train::OptimizerConfig optimizer;
  optimizer.steps = 200;
  optimizer.lr = 0.02;
  optimizer.min_lr = 0;
  optimizer.warmup = 0;
  optimizer.schedule = "linear";
  optimizer.weight_decay = 0.1;
  optimizer.clip = 0;
  const auto gradient = [&](std::int64_t, const float* parameters, float* gradients) {
    linear_.forward(parameters, rows, x.data(), logits.data());
    nn::Loss loss;
    loss.sum =
        kernels::cross_entropy<float>(rows, classes, logits.data(), classes, labels.data(), nullptr,
                                      true, 1.0F / static_cast<float>(rows), &loss.count);
    linear_.backward<float>(parameters, rows, x.data(), logits.data(), nullptr, gradients);
    return loss;
  };
  train::run_training(layout_, optimizer, gradient, parameters_, monitor, "probe");
}

Matrix<float> LinearProbe::standardise(const Matrix<float>& states) const {
  Matrix<float> x(states.rows(), states.cols());
  for (Index r = 0; r < states.rows(); ++r) {
    for (Index c = 0; c < states.cols(); ++c) {
      const auto i = static_cast<std::size_t>(c);
      x(r, c) = static_cast<float>((static_cast<double>(states(r, c)) - mean_[i]) * scale_[i]);
    }
  }
  return x;
}

Matrix<float> LinearProbe::logits(const Matrix<float>& states) const {
  const Matrix<float> x = standardise(states);
  Matrix<float> logits(x.rows(), linear_.out);
  linear_.forward(parameters_.data(), x.rows(), x.data(), logits.data());
  return logits;
}

}  // namespace xfq::experiments::nsp
