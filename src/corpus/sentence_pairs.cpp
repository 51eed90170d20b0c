// Sentence pairs: places, relations and rows.
#include "xfq/corpus/sentence_pairs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "xfq/core/error.h"
#include "xfq/core/hash.h"

namespace xfq::corpus {

namespace {

// Validation stories are far away from the training stories of any size.
constexpr std::uint64_t kFirstValidation = std::uint64_t{1} << 40;
// A matched partner is looked for so many times before a lesser match will do: the last
// sentences of a corpus's longest document have none, nor have rare openings.
constexpr int kMatchTries = 32;

std::int32_t sentences_of(const PairSplit& split, std::int32_t document) {
  return static_cast<std::int32_t>(split.documents[static_cast<std::size_t>(document)].size());
}

PairSplit make_split(const std::vector<Document>& documents, const Tokenizer& tokenizer,
                     std::int64_t segment_sentences, std::vector<std::string>& topics) {
  PairSplit split;
  split.documents = tokenize(documents, tokenizer);
  for (std::size_t d = 0; d < documents.size(); ++d) {
    std::int32_t topic = -1;
    if (!documents[d].topic.empty()) {
      const auto at = std::find(topics.begin(), topics.end(), documents[d].topic);
      topic = static_cast<std::int32_t>(at - topics.begin());
      if (at == topics.end()) topics.push_back(documents[d].topic);
    }
    split.topics.push_back(topic);
    const auto sentences = static_cast<std::int64_t>(split.documents[d].size());
    split.sentences += sentences;
    for (const auto& sentence : split.documents[d]) {
      split.tokens += static_cast<std::int64_t>(sentence.size());
    }
    for (std::int64_t i = 0; i + 2 * segment_sentences <= sentences; ++i) {
      split.places.push_back({static_cast<std::int32_t>(d), static_cast<std::int32_t>(i)});
    }
  }
  return split;
}

/// Sorts the segments by their openings; documents of the split are in `documents`' order.
void find_openings(const std::vector<Document>& documents, std::int64_t segment_sentences,
                   PairSplit& split) {
  std::map<std::string, std::int32_t> ids;
  for (std::size_t d = 0; d < documents.size(); ++d) {
    std::vector<std::int32_t>& openings = split.openings.emplace_back();
    const auto sentences = static_cast<std::int64_t>(documents[d].sentences.size());
    for (std::int64_t i = 0; i < sentences; ++i) {
      const std::string opening =
          journey_opening(documents[d].sentences[static_cast<std::size_t>(i)]);
      const auto id = ids.try_emplace(opening, static_cast<std::int32_t>(ids.size())).first->second;
      openings.push_back(id);
      if (static_cast<std::size_t>(id) == split.by_opening.size()) split.by_opening.emplace_back();
      if (i + segment_sentences > sentences) continue;
      split.by_opening[static_cast<std::size_t>(id)].push_back(
          {static_cast<std::int32_t>(d), static_cast<std::int32_t>(i)});
    }
  }
}

std::int64_t longest_segment(const PairSplit& split, std::int64_t segment_sentences) {
  std::int64_t longest = 0;
  for (const auto& document : split.documents) {
    for (std::size_t i = 0; i < document.size(); ++i) {
      std::int64_t tokens = 0;
      for (std::size_t s = i;
           s < std::min(document.size(), i + static_cast<std::size_t>(segment_sentences)); ++s) {
        tokens += static_cast<std::int64_t>(document[s].size());
      }
      longest = std::max(longest, tokens);
    }
  }
  return longest;
}

}  // namespace

std::string to_string(Relation relation) {
  switch (relation) {
    case Relation::next:
      return "next";
    case Relation::random:
      return "random";
    case Relation::distant:
      return "distant";
    case Relation::swapped:
      return "swapped";
    case Relation::later:
      return "later";
    case Relation::earlier:
      break;
  }
  return "earlier";
}

Match match_of(const std::string& name) {
  if (name == "any") return Match::any;
  if (name == "position") return Match::position;
  if (name == "opening") return Match::opening;
  throw_usage(fmt::format("match: got '{}', expected any, position or opening", name));
}

// ------------------------------------------------------------------------ data

PairData load_pair_data(const PairOptions& options, std::shared_ptr<const Tokenizer> tokenizer) {
  PairData data;
  data.segment_sentences_ = options.segment_sentences;
  const bool generated = options.corpus == "stories";
  SplitText parts;
  std::optional<Stories> language;
  if (generated) {
    language.emplace(options.stories);
    for (std::int64_t i = 0; i < options.documents; ++i) {
      parts.train.push_back(
          language->generate(options.seed, static_cast<std::uint64_t>(i)).document);
    }
    for (std::int64_t i = 0; i < options.validation_documents; ++i) {
      parts.validation.push_back(
          language->generate(options.seed, kFirstValidation + static_cast<std::uint64_t>(i))
              .document);
    }
    data.source_.name =
        options.stories.domain == "village"
            ? fmt::format("stories/{}", options.stories.order)
            : fmt::format("stories/{}/{}", options.stories.order, options.stories.domain);
    data.source_.sha256 = sha256_hex(to_raw(parts.train) + to_raw(parts.validation));
  } else {
    const Text file = read_text(options.corpus);
    if (file.documents.size() < 2) {
      throw_input(fmt::format("--corpus: {} is one document, expected two or more", options.corpus),
                  "separate documents by blank lines");
    }
    parts = split_documents(file, options.shares);
    data.source_.name = file.name;
    data.source_.sha256 = file.sha256;
  }
  if (tokenizer) {
    data.tokenizer_ = std::move(tokenizer);
  } else {
    const std::string name = options.tokenizer == "auto" ? "word" : options.tokenizer;
    std::vector<Document> training = parts.train;
    // The language's words are known, whether they have occurred yet or not.
    if (generated) training.push_back({language->vocabulary(), {}});
    data.tokenizer_ = make_tokenizer(name, training, Specials::encoder(), options.vocab);
  }
  if (generated) data.topics_ = language->topics();
  data.train_ = make_split(parts.train, *data.tokenizer_, options.segment_sentences, data.topics_);
  data.validation_ =
      make_split(parts.validation, *data.tokenizer_, options.segment_sentences, data.topics_);
  // Elsewhere a sentence takes up more than its opening, so that it alone would mislead.
  if (generated && options.stories.order == "chain") {
    find_openings(parts.train, options.segment_sentences, data.train_);
    find_openings(parts.validation, options.segment_sentences, data.validation_);
  }

  const std::int64_t longest =
      std::max(longest_segment(data.train_, options.segment_sentences),
               longest_segment(data.validation_, options.segment_sentences));
  data.row_length_ = std::min(options.context, 2 * longest + kPairSpecialTokens);
  if (options.context < kPairSpecialTokens + 2) {
    throw_usage(fmt::format("--context: got {}, expected at least {} for a pair", options.context,
                            kPairSpecialTokens + 2));
  }
  data.source_.documents = static_cast<std::int64_t>(parts.train.size() + parts.validation.size());
  data.source_.tokens = data.train_.tokens + data.validation_.tokens;
  data.source_.splits = {{"train", data.train_.tokens}, {"validation", data.validation_.tokens}};

  Hasher hasher;
  hasher.add(data.row_length_).add(data.segment_sentences_);
  hasher.add(static_cast<std::int64_t>(data.vocabulary_size()));
  for (const auto& document : data.train_.documents) {
    hasher.add(static_cast<std::int64_t>(document.size()));
    for (const auto& sentence : document) {
      hasher.add_bytes(sentence.data(), sentence.size() * sizeof(std::int32_t));
    }
  }
  for (const auto& openings : data.train_.openings) {
    hasher.add_bytes(openings.data(), openings.size() * sizeof(std::int32_t));
  }
  data.fingerprint_ = hasher.hex();
  return data;
}

namespace {

/// What the split lacks for pairs of the relation; empty when nothing.
std::string lacking(const PairData& data, const PairSplit& split, Relation relation) {
  const auto k = data.segment_sentences();
  if (split.places.empty()) return fmt::format("no document of {} sentences", 2 * k);
  if (relation == Relation::random && split.documents.size() < 2) return "no second document";
  if (relation == Relation::next || relation == Relation::swapped || relation == Relation::random) {
    return {};
  }
  SentencePair pair;
  Stream stream(0, "probe");
  for (const Segment& place : split.places) {
    if (data.make_pair(split, place, relation, Match::any, stream, pair)) return {};
  }
  return fmt::format("no document of {} sentences", 2 * k + 1);
}

}  // namespace

bool PairData::offers(Relation relation) const {
  return lacking(*this, train_, relation).empty() && lacking(*this, validation_, relation).empty();
}

void PairData::require(Relation relation) const {
  for (const auto& [name, split] : {std::pair{"training", &train_}, {"validation", &validation_}}) {
    const std::string lack = lacking(*this, *split, relation);
    if (lack.empty()) continue;
    throw_input(fmt::format("--corpus: the {} part of {} has {}, expected at least one for pairs "
                            "labelled {}",
                            name, source_.name, lack, to_string(relation)),
                relation == Relation::random
                    ? "separate documents by blank lines, or use --negatives same-document"
                    : "use longer documents, or a smaller --segment-sentences");
  }
}

namespace {

/// A segment of another document that opens as the follower does; false where none was found.
bool find_alike(const PairSplit& split, const Segment& follower, Stream& stream, Segment& alike) {
  const std::int32_t opening = split.openings[static_cast<std::size_t>(follower.document)]
                                             [static_cast<std::size_t>(follower.first)];
  const std::vector<Segment>& segments = split.by_opening[static_cast<std::size_t>(opening)];
  for (int tries = 0; tries < kMatchTries && segments.size() > 1; ++tries) {
    const Segment& segment = segments[stream.below(segments.size())];
    if (segment.document == follower.document) continue;
    alike = segment;
    return true;
  }
  return false;
}

}  // namespace

Segment PairData::random_segment(const PairSplit& split, const Segment& follower, Match match,
                                 Stream& stream, CollisionCount* collisions) const {
  const auto k = static_cast<std::int32_t>(segment_sentences_);
  const std::uint64_t documents = split.documents.size();
  const std::int32_t topic = split.topics[static_cast<std::size_t>(follower.document)];
  const auto about_the_same = [&](const Segment& other) {
    return topic >= 0 && split.topics[static_cast<std::size_t>(other.document)] == topic;
  };
  if (collisions) ++collisions->draws;
  Segment chosen;
  for (int tries = 0;;) {
    chosen.document = static_cast<std::int32_t>(stream.below(documents));
    if (chosen.document == follower.document) {
      if (collisions) ++collisions->same_document;
      continue;
    }
    if (++tries > 100'000) throw_run("no other document is long enough for a segment");
    const std::int32_t last = sentences_of(split, chosen.document) - k;
    if (last < 0) continue;
    const bool matched = match != Match::any;
    if (matched && last < follower.first && tries < kMatchTries) continue;
    chosen.first =
        matched ? std::min(follower.first, last)
                : static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(last) + 1));
    if (match == Match::opening && !split.openings.empty() && about_the_same(chosen) &&
        !find_alike(split, follower, stream, chosen) && tries < kMatchTries) {
      continue;
    }
    break;
  }
  if (collisions) {
    if (segment_tokens(split, chosen) == segment_tokens(split, follower)) ++collisions->same_text;
    if (about_the_same(chosen)) ++collisions->same_topic;
  }
  return chosen;
}

bool PairData::make_pair(const PairSplit& split, const Segment& place, Relation relation,
                         Match match, Stream& stream, SentencePair& pair,
                         CollisionCount* collisions) const {
  const auto k = static_cast<std::int32_t>(segment_sentences_);
  const Segment follower = {place.document, place.first + k};
  pair.relation = relation;
  pair.a = place;
  pair.b = follower;
  switch (relation) {
    case Relation::next:
      return true;
    case Relation::swapped:
      std::swap(pair.a, pair.b);
      return true;
    case Relation::random:
      pair.b = random_segment(split, follower, match, stream, collisions);
      return true;
    case Relation::distant:
    case Relation::later:
    case Relation::earlier:
      break;
  }
  // Segments that end before the one in front of A, or begin behind A's follower's begin.
  const std::int32_t before = relation == Relation::distant ? std::max(0, place.first - k) : 0;
  const std::int32_t after = std::max(0, sentences_of(split, place.document) - k - follower.first);
  if (before + after == 0) return false;
  const auto pick =
      static_cast<std::int32_t>(stream.below(static_cast<std::uint64_t>(before + after)));
  pair.b.first = pick < before ? pick : follower.first + 1 + (pick - before);
  if (relation == Relation::earlier) std::swap(pair.a, pair.b);
  return true;
}

std::vector<std::int32_t> PairData::segment_tokens(const PairSplit& split,
                                                   const Segment& segment) const {
  std::vector<std::int32_t> tokens;
  const auto& document = split.documents[static_cast<std::size_t>(segment.document)];
  for (std::int64_t s = 0; s < segment_sentences_; ++s) {
    const auto& sentence = document[static_cast<std::size_t>(segment.first + s)];
    tokens.insert(tokens.end(), sentence.begin(), sentence.end());
  }
  return tokens;
}

std::int32_t PairData::encode(const PairSplit& split, const SentencePair& pair,
                              std::int32_t* inputs, std::int32_t* segments) const {
  const SpecialIds& special = tokenizer_->special();
  const auto size_of = [&](const Segment& segment) {
    const auto& document = split.documents[static_cast<std::size_t>(segment.document)];
    std::int64_t tokens = 0;
    for (std::int64_t s = 0; s < segment_sentences_; ++s) {
      tokens +=
          static_cast<std::int64_t>(document[static_cast<std::size_t>(segment.first + s)].size());
    }
    return tokens;
  };
  std::int64_t size_a = size_of(pair.a), size_b = size_of(pair.b);
  while (size_a + size_b + kPairSpecialTokens > row_length_) --(size_a >= size_b ? size_a : size_b);

  std::int32_t t = 0;
  const auto put = [&](std::int32_t id, std::int32_t segment) {
    inputs[t] = id;
    segments[t] = segment;
    ++t;
  };
  const auto put_segment = [&](const Segment& segment, std::int64_t size, std::int32_t id) {
    const auto& document = split.documents[static_cast<std::size_t>(segment.document)];
    for (std::int64_t s = 0; s < segment_sentences_; ++s) {
      for (const std::int32_t token : document[static_cast<std::size_t>(segment.first + s)]) {
        if (size-- > 0) put(token, id);
      }
    }
    put(special.sep, id);
  };
  put(special.cls, 0);
  put_segment(pair.a, size_a, 0);
  put_segment(pair.b, size_b, 1);
  for (std::int64_t rest = t; rest < row_length_; ++rest) {
    inputs[rest] = special.pad;
    segments[rest] = 1;
  }
  return t;
}

std::vector<SentencePair> question_pairs(const PairData& data, const PairSplit& split,
                                         const PairQuestion& question, Match match,
                                         std::int64_t count, std::uint64_t seed) {
  std::vector<SentencePair> pairs;
  Stream stream(seed, "pairs " + to_string(question.positive) + "/" + to_string(question.negative));
  SentencePair positive, negative;
  while (static_cast<std::int64_t>(pairs.size()) < count) {
    const Segment& place = split.places[stream.below(split.places.size())];
    // Both draw the same numbers, so that `earlier` is `later` turned round.
    Stream copy = stream;
    if (!data.make_pair(split, place, question.positive, match, copy, positive)) continue;
    if (!data.make_pair(split, place, question.negative, match, stream, negative)) continue;
    pairs.push_back(positive);
    pairs.push_back(negative);
  }
  return pairs;
}

}  // namespace xfq::corpus
