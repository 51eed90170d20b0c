// `xfq nsp` through its interface, its claims on made numbers, and its baselines on text
// whose answer is known.
#include "xfq/experiments/nsp.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "../../src/experiments/nsp/bag_of_words.h"
#include "../../src/experiments/nsp/claims.h"
#include "../../src/experiments/nsp/maths.h"
#include "../../src/experiments/nsp/measure.h"
#include "catch.h"
#include "run_experiment.h"
#include "xfq/core/random.h"
#include "xfq/kernels/kernels.h"

namespace xfq::experiments {

using test::metric;
using test::run_experiment;
using test::same_result;
using test::Settings;
using test::StopAfterRuns;
using test::table;
using test::value;

namespace {

/// Fast where a test needs no training worth the name.
Settings tiny(Settings extra) {
  Settings settings = {{"steps", "6"},        {"mlm_steps", "6"},        {"warmup", "2"},
                       {"bag_steps", "4"},    {"finetune_steps", "4"},   {"documents", "100"},
                       {"probe_pairs", "40"}, {"evaluation_pairs", "40"}};
  settings.insert(settings.end(), extra.begin(), extra.end());
  return settings;
}

std::string refusal(const Settings& settings) {
  try {
    run_experiment(make_nsp(), tiny(settings));
  } catch (const Error& error) {
    CHECK((error.kind() == ErrorKind::usage || error.kind() == ErrorKind::input));
    return error.what();
  }
  return {};
}

/// A file that goes when the test ends.
struct TextFile {
  std::string path;
  explicit TextFile(const std::string& text)
      : path((std::filesystem::temp_directory_path() / "xfq_nsp_test.txt").string()) {
    std::ofstream(path) << text;
  }
  ~TextFile() { std::filesystem::remove(path); }
};

/// Documents of six sentences with four words each; a word names its topic, and with
/// `ordered` also the sentence it stands in.
std::string made_text(int topics, bool ordered) {
  std::string text;
  Stream stream(1, "made text");
  for (int d = 0; d < 400; ++d) {
    std::vector<std::string> sentences;
    for (int s = 0; s < 6; ++s) {
      std::string sentence;
      for (int w = 0; w < 4; ++w) {
        sentence += "t" + std::to_string(d % topics) + (ordered ? "s" + std::to_string(s) : "") +
                    "w" + std::to_string(stream.below(8)) + (w < 3 ? " " : ".\n");
      }
      sentences.push_back(sentence);
    }
    for (const std::string& sentence : sentences) text += sentence;
    text += "\n";
  }
  return text;
}

/// The same documents, the sentences of each in any order.
std::string shuffled(const std::string& text) {
  std::string result, line;
  std::vector<std::string> sentences;
  Stream stream(2, "shuffle");
  for (const char c : text) {
    if (c != '\n') {
      line += c;
    } else if (!line.empty()) {
      sentences.push_back(line + "\n");
      line.clear();
    } else {
      stream.shuffle(sentences);
      for (const std::string& sentence : sentences) result += sentence;
      result += "\n";
      sentences.clear();
    }
  }
  return result;
}

}  // namespace

// ---------------------------------------------------------------------- claims

namespace {

using nsp::Evidence;

Verdict verdict(const Evidence& evidence, const std::string& id) {
  for (const Claim& claim : nsp::claims(evidence)) {
    if (claim.id == id) return claim.verdict;
  }
  FAIL("no claim " << id);
  return Verdict::inconclusive;
}

/// Five seeds around a value, narrow enough to decide.
std::vector<double> around(double value) {
  return {value - 0.002, value - 0.001, value, value + 0.001, value + 0.002};
}

/// Numbers under which every claim is supported.
Evidence supporting() {
  Evidence e;
  e.nsp_auc = around(0.95);
  e.nsp_order_accuracy = around(0.50);
  e.nsp_order_auc = around(0.51);
  e.nsp_distant_auc = around(0.50);
  e.nsp_shifted_drop = around(0.20);
  e.nsp_over_words = around(0.01);
  e.sop_order_accuracy = around(0.87);
  e.sop_on_nsp = around(0.79);
  e.nsp_on_sop = around(0.52);
  e.designed_share = 0.6;
  e.generator_share = stats::wilson(600, 1000);
  e.generator_deviations = 0.5;
  e.natural_share = 0.999;
  e.head_flop_share = 0.03;
  e.mlm_nsp = around(1.00);
  e.mlm_pair = around(0.99);
  e.mlm_contiguous = around(1.02);
  e.mlm_format = around(0.05);
  e.probes_nsp = around(0.80);
  e.probes_sop = around(0.85);
  e.probes_pair = around(0.80);
  e.probes_contiguous = around(0.75);
  e.imbalanced_share = 0.9;
  e.balanced_auc = around(0.95);
  e.imbalanced_auc = around(0.80);
  e.balanced_decisions = around(0.95);
  e.imbalanced_decisions = around(0.50);
  e.shifted_decisions = around(0.80);
  e.fitted_offset = around(std::log(9.0));
  e.plain_ce = around(0.6);
  e.shifted_ce = around(0.3);
  return e;
}

}  // namespace

TEST_CASE("without numbers no claim about trained models is decided") {
  for (const Claim& claim : nsp::claims(Evidence{})) {
    INFO(claim.id);
    CHECK(claim.verdict == Verdict::inconclusive);
    CHECK(claim.tests.empty());
  }
  CHECK(nsp::claims(Evidence{}).size() == 7);
}

TEST_CASE("every verdict on NSP can come out otherwise") {
  Evidence e = supporting();
  SECTION("generalises poorly") {
    CHECK(verdict(e, "nsp.generalises-poorly") == Verdict::supported);
    e.nsp_order_auc = around(0.70);
    CHECK(verdict(e, "nsp.generalises-poorly") == Verdict::conditional);
    // A head that knows order, neighbours and other domains.
    e.nsp_order_accuracy = e.nsp_distant_auc = around(0.80);
    e.nsp_shifted_drop = around(-0.10);
    CHECK(verdict(e, "nsp.generalises-poorly") == Verdict::refuted);
    // Where nothing learns order, failing at it says nothing.
    e = supporting();
    for (const auto& order : {std::vector<double>{0.5, 0.9, 0.6, 0.95, 0.5}, around(0.5)}) {
      e.sop_order_accuracy = order;
      CHECK(verdict(e, "nsp.generalises-poorly") == Verdict::inconclusive);
    }
    // Nor where the head does not know its own pairs.
    e = supporting();
    e.nsp_auc = around(0.60);
    CHECK(verdict(e, "nsp.generalises-poorly") == Verdict::inconclusive);
  }
  SECTION("negatives outnumber") {
    CHECK(verdict(e, "nsp.negatives-outnumber") == Verdict::supported);
    e.designed_share = 0.5;
    CHECK(verdict(e, "nsp.negatives-outnumber") == Verdict::conditional);
    e.generator_deviations = 5;
    CHECK(verdict(e, "nsp.negatives-outnumber") == Verdict::refuted);
  }
  SECTION("extra cost") {
    CHECK(verdict(e, "nsp.extra-cost") == Verdict::supported);
    e.head_flop_share = 0.002;
    CHECK(verdict(e, "nsp.extra-cost") == Verdict::conditional);
    e.mlm_format = around(-0.05);
    CHECK(verdict(e, "nsp.extra-cost") == Verdict::refuted);
  }
  SECTION("multi-task helps") {
    CHECK(verdict(e, "nsp.multitask-helps") == Verdict::supported);
    e.mlm_contiguous = around(0.90);
    CHECK(verdict(e, "nsp.multitask-helps") == Verdict::conditional);
    e.probes_contiguous = around(0.90);
    CHECK(verdict(e, "nsp.multitask-helps") == Verdict::refuted);
  }
  SECTION("balancing helps") {
    CHECK(verdict(e, "nsp.balancing-helps") == Verdict::supported);
    e.imbalanced_auc = around(0.95);
    CHECK(verdict(e, "nsp.balancing-helps") == Verdict::conditional);
    e.imbalanced_decisions = e.shifted_decisions = around(0.95);
    e.fitted_offset = around(0);
    CHECK(verdict(e, "nsp.balancing-helps") == Verdict::refuted);
  }
  SECTION("can be dropped") {
    e.mlm_contiguous = around(0.90);
    e.probes_contiguous = around(0.79);
    CHECK(verdict(e, "nsp.can-be-dropped") == Verdict::supported);
    e.probes_contiguous = around(0.70);
    CHECK(verdict(e, "nsp.can-be-dropped") == Verdict::conditional);
    e.mlm_contiguous = e.mlm_pair = around(1.10);
    e.probes_pair = around(0.70);
    CHECK(verdict(e, "nsp.can-be-dropped") == Verdict::refuted);
  }
  SECTION("a better task helps") {
    CHECK(verdict(e, "nsp.better-task-helps") == Verdict::supported);
    e.sop_on_nsp = around(0.50);
    CHECK(verdict(e, "nsp.better-task-helps") == Verdict::refuted);
    e.sop_on_nsp = {0.4, 0.9, 0.8, 0.7, 0.9};
    CHECK(verdict(e, "nsp.better-task-helps") == Verdict::inconclusive);
  }
}

// ----------------------------------------------------------------------- maths

TEST_CASE("the algebra of the head holds to rounding") {
  // exp and two divisions in double: a few units of 2^-53.
  CHECK(nsp::softmax_sigmoid_error() < 1e-15);
  // Central differences with step 1e-5: truncation 1e-10 / 6 * |f'''| <= 2e-12, rounding of
  // losses below 16 over the step: 16 * 2^-53 / 1e-5 = 2e-10.
  CHECK(nsp::gradient_error() < 1e-9);
  // A classifier without features learns the prior: 9 of 10 positive gives ln 9.
  std::vector<bool> labels(10, true);
  labels[0] = false;
  CHECK(nsp::fitted_bias(std::vector<double>(10, 0.0), labels) == Approx(std::log(9.0)));
  // H(0.5) = ln 2; H(0.25), H(0.1) as in the literature's tables.
  CHECK(nsp::coin_entropy(0.5) == Approx(std::log(2.0)));
  CHECK(nsp::coin_entropy(0.25) == Approx(0.5623).epsilon(1e-4));
  CHECK(nsp::coin_entropy(0.1) == Approx(0.3251).epsilon(1e-4));
  CHECK(nsp::cross_entropy({0, 0}, {true, false}) == Approx(std::log(2.0)));
  CHECK(nsp::cross_entropy({800, -800}, {true, true}) == Approx(400));
}

TEST_CASE("the best cut separates what can be separated") {
  CHECK(nsp::best_threshold({1, 2, 3, 4}, {false, false, true, true}) == 2.5);
  CHECK(nsp::best_threshold({4, 3, 2, 1}, {true, true, true, false}) == 1.5);
}

// ------------------------------------------------------------------- baselines

namespace {

/// Accuracy of the bag of words, and of the tf-idf cosine's ranking, on made text.
struct WordScores {
  double bag = 0, cosine_auc = 0;
};

WordScores word_scores(const std::string& text, const corpus::PairQuestion& question) {
  const TextFile file(text);
  corpus::PairOptions options;
  options.corpus = file.path;
  options.shares.validation = 0.3;
  const corpus::PairData data = corpus::load_pair_data(options);
  Monitor monitor;
  const auto pairs =
      corpus::question_pairs(data, data.validation(), question, corpus::Match::opening, 1000, 1);
  const nsp::BagOfWords bag(data, question, corpus::Match::opening, 1, 400, monitor);
  const nsp::TfIdf tf_idf(data);
  std::vector<double> cosines;
  for (const auto& pair : pairs) cosines.push_back(tf_idf.cosine(data.validation(), pair));
  return {nsp::score("", "", bag.log_odds(data.validation(), pairs)).accuracy,
          nsp::score("", "", cosines).auc};
}

}  // namespace

TEST_CASE("topic is what word overlap sees of next-sentence prediction") {
  const corpus::PairQuestion nsp = {corpus::Relation::next, corpus::Relation::random};
  const WordScores many = word_scores(made_text(8, false), nsp);
  // 7 of 8 random partners have another topic: at most 1 - 0.5 / 8 = 0.94 by topic.
  CHECK(many.bag > 0.85);
  CHECK(many.cosine_auc > 0.6);
  // One topic: sentences are independent, nothing tells. 1000 pairs have a standard
  // deviation of 0.016 at 0.5 (accuracy), 0.018 (AUC); four of them.
  const WordScores one = word_scores(made_text(1, false), nsp);
  CHECK(one.bag == Approx(0.5).margin(0.07));
  CHECK(one.cosine_auc == Approx(0.5).margin(0.075));
}

TEST_CASE("order that words give away is lost with the order") {
  const corpus::PairQuestion sop = {corpus::Relation::next, corpus::Relation::swapped};
  const std::string text = made_text(1, true);
  CHECK(word_scores(text, sop).bag > 0.9);
  CHECK(word_scores(shuffled(text), sop).bag == Approx(0.5).margin(0.07));
}

TEST_CASE("the encoder learns order where there is one, and falls to chance without") {
  const std::string text = made_text(1, true);
  const auto accuracy = [](const std::string& corpus) {
    const TextFile file(corpus);
    return value(run_experiment(make_nsp(), {{"corpus", file.path},
                                             {"objective", "sop"},
                                             {"seeds", "1"},
                                             {"mlm_steps", "0"},
                                             {"steps", "400"},
                                             {"dim", "32"},
                                             {"batch_size", "32"},
                                             {"loss_weight", "4"},
                                             {"probe", "frozen"},
                                             {"validation_share", "0.3"},
                                             {"evaluation_pairs", "400"}}),
                 "sop.sop.accuracy");
  };
  CHECK(accuracy(text) > 0.9);
  // 400 pairs: standard deviation 0.025, four of them.
  CHECK(accuracy(shuffled(text)) == Approx(0.5).margin(0.1));
}

// ------------------------------------------------------------------ experiment

TEST_CASE("every option makes the arms it names, with named labels") {
  const Record record =
      run_experiment(make_nsp(), tiny({{"seeds", "1"},
                                       {"objective", "none,nsp,sop,three-way,distance"},
                                       {"negatives", "other-document,same-document,reversed"},
                                       {"negative_share", "0.5,0.8"},
                                       {"match", "opening,position"},
                                       {"remedy", "none,weights,resample,threshold"},
                                       {"loss_weight", "1,0.5"}}));
  std::vector<std::string> ids;
  for (const auto& row : table(record, "arms").rows) ids.push_back(std::get<std::string>(row[0]));
  CHECK(ids == std::vector<std::string>{"none.pair", "none.contiguous", "nsp", "sop", "three-way",
                                        "distance", "nsp.weight0.5", "sop.weight0.5",
                                        "nsp.same-document", "nsp.reversed", "nsp.match-position",
                                        "nsp.share0.8", "nsp.share0.8.weights",
                                        "nsp.share0.8.resample", "nsp.script-any"});
  using Labels = std::vector<std::string>;
  const auto& rows = table(record, "arms").rows;
  CHECK(std::get<Labels>(rows[0][4]).empty());
  CHECK(std::get<Labels>(rows[2][4]) == Labels{"next", "random"});
  CHECK(std::get<Labels>(rows[3][4]) == Labels{"next", "swapped"});
  CHECK(std::get<Labels>(rows[4][4]) == Labels{"next", "swapped", "random"});
  CHECK(std::get<Labels>(rows[5][4]) == Labels{"next", "distant", "random"});
  // Distinct probes and tests of every arm have their metrics.
  for (const char* id :
       {"none.pair.nsp.auc", "three-way.sop.accuracy", "sop.probe.topic.frozen.accuracy",
        "nsp.probe.adjacency.finetune.auc", "nsp.share0.8.natural.plain.recall",
        "bag-of-words.sop.auc", "tf-idf.nsp.accuracy", "nsp.shifted.auc"}) {
    CHECK(metric(record, id).value.has_value());
  }
  // Both input formats ask for the same words of the same pairs.
  CHECK(value(record, "none.pair.mlm_delta") ==
        Approx(value(record, "none.pair.mlm_nll") - value(record, "none.contiguous.mlm_nll")));
  CHECK(record.claims.size() == 7);
  // Every test set is exactly balanced: one class for all is right for exactly half.
  for (const auto& row : table(record, "transfer").rows) {
    CHECK(std::get<std::int64_t>(row[6]) % 2 == 0);
  }
}

TEST_CASE("reliability curves hold every pair of a set once for each seed") {
  const Record record = run_experiment(make_nsp(), tiny({{"objective", "nsp"},
                                                         {"negative_share", "0.5,0.9"},
                                                         {"evaluation_pairs", "90"},
                                                         {"seeds", "2"}}));
  struct Sum {
    double probability = 0, next = 0;
    std::int64_t count = 0;
  };
  std::map<std::string, Sum> sums;
  for (const auto& row : table(record, "calibration").rows) {
    Sum& sum = sums[std::get<std::string>(row[0]) + " " + std::get<std::string>(row[1]) + " " +
                    std::get<std::string>(row[2])];
    const std::int64_t count = std::get<std::int64_t>(row[5]);
    CHECK(count > 0);
    sum.count += count;
    sum.probability += static_cast<double>(count) * std::get<double>(row[3]);
    sum.next += static_cast<double>(count) * std::get<double>(row[4]);
  }
  CHECK(sums.size() == 8);
  // 45 pairs of each kind and seed; nine negatives for a positive leave five positives.
  const Sum balanced = sums.at("nsp.share0.9 balanced plain");
  CHECK(balanced.count == 2 * 90);
  CHECK(balanced.next == Approx(2 * 45));
  const Sum natural = sums.at("nsp.share0.9 natural plain");
  CHECK(natural.count == 2 * 50);
  CHECK(natural.next == Approx(2 * 5));
  // To a prior with more positives the probabilities rise; there is nothing to shift at one half.
  CHECK(sums.at("nsp.share0.9 balanced shifted").probability > balanced.probability + 1);
  CHECK(sums.at("nsp balanced shifted").probability == sums.at("nsp natural plain").probability);
}

TEST_CASE("what cannot be asked is refused by name") {
  CHECK(refusal({{"input_format", "contiguous"}}).find("--input-format") == 0);
  CHECK(refusal({{"objective", "nsp,nsp"}}).find("--objective: nsp is asked for twice") == 0);
  CHECK(refusal({{"match", "any,any"}}).find("--match: any is asked for twice") == 0);
  CHECK(refusal({{"mask_split", "0.5,0.1,0.1"}}).find("--mask-split") == 0);
  CHECK(refusal({{"evaluation_pairs", "41"}}).find("--evaluation-pairs") == 0);
  CHECK(refusal({{"warmup", "6"}}).find("--warmup") == 0);
  CHECK(refusal({{"input_format", "contiguous"}, {"objective", "none"}, {"seeds", "1"}}).empty());
  const TextFile one_document("One is here.\nTwo is here.\nThree is here.\nFour is here.\n");
  CHECK(refusal({{"corpus", one_document.path}}).find("is one document") != std::string::npos);
}

TEST_CASE("nsp's result does not depend on threads, on the cache or on the kernel") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_nsp_test_cache").string();
  std::filesystem::remove_all(folder);
  const auto with = [&](const Settings& extra) { return run_experiment(make_nsp(), tiny(extra)); };
  const Record reference = with({{"threads", "1"}});
  CHECK(same_result(reference, with({{"threads", "3"}})));
  const Record fresh = with({{"cache", "true"}, {"cache_folder", folder}});
  const Record cached = with({{"cache", "true"}, {"cache_folder", folder}});
  CHECK(same_result(reference, fresh));
  CHECK(same_result(reference, cached));
  CHECK(fresh.cost.tokens > 0);
  CHECK(cached.cost.tokens == 0);
  CHECK(same_result(reference, with({{"kernel", "reference"}})));
  kernels::select("auto");
  CHECK_FALSE(same_result(reference, with({{"seed", "2"}})));
  CHECK_FALSE(cached.cost.measurements.empty());
  std::filesystem::remove_all(folder);
}

TEST_CASE("an interrupted nsp keeps whole seeds") {
  // Two seeds of: mlm, words, contrast; then seed 1's five arms are enough for one seed.
  StopAfterRuns after_first_seed(2 * 3 + 5);
  const Record record = run_experiment(make_nsp(), tiny({{"threads", "1"}}), after_first_seed);
  CHECK(metric(record, "nsp.mlm_nll").n == 1);
  REQUIRE_FALSE(record.warnings.empty());
  CHECK(record.warnings[0].code == "interrupted");
  StopAfterRuns at_once(0);
  CHECK_THROWS_AS(run_experiment(make_nsp(), tiny({}), at_once), Error);
}

}  // namespace xfq::experiments
