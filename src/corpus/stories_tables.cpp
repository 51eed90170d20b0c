// Reading the grammar's tables (data/stories/*.txt).
#include <fmt/core.h>

#include <set>
#include <sstream>

#include "stories_grammar.h"
#include "xfq/core/error.h"

namespace xfq::corpus {

namespace {

struct Weighted {
  std::string word;
  double weight = 1;
};

[[noreturn]] void bad_line(int line, const std::string& what) {
  throw_input(fmt::format("story tables, line {}: {}", line, what),
              "compare with data/stories/village.txt");
}

std::vector<Weighted> parse_words(const std::string& text, int line) {
  std::vector<Weighted> result;
  std::istringstream in(text);
  std::string item;
  while (in >> item) {
    Weighted entry;
    const std::size_t equals = item.find('=');
    entry.word = item.substr(0, equals);
    if (equals != std::string::npos) {
      const std::string digits = item.substr(equals + 1);
      if (digits.empty() || digits.size() > 4 ||
          digits.find_first_not_of("0123456789") != std::string::npos || std::stoi(digits) < 1) {
        bad_line(line, fmt::format("got weight '{}', expected a whole number above 0", digits));
      }
      entry.weight = std::stoi(digits);
    }
    if (entry.word.empty()) bad_line(line, "got a weight without a word");
    result.push_back(std::move(entry));
  }
  if (result.empty()) bad_line(line, "got no words, expected at least one");
  return result;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

int Stories::Grammar::word_id(const std::string& word) {
  const auto [position, added] = ids.try_emplace(word, static_cast<int>(words.size()));
  if (added) words.push_back(word);
  return position->second;
}

int Stories::Grammar::find(const std::vector<int>& list, int word) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i] == word) return static_cast<int>(i);
  }
  return -1;
}

std::size_t Stories::Grammar::name_count() const {
  std::size_t count = 0;
  for (const auto& list : names) count += list.size();
  return count;
}

void Stories::Grammar::read_tables(std::string_view text) {
  std::set<std::string> used;
  const auto add = [&](const std::string& word, int line) {
    if (!used.insert(word).second) {
      bad_line(line, fmt::format("got '{}' a second time, expected one role for each word", word));
    }
    return word_id(word);
  };
  one = add("One", 0);
  and_ = add("and", 0);
  near = add("near", 0);
  the = add("the", 0);
  a = add("a", 0);
  from = add("from", 0);
  to = add("to", 0);
  stop = add(".", 0);
  const char* const pronoun_words[kClasses] = {"He", "She", "It"};
  for (int c = 0; c < kClasses; ++c) pronouns[c] = add(pronoun_words[c], 0);

  const auto plain = [&](const std::string& value, int line) {
    std::vector<int> list;
    for (const Weighted& entry : parse_words(value, line)) {
      if (entry.weight != 1) bad_line(line, "got a weight where all words weigh the same");
      list.push_back(add(entry.word, line));
    }
    return list;
  };
  const auto weighted = [&](const std::string& value, int line) {
    WordList list;
    double sum = 0;
    for (const Weighted& entry : parse_words(value, line)) {
      list.words.push_back(add(entry.word, line));
      list.weights.push_back(entry.weight);
      sum += entry.weight;
    }
    for (double& weight : list.weights) weight /= sum;
    return list;
  };

  std::istringstream in{std::string(text)};
  std::string raw_line;
  for (int line = 1; std::getline(in, raw_line); ++line) {
    const std::string content = trimmed(raw_line);
    if (content.empty() || content[0] == '#') continue;
    if (content.rfind("topic ", 0) == 0) {
      topics.emplace_back();
      topics.back().name = trimmed(content.substr(6));
      continue;
    }
    const std::size_t colon = content.find(':');
    if (colon == std::string::npos) bad_line(line, "expected 'role: words' or 'topic NAME'");
    const std::string role = content.substr(0, colon);
    const std::string value = content.substr(colon + 1);
    const bool in_topic = !topics.empty();
    if (!in_topic && role == "he")
      names[0] = plain(value, line);
    else if (!in_topic && role == "she")
      names[1] = plain(value, line);
    else if (!in_topic && role == "it")
      names[2] = plain(value, line);
    else if (!in_topic && role == "times")
      times = weighted(value, line);
    else if (!in_topic && role == "setting_verbs")
      setting_verbs = weighted(value, line);
    else if (!in_topic && role == "adjectives")
      adjectives = weighted(value, line);
    else if (!in_topic && role == "journey_verbs")
      journey_verbs = weighted(value, line);
    else if (in_topic && role == "settings")
      topics.back().settings = weighted(value, line);
    else if (in_topic && role == "script")
      topics.back().script = plain(value, line);
    else if (in_topic && role == "objects")
      topics.back().objects = weighted(value, line);
    else if (in_topic && role == "places")
      topics.back().places = plain(value, line);
    else
      bad_line(line, fmt::format("got role '{}', which does not belong here", role));
  }

  const auto require = [](bool good, const std::string& what) {
    if (!good) throw_input("story tables: " + what, "compare with data/stories/village.txt");
  };
  int classes = 0;
  for (const auto& list : names) classes += list.empty() ? 0 : 1;
  require(classes >= 2, "expected names under at least two pronouns");
  require(times.size() > 0 && setting_verbs.size() > 0 && adjectives.size() > 0 &&
              journey_verbs.size() > 0,
          "expected times, setting_verbs, adjectives and journey_verbs");
  require(!topics.empty(), "expected at least one topic");
  for (const Topic& topic : topics) {
    require(topic.settings.size() > 0 && !topic.script.empty() && topic.objects.size() > 0 &&
                topic.objects.size() <= kMaxObjects && topic.places.size() >= 2,
            fmt::format("topic {}: expected settings, a script, 1 to {} objects and at least 2 "
                        "places",
                        topic.name, kMaxObjects));
  }
}

}  // namespace xfq::corpus
