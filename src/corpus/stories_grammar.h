// The grammar of `stories`: tables, and the automaton that walks them word by word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "xfq/corpus/stories.h"

namespace xfq::corpus {

struct BuiltInTables {
  std::string_view domain;
  std::string_view text;
};
const std::vector<BuiltInTables>& built_in_tables();

/// Words with weights that sum to 1.
struct WordList {
  std::vector<int> words;  ///< indices into Grammar::words
  std::vector<double> weights;

  std::size_t size() const { return words.size(); }
};

struct Topic {
  std::string name;
  WordList settings;
  std::vector<int> script;  ///< the events in their order
  WordList objects;
  std::vector<int> places;
};

// Probabilities that no option changes.
constexpr double kNameShare = 0.5;       ///< a known actor is named, else "He", "She", "It"
constexpr double kSameActor = 0.7;       ///< the actor of the sentence before acts again
constexpr double kSameObject = 0.5;      ///< an event takes the object of the event before
constexpr std::size_t kMaxObjects = 16;  ///< in a topic; the set of mentioned ones is a bit mask

struct Stories::Grammar {
  StoriesOptions options;
  std::vector<std::string> words;
  std::unordered_map<std::string, int> ids;

  // A name's pronoun class: 0 he, 1 she, 2 it.
  static constexpr int kClasses = 3;
  std::vector<int> names[kClasses];
  int pronouns[kClasses] = {};
  WordList times, setting_verbs, adjectives, journey_verbs;
  std::vector<Topic> topics;

  // Function words.
  int one = 0, and_ = 0, near = 0, the = 0, a = 0, from = 0, to = 0, stop = 0;

  bool has_setting() const { return options.setting && options.order != "chain"; }
  double journey_share() const {
    return options.order == "chain" ? 1.0 : options.order == "script" ? 0.0 : options.journeys;
  }
  std::size_t name_count() const;
  /// Index into `list`, or -1.
  static int find(const std::vector<int>& list, int word);

  /// Reads the tables and checks that no word has two roles.
  void read_tables(std::string_view text);
  int word_id(const std::string& word);
};

constexpr int kEndOfDocument = -1;

struct Choice {
  int word = kEndOfDocument;
  double probability = 0;
};

/// One walk through the grammar. The state after a prefix is a function of the
/// prefix: the choices of a state are different words.
class Stories::Derivation {
 public:
  explicit Derivation(const Grammar& grammar);

  /// All words with positive probability; empty after the end.
  const std::vector<Choice>& choices() const { return choices_; }
  /// `word` must be one of the choices.
  void advance(int word);

  /// Between two sentences, or before the first.
  bool at_boundary() const { return phase_ == Phase::boundary; }
  int topic() const { return topic_; }

 private:
  enum class Phase {
    one,
    time,
    first_name,
    and_,
    second_name,
    setting_verb,
    near,
    near_the,
    setting,
    setting_stop,
    boundary,
    verb,
    article,
    adjective,
    new_object,
    old_object,
    from,
    departure,
    to,
    arrival,
    stop,
    ended,
  };

  void offer();
  void offer(int word, double probability);
  void offer(const WordList& list, double scale);
  void offer_subjects(double scale);
  void offer_verbs();
  void take_subject(int word);
  void take_verb(int word);
  double mentioned_weight() const;
  double repeat_probability() const;

  const Grammar* grammar_;
  Phase phase_ = Phase::boundary;
  std::vector<Choice> choices_;

  std::int64_t sentences_ = 0;  ///< finished ones
  int topic_ = -1;              ///< -1: not revealed yet
  int cast_ = 0;                ///< how many act: 2 with a setting, else 1
  int name_[2] = {-1, -1};      ///< word ids; -1: not revealed yet
  int class_[2] = {-1, -1};
  int actor_ = -1;        ///< who acted last
  int script_next_ = 0;   ///< next event of the script that is not reached yet
  bool swapped_ = false;  ///< event script_next_ + 1 has happened, script_next_ is due
  int last_object_ = -1;
  std::uint32_t mentioned_ = 0;
  int place_ = -1;
};

}  // namespace xfq::corpus
