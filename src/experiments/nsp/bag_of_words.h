// What words alone say about a pair of segments, whatever their order: no Transformer.
#pragma once

#include <cstdint>
#include <vector>

#include "xfq/core/monitor.h"
#include "xfq/corpus/sentence_pairs.h"
#include "xfq/nn/layers.h"

namespace xfq::experiments::nsp {

/// Cosine of the two segments' tf-idf vectors (Salton & Buckley 1988): word counts times
/// ln(N / documents with the word). Nothing is trained but the document frequencies.
class TfIdf {
 public:
  explicit TfIdf(const corpus::PairData& data);
  double cosine(const corpus::PairSplit& split, const corpus::SentencePair& pair) const;

 private:
  const corpus::PairData& data_;
  std::vector<double> idf_;
};

/// The cut between scores that separates labelled training scores best.
double best_threshold(const std::vector<double>& scores, const std::vector<bool>& labels);

/// A classifier of two bags of words: u and v are the mean word vectors of the segments,
/// [u, v, u * v, |u - v|] goes through one hidden layer of GELUs.
class BagOfWords {
 public:
  /// Trains on batches of 64 training pairs, half of them positive.
  BagOfWords(const corpus::PairData& data, const corpus::PairQuestion& question,
             corpus::Match match, std::uint64_t seed, std::int64_t steps, Monitor& monitor);

  /// Log-odds of "positive", one per pair.
  std::vector<double> log_odds(const corpus::PairSplit& split,
                               const std::vector<corpus::SentencePair>& pairs) const;

 private:
  struct Batch;
  void forward(const float* parameters, Batch& batch) const;
  void backward(const float* parameters, Batch& batch, float* gradients) const;

  const corpus::PairData& data_;
  nn::ParameterLayout layout_;
  nn::Embedding words_;
  nn::Linear hidden_, output_;
  Vector<float> parameters_;
};

}  // namespace xfq::experiments::nsp
