// The word, character and byte tokenizers, and the factory of all.
#include "xfq/corpus/tokenizer.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "tokenizer_base.h"
#include "xfq/core/error.h"
#include "xfq/core/utf8.h"

namespace xfq::corpus {

namespace {

constexpr std::int64_t kMaxPieces = 1'000'000;

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// A closed list of units: words or characters.
class ListTokenizer : public Tokenizer {
 public:
  ListTokenizer(const Specials& specials, std::vector<std::string> units)
      : special_(specials), units_(std::move(units)) {
    for (std::size_t i = 0; i < units_.size(); ++i) {
      ids_.emplace(units_[i], special_.size() + static_cast<std::int32_t>(i));
    }
  }

  std::int32_t vocabulary_size() const override {
    return special_.size() + static_cast<std::int32_t>(units_.size());
  }
  const SpecialIds& special() const override { return special_.ids(); }
  std::string token(std::int32_t id) const override {
    XFQ_ASSERT(id >= 0 && id < vocabulary_size());
    if (special_.has(id)) return special_.name(id);
    return units_[static_cast<std::size_t>(id - special_.size())];
  }

 protected:
  std::int32_t id_of(std::string_view unit) const {
    const auto found = ids_.find(std::string(unit));
    return found != ids_.end() ? found->second : unknown_id(special_, unit);
  }

 private:
  SpecialTokens special_;
  std::vector<std::string> units_;
  std::unordered_map<std::string, std::int32_t> ids_;
};

class WordTokenizer final : public ListTokenizer {
 public:
  using ListTokenizer::ListTokenizer;

  std::string name() const override { return "word"; }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    for (const std::string_view word : split_words(text)) ids.push_back(id_of(word));
    return ids;
  }

  std::string decode(const std::vector<std::int32_t>& ids) const override {
    static constexpr std::string_view kNoSpaceBefore = ".,;:!?)]";
    static constexpr std::string_view kNoSpaceAfter = "([";
    std::string text;
    bool space = false;
    for (const std::int32_t id : ids) {
      const std::string word = token(id);
      const bool mark = word.size() == 1;
      if (space && !(mark && kNoSpaceBefore.find(word[0]) != std::string_view::npos)) text += ' ';
      text += word;
      space = !(mark && kNoSpaceAfter.find(word[0]) != std::string_view::npos);
    }
    return text;
  }
};

class CharTokenizer final : public ListTokenizer {
 public:
  using ListTokenizer::ListTokenizer;

  std::string name() const override { return "char"; }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    ids.reserve(text.size());
    while (!text.empty()) {
      const std::string_view character = utf8_front(text);
      ids.push_back(id_of(character));
      text.remove_prefix(character.size());
    }
    return ids;
  }

  std::string decode(const std::vector<std::int32_t>& ids) const override {
    std::string text;
    for (const std::int32_t id : ids) text += token(id);
    return text;
  }
};

class ByteTokenizer final : public Tokenizer {
 public:
  explicit ByteTokenizer(const Specials& specials) : special_(specials) {}

  std::string name() const override { return "byte"; }
  std::int32_t vocabulary_size() const override { return special_.size() + 256; }
  const SpecialIds& special() const override { return special_.ids(); }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    ids.reserve(text.size());
    for (const char c : text) ids.push_back(special_.size() + static_cast<unsigned char>(c));
    return ids;
  }

  std::string decode(const std::vector<std::int32_t>& ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (special_.has(id)) {
        text += special_.name(id);
      } else {
        text += static_cast<char>(id - special_.size());
      }
    }
    return text;
  }

  std::string token(std::int32_t id) const override {
    XFQ_ASSERT(id >= 0 && id < vocabulary_size());
    if (special_.has(id)) return special_.name(id);
    const int byte = id - special_.size();
    if (byte > 0x20 && byte < 0x7F) return std::string(1, static_cast<char>(byte));
    return fmt::format("<0x{:02X}>", byte);
  }

 private:
  SpecialTokens special_;
};

std::unique_ptr<Tokenizer> make_word(const TrainingText& training, const Specials& specials,
                                     std::int64_t vocab_limit) {
  std::map<std::string_view, std::int64_t> counts;
  for (const std::string_view text : training) {
    for (const std::string_view word : split_words(text)) ++counts[word];
  }
  std::vector<std::pair<std::string_view, std::int64_t>> order(counts.begin(), counts.end());
  // Ties stay in the order of their bytes.
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& x, const auto& y) { return x.second > y.second; });
  if (vocab_limit > 0) {
    const std::int64_t room = vocab_limit - SpecialTokens(specials).size();
    if (room < 1) {
      throw_usage(fmt::format(
          "--vocab: got {}, expected at least {} ({} special tokens and a word)", vocab_limit,
          SpecialTokens(specials).size() + 1, SpecialTokens(specials).size()));
    }
    if (order.size() > static_cast<std::size_t>(room)) order.resize(static_cast<std::size_t>(room));
  }
  std::vector<std::string> words;
  for (const auto& entry : order) words.emplace_back(entry.first);
  return std::make_unique<WordTokenizer>(specials, std::move(words));
}

std::unique_ptr<Tokenizer> make_char(const TrainingText& training, const Specials& specials) {
  // The order of UTF-8 bytes is the order of code points.
  std::set<std::string_view> characters;
  for (std::string_view text : training) {
    while (!text.empty()) {
      const std::string_view character = utf8_front(text);
      characters.insert(character);
      text.remove_prefix(character.size());
    }
  }
  return std::make_unique<CharTokenizer>(
      specials, std::vector<std::string>(characters.begin(), characters.end()));
}

/// N of bpe:N, or -1 where `option` is of another form.
std::int64_t bpe_pieces(const std::string& option) {
  static constexpr std::string_view kPrefix = "bpe:";
  if (option.rfind(kPrefix, 0) != 0) return -1;
  const std::string digits = option.substr(kPrefix.size());
  if (digits.empty() || digits.size() > 9 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return -1;
  }
  return std::stoll(digits);
}

}  // namespace

std::int32_t unknown_id(const SpecialTokens& special, std::string_view text) {
  if (special.ids().unk < 0) {
    throw_input(fmt::format("the vocabulary does not know '{}' and has no <unk>", text),
                "train the tokenizer on text that has it");
  }
  return special.ids().unk;
}

std::vector<std::string> Tokenizer::tokens() const {
  std::vector<std::string> all;
  for (std::int32_t id = 0; id < vocabulary_size(); ++id) all.push_back(token(id));
  return all;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_ascii_space(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    if (is_word_character(text[at])) {
      while (end < text.size()) {
        const bool joint = (text[end] == '\'' || text[end] == '-') && end + 1 < text.size() &&
                           is_word_character(text[end + 1]);
        if (!is_word_character(text[end]) && !joint) break;
        ++end;
      }
    }
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

void check_tokenizer_option(const std::string& option) {
  if (option == "word" || option == "char" || option == "byte") return;
  const std::int64_t pieces = bpe_pieces(option);
  if (pieces >= 2 && pieces <= kMaxPieces) return;
  throw_usage(fmt::format("--tokenizer: got '{}', expected word, char, byte or bpe:N with N from 2 "
                          "to {}",
                          option, kMaxPieces),
              "for example bpe:1000");
}

std::unique_ptr<Tokenizer> make_tokenizer(const std::string& option, const TrainingText& training,
                                          const Specials& specials, std::int64_t vocab_limit) {
  check_tokenizer_option(option);
  if (option == "word") return make_word(training, specials, vocab_limit);
  if (option == "char") return make_char(training, specials);
  if (option == "byte") return std::make_unique<ByteTokenizer>(specials);
  return make_bpe(option, bpe_pieces(option), training, specials);
}

std::unique_ptr<Tokenizer> make_tokenizer(const std::string& option,
                                          const std::vector<Document>& training,
                                          const Specials& specials, std::int64_t vocab_limit) {
  TrainingText text;
  for (const Document& document : training) {
    text.insert(text.end(), document.sentences.begin(), document.sentences.end());
  }
  // Between the sentences of a document stands a line break.
  if (option == "char") text.emplace_back("\n");
  return make_tokenizer(option, text, specials, vocab_limit);
}

TokenizedDocuments tokenize(const std::vector<Document>& documents, const Tokenizer& tokenizer) {
  TokenizedDocuments result;
  for (const Document& document : documents) {
    result.emplace_back();
    for (const std::string& sentence : document.sentences) {
      result.back().push_back(tokenizer.encode(sentence));
    }
  }
  return result;
}

}  // namespace xfq::corpus
