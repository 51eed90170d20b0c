// What is measured on one pre-trained encoder, and on the baselines beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "options.h"
#include "xfq/core/monitor.h"
#include "xfq/models/encoder.h"
#include "xfq/stats/roc.h"

namespace xfq::experiments::nsp {

/// One balanced set of validation pairs that every model is asked about.
struct Test {
  std::string name;  ///< nsp, sop, distant, later, shifted
  corpus::PairQuestion question;
  const corpus::PairData* data = nullptr;
  std::vector<corpus::SentencePair> pairs;
};

/// The data of a run, and its validation pairs: the same for every seed and arm.
struct Bench {
  const corpus::PairData* data = nullptr;
  std::vector<Test> tests;
  std::vector<corpus::SentencePair> contiguous;  ///< for the MLM loss

  const Test* find(const std::string& name) const;
};

/// Tests that the data cannot make are left out.
Bench make_bench(const Options& options, const corpus::PairData& data,
                 const corpus::PairData* shifted, corpus::Match match);

/// How well log-odds of "positive" answer a test.
struct Score {
  std::string test;
  std::string head;  ///< own: the arm's pair head; fitted: a linear probe; bag-of-words, tf-idf
  double accuracy = 0;
  double auc = 0;
  double ce = 0;   ///< nats; 0 for tf-idf, whose scores are no probabilities
  double ece = 0;  ///< the same
};

Score score(const std::string& test, const std::string& head, const std::vector<double>& log_odds);

/// A probe of one model.
struct ProbeScore {
  std::string probe;   ///< next, order, adjacency, later, topic
  std::string method;  ///< frozen, finetune
  double accuracy = 0;
  std::optional<double> auc;  ///< of two classes
};

/// The nsp head of one arm on pairs with a share of negatives.
struct ImbalanceScore {
  std::string set;              ///< natural: the arm's own share; balanced
  std::string threshold;        ///< plain, or shifted: log-odds moved to the set's prior
  double negative_share = 0.5;  ///< of the set
  double accuracy = 0, balanced_accuracy = 0, recall = 0, auc = 0, ce = 0, ece = 0;
  std::optional<double> f1, mcc;
  std::vector<stats::CalibrationBin> calibration;
};

/// Everything of one arm and one seed.
struct ArmResult {
  std::uint64_t seed = 0;
  bool trained = false;   ///< not taken from the cache
  double masked_nll = 0;  ///< on contiguous validation pairs, the same hidden words for all
  std::vector<Score> scores;
  std::vector<ProbeScore> probes;
  std::vector<ImbalanceScore> imbalance;  ///< arms of nsp with random negatives only
  double fitted_offset = 0;               ///< with them: the bias that suits balanced pairs
  train::PairTrace trace;

  const Score* find_score(const std::string& test, const std::string& head) const;
  const ProbeScore* find_probe(const std::string& probe, const std::string& method) const;
  const ImbalanceScore* find_imbalance(const std::string& set, const std::string& threshold) const;
};

/// Words without a Transformer, one seed.
struct BaselineResult {
  std::uint64_t seed = 0;
  std::vector<Score> scores;  ///< heads bag-of-words and tf-idf

  const Score* find_score(const std::string& test, const std::string& head) const;
};

/// The test that asks what an arm was trained for; empty for none.
std::string own_test(const Arm& arm);

ArmResult measure(const Options& options, const Arm& arm, const models::Encoder& encoder,
                  const train::TrainedEncoder& model, const std::string& key, const Bench& bench,
                  std::uint64_t seed, train::ModelCache* cache, Monitor& monitor,
                  const std::string& label);

BaselineResult measure_baselines(const Options& options, const Bench& bench, std::uint64_t seed,
                                 Monitor& monitor);

}  // namespace xfq::experiments::nsp
