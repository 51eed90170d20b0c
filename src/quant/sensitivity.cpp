// Sensitivity scores and plans that spare the most sensitive products.
#include "xfq/quant/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "xfq/core/error.h"

namespace xfq::quant {
namespace {

// Noise over signal of the report with this name; 0 when there is none or no error.
double relative_noise(const std::vector<TensorReport>& reports, const std::string& name) {
  for (const TensorReport& report : reports) {
    if (report.name == name) return report.sqnr_db ? std::pow(10, -*report.sqnr_db / 10) : 0;
  }
  return 0;
}

}  // namespace

Plan only_site(const Plan& plan, std::size_t site) {
  XFQ_ASSERT(site < plan.size());
  Plan only(plan.size());
  only[site] = plan[site];
  return only;
}

std::vector<std::size_t> most_sensitive_first(const std::vector<double>& scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  return order;
}

Plan keep_sites(const Plan& plan, const std::vector<std::size_t>& order, std::size_t count,
                const SitePlan& kept) {
  XFQ_ASSERT(order.size() == plan.size() && count <= order.size());
  Plan spared = plan;
  for (std::size_t k = 0; k < count; ++k) spared[order[k]] = kept;
  return spared;
}

std::vector<double> sqnr_scores(const std::vector<models::LinearSite>& sites,
                                const std::vector<TensorReport>& weights,
                                const std::vector<TensorReport>& activations) {
  std::vector<double> scores;
  for (const models::LinearSite& site : sites) {
    const double noise =
        relative_noise(weights, site.name) + relative_noise(activations, site.name);
    scores.push_back(noise > 0 ? 10 * std::log10(noise) : -std::numeric_limits<double>::infinity());
  }
  return scores;
}

FisherDiagonal::FisherDiagonal(const models::Decoder& decoder, Index time)
    : decoder_(decoder),
      workspace_(decoder.make_workspace<float>(1, time)),
      gradients_(nn::make_parameters<float>(decoder.layout())),
      sum_(Vector<double>::Zero(decoder.layout().size())) {}

void FisherDiagonal::add(const Vector<float>& parameters, const models::TokenBatch& batch) {
  for (Index b = 0; b < batch.batch; ++b) {
    models::TokenBatch sequence;
    sequence.batch = 1;
    sequence.time = batch.time;
    sequence.inputs = batch.inputs + b * batch.time;
    sequence.targets = batch.targets + b * batch.time;
    sequence.lengths = batch.lengths == nullptr ? nullptr : batch.lengths + b;
    if (std::none_of(sequence.targets, sequence.targets + batch.time,
                     [](std::int32_t target) { return target >= 0; })) {
      continue;
    }
    gradients_.setZero();
    decoder_.forward_backward(parameters.data(), sequence, workspace_, gradients_.data());
    for (Index i = 0; i < sum_.size(); ++i) {
      const auto g = static_cast<double>(gradients_[i]);
      sum_[i] += g * g;
    }
    ++sequences_;
  }
}

Vector<double> FisherDiagonal::mean() const {
  if (sequences_ == 0) throw_run("a Fisher diagonal of 0 sequences, expected 1 or more");
  return sum_ / static_cast<double>(sequences_);
}

std::vector<double> fisher_scores(const std::vector<models::LinearSite>& sites,
                                  const Vector<double>& fisher, const Vector<float>& parameters,
                                  const Vector<float>& rounded) {
  XFQ_ASSERT(fisher.size() == parameters.size() && rounded.size() == parameters.size());
  std::vector<double> scores;
  for (const models::LinearSite& site : sites) {
    double sum = 0;
    for (Index i = site.weight; i < site.weight + site.in * site.out; ++i) {
      const double error = static_cast<double>(parameters[i]) - static_cast<double>(rounded[i]);
      sum += fisher[i] * error * error;
    }
    scores.push_back(sum);
  }
  return scores;
}

}  // namespace xfq::quant
