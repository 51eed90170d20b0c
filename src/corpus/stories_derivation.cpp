// A walk through the grammar of the generated language, word by word.
#include <algorithm>

#include "stories_grammar.h"
#include "xfq/core/error.h"
#include "xfq/corpus/stories.h"

namespace xfq::corpus {

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

}  // namespace xfq::corpus
