// The generated language: one derivation for each text, probabilities that sum to
// one, and an entropy that three independent computations agree on.
#include "xfq/corpus/stories.h"

#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/core/random.h"
#include "xfq/corpus/tokenizer.h"

using namespace xfq::corpus;

namespace {

/// Small enough to enumerate every text.
constexpr const char* kTinyTables = R"(
he: Abe Ben
she: Cat
times: day=2 night
setting_verbs: met
adjectives: red=2 blue
journey_verbs: ran
topic farm
settings: barn=2 field
script: fed led sold
objects: cow=3 hen
places: Oxley Wheaton
topic port
settings: pier
script: tied rowed sank
objects: boat
places: Saltby Coveton Mast
)";

/// A program over free choices, run once for every way of choosing.
class Enumerator {
 public:
  std::size_t choose(const std::vector<double>& weights) {
    if (at_ == path_.size()) path_.push_back({first(weights, 0), weights});
    const auto& step = path_[at_++];
    probability_ *= step.weights[step.pick];
    return step.pick;
  }

  void run(const std::function<void(Enumerator&)>& program,
           const std::function<void(double)>& outcome) {
    for (;;) {
      at_ = 0;
      probability_ = 1;
      program(*this);
      outcome(probability_);
      while (!path_.empty()) {
        Step& step = path_.back();
        step.pick = first(step.weights, step.pick + 1);
        if (step.pick < step.weights.size()) break;
        path_.pop_back();
      }
      if (path_.empty()) return;
    }
  }

 private:
  struct Step {
    std::size_t pick;
    std::vector<double> weights;
  };
  static std::size_t first(const std::vector<double>& weights, std::size_t from) {
    while (from < weights.size() && weights[from] <= 0) ++from;
    return from;
  }
  std::vector<Step> path_;
  std::size_t at_ = 0;
  double probability_ = 1;
};

/// The language told as a story-teller would: hidden draws first (length, cast,
/// topic, kind of sentence, trade of neighbours, same object again), words after.
/// Shares no code with the automaton; several ways of drawing may give one text.
std::string tell(Enumerator& draw, const StoriesOptions& o) {
  const std::vector<std::vector<std::string>> names = {{"Abe", "Ben"}, {"Cat"}};
  const std::vector<std::string> pronouns = {"He", "She"};
  struct TinyTopic {
    std::vector<std::string> settings;
    std::vector<double> setting_weights;
    std::vector<std::string> script, objects;
    std::vector<double> object_weights;
    std::vector<std::string> places;
  };
  const std::vector<TinyTopic> topics = {
      {{"barn", "field"},
       {2. / 3, 1. / 3},
       {"fed", "led", "sold"},
       {"cow", "hen"},
       {.75, .25},
       {"Oxley", "Wheaton"}},
      {{"pier"}, {1}, {"tied", "rowed", "sank"}, {"boat"}, {1}, {"Saltby", "Coveton", "Mast"}}};

  const std::size_t lengths = static_cast<std::size_t>(o.max_sentences - o.min_sentences + 1);
  const std::size_t length =
      static_cast<std::size_t>(o.min_sentences) +
      draw.choose(std::vector<double>(lengths, 1.0 / static_cast<double>(lengths)));
  const TinyTopic& topic = topics[draw.choose({.5, .5})];
  std::string text;

  struct Person {
    std::string name, pronoun;
  };
  std::vector<Person> cast;
  const bool setting = o.setting && o.order != "chain";
  const std::size_t lead = draw.choose({1. / 3, 1. / 3, 1. / 3});
  const bool lead_is_she = lead == 2;
  cast.push_back(lead_is_she ? Person{names[1][0], "She"} : Person{names[0][lead], "He"});
  if (setting) {
    cast.push_back(lead_is_she ? Person{names[0][draw.choose({.5, .5})], "He"}
                               : Person{names[1][0], "She"});
    text += "One ";
    text += draw.choose({2. / 3, 1. / 3}) == 0 ? "day " : "night ";
    text += cast[0].name + " and " + cast[1].name + " met near the ";
    text += topic.settings[draw.choose(topic.setting_weights)] + ".\n";
  }

  const double journeys = o.order == "chain" ? 1 : o.order == "script" ? 0 : o.journeys;
  std::vector<std::string> script = topic.script;
  std::size_t actor = 0;
  std::set<std::string> seen;
  std::string object, place;
  bool traded = false;
  for (std::size_t s = setting ? 1 : 0; s < length; ++s) {
    if (cast.size() == 2) {
      const bool opening = s == 1;
      const std::size_t change =
          draw.choose(opening ? std::vector<double>{.5, .5} : std::vector<double>{.7, .3});
      actor = (actor + change) % 2;
    }
    text += draw.choose({.5, .5}) == 0 ? cast[actor].name : cast[actor].pronoun;
    const bool journey = draw.choose({1 - journeys, journeys}) == 1;
    if (journey) {
      if (place.empty()) {
        place = topic.places[draw.choose(std::vector<double>(
            topic.places.size(), 1.0 / static_cast<double>(topic.places.size())))];
      }
      std::vector<std::string> others;
      for (const auto& other : topic.places) {
        if (other != place) others.push_back(other);
      }
      const std::string next = others[draw.choose(
          std::vector<double>(others.size(), 1.0 / static_cast<double>(others.size())))];
      text += " ran from " + place + " to " + next + ".\n";
      place = next;
      continue;
    }
    // The later half of a trade does not trade again.
    std::size_t take = 0;
    if (!traded && script.size() >= 2 && draw.choose({1 - o.swap, o.swap}) == 1) {
      take = 1;
      traded = true;
    } else {
      traded = false;
    }
    text += " " + script[take];
    script.erase(script.begin() + static_cast<std::ptrdiff_t>(take));
    if (object.empty() || draw.choose({.5, .5}) == 0) {
      object = topic.objects[draw.choose(topic.object_weights)];
    }
    if (seen.insert(object).second) {
      text += draw.choose({2. / 3, 1. / 3}) == 0 ? " a red " : " a blue ";
    } else {
      text += " the ";
    }
    text += object + ".\n";
  }
  return text;
}

Document document_of(const std::string& text) {
  Document document;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    document.sentences.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return document;
}

std::vector<std::string> words_of(const Document& document) {
  std::vector<std::string> words;
  for (const auto& sentence : document.sentences) {
    for (const auto word : split_words(sentence)) words.emplace_back(word);
  }
  return words;
}

std::vector<StoriesOptions> all_kinds() {
  std::vector<StoriesOptions> kinds;
  for (const std::string& domain : story_domains()) {
    for (const char* order : {"mixture", "script", "chain"}) {
      for (const bool setting : {true, false}) {
        if (!setting && std::string(order) == "chain") continue;
        StoriesOptions options;
        options.domain = domain;
        options.order = order;
        options.setting = setting;
        kinds.push_back(options);
      }
    }
  }
  return kinds;
}

}  // namespace

TEST_CASE("stories: every text of a tiny language, its probability and the entropy") {
  StoriesOptions o;
  o.min_sentences = 2;
  o.max_sentences = 3;
  o.swap = 0.25;
  o.journeys = 0.4;
  SECTION("mixture") {}
  SECTION("mixture without setting") { o.setting = false; }
  SECTION("script") { o.order = "script"; }
  SECTION("script without setting") {
    o.order = "script";
    o.setting = false;
  }
  SECTION("chain") { o.order = "chain"; }
  SECTION("whole scripts: the last event has no neighbour to trade with") {
    o.order = "script";
    o.min_sentences = 3;
    o.max_sentences = 4;
  }
  const Stories stories(o, kTinyTables);

  // All hidden draws; texts that are drawn in several ways add up.
  std::map<std::string, double> texts;
  Enumerator enumerator;
  std::string text;
  enumerator.run([&](Enumerator& draw) { text = tell(draw, o); },
                 [&](double probability) { texts[text] += probability; });
  double sum = 0, entropy = 0, tokens = 0;
  std::size_t wrong = 0;
  for (const auto& [told, probability] : texts) {
    sum += probability;
    entropy -= probability * std::log(probability);
    const auto story = stories.parse(document_of(told));
    if (!story || std::abs(story->log_probability - std::log(probability)) > 1e-12) ++wrong;
    if (story) tokens += probability * static_cast<double>(story->flat().size());
  }
  INFO(texts.size() << " texts");
  CHECK(texts.size() > 300);
  CHECK(wrong == 0);
  // The sums run over up to 1e5 terms; 1e-12 leaves room for rounding.
  CHECK(std::abs(sum - 1) < 1e-12);
  const StoriesEntropy exact = stories.entropy();
  CHECK(exact.nats_per_document == Approx(entropy).epsilon(1e-11));
  CHECK(exact.tokens_per_document == Approx(tokens).epsilon(1e-11));
  CHECK(exact.nats_per_token == Approx(entropy / tokens).epsilon(1e-11));
}

TEST_CASE("stories: next words sum to one, differ, and give the booked probabilities") {
  for (const StoriesOptions& options : all_kinds()) {
    const Stories stories(options);
    double worst = 0;
    bool distinct = true, positive = true, booked = true;
    for (std::uint64_t i = 0; i < 12; ++i) {
      const Story story = stories.generate(3, i);
      const std::vector<double> flat = story.flat();
      std::vector<std::string> words = words_of(story.document);
      words.emplace_back(Stories::kEnd);
      REQUIRE(words.size() == flat.size());
      std::vector<std::string> prefix;
      for (std::size_t k = 0; k < words.size(); ++k) {
        double sum = 0, mine = 0;
        std::set<std::string> seen;
        for (const auto& [word, probability] : stories.next_distribution(prefix)) {
          sum += probability;
          positive = positive && probability > 0;
          distinct = distinct && seen.insert(word).second;
          if (word == words[k]) mine = probability;
        }
        worst = std::max(worst, std::abs(sum - 1));
        booked = booked && std::log(mine) == flat[k];
        prefix.push_back(words[k]);
      }
      CHECK(stories.next_distribution(prefix).empty());
    }
    INFO(options.domain << " " << options.order << " setting " << options.setting);
    CHECK(worst < 1e-14);  // at most 70 terms: 70 roundings of 1.1e-16
    CHECK(distinct);       // so a prefix determines the state: one derivation for each text
    CHECK(positive);
    CHECK(booked);
  }
}

TEST_CASE("stories: the mean of -log p converges to the exact entropy") {
  std::uint64_t seed = 100;
  for (const StoriesOptions& options : all_kinds()) {
    const Stories stories(options);
    const StoriesEntropy exact = stories.entropy();
    const int n = 3000;
    double nats = 0, squares = 0, tokens = 0, token_squares = 0;
    ++seed;
    for (int i = 0; i < n; ++i) {
      const Story story = stories.generate(seed, static_cast<std::uint64_t>(i));
      const double size = static_cast<double>(story.flat().size());
      nats -= story.log_probability;
      squares += story.log_probability * story.log_probability;
      tokens += size;
      token_squares += size * size;
    }
    const double mean = nats / n, mean_tokens = tokens / n;
    const double error = std::sqrt((squares / n - mean * mean) / n);
    const double token_error = std::sqrt((token_squares / n - mean_tokens * mean_tokens) / n);
    INFO(options.domain << " " << options.order << " setting " << options.setting);
    CHECK(std::abs(mean - exact.nats_per_document) < 4 * error);
    CHECK(std::abs(mean_tokens - exact.tokens_per_document) < 4 * token_error);
    CHECK(error < 0.01 * mean);  // the check has teeth: 4 errors are below 4 %
  }
}

TEST_CASE("stories: no other distribution beats the language on its own texts") {
  // A wrong belief about the same texts (Gibbs): swap 0.3 instead of 0.15, and
  // journeys 0.3 instead of 0.5, lose; so would any model.
  const Stories right;
  StoriesOptions other;
  other.swap = 0.3;
  const Stories swapped(other);
  other.swap = 0.15;
  other.journeys = 0.3;
  const Stories rarer(other);
  double own = 0, lost_swap = 0, lost_journeys = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const Story story = right.generate(9, i);
    own -= story.log_probability;
    lost_swap -= *swapped.log_probability(story.document);
    lost_journeys -= *rarer.log_probability(story.document);
  }
  CHECK(lost_swap > own);
  CHECK(lost_journeys > own);
}

TEST_CASE("stories: texts, lengths and determinism") {
  const Stories stories;
  std::size_t longest = 0;
  std::set<std::string> topics;
  std::map<std::size_t, int> lengths;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const Story story = stories.generate(1, i);
    longest = std::max(longest, story.flat().size());
    ++lengths[story.document.sentences.size()];
    topics.insert(story.document.topic);
    if (i < 200) {
      const auto again = stories.parse(story.document);
      REQUIRE(again);
      CHECK(again->log_probability == story.log_probability);
      CHECK(again->token_log_probability == story.token_log_probability);
      CHECK(again->document.topic == story.document.topic);
      CHECK(stories.generate(1, i).document.sentences == story.document.sentences);
    }
  }
  CHECK(longest <= static_cast<std::size_t>(Stories::kMaxTokens));
  CHECK(topics.size() == 8);
  CHECK(lengths.size() == 4);
  for (const auto& [length, count] : lengths) {
    CHECK((length >= 5 && length <= 8));
    // 1000 expected of 4000 draws at 1/4: four standard deviations are 110.
    CHECK(std::abs(count - 1000) < 110);
  }
  // The longest text: ten words of setting, then seven journeys of seven, then the end.
  StoriesOptions travel;
  travel.journeys = 1;
  travel.min_sentences = 8;
  CHECK(Stories(travel).generate(1, 0).flat().size() ==
        static_cast<std::size_t>(Stories::kMaxTokens));

  const Text a = generate_stories({}, 7, 50);
  const Text b = generate_stories({}, 7, 50);
  CHECK(a.raw == b.raw);
  CHECK(a.sha256 == b.sha256);
  CHECK(generate_stories({}, 8, 50).raw != a.raw);
  CHECK(generate_stories({}, 7, 40, 10).documents[0].sentences == a.documents[10].sentences);
  CHECK(stories.vocabulary().size() == 301);  // counted in data/stories/village.txt: 290, and 11
                                              // function words
}

TEST_CASE("stories: articles, pronouns, events and journeys keep their rules") {
  const Stories stories;
  const std::set<std::string> pronouns = {"He", "She", "It"};
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Document document = stories.generate(2, i).document;
    std::set<std::string> seen, cast;
    std::set<std::string> used_pronouns;
    std::string place;
    for (std::size_t s = 0; s < document.sentences.size(); ++s) {
      const auto views = split_words(document.sentences[s]);
      const std::vector<std::string> w(views.begin(), views.end());
      if (s == 0) {
        REQUIRE(w.size() == 10);
        CHECK(w[0] == "One");
        cast = {w[2], w[4]};
        continue;
      }
      if (pronouns.count(w[0])) {
        used_pronouns.insert(w[0]);
      } else {
        CHECK(cast.count(w[0]) == 1);
      }
      if (w[2] == "from") {
        REQUIRE(w.size() == 7);
        if (!place.empty()) CHECK(w[3] == place);
        CHECK(w[5] != w[3]);
        place = w[5];
      } else if (w[2] == "a") {
        REQUIRE(w.size() == 6);
        CHECK(seen.insert(w[4]).second);
      } else {
        REQUIRE(w.size() == 5);
        CHECK(w[2] == "the");
        CHECK(seen.count(w[3]) == 1);
      }
    }
    CHECK(used_pronouns.size() <= 2);
  }
}

TEST_CASE("stories: a chain looks the same at every position") {
  StoriesOptions options;
  options.order = "chain";
  const Stories stories(options);
  const int n = 4000;
  const std::set<std::string> pronouns = {"He", "She", "It"};
  for (const std::size_t position : {std::size_t{0}, std::size_t{4}}) {
    int named = 0;
    std::map<std::string, int> verbs, departures;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(n); ++i) {
      const std::string sentence = stories.generate(4, i).document.sentences[position];
      const auto views = split_words(sentence);
      named += pronouns.count(std::string(views[0])) ? 0 : 1;
      ++verbs[std::string(views[1])];
      ++departures[std::string(views[3])];
    }
    const auto within = [&](int count, double share) {
      return std::abs(count - share * n) < 4 * std::sqrt(n * share * (1 - share));
    };
    INFO("sentence " << position);
    CHECK(within(named, 0.5));
    CHECK(within(verbs["walked"], 4.0 / 17));  // weights 4 3 2 2 and six ones in the tables
    CHECK(within(departures["Saltby"], 1.0 / 64));
    CHECK(within(departures["Anvilton"], 1.0 / 64));
    CHECK(departures.size() == 64);
  }
}

TEST_CASE("stories: what is no text of the language has no probability") {
  const Stories stories;
  const Document good = stories.generate(1, 0).document;
  REQUIRE(stories.log_probability(good));
  const auto rejected = [&](const std::function<void(Document&)>& spoil) {
    Document bad = good;
    spoil(bad);
    return !stories.log_probability(bad).has_value();
  };
  CHECK(rejected([](Document& d) { d.sentences.resize(4); }));
  CHECK(rejected([](Document& d) { d.sentences.clear(); }));
  CHECK(rejected([](Document& d) { std::swap(d.sentences[0], d.sentences[1]); }));
  CHECK(rejected([](Document& d) { d.sentences[1] += " "; }));
  CHECK(rejected([](Document& d) { d.sentences[1].pop_back(); }));
  CHECK(rejected([](Document& d) { d.sentences[1] = "Nobody knows."; }));
  CHECK(rejected([](Document& d) {
    d.sentences[0] += " " + d.sentences[1];
    d.sentences.erase(d.sentences.begin() + 1);
  }));
  CHECK(stories.next_distribution({"Two"}).empty());
  CHECK(stories.next_distribution({"One", "One"}).empty());
  CHECK(stories.next_distribution({}).size() == 1);
}

TEST_CASE("stories: domains and topics") {
  StoriesOptions crossed;
  crossed.domain = "crossed";
  const Stories a;
  const Stories b(crossed);
  CHECK(a.vocabulary() == b.vocabulary());
  int shared = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    shared += b.log_probability(a.generate(1, i).document).has_value() ? 1 : 0;
  }
  CHECK(shared == 0);

  StoriesOptions one;
  one.topics = 1;
  const Stories single(one);
  CHECK(single.topics() == std::vector<std::string>{"harbour"});
  for (std::uint64_t i = 0; i < 50; ++i) CHECK(single.generate(1, i).document.topic == "harbour");
}

TEST_CASE("stories: bad options and tables") {
  const auto message = [](const std::function<void()>& action) {
    try {
      action();
    } catch (const xfq::Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  StoriesOptions o;
  o.order = "random";
  CHECK(message([&] { Stories s(o); }) ==
        "stories: got order 'random', expected script, chain or mixture");
  o = {};
  o.domain = "mars";
  CHECK(message([&] { Stories s(o); }) ==
        "stories: got domain 'mars', expected one of crossed, village");
  o = {};
  o.max_sentences = 9;
  CHECK(message([&] { Stories s(o); }) ==
        "stories: got 5 to 9 sentences, expected 2 <= min <= max <= 8");
  o = {};
  o.swap = std::nan("");
  CHECK(message([&] { Stories s(o); }).find("got swap nan") != std::string::npos);
  o = {};
  o.topics = 9;
  CHECK(message([&] { Stories s(o); }).find("got 9 topics, expected 1 to 8") != std::string::npos);
  CHECK(message([] { generate_stories({}, 1, 0); }).find("got 0 documents") != std::string::npos);

  CHECK(message([] { Stories s({}, "he: Tom Tom\n"); }).find("line 1: got 'Tom' a second time") !=
        std::string::npos);
  CHECK(message([] { Stories s({}, "he: Tom\nshe: One\n"); }).find("'One' a second time") !=
        std::string::npos);
  CHECK(message([] { Stories s({}, "times: day=0\n"); }).find("weight '0'") != std::string::npos);
  CHECK(message([] { Stories s({}, "hats: red\n"); }).find("role 'hats'") != std::string::npos);
  CHECK(message([] { Stories s({}, "hello\n"); }).find("expected 'role: words'") !=
        std::string::npos);
  CHECK(message([] { Stories s({}, ""); }).find("at least two pronouns") != std::string::npos);
  // Three events cannot fill seven sentences.
  CHECK(message([] { Stories s({}, kTinyTables); }).find("has 3 events, expected at least 7") !=
        std::string::npos);
}
