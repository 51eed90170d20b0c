// Byte-pair encoding through SentencePiece (Kudo and Richardson 2018), trained in
// memory. Nothing is normalised, so that decoding gives the text back.
#include <fmt/core.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <set>
#include <unordered_map>

#include "tokenizer_base.h"
#include "xfq/core/error.h"
#include "xfq/core/utf8.h"

namespace xfq::corpus {

namespace {

class Sentences final : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(const TrainingText& text) : text_(&text) { load(); }

  bool done() const override { return at_ >= text_->size(); }
  void Next() override {
    ++at_;
    load();
  }
  const std::string& value() const override { return value_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void load() {
    if (!done()) value_ = std::string((*text_)[at_]);
  }

  const TrainingText* text_;
  std::size_t at_ = 0;
  std::string value_;
};

/// Our special tokens first, then SentencePiece's pieces without its own <unk>,
/// which is its id 0.
class BpeTokenizer final : public Tokenizer {
 public:
  BpeTokenizer(std::string name, const Specials& specials, const std::string& model)
      : name_(std::move(name)), special_(specials) {
    const auto status = processor_.LoadFromSerializedProto(model);
    if (!status.ok()) throw_run(fmt::format("{}: {}", name_, status.ToString()));
  }

  std::string name() const override { return name_; }
  std::int32_t vocabulary_size() const override { return shift() + processor_.GetPieceSize(); }
  const SpecialIds& special() const override { return special_.ids(); }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<int> pieces;
    const auto status = processor_.Encode({text.data(), text.size()}, &pieces);
    if (!status.ok()) throw_run(fmt::format("{}: {}", name_, status.ToString()));
    std::vector<std::int32_t> ids;
    ids.reserve(pieces.size());
    for (const int piece : pieces) {
      ids.push_back(piece == 0 ? unknown_id(special_, text) : piece + shift());
    }
    return ids;
  }

  std::string decode(const std::vector<std::int32_t>& ids) const override {
    // Runs of ordinary pieces through SentencePiece, special tokens by name.
    std::string text;
    std::vector<int> run;
    const auto flush = [&] {
      std::string part;
      if (run.empty()) return;
      const auto status = processor_.Decode(run, &part);
      if (!status.ok()) throw_run(fmt::format("{}: {}", name_, status.ToString()));
      text += part;
      run.clear();
    };
    for (const std::int32_t id : ids) {
      if (special_.has(id)) {
        flush();
        text += special_.name(id);
      } else {
        run.push_back(id - shift());
      }
    }
    flush();
    return text;
  }

  std::string token(std::int32_t id) const override {
    XFQ_ASSERT(id >= 0 && id < vocabulary_size());
    return special_.has(id) ? special_.name(id) : processor_.IdToPiece(id - shift());
  }

 private:
  int shift() const { return special_.size() - 1; }

  std::string name_;
  SpecialTokens special_;
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_bpe(const std::string& option, std::int64_t pieces,
                                    const TrainingText& training, const Specials& specials) {
  std::set<std::string_view> characters;
  bool has_text = false;
  for (std::string_view text : training) {
    while (!text.empty()) {
      const std::string_view character = utf8_front(text);
      if (character != " ") characters.insert(character);
      has_text = true;
      text.remove_prefix(character.size());
    }
  }
  if (!has_text) throw_input(fmt::format("--tokenizer: {} needs text to train on", option));
  // Every character, the mark of a space, and SentencePiece's <unk>.
  const std::int64_t least = static_cast<std::int64_t>(characters.size()) + 2;
  if (pieces < least) {
    throw_usage(
        fmt::format("--tokenizer: got {}, expected at least bpe:{} for the {} characters of "
                    "this text",
                    option, least, characters.size()),
        fmt::format("use bpe:{} or more", least));
  }

  const std::unordered_map<std::string, std::string> options = {
      {"model_type", "bpe"},
      {"vocab_size", fmt::format("{}", pieces)},
      {"character_coverage", "1.0"},
      {"normalization_rule_name", "identity"},
      {"remove_extra_whitespaces", "false"},
      {"add_dummy_prefix", "true"},
      {"max_sentence_length", "1073741824"},
      {"num_threads", "1"},
      {"input_sentence_size", "0"},
      {"shuffle_input_sentence", "false"},
      {"unk_id", "0"},
      {"bos_id", "-1"},
      {"eos_id", "-1"},
      {"pad_id", "-1"},
      {"minloglevel", "3"},
  };
  Sentences sentences(training);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &sentences, &model);
  if (!status.ok()) {
    // "Vocabulary size too high (5000). Please set it to a value <= 312."
    const std::string message = status.error_message();
    static constexpr std::string_view kMark = "<= ";
    const std::size_t at = message.rfind(kMark);
    const std::string most =
        at == std::string::npos
            ? ""
            : message.substr(
                  at + kMark.size(),
                  message.find_first_not_of("0123456789", at + kMark.size()) - at - kMark.size());
    if (!most.empty()) {
      throw_usage(
          fmt::format("--tokenizer: got {}, expected at most bpe:{} for this text", option, most),
          fmt::format("use bpe:{} or less, or a longer text", most));
    }
    throw_usage(fmt::format("--tokenizer: cannot train {}: {}", option, message));
  }
  auto tokenizer = std::make_unique<BpeTokenizer>(option, specials, model);
  return tokenizer;
}

}  // namespace xfq::corpus
