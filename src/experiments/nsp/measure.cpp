#include "measure.h"

#include <algorithm>
#include <cmath>

#include "bag_of_words.h"
#include "maths.h"
#include "probe.h"

namespace xfq::experiments::nsp {

using corpus::PairQuestion;
using corpus::Relation;

namespace {

// Validation pairs are named by this, not by the run's seed: all runs share them.
constexpr std::uint64_t kEvaluationSeed = 21;
constexpr std::size_t kCalibrationBins = 10;

const char* probe_name(const std::string& test) {
  if (test == "nsp") return "next";
  if (test == "sop") return "order";
  if (test == "distant") return "adjacency";
  return "later";
}

const Score* find(const std::vector<Score>& scores, const std::string& test,
                  const std::string& head) {
  for (const Score& s : scores) {
    if (s.test == test && s.head == head) return &s;
  }
  return nullptr;
}

/// Labels of question_pairs: positive and negative take turns.
std::vector<bool> turns(std::size_t count) {
  std::vector<bool> labels(count);
  for (std::size_t i = 0; i < count; i += 2) labels[i] = true;
  return labels;
}

PairAnswers answers_to(const Test& test, const models::Encoder& encoder, const float* parameters) {
  return ask(encoder, parameters, *test.data, test.data->validation(), test.pairs);
}

std::vector<double> probe_odds(const Matrix<float>& logits) {
  std::vector<double> odds;
  for (Index r = 0; r < logits.rows(); ++r) odds.push_back(log_odds(logits.row(r).data(), 2));
  return odds;
}

}  // namespace

const Test* Bench::find(const std::string& name) const {
  for (const Test& test : tests) {
    if (test.name == name) return &test;
  }
  return nullptr;
}

const Score* ArmResult::find_score(const std::string& test, const std::string& head) const {
  return find(scores, test, head);
}

const Score* BaselineResult::find_score(const std::string& test, const std::string& head) const {
  return find(scores, test, head);
}

const ProbeScore* ArmResult::find_probe(const std::string& probe, const std::string& method) const {
  for (const ProbeScore& p : probes) {
    if (p.probe == probe && p.method == method) return &p;
  }
  return nullptr;
}

const ImbalanceScore* ArmResult::find_imbalance(const std::string& set,
                                                const std::string& threshold) const {
  for (const ImbalanceScore& i : imbalance) {
    if (i.set == set && i.threshold == threshold) return &i;
  }
  return nullptr;
}

std::string own_test(const Arm& arm) {
  if (!arm.has_head()) return {};
  // Three classes: the one that all have in common besides `next`.
  switch (arm.task.classes.back()) {
    case Relation::swapped:
      return "sop";
    case Relation::distant:
      return "distant";
    default:
      return "nsp";
  }
}

Bench make_bench(const Options& options, const corpus::PairData& data,
                 const corpus::PairData* shifted, corpus::Match match) {
  Bench bench;
  bench.data = &data;
  const auto add = [&](const char* name, const PairQuestion& question,
                       const corpus::PairData& from) {
    if (!from.offers(question.positive) || !from.offers(question.negative)) return;
    bench.tests.push_back({name, question, &from,
                           corpus::question_pairs(from, from.validation(), question, match,
                                                  options.evaluation_pairs, kEvaluationSeed)});
  };
  add("nsp", {Relation::next, Relation::random}, data);
  add("sop", {Relation::next, Relation::swapped}, data);
  add("distant", {Relation::next, Relation::distant}, data);
  add("later", {Relation::later, Relation::earlier}, data);
  if (shifted) add("shifted", {Relation::next, Relation::random}, *shifted);
  // One `next` of every two pairs; twice as many make as many as a test has.
  const auto pairs =
      corpus::question_pairs(data, data.validation(), {Relation::next, Relation::swapped}, match,
                             2 * options.evaluation_pairs, kEvaluationSeed + 1);
  for (std::size_t i = 0; i < pairs.size(); i += 2) bench.contiguous.push_back(pairs[i]);
  return bench;
}

Score score(const std::string& test, const std::string& head, const std::vector<double>& log_odds) {
  const std::vector<bool> labels = turns(log_odds.size());
  Score s{test, head, 0, 0, 0, 0};
  s.accuracy = *stats::confusion(log_odds, labels, 0).accuracy();
  s.auc = *stats::auc(log_odds, labels);
  s.ce = cross_entropy(log_odds, labels);
  std::vector<double> probabilities;
  for (const double odds : log_odds) probabilities.push_back(sigmoid(odds));
  s.ece = *stats::calibration_error(probabilities, labels);
  return s;
}

namespace {

/// All negatives of a balanced test, and so many of its positives that the negatives have
/// the share.
ImbalanceScore imbalance_score(const std::vector<double>& balanced_odds, double share,
                               const std::string& set, double train_share, bool shift) {
  ImbalanceScore s;
  s.set = set;
  s.threshold = shift ? "shifted" : "plain";
  s.negative_share = share;
  const auto half = balanced_odds.size() / 2;
  const double ratio = (1 - share) / share;
  // With fewer negatives than positives the negatives are cut instead.
  const auto cut = [&](double r) {
    return std::clamp<std::size_t>(
        static_cast<std::size_t>(std::lround(r * static_cast<double>(half))), 1, half);
  };
  const std::size_t positives = cut(std::min(ratio, 1.0)),
                    negatives = cut(1 / std::max(ratio, 1.0));
  // Saerens et al. (2002): another prior adds the difference of the prior log-odds.
  const double offset = shift ? logit(1 - share) - logit(1 - train_share) : 0;
  std::vector<double> odds, probabilities;
  std::vector<bool> labels;
  for (std::size_t i = 0; i < balanced_odds.size(); ++i) {
    const bool positive = i % 2 == 0;
    if (i / 2 >= (positive ? positives : negatives)) continue;
    odds.push_back(balanced_odds[i] + offset);
    probabilities.push_back(sigmoid(odds.back()));
    labels.push_back(positive);
  }
  const stats::Confusion c = stats::confusion(odds, labels, 0);
  s.accuracy = *c.accuracy();
  s.balanced_accuracy = *c.balanced_accuracy();
  s.recall = static_cast<double>(c.true_positive) /
             static_cast<double>(c.true_positive + c.false_negative);
  s.f1 = c.f1();
  s.mcc = c.mcc();
  s.auc = *stats::auc(odds, labels);
  s.ce = cross_entropy(odds, labels);
  s.ece = *stats::calibration_error(probabilities, labels);
  s.calibration = stats::calibration_bins(probabilities, labels, kCalibrationBins);
  return s;
}

void measure_imbalance(const Options& options, const Arm& arm, const Test& test,
                       const std::vector<double>& odds, ArmResult& result) {
  result.fitted_offset = fitted_bias(odds, turns(test.pairs.size()));
  // What the head takes the share of negatives for: remedies make the classes even.
  const double train_share = arm.remedy == "none" ? arm.negative_share : 0.5;
  for (const char* set : {"natural", "balanced"}) {
    const double share = std::string(set) == "balanced" ? 0.5 : arm.negative_share;
    for (const bool shift : {false, true}) {
      if (shift && !options.has_remedy("threshold")) continue;
      result.imbalance.push_back(imbalance_score(odds, share, set, train_share, shift));
    }
  }
}

void measure_probes(const Options& options, const Arm& arm, const models::Encoder& encoder,
                    const train::TrainedEncoder& model, const std::string& key, const Bench& bench,
                    const std::vector<PairAnswers>& answers, train::ModelCache* cache,
                    Monitor& monitor, const std::string& label, ArmResult& result) {
  const corpus::PairData& data = *bench.data;
  const auto asked = [&](const char* method) {
    return std::find(options.probe.begin(), options.probe.end(), method) != options.probe.end();
  };
  const float* const parameters = model.parameters.data();
  const bool frozen = asked("frozen");
  for (std::size_t i = 0; i < bench.tests.size(); ++i) {
    const Test& test = bench.tests[i];
    if (test.name == "shifted") continue;
    // An arm without a head is asked through a fitted one, whatever the probes.
    if (!frozen && arm.has_head()) continue;
    const auto pairs = corpus::question_pairs(data, data.train(), test.question, arm.task.match,
                                              options.probe_pairs, result.seed);
    std::vector<std::int32_t> labels;
    for (std::size_t p = 0; p < pairs.size(); ++p) labels.push_back(static_cast<int>(p % 2));
    const LinearProbe probe(ask(encoder, parameters, data, data.train(), pairs).states, labels, 2,
                            monitor);
    const auto fitted_on = [&](std::size_t where) {
      return score(bench.tests[where].name, "fitted",
                   probe_odds(probe.logits(answers[where].states)));
    };
    const Score s = fitted_on(i);
    if (!arm.has_head()) {
      result.scores.push_back(s);
      // The last test, where there is one.
      if (test.name == "nsp" && bench.tests.back().name == "shifted") {
        result.scores.push_back(fitted_on(bench.tests.size() - 1));
      }
    }
    if (frozen) result.probes.push_back({probe_name(test.name), "frozen", s.accuracy, s.auc});
  }
  if (frozen && data.topics().size() > 1) {
    const auto topics_of = [&](const corpus::PairSplit& split,
                               const std::vector<corpus::SentencePair>& pairs) {
      std::vector<std::int32_t> topics;
      for (const auto& pair : pairs) {
        topics.push_back(split.topics[static_cast<std::size_t>(pair.a.document)]);
      }
      return topics;
    };
    const PairQuestion swapped = {Relation::next, Relation::swapped};
    const auto pairs = corpus::question_pairs(data, data.train(), swapped, arm.task.match,
                                              options.probe_pairs, result.seed);
    const LinearProbe probe(ask(encoder, parameters, data, data.train(), pairs).states,
                            topics_of(data.train(), pairs),
                            static_cast<Index>(data.topics().size()), monitor);
    const auto topics = topics_of(data.validation(), bench.contiguous);
    const Matrix<float> logits =
        probe.logits(ask(encoder, parameters, data, data.validation(), bench.contiguous).states);
    std::int64_t right = 0;
    for (Index r = 0; r < logits.rows(); ++r) {
      Index best = 0;
      logits.row(r).maxCoeff(&best);
      right += best == topics[static_cast<std::size_t>(r)] ? 1 : 0;
    }
    result.probes.push_back({"topic", "frozen",
                             static_cast<double>(right) / static_cast<double>(logits.rows()),
                             std::nullopt});
  }
  if (!asked("finetune")) return;
  const train::EncoderStart start = {key, &model.parameters, &encoder, false};
  for (const Test& test : bench.tests) {
    if (test.name == "shifted") continue;
    train::PairTraining training = arm_training(options, arm, data, 0);
    training.seed = result.seed + (std::uint64_t{1} << 33);
    training.model.classes = 2;
    training.task.classes = {test.question.positive, test.question.negative};
    training.task.shares = {0.5, 0.5};
    training.task.resample = false;
    training.class_weights.clear();
    training.masked_weight = 0;
    training.sentence_weight = 1;
    training.optimizer.steps = options.finetune_steps;
    training.optimizer.lr = options.lr / 2;
    training.optimizer.min_lr = 0;
    training.optimizer.warmup = std::min<std::int64_t>(options.warmup, options.finetune_steps / 10);
    training.start = &start;
    const models::Encoder tuned(training.model);
    const train::TrainedEncoder trained = train::train_encoder(
        training, tuned, data, cache, monitor, label + " " + probe_name(test.name));
    const Score s =
        score(test.name, "finetune", answers_to(test, tuned, trained.parameters.data()).log_odds);
    result.probes.push_back({probe_name(test.name), "finetune", s.accuracy, s.auc});
  }
}

}  // namespace

ArmResult measure(const Options& options, const Arm& arm, const models::Encoder& encoder,
                  const train::TrainedEncoder& model, const std::string& key, const Bench& bench,
                  std::uint64_t seed, train::ModelCache* cache, Monitor& monitor,
                  const std::string& label) {
  ArmResult result;
  result.seed = seed;
  result.trained = !model.from_cache;
  result.trace = model.trace;
  const corpus::PairData& data = *bench.data;
  result.masked_nll =
      train::evaluate_masked(encoder, model.parameters.data(), data, data.validation(),
                             bench.contiguous, kEvaluationSeed, options.mask_rate)
          .mean();
  std::vector<PairAnswers> answers;
  for (const Test& test : bench.tests) {
    answers.push_back(answers_to(test, encoder, model.parameters.data()));
  }
  if (arm.has_head()) {
    for (std::size_t i = 0; i < bench.tests.size(); ++i) {
      const Test& test = bench.tests[i];
      if (test.name == "later") continue;
      const std::vector<double>& odds = answers[i].log_odds;
      result.scores.push_back(score(test.name, "own", odds));
      if (test.name == "nsp" && arm.objective == "nsp" && arm.task.classes[1] == Relation::random &&
          !arm.contrast) {
        measure_imbalance(options, arm, test, odds, result);
      }
    }
  }
  if (!arm.contrast) {
    measure_probes(options, arm, encoder, model, key, bench, answers, cache, monitor, label,
                   result);
  }
  return result;
}

BaselineResult measure_baselines(const Options& options, const Bench& bench, std::uint64_t seed,
                                 Monitor& monitor) {
  BaselineResult result;
  result.seed = seed;
  const corpus::PairData& data = *bench.data;
  const corpus::Match match = corpus::match_of(options.match[0]);
  const TfIdf tf_idf(data);
  for (const Test& test : bench.tests) {
    if (test.name == "shifted" || test.name == "later") continue;
    const BagOfWords bag(data, test.question, match, seed, options.bag_steps, monitor);
    result.scores.push_back(
        score(test.name, "bag-of-words", bag.log_odds(data.validation(), test.pairs)));
    const auto cosines = [&](const corpus::PairSplit& split,
                             const std::vector<corpus::SentencePair>& pairs) {
      std::vector<double> scores;
      for (const auto& pair : pairs) scores.push_back(tf_idf.cosine(split, pair));
      return scores;
    };
    const auto training =
        corpus::question_pairs(data, data.train(), test.question, match, options.probe_pairs, seed);
    const double threshold =
        best_threshold(cosines(data.train(), training), turns(training.size()));
    std::vector<double> scores = cosines(data.validation(), test.pairs);
    for (double& s : scores) s -= threshold;
    Score s = score(test.name, "tf-idf", scores);
    s.ce = 0;
    s.ece = 0;
    result.scores.push_back(s);
  }
  return result;
}

}  // namespace xfq::experiments::nsp
