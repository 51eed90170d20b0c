#include "bag_of_words.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "xfq/core/random.h"
#include "xfq/train/loop.h"

namespace xfq::experiments::nsp {

namespace {

constexpr Index kWidth = 32;
constexpr Index kHidden = 64;
constexpr Index kBatch = 64;

}  // namespace

// ---------------------------------------------------------------------- tf-idf

TfIdf::TfIdf(const corpus::PairData& data)
    : data_(data), idf_(static_cast<std::size_t>(data.vocabulary_size())) {
  const auto& documents = data.train().documents;
  for (const auto& document : documents) {
    std::set<std::int32_t> seen;
    for (const auto& sentence : document) seen.insert(sentence.begin(), sentence.end());
    for (const std::int32_t word : seen) idf_[static_cast<std::size_t>(word)] += 1;
  }
  for (double& idf : idf_) {
    idf = idf > 0 ? std::log(static_cast<double>(documents.size()) / idf) : 0;
  }
}

double TfIdf::cosine(const corpus::PairSplit& split, const corpus::SentencePair& pair) const {
  const auto vector_of = [&](const corpus::Segment& segment) {
    std::map<std::int32_t, double> counts;
    for (const std::int32_t word : data_.segment_tokens(split, segment)) {
      counts[word] += idf_[static_cast<std::size_t>(word)];
    }
    return counts;
  };
  const auto a = vector_of(pair.a), b = vector_of(pair.b);
  double dot = 0, a_squared = 0, b_squared = 0;
  for (const auto& [word, x] : a) {
    a_squared += x * x;
    const auto same = b.find(word);
    if (same != b.end()) dot += x * same->second;
  }
  for (const auto& entry : b) b_squared += entry.second * entry.second;
  const double norms = std::sqrt(a_squared * b_squared);
  return norms > 0 ? dot / norms : 0;
}

double best_threshold(const std::vector<double>& scores, const std::vector<bool>& labels) {
  std::vector<std::pair<double, bool>> sorted;
  for (std::size_t i = 0; i < scores.size(); ++i) sorted.emplace_back(scores[i], labels[i]);
  std::sort(sorted.begin(), sorted.end());
  // Everything is called positive at first; the cut moves up past one score at a time.
  auto right = std::count(labels.begin(), labels.end(), true);
  auto best = right;
  double threshold = sorted.front().first;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    right += sorted[i].second ? -1 : 1;
    const bool between = i + 1 < sorted.size() && sorted[i + 1].first > sorted[i].first;
    if (between && right > best) {
      best = right;
      threshold = 0.5 * (sorted[i].first + sorted[i + 1].first);
    }
  }
  return threshold;
}

// ---------------------------------------------------------------- bag of words

struct BagOfWords::Batch {
  std::vector<std::vector<std::int32_t>> a, b;  // words of each pair
  std::vector<std::int32_t> labels;             // 0 positive, 1 negative
  Vector<float> means;                          // [B, 2 width]: u, v
  Vector<float> features, d_features;           // [B, 4 width]
  Vector<float> hidden_pre, hidden, d_hidden;   // [B, hidden]
  Vector<float> logits;                         // [B, 2]
  Vector<float> d_word;                         // [width]

  Index size() const { return static_cast<Index>(a.size()); }
  void clear() {
    a.clear();
    b.clear();
    labels.clear();
  }
  void allocate() {
    means.setZero(size() * 2 * kWidth);
    features.setZero(size() * 4 * kWidth);
    d_features.setZero(size() * 4 * kWidth);
    for (auto* buffer : {&hidden_pre, &hidden, &d_hidden}) buffer->setZero(size() * kHidden);
    logits.setZero(size() * 2);
    d_word.setZero(kWidth);
  }
};

BagOfWords::BagOfWords(const corpus::PairData& data, const corpus::PairQuestion& question,
                       corpus::Match match, std::uint64_t seed, std::int64_t steps,
                       Monitor& monitor)
    : data_(data) {
  words_ =
      nn::Embedding::add(layout_, "words", data.vocabulary_size(), kWidth, nn::Init::normal(0.3));
  hidden_ = nn::Linear::add(layout_, "hidden", 4 * kWidth, kHidden, true, nn::Init::normal(0.1));
  output_ = nn::Linear::add(layout_, "output", kHidden, 2, true, nn::Init::normal(0.1));
  nn::initialise(layout_, seed, parameters_);

  train::OptimizerConfig optimizer;
  optimizer.steps = steps;
  optimizer.lr = 5e-3;
  optimizer.min_lr = 0;
  optimizer.warmup = 0;
  optimizer.schedule = "linear";
  optimizer.weight_decay = 0.01;
  const corpus::PairSplit& split = data.train();
  Batch batch;
  const auto gradient = [&](std::int64_t step, const float* parameters, float* gradients) {
    Stream stream(seed, "bag of words", static_cast<std::uint64_t>(step));
    batch.clear();
    while (batch.size() < kBatch) {
      const std::int32_t label = static_cast<std::int32_t>(batch.size() % 2);
      corpus::SentencePair pair;
      const corpus::Segment& place = split.places[stream.below(split.places.size())];
      if (!data.make_pair(split, place, label == 0 ? question.positive : question.negative, match,
                          stream, pair)) {
        continue;
      }
      batch.a.push_back(data.segment_tokens(split, pair.a));
      batch.b.push_back(data.segment_tokens(split, pair.b));
      batch.labels.push_back(label);
    }
    batch.allocate();
    forward(parameters, batch);
    nn::Loss loss;
    loss.sum = kernels::cross_entropy<float>(batch.size(), 2, batch.logits.data(), 2,
                                             batch.labels.data(), nullptr, true,
                                             1.0F / static_cast<float>(batch.size()), &loss.count);
    backward(parameters, batch, gradients);
    return loss;
  };
  train::run_training(layout_, optimizer, gradient, parameters_, monitor, "bag of words");
}

void BagOfWords::forward(const float* parameters, Batch& batch) const {
  const float* const table = parameters + words_.weight;
  for (Index i = 0; i < batch.size(); ++i) {
    float* const u = batch.means.data() + i * 2 * kWidth;
    float* const v = u + kWidth;
    const auto row = static_cast<std::size_t>(i);
    for (const auto& [words, mean] : {std::pair{&batch.a[row], u}, {&batch.b[row], v}}) {
      for (const std::int32_t word : *words) kernels::add(kWidth, table + word * kWidth, mean);
      kernels::scale(kWidth, 1.0F / static_cast<float>(words->size()), mean);
    }
    float* const x = batch.features.data() + i * 4 * kWidth;
    for (Index c = 0; c < kWidth; ++c) {
      x[c] = u[c];
      x[kWidth + c] = v[c];
      x[2 * kWidth + c] = u[c] * v[c];
      x[3 * kWidth + c] = std::abs(u[c] - v[c]);
    }
  }
  hidden_.forward(parameters, batch.size(), batch.features.data(), batch.hidden.data(),
                  kernels::Activation::gelu_erf, batch.hidden_pre.data());
  output_.forward(parameters, batch.size(), batch.hidden.data(), batch.logits.data());
}

void BagOfWords::backward(const float* parameters, Batch& batch, float* gradients) const {
  output_.backward(parameters, batch.size(), batch.hidden.data(), batch.logits.data(),
                   batch.d_hidden.data(), gradients);
  kernels::activation_backward(kernels::Activation::gelu_erf, batch.size() * kHidden,
                               batch.hidden_pre.data(), batch.d_hidden.data(),
                               batch.d_hidden.data());
  hidden_.backward(parameters, batch.size(), batch.features.data(), batch.d_hidden.data(),
                   batch.d_features.data(), gradients);
  float* const d_table = gradients + words_.weight;
  for (Index i = 0; i < batch.size(); ++i) {
    const float* const u = batch.means.data() + i * 2 * kWidth;
    const float* const v = u + kWidth;
    const float* const d = batch.d_features.data() + i * 4 * kWidth;
    const auto row = static_cast<std::size_t>(i);
    for (const bool first : {true, false}) {
      const auto& words = first ? batch.a[row] : batch.b[row];
      for (Index c = 0; c < kWidth; ++c) {
        const float sign = u[c] > v[c] ? 1.0F : u[c] < v[c] ? -1.0F : 0.0F;
        batch.d_word[c] =
            (first ? d[c] + d[2 * kWidth + c] * v[c] + d[3 * kWidth + c] * sign
                   : d[kWidth + c] + d[2 * kWidth + c] * u[c] - d[3 * kWidth + c] * sign) /
            static_cast<float>(words.size());
      }
      for (const std::int32_t word : words) {
        kernels::add(kWidth, batch.d_word.data(), d_table + word * kWidth);
      }
    }
  }
}

std::vector<double> BagOfWords::log_odds(const corpus::PairSplit& split,
                                         const std::vector<corpus::SentencePair>& pairs) const {
  Batch batch;
  for (const corpus::SentencePair& pair : pairs) {
    batch.a.push_back(data_.segment_tokens(split, pair.a));
    batch.b.push_back(data_.segment_tokens(split, pair.b));
  }
  batch.allocate();
  forward(parameters_.data(), batch);
  std::vector<double> odds;
  for (Index i = 0; i < batch.size(); ++i) {
    odds.push_back(static_cast<double>(batch.logits[2 * i]) -
                   static_cast<double>(batch.logits[2 * i + 1]));
  }
  return odds;
}

}  // namespace xfq::experiments::nsp
