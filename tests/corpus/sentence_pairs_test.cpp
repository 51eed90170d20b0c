// Sentence pairs: relations mean what they say, labels come in the shares asked for, and
// nothing leaks.
#include "xfq/corpus/sentence_pairs.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/corpus/bert_generator.h"
#include "xfq/corpus/pair_batches.h"

namespace xfq::corpus {

namespace {

PairData stories(std::int64_t segment_sentences = 1) {
  PairOptions options;
  options.documents = 300;
  options.validation_documents = 60;
  options.segment_sentences = segment_sentences;
  options.stories.order = "chain";
  return load_pair_data(options);
}

PairData from_text(const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() / "xfq_sentence_pairs_test.txt";
  std::ofstream(path) << text;
  PairOptions options;
  options.corpus = path.string();
  options.shares.validation = 0.5;
  PairData data = load_pair_data(options);
  std::filesystem::remove(path);
  return data;
}

}  // namespace

TEST_CASE("every relation means what its name says") {
  const std::int64_t k = GENERATE(1, 2);
  const PairData data = stories(k);
  const PairSplit& split = data.train();
  Stream stream(1, "test");
  SentencePair pair;
  int distant = 0, later = 0;
  for (const Segment& place : split.places) {
    const auto sentences =
        static_cast<std::int64_t>(split.documents[static_cast<std::size_t>(place.document)].size());
    REQUIRE(place.first + 2 * k <= sentences);
    REQUIRE(data.make_pair(split, place, Relation::next, Match::position, stream, pair));
    CHECK((pair.b.document == pair.a.document && pair.b.first == pair.a.first + k));
    REQUIRE(data.make_pair(split, place, Relation::swapped, Match::position, stream, pair));
    CHECK((pair.b.document == pair.a.document && pair.a.first == pair.b.first + k));
    REQUIRE(data.make_pair(split, place, Relation::random, Match::position, stream, pair));
    // Position-matched: stories have 5 to 8 sentences, so a partner as long is always found
    // within the tries (one in four has 8: (3/4)^32 = 1e-4 is the chance of missing it).
    CHECK(pair.b.document != pair.a.document);
    CHECK(pair.b.first <= pair.a.first + k);
    if (data.make_pair(split, place, Relation::distant, Match::position, stream, pair)) {
      ++distant;
      CHECK(pair.b.document == pair.a.document);
      // Neither neighbour, and no sentence in both.
      CHECK(std::abs(pair.b.first - pair.a.first) > k);
    }
    if (data.make_pair(split, place, Relation::later, Match::position, stream, pair)) {
      ++later;
      CHECK(pair.b.first > pair.a.first + k);
    }
  }
  CHECK(distant > later);
  CHECK(later > 0);
}

TEST_CASE("of a matched opening only the topic tells a random segment") {
  const PairData data = stories();
  const PairSplit& split = data.train();
  const auto topic_of = [&](const Segment& s) {
    return split.topics[static_cast<std::size_t>(s.document)];
  };
  // "NAME verb from PLACE ...": the first and the fourth word.
  const auto opening = [&](const Segment& s) {
    const auto words = data.segment_tokens(split, s);
    return std::pair{words[0], words[3]};
  };
  for (const auto match : {Match::position, Match::opening}) {
    Stream stream(1, "test");
    SentencePair pair;
    int draws = 0, same_topic = 0, alike = 0;
    for (const Segment& place : split.places) {
      REQUIRE(data.make_pair(split, place, Relation::random, match, stream, pair));
      REQUIRE(pair.b.document != pair.a.document);
      ++draws;
      if (topic_of(pair.b) != topic_of(place)) continue;
      ++same_topic;
      alike += opening(pair.b) == opening({place.document, place.first + 1}) ? 1 : 0;
    }
    // Of eight topics one is A's. 1600 draws have a standard deviation of 0.008; but some of
    // these 2000 sentences have an opening that no other has (8 topics, 8 places, half of them
    // with one of 24 names: one on average), and then another topic is drawn.
    const double share = static_cast<double>(same_topic) / draws;
    CHECK(share == Approx(match == Match::position ? 0.125 : 0.1).margin(0.035));
    // One opening in 8 places times the chance to be called the same, below a half.
    if (match == Match::position) CHECK(alike < same_topic / 16 + 10);
    if (match == Match::opening) CHECK(alike == same_topic);
  }
}

TEST_CASE("a row holds both segments between the special tokens") {
  const PairData data = stories();
  const SpecialIds& special = data.tokenizer().special();
  const auto time = static_cast<std::size_t>(data.row_length());
  std::vector<std::int32_t> inputs(time), segments(time);
  const SentencePair pair = {data.train().places[0], {0, 1}, Relation::next};
  const auto length =
      static_cast<std::size_t>(data.encode(data.train(), pair, inputs.data(), segments.data()));
  const auto a = data.segment_tokens(data.train(), pair.a);
  const auto b = data.segment_tokens(data.train(), pair.b);
  std::vector<std::int32_t> expected = {special.cls};
  expected.insert(expected.end(), a.begin(), a.end());
  expected.push_back(special.sep);
  expected.insert(expected.end(), b.begin(), b.end());
  expected.push_back(special.sep);
  REQUIRE(length == expected.size());
  CHECK(std::vector<std::int32_t>(inputs.begin(), inputs.begin() + static_cast<long>(length)) ==
        expected);
  for (std::size_t t = 0; t < length; ++t) CHECK(segments[t] == (t < a.size() + 2 ? 0 : 1));
  for (std::size_t t = length; t < time; ++t) CHECK(inputs[t] == special.pad);
}

TEST_CASE("labels have the shares asked for, and resampling evens them out") {
  const PairData data = stories();
  PairTask task;
  task.classes = {Relation::next, Relation::random};
  task.shares = {0.1, 0.9};
  for (const bool resample : {false, true}) {
    task.resample = resample;
    const PairSampler sampler(data, task, 3, {});
    PairRows rows(64, data.row_length());
    std::int64_t positives = 0, n = 0;
    for (std::uint64_t step = 0; step < 50; ++step) {
      sampler.fill(step, rows);
      for (const std::int32_t label : rows.labels) positives += label == 0 ? 1 : 0;
      n += rows.batch;
    }
    // Binomial: 3200 draws of 0.1 or 0.5 have a standard deviation below 0.009; four of them.
    CHECK(static_cast<double>(positives) / static_cast<double>(n) ==
          Approx(resample ? 0.5 : 0.1).margin(0.036));
  }
}

TEST_CASE("hidden words are asked for, and only they change") {
  const PairData data = stories();
  PairTask task;
  PairRows rows(32, data.row_length());
  PairSampler(data, task, 3, {0.15, 1.0, 0.0}).fill(7, rows);
  const SpecialIds& special = data.tokenizer().special();
  std::int64_t words = 0;
  for (std::int64_t b = 0; b < rows.batch; ++b) {
    words += rows.lengths[static_cast<std::size_t>(b)] - 3;
  }
  // A chain's sentence has 7 words: round(0.15 * 14) = 2 of every row.
  CHECK(words == 14 * 32);
  CHECK(rows.masked == 2 * 32);
  std::set<std::int32_t> asked;
  for (std::int64_t m = 0; m < rows.masked; ++m) {
    const std::int32_t row = rows.masked_rows[static_cast<std::size_t>(m)];
    CHECK(asked.insert(row).second);
    CHECK(rows.inputs[static_cast<std::size_t>(row)] == special.mask);
    CHECK(rows.masked_targets[static_cast<std::size_t>(m)] > special.mask);
  }
  for (std::size_t i = 0; i < rows.inputs.size(); ++i) {
    if (asked.count(static_cast<std::int32_t>(i)) == 0) CHECK(rows.inputs[i] != special.mask);
  }
  // With shares 0, 0 every word stays.
  PairRows kept(32, data.row_length());
  PairSampler(data, task, 3, {0.15, 0.0, 0.0}).fill(7, kept);
  for (std::int64_t m = 0; m < kept.masked; ++m) {
    const auto row = static_cast<std::size_t>(kept.masked_rows[static_cast<std::size_t>(m)]);
    CHECK(kept.inputs[row] == kept.masked_targets[static_cast<std::size_t>(m)]);
  }
}

TEST_CASE("questions are exactly balanced, and turned pairs are the same pairs") {
  const PairData data = stories();
  for (const Relation negative :
       {Relation::random, Relation::swapped, Relation::distant, Relation::earlier}) {
    const PairQuestion question = {negative == Relation::earlier ? Relation::later : Relation::next,
                                   negative};
    const auto pairs = question_pairs(data, data.validation(), question, Match::position, 100, 5);
    REQUIRE(pairs.size() == 100);
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      CHECK(pairs[i].relation == question.positive);
      CHECK(pairs[i + 1].relation == negative);
      if (negative == Relation::swapped || negative == Relation::earlier) {
        CHECK(pairs[i].a.first == pairs[i + 1].b.first);
        CHECK(pairs[i].b.first == pairs[i + 1].a.first);
      }
    }
  }
}

TEST_CASE("what cannot be sampled is refused with the reason") {
  const auto refusal = [](const std::string& text, Relation relation) -> std::string {
    try {
      from_text(text).require(relation);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
      return error.what();
    }
    return {};
  };
  const std::string two = "One is here.\nTwo is here.\n\n";
  CHECK(
      refusal("One is here.\nTwo is here.\n", Relation::next).find("one document, expected two") !=
      std::string::npos);
  // Half of the two documents is one: no other document for a negative.
  CHECK(refusal(two + two, Relation::random).find("no second document") != std::string::npos);
  CHECK(refusal(two + two, Relation::swapped).empty());
  CHECK(refusal("One is here.\n\nTwo is here.\n\n", Relation::swapped)
            .find("no document of 2 sentences") != std::string::npos);
  CHECK(refusal(two + two + two + two, Relation::distant).find("no document of 3 sentences") !=
        std::string::npos);
  CHECK(refusal(two + two + two + two, Relation::random).empty());
}

TEST_CASE("collisions are counted and drawn again") {
  // Two training documents with equal text: every other draw falls into the own one, and
  // the partner always reads like the true next sentence.
  const std::string same = "One is here.\nTwo is there.\n\n";
  const PairData data = from_text(same + same + same + same);
  Stream stream(1, "test");
  CollisionCount count;
  SentencePair pair;
  for (int i = 0; i < 1000; ++i) {
    data.make_pair(data.train(), data.train().places[0], Relation::random, Match::position, stream,
                   pair, &count);
    CHECK(pair.b.document != pair.a.document);
  }
  CHECK(count.draws == 1000);
  CHECK(count.same_text == 1000);
  // Geometric with p = 1/2: mean 1 per draw, standard deviation sqrt(2 * 1000) = 45.
  CHECK(static_cast<double>(count.same_document) == Approx(1000).margin(180));
}

TEST_CASE("BERT's generator labels half, and every single sentence, random") {
  const PairData data = stories();
  // A target of one sentence (7 words): every fill is single, all labels are random.
  const GeneratorCount single = count_bert_labels(data.train(), 8, 0, 1);
  CHECK(single.single == single.rows);
  CHECK(single.counted() == 1);
  CHECK(single.predicted() == 1);
  CHECK(single.deviations() == 0);
  const GeneratorCount count = count_bert_labels(data.train(), 31, 0.1, 1);
  CHECK(count.rows > 300);
  CHECK(count.single > 0);
  CHECK(count.counted() > 0.5);
  // The labels of the others are fair coins: three binomial standard deviations.
  CHECK(std::abs(count.deviations()) < 3);
  CHECK(count.predicted() ==
        Approx(0.5 + 0.5 * static_cast<double>(count.single) / static_cast<double>(count.rows)));
}

}  // namespace xfq::corpus
