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

// ---------------------------------------------------------------- the automaton

Stories::Derivation::Derivation(const Grammar& grammar)
    : grammar_(&grammar), cast_(grammar.has_setting() ? 2 : 1) {
  if (grammar.has_setting()) phase_ = Phase::one;
  offer();
}

void Stories::Derivation::offer(int word, double probability) {
  if (probability > 0) choices_.push_back({word, probability});
}

void Stories::Derivation::offer(const WordList& list, double scale) {
  for (std::size_t i = 0; i < list.size(); ++i) offer(list.words[i], scale * list.weights[i]);
}

double Stories::Derivation::mentioned_weight() const {
  const WordList& objects = grammar_->topics[static_cast<std::size_t>(topic_)].objects;
  double sum = 0;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    if (mentioned_ >> i & 1U) sum += objects.weights[i];
  }
  return sum;
}

double Stories::Derivation::repeat_probability() const {
  return last_object_ >= 0 ? kSameObject : 0.0;
}

void Stories::Derivation::offer_subjects(double scale) {
  const Grammar& g = *grammar_;
  if (cast_ == 2) {
    for (int i = 0; i < 2; ++i) {
      const double acts = actor_ < 0 ? 0.5 : i == actor_ ? kSameActor : 1 - kSameActor;
      offer(g.pronouns[class_[i]], scale * acts * (1 - kNameShare));
      offer(name_[i], scale * acts * kNameShare);
    }
    return;
  }
  if (name_[0] >= 0) {
    offer(g.pronouns[class_[0]], scale * (1 - kNameShare));
    offer(name_[0], scale * kNameShare);
    return;
  }
  // All names are equally likely; a pronoun has revealed the class only.
  double possible = 0;
  for (int c = 0; c < Grammar::kClasses; ++c) {
    if (class_[0] < 0 || class_[0] == c) possible += static_cast<double>(g.names[c].size());
  }
  for (int c = 0; c < Grammar::kClasses; ++c) {
    if (class_[0] >= 0 && class_[0] != c) continue;
    const double count = static_cast<double>(g.names[c].size());
    offer(g.pronouns[c], scale * (1 - kNameShare) * count / possible);
    for (const int name : g.names[c]) offer(name, scale * kNameShare / possible);
  }
}

void Stories::Derivation::offer_verbs() {
  const Grammar& g = *grammar_;
  // Before the topic is revealed every topic's script is at its beginning. Scripts
  // are long enough: an event is always left (checked by the constructor).
  const std::size_t first = topic_ < 0 ? 0 : static_cast<std::size_t>(topic_);
  const std::size_t last = topic_ < 0 ? g.topics.size() : first + 1;
  const double event = (1 - g.journey_share()) / static_cast<double>(last - first);
  const std::size_t next = static_cast<std::size_t>(script_next_);
  for (std::size_t t = first; t < last && event > 0; ++t) {
    const std::vector<int>& script = g.topics[t].script;
    const double swap = !swapped_ && next + 1 < script.size() ? g.options.swap : 0.0;
    offer(script[next], event * (1 - swap));
    if (swap > 0) offer(script[next + 1], event * swap);
  }
  offer(g.journey_verbs, g.journey_share());
}

void Stories::Derivation::offer() {
  const Grammar& g = *grammar_;
  choices_.clear();
  switch (phase_) {
    case Phase::one:
      return offer(g.one, 1);
    case Phase::time:
      return offer(g.times, 1);
    case Phase::first_name:
      for (const auto& list : g.names) {
        for (const int name : list) offer(name, 1.0 / static_cast<double>(g.name_count()));
      }
      return;
    case Phase::and_:
      return offer(g.and_, 1);
    case Phase::second_name: {
      // Another pronoun than the first one's, so that pronouns say who acts.
      const std::size_t others =
          g.name_count() - g.names[static_cast<std::size_t>(class_[0])].size();
      for (int c = 0; c < Grammar::kClasses; ++c) {
        if (c == class_[0]) continue;
        for (const int name : g.names[c]) offer(name, 1.0 / static_cast<double>(others));
      }
      return;
    }
    case Phase::setting_verb:
      return offer(g.setting_verbs, 1);
    case Phase::near:
      return offer(g.near, 1);
    case Phase::near_the:
      return offer(g.the, 1);
    case Phase::setting:
      for (const Topic& topic : g.topics) {
        offer(topic.settings, 1.0 / static_cast<double>(g.topics.size()));
      }
      return;
    case Phase::setting_stop:
    case Phase::stop:
      return offer(g.stop, 1);
    case Phase::boundary: {
      // Lengths are uniform on min..max.
      const std::int64_t left = g.options.max_sentences - sentences_;
      const double end =
          sentences_ < g.options.min_sentences ? 0.0 : 1.0 / static_cast<double>(left + 1);
      offer(kEndOfDocument, end);
      if (left > 0) offer_subjects(1 - end);
      return;
    }
    case Phase::verb:
      return offer_verbs();
    case Phase::article: {
      const double repeat = repeat_probability();
      const double known = repeat + (1 - repeat) * mentioned_weight();
      const std::size_t objects = g.topics[static_cast<std::size_t>(topic_)].objects.size();
      const bool all_known = mentioned_ == (1U << objects) - 1;
      offer(g.the, all_known ? 1.0 : known);
      if (!all_known) offer(g.a, 1 - known);
      return;
    }
    case Phase::adjective:
      return offer(g.adjectives, 1);
    case Phase::new_object:
    case Phase::old_object: {
      const WordList& objects = g.topics[static_cast<std::size_t>(topic_)].objects;
      const double repeat = repeat_probability();
      const bool fresh = phase_ == Phase::new_object;
      double total = 0;
      const auto weight = [&](std::size_t i) {
        const bool known = (mentioned_ >> i & 1U) != 0;
        if (known == fresh) return 0.0;
        const bool repeated = !fresh && static_cast<int>(i) == last_object_;
        return (1 - repeat) * objects.weights[i] + (repeated ? repeat : 0.0);
      };
      for (std::size_t i = 0; i < objects.size(); ++i) total += weight(i);
      for (std::size_t i = 0; i < objects.size(); ++i) offer(objects.words[i], weight(i) / total);
      return;
    }
    case Phase::from:
      return offer(g.from, 1);
    case Phase::departure:
      if (place_ >= 0) return offer(place_, 1);
      for (std::size_t t = 0; t < g.topics.size(); ++t) {
        if (topic_ >= 0 && static_cast<std::size_t>(topic_) != t) continue;
        const double share = topic_ >= 0 ? 1.0 : 1.0 / static_cast<double>(g.topics.size());
        const auto& places = g.topics[t].places;
        for (const int place : places) offer(place, share / static_cast<double>(places.size()));
      }
      return;
    case Phase::to:
      return offer(g.to, 1);
    case Phase::arrival: {
      const auto& places = g.topics[static_cast<std::size_t>(topic_)].places;
      for (const int place : places) {
        if (place != place_) offer(place, 1.0 / static_cast<double>(places.size() - 1));
      }
      return;
    }
    case Phase::ended:
      return;
  }
}

void Stories::Derivation::take_subject(int word) {
  const Grammar& g = *grammar_;
  if (cast_ == 2) {
    actor_ = word == name_[0] || word == g.pronouns[class_[0]] ? 0 : 1;
    return;
  }
  for (int c = 0; c < Grammar::kClasses; ++c) {
    const bool named = Grammar::find(g.names[c], word) >= 0;
    if (!named && word != g.pronouns[c]) continue;
    class_[0] = c;
    if (named) name_[0] = word;
  }
}

void Stories::Derivation::take_verb(int word) {
  const Grammar& g = *grammar_;
  if (Grammar::find(g.journey_verbs.words, word) >= 0) {
    phase_ = Phase::from;
    return;
  }
  for (std::size_t t = 0; topic_ < 0 && t < g.topics.size(); ++t) {
    if (Grammar::find(g.topics[t].script, word) >= 0) topic_ = static_cast<int>(t);
  }
  const int event = Grammar::find(g.topics[static_cast<std::size_t>(topic_)].script, word);
  if (event > script_next_) {
    swapped_ = true;
  } else {
    script_next_ += swapped_ ? 2 : 1;
    swapped_ = false;
  }
  phase_ = Phase::article;
}

void Stories::Derivation::advance(int word) {
  const Grammar& g = *grammar_;
  switch (phase_) {
    case Phase::one:
      phase_ = Phase::time;
      break;
    case Phase::time:
      phase_ = Phase::first_name;
      break;
    case Phase::first_name:
    case Phase::second_name: {
      const int who = phase_ == Phase::first_name ? 0 : 1;
      name_[who] = word;
      for (int c = 0; c < Grammar::kClasses; ++c) {
        if (Grammar::find(g.names[c], word) >= 0) class_[who] = c;
      }
      phase_ = who == 0 ? Phase::and_ : Phase::setting_verb;
      break;
    }
    case Phase::and_:
      phase_ = Phase::second_name;
      break;
    case Phase::setting_verb:
      phase_ = Phase::near;
      break;
    case Phase::near:
      phase_ = Phase::near_the;
      break;
    case Phase::near_the:
      phase_ = Phase::setting;
      break;
    case Phase::setting:
      for (std::size_t t = 0; t < g.topics.size(); ++t) {
        if (Grammar::find(g.topics[t].settings.words, word) >= 0) topic_ = static_cast<int>(t);
      }
      phase_ = Phase::setting_stop;
      break;
    case Phase::boundary:
      if (word == kEndOfDocument) {
        phase_ = Phase::ended;
      } else {
        take_subject(word);
        phase_ = Phase::verb;
      }
      break;
    case Phase::verb:
      take_verb(word);
      break;
    case Phase::article:
      phase_ = word == g.a ? Phase::adjective : Phase::old_object;
      break;
    case Phase::adjective:
      phase_ = Phase::new_object;
      break;
    case Phase::new_object:
    case Phase::old_object:
      last_object_ = Grammar::find(g.topics[static_cast<std::size_t>(topic_)].objects.words, word);
      mentioned_ |= 1U << last_object_;
      phase_ = Phase::stop;
      break;
    case Phase::from:
      phase_ = Phase::departure;
      break;
    case Phase::departure:
      for (std::size_t t = 0; topic_ < 0 && t < g.topics.size(); ++t) {
        if (Grammar::find(g.topics[t].places, word) >= 0) topic_ = static_cast<int>(t);
      }
      place_ = word;
      phase_ = Phase::to;
      break;
    case Phase::to:
      phase_ = Phase::arrival;
      break;
    case Phase::arrival:
      place_ = word;
      phase_ = Phase::stop;
      break;
    case Phase::setting_stop:
    case Phase::stop:
      ++sentences_;
      phase_ = Phase::boundary;
      break;
    case Phase::ended:
      break;
  }
  offer();
}

// ------------------------------------------------------------------- the language

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
