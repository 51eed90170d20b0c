// The exact entropy of the language, by dynamic programming.
//
// By the chain rule the entropy of a document is the expected entropy of each
// draw. Draws fall into groups that do not influence each other given the topic:
// who acts, which verb (and with it the kind of sentence), which object, which
// places. So small state spaces suffice: the script's state for verbs, the set of
// mentioned objects and the last one for objects.
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "stories_grammar.h"

namespace xfq::corpus {

namespace {

/// -p ln p, 0 at 0.
double term(double p) { return p > 0 ? -p * std::log(p) : 0.0; }

double entropy_of(const std::vector<double>& probabilities) {
  double sum = 0;
  for (const double p : probabilities) sum += term(p);
  return sum;
}

double binary_entropy(double p) { return term(p) + term(1 - p); }

struct EventCost {
  double nats = 0;    ///< entropy of article, adjective and object
  double tokens = 0;  ///< expected words of the sentence, the full stop included
};

/// Element e: the expected cost of the e-th event of a document.
std::vector<EventCost> event_costs(const Topic& topic, double adjective_entropy,
                                   std::int64_t events) {
  struct State {
    std::uint32_t mentioned = 0;
    int last = -1;
    bool operator<(const State& other) const {
      return std::pair(mentioned, last) < std::pair(other.mentioned, other.last);
    }
  };
  const std::vector<double>& weights = topic.objects.weights;
  std::vector<EventCost> result;
  std::map<State, double> now{{State{}, 1.0}};
  for (std::int64_t e = 0; e < events; ++e) {
    EventCost cost;
    std::map<State, double> next;
    for (const auto& [state, share] : now) {
      const double repeat = state.last >= 0 ? kSameObject : 0.0;
      // The joint draw (article, object) has one outcome per object, since the
      // article is a function of the object; the adjective comes with new ones.
      double fresh = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const bool known = (state.mentioned >> i & 1U) != 0;
        const double p =
            (1 - repeat) * weights[i] + (static_cast<int>(i) == state.last ? repeat : 0.0);
        cost.nats += share * term(p);
        if (!known) fresh += p;
        next[State{state.mentioned | 1U << i, static_cast<int>(i)}] += share * p;
      }
      cost.nats += share * fresh * adjective_entropy;
      cost.tokens += share * (5 + fresh);
    }
    result.push_back(cost);
    now = std::move(next);
  }
  return result;
}

}  // namespace

StoriesEntropy Stories::entropy() const {
  const Grammar& g = *grammar_;
  const StoriesOptions& o = g.options;
  const double names = static_cast<double>(g.name_count());
  const double topics = static_cast<double>(g.topics.size());
  const std::int64_t opening = g.has_setting() ? 1 : 0;
  const std::int64_t body = o.max_sentences - opening;
  const auto exists = [&](std::int64_t sentence) {  // P(the document has sentence 0, 1, ...)
    if (sentence < o.min_sentences) return 1.0;
    return static_cast<double>(o.max_sentences - sentence) /
           static_cast<double>(o.max_sentences - o.min_sentences + 1);
  };

  // The length, the end, and the topic, which the first sentence always reveals.
  double nats =
      std::log(static_cast<double>(o.max_sentences - o.min_sentences + 1)) + std::log(topics);
  double tokens = 1;

  double class_entropy = 0;  // of a name's class
  double within_class = 0;   // of a name, its class given
  double second_name = 0;
  for (const auto& list : g.names) {
    if (list.empty()) continue;
    const double size = static_cast<double>(list.size());
    class_entropy += term(size / names);
    within_class += size / names * std::log(size);
    second_name += size / names * std::log(names - size);
  }
  if (g.has_setting()) {
    nats += entropy_of(g.times.weights) + std::log(names) + second_name +
            entropy_of(g.setting_verbs.weights);
    tokens += 10;
  }

  // Who acts.
  double unnamed = 1;  // P(a cast of one has been called by pronouns only)
  for (std::int64_t b = 0; b < body; ++b) {
    double subject = binary_entropy(kNameShare);
    if (g.has_setting()) {
      subject += b == 0 ? std::log(2.0) : binary_entropy(kSameActor);
    } else {
      if (b == 0) subject += class_entropy;
      subject += unnamed * kNameShare * within_class;
      unnamed *= 1 - kNameShare;
    }
    nats += exists(opening + b) * subject;
  }

  const double adjective_entropy = entropy_of(g.adjectives.weights);
  const double journey_verb_entropy = entropy_of(g.journey_verbs.weights);
  for (const Topic& topic : g.topics) {
    double topic_nats = 0;
    double topic_tokens = 0;
    if (g.has_setting()) topic_nats += entropy_of(topic.settings.weights);
    const double places = static_cast<double>(topic.places.size());
    const std::vector<EventCost> events = event_costs(topic, adjective_entropy, body);

    struct State {
      std::size_t next = 0;  // as in Derivation: script_next_, swapped_
      bool swapped = false;
      bool travelled = false;
      bool operator<(const State& other) const {
        return std::tuple(next, swapped, travelled) <
               std::tuple(other.next, other.swapped, other.travelled);
      }
    };
    const double journey = g.journey_share();
    std::map<State, double> now{{State{}, 1.0}};
    for (std::int64_t b = 0; b < body; ++b) {
      const double here = exists(opening + b);
      std::map<State, double> following;
      for (const auto& [state, share] : now) {
        const double swap = !state.swapped && state.next + 1 < topic.script.size() ? o.swap : 0.0;
        const double q = here * share;
        topic_nats += q * (binary_entropy(journey) + (1 - journey) * binary_entropy(swap) +
                           journey * journey_verb_entropy);
        if (journey > 0) {
          topic_nats +=
              q * journey * ((state.travelled ? 0.0 : std::log(places)) + std::log(places - 1));
          topic_tokens += q * journey * 7;
          following[State{state.next, state.swapped, true}] += share * journey;
        }
        if (journey < 1) {
          const EventCost& cost = events[state.next + (state.swapped ? 1 : 0)];
          topic_nats += q * (1 - journey) * cost.nats;
          topic_tokens += q * (1 - journey) * cost.tokens;
          following[State{state.next + (state.swapped ? 2 : 1), false, state.travelled}] +=
              share * (1 - journey) * (1 - swap);
          if (swap > 0) {
            following[State{state.next, true, state.travelled}] += share * (1 - journey) * swap;
          }
        }
      }
      now = std::move(following);
    }
    nats += topic_nats / topics;
    tokens += topic_tokens / topics;
  }
  return {nats, tokens, nats / tokens};
}

}  // namespace xfq::corpus
