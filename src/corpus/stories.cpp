// The generated language: a walk through the grammar, drawn or followed.
#include "xfq/corpus/stories.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "stories_grammar.h"
#include "xfq/core/error.h"
#include "xfq/core/hash.h"
#include "xfq/core/random.h"
#include "xfq/corpus/tokenizer.h"

namespace xfq::corpus {

namespace {

std::string_view tables_of(const std::string& domain) {
  std::string known;
  for (const BuiltInTables& tables : built_in_tables()) {
    if (tables.domain == domain) return tables.text;
    known += known.empty() ? "" : ", ";
    known += tables.domain;
  }
  throw_usage(fmt::format("stories: got domain '{}', expected one of {}", domain, known));
}

void check(const StoriesOptions& o) {
  if (o.order != "script" && o.order != "chain" && o.order != "mixture") {
    throw_usage(fmt::format("stories: got order '{}', expected script, chain or mixture", o.order));
  }
  if (o.min_sentences < 2 || o.max_sentences < o.min_sentences ||
      o.max_sentences > Stories::kMaxSentences) {
    throw_usage(fmt::format("stories: got {} to {} sentences, expected 2 <= min <= max <= {}",
                            o.min_sentences, o.max_sentences, Stories::kMaxSentences));
  }
  if (!(o.swap >= 0 && o.swap < 1)) {
    throw_usage(fmt::format("stories: got swap {}, expected 0 <= swap < 1", o.swap));
  }
  if (!(o.journeys >= 0 && o.journeys <= 1)) {
    throw_usage(fmt::format("stories: got journeys {}, expected 0 to 1", o.journeys));
  }
}

/// The words of one sentence as text: single spaces, none before the full stop.
void append_word(std::string& sentence, const std::string& word) {
  if (!sentence.empty() && word != ".") sentence += ' ';
  sentence += word;
}

}  // namespace

std::vector<double> Story::flat() const {
  std::vector<double> all;
  for (const auto& sentence : token_log_probability) {
    all.insert(all.end(), sentence.begin(), sentence.end());
  }
  all.push_back(end_log_probability);
  return all;
}

Stories::Stories(StoriesOptions options) : Stories(options, tables_of(options.domain)) {}

Stories::Stories(StoriesOptions options, std::string_view tables) {
  check(options);
  auto grammar = std::make_unique<Grammar>();
  grammar->read_tables(tables);
  const auto topics = static_cast<std::int64_t>(grammar->topics.size());
  if (options.topics < 0 || options.topics > topics) {
    throw_usage(fmt::format("stories: got {} topics, expected 1 to {}, or 0 for all",
                            options.topics, topics));
  }
  if (options.topics > 0) grammar->topics.resize(static_cast<std::size_t>(options.topics));
  grammar->options = std::move(options);
  // A document must not run out of events.
  if (grammar->journey_share() < 1) {
    const std::int64_t body = grammar->options.max_sentences - (grammar->has_setting() ? 1 : 0);
    for (const Topic& topic : grammar->topics) {
      if (static_cast<std::int64_t>(topic.script.size()) < body) {
        throw_input(fmt::format("story tables: topic {} has {} events, expected at least {}",
                                topic.name, topic.script.size(), body),
                    "add events, or ask for fewer sentences");
      }
    }
  }
  grammar_ = std::move(grammar);
}

Stories::~Stories() = default;
Stories::Stories(Stories&&) noexcept = default;
Stories& Stories::operator=(Stories&&) noexcept = default;

const StoriesOptions& Stories::options() const { return grammar_->options; }

Story Stories::generate(std::uint64_t seed, std::uint64_t index) const {
  Stream stream(seed, "story", index);
  Derivation walk(*grammar_);
  Story story;
  while (!walk.choices().empty()) {
    const bool starts = walk.at_boundary() || story.document.sentences.empty();
    const std::vector<Choice>& choices = walk.choices();
    double left = stream.uniform();
    std::size_t pick = 0;
    // Rounding may leave a rest behind the last choice: it belongs to that one.
    while (pick + 1 < choices.size() && left >= choices[pick].probability) {
      left -= choices[pick++].probability;
    }
    const int word = choices[pick].word;
    const double log_probability = std::log(choices[pick].probability);
    story.log_probability += log_probability;
    if (word == kEndOfDocument) {
      story.end_log_probability = log_probability;
    } else {
      if (starts) {
        story.document.sentences.emplace_back();
        story.token_log_probability.emplace_back();
      }
      append_word(story.document.sentences.back(), grammar_->words[static_cast<std::size_t>(word)]);
      story.token_log_probability.back().push_back(log_probability);
    }
    walk.advance(word);
  }
  story.document.topic = grammar_->topics[static_cast<std::size_t>(walk.topic())].name;
  return story;
}

std::optional<Story> Stories::parse(const Document& document) const {
  Derivation walk(*grammar_);
  Story story;
  const auto follow = [&](int word) -> std::optional<double> {
    for (const Choice& choice : walk.choices()) {
      if (choice.word != word) continue;
      const double log_probability = std::log(choice.probability);
      walk.advance(word);
      story.log_probability += log_probability;
      return log_probability;
    }
    return std::nullopt;
  };
  for (const std::string& sentence : document.sentences) {
    std::string rendered;
    story.token_log_probability.emplace_back();
    for (const std::string_view word : split_words(sentence)) {
      if (!rendered.empty() && walk.at_boundary()) return std::nullopt;  // two in one
      const auto found = grammar_->ids.find(std::string(word));
      if (found == grammar_->ids.end()) return std::nullopt;
      const auto log_probability = follow(found->second);
      if (!log_probability) return std::nullopt;
      story.token_log_probability.back().push_back(*log_probability);
      append_word(rendered, found->first);
    }
    if (rendered != sentence || !walk.at_boundary()) return std::nullopt;
  }
  const auto end = follow(kEndOfDocument);
  if (!end) return std::nullopt;
  story.end_log_probability = *end;
  story.document = document;
  story.document.topic = grammar_->topics[static_cast<std::size_t>(walk.topic())].name;
  return story;
}

std::optional<double> Stories::log_probability(const Document& document) const {
  const auto story = parse(document);
  if (!story) return std::nullopt;
  return story->log_probability;
}

std::vector<std::pair<std::string, double>> Stories::next_distribution(
    const std::vector<std::string>& prefix) const {
  Derivation walk(*grammar_);
  for (const std::string& word : prefix) {
    int id = kEndOfDocument;
    if (word != kEnd) {
      const auto found = grammar_->ids.find(word);
      if (found == grammar_->ids.end()) return {};
      id = found->second;
    }
    const auto& choices = walk.choices();
    if (std::none_of(choices.begin(), choices.end(),
                     [id](const Choice& choice) { return choice.word == id; })) {
      return {};
    }
    walk.advance(id);
  }
  std::vector<std::pair<std::string, double>> result;
  for (const Choice& choice : walk.choices()) {
    result.emplace_back(choice.word == kEndOfDocument
                            ? std::string(kEnd)
                            : grammar_->words[static_cast<std::size_t>(choice.word)],
                        choice.probability);
  }
  return result;
}

std::vector<std::string> Stories::vocabulary() const {
  std::vector<std::string> result = grammar_->words;
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> Stories::topics() const {
  std::vector<std::string> result;
  for (const Topic& topic : grammar_->topics) result.push_back(topic.name);
  return result;
}

std::vector<std::string> story_domains() {
  std::vector<std::string> result;
  for (const BuiltInTables& tables : built_in_tables()) result.emplace_back(tables.domain);
  return result;
}

std::string journey_opening(const std::string& sentence) {
  std::istringstream words(sentence);
  std::string subject, verb, from, departure;
  words >> subject >> verb >> from >> departure;
  return from == "from" ? subject + " " + departure : std::string();
}

Text generate_stories(const StoriesOptions& options, std::uint64_t seed, std::int64_t count,
                      std::uint64_t first) {
  if (count < 1) {
    throw_usage(fmt::format("stories: got {} documents, expected at least 1", count));
  }
  const Stories stories(options);
  Text text;
  text.name = "stories";
  for (std::int64_t i = 0; i < count; ++i) {
    text.documents.push_back(
        stories.generate(seed, first + static_cast<std::uint64_t>(i)).document);
  }
  text.raw = to_raw(text.documents);
  text.sha256 = sha256_hex(text.raw);
  return text;
}

}  // namespace xfq::corpus
