// Language data: rows, batches, splits, floors and short corpora.
#include "xfq/corpus/language.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "catch.h"
#include "xfq/core/error.h"

using namespace xfq::corpus;

namespace {

using Ids = std::vector<std::int32_t>;

std::string message(xfq::ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const xfq::Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "no error";
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_((std::filesystem::temp_directory_path() / "xfq_corpus_language_test.txt").string()) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

LanguageOptions small_stories() {
  LanguageOptions options;
  options.documents = 60;
  options.validation_documents = 40;
  options.test_documents = 10;
  return options;
}

/// All predicted tokens of a split, read through evaluation batches of `count` rows.
Ids predicted(const LanguageData& data, SplitName name, std::int64_t count) {
  const std::int64_t width = data.row_length();
  Ids inputs(static_cast<std::size_t>(count * width)), targets(inputs.size()), all;
  std::int64_t total = 0;
  for (std::int64_t row = 0; row < data.evaluation_rows(name); row += count) {
    total += data.evaluation_batch(name, row, count, inputs.data(), targets.data());
    for (std::size_t i = 0; i < targets.size(); ++i) {
      CHECK((inputs[i] >= 0 && inputs[i] < data.vocabulary_size()));
      if (targets[i] >= 0) all.push_back(targets[i]);
      // Within a row each target is the next input.
      const bool row_end = (i + 1) % static_cast<std::size_t>(width) == 0;
      if (!row_end && targets[i] >= 0 && targets[i + 1] >= 0) CHECK(inputs[i + 1] == targets[i]);
    }
  }
  CHECK(total == static_cast<std::int64_t>(all.size()));
  CHECK(total == data.split(name).predicted_tokens);
  return all;
}

/// 40 documents of three sentences, 26 letters and some marks.
std::string some_text() {
  std::string text;
  for (int d = 0; d < 40; ++d) {
    for (int s = 0; s < 3; ++s) {
      text +=
          "the quick brown fox number " + std::to_string(d * 3 + s) + " jumps over a lazy dog.\n";
    }
    text += "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("language: stories, one document a row") {
  const LanguageData data = load_language_data(small_stories());
  CHECK(data.sequence() == "document");
  CHECK(data.tokenizer().name() == "word");
  CHECK(data.vocabulary_size() == 304);  // 301 words, <unk> <bos> <eos>
  CHECK(data.row_length() <= Stories::kMaxTokens);
  CHECK(data.evaluation_rows(SplitName::train) == 60);
  CHECK(data.evaluation_rows(SplitName::validation) == 40);
  CHECK(data.evaluation_rows(SplitName::test) == 10);
  CHECK(data.source().documents == 110);
  CHECK(data.split(SplitName::validation).unknown == 0);

  // The targets of a row spell the document and its end.
  const Stories stories;
  const Ids all = predicted(data, SplitName::train, 7);
  Ids expected;
  for (std::uint64_t i = 0; i < 60; ++i) {
    for (const auto& sentence : stories.generate(1, i).document.sentences) {
      const Ids ids = data.tokenizer().encode(sentence);
      expected.insert(expected.end(), ids.begin(), ids.end());
    }
    expected.push_back(data.tokenizer().special().eos);
  }
  CHECK(all == expected);

  // Bytes: every sentence with its line break, a blank line after each document.
  std::string raw;
  std::vector<Document> validation;
  for (std::uint64_t i = 0; i < 40; ++i) {
    validation.push_back(stories.generate(1, (std::uint64_t{1} << 40) + i).document);
  }
  CHECK(data.split(SplitName::validation).bytes ==
        static_cast<std::int64_t>(to_raw(validation).size()));
  CHECK(data.bytes_per_token(SplitName::validation) ==
        Approx(static_cast<double>(to_raw(validation).size()) /
               static_cast<double>(predicted(data, SplitName::validation, 40).size())));
}

TEST_CASE("language: the floor is the exact loss of the language on the validation documents") {
  LanguageOptions options = small_stories();
  options.validation_documents = 1000;
  const LanguageData data = load_language_data(options);
  REQUIRE(data.floor());
  // Independently: ask for the next word's distribution at every prefix.
  options.validation_documents = 40;
  const LanguageData few = load_language_data(options);
  const Stories stories;
  double nats = 0;
  std::int64_t tokens = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    std::vector<std::string> prefix, words;
    const Document document = stories.generate(1, (std::uint64_t{1} << 40) + i).document;
    for (const auto& sentence : document.sentences) {
      for (const auto word : split_words(sentence)) words.emplace_back(word);
    }
    words.emplace_back(Stories::kEnd);
    for (const auto& word : words) {
      for (const auto& [next, probability] : stories.next_distribution(prefix)) {
        if (next == word) nats -= std::log(probability);
      }
      prefix.push_back(word);
      ++tokens;
    }
  }
  REQUIRE(few.floor());
  CHECK(few.split(SplitName::validation).predicted_tokens == tokens);
  CHECK(few.floor()->nats_per_token == Approx(nats / static_cast<double>(tokens)).epsilon(1e-12));
  CHECK(few.floor()->attainable);
  // 1000 documents lie within 4 standard errors of the language's own value.
  CHECK(data.floor()->expected == stories.entropy().nats_per_token);
  CHECK(std::abs(data.floor()->nats_per_token - data.floor()->expected) <
        4 * data.floor()->standard_error);
  CHECK(data.floor()->standard_error < 0.01 * data.floor()->nats_per_token);

  SECTION("a context that cuts documents leaves a bound that cannot be reached") {
    options.context = 20;
    const LanguageData cut = load_language_data(options);
    CHECK(cut.row_length() == 20);
    REQUIRE(cut.floor());
    CHECK_FALSE(cut.floor()->attainable);
    CHECK(cut.floor()->nats_per_token == few.floor()->nats_per_token);
    CHECK(cut.split(SplitName::validation).predicted_tokens == tokens);
    CHECK(predicted(cut, SplitName::validation, 9) == predicted(few, SplitName::validation, 9));
  }
  SECTION("characters: the same nats on more tokens") {
    options.tokenizer = "char";
    const LanguageData chars = load_language_data(options);
    CHECK(chars.sequence() == "stream");
    REQUIRE(chars.floor());
    // Only the first word's nats are left out (One: 0 in a mixture).
    CHECK(chars.floor()->nats_per_token *
              static_cast<double>(chars.split(SplitName::validation).predicted_tokens) ==
          Approx(nats).epsilon(1e-12));
    CHECK(chars.split(SplitName::validation).bytes + 1 ==
          few.split(SplitName::validation).bytes);  // the first one is not predicted
  }
  SECTION("with unknown words there is no floor") {
    options.vocab = 100;
    CHECK_FALSE(load_language_data(options).floor());
  }
}

TEST_CASE("language: batches depend on seed and step alone") {
  const LanguageData data = load_language_data(small_stories());
  const std::size_t size = static_cast<std::size_t>(32 * data.row_length());
  Ids inputs(size, -7), targets(size, -7), again_inputs(size), again_targets(size);
  data.sample_batch(5, 11, 32, inputs.data(), targets.data());
  data.sample_batch(5, 12, 32, again_inputs.data(), again_targets.data());
  CHECK(inputs != again_inputs);
  const LanguageData second = load_language_data(small_stories());
  second.sample_batch(5, 11, 32, again_inputs.data(), again_targets.data());
  CHECK(inputs == again_inputs);
  CHECK(targets == again_targets);
  data.sample_batch(6, 11, 32, again_inputs.data(), again_targets.data());
  CHECK(inputs != again_inputs);
  const auto width = static_cast<std::size_t>(data.row_length());
  for (std::size_t row = 0; row < 32; ++row) {
    CHECK(inputs[row * width] == data.tokenizer().special().bos);
    bool ended = false;
    for (std::size_t t = 0; t < width; ++t) {
      const std::int32_t target = targets[row * width + t];
      CHECK((target == -1) == ended);
      CHECK((inputs[row * width + t] >= 0 && inputs[row * width + t] < data.vocabulary_size()));
      ended = ended || target == data.tokenizer().special().eos;
    }
  }
  // A smaller batch is the beginning of a larger one.
  Ids part_inputs(width * 8), part_targets(width * 8);
  data.sample_batch(5, 11, 8, part_inputs.data(), part_targets.data());
  CHECK(std::equal(part_inputs.begin(), part_inputs.end(), inputs.begin()));
}

TEST_CASE("language: a file as running characters keeps every byte") {
  const std::string text = some_text();
  const TemporaryFile file(text);
  LanguageOptions options;
  options.corpus = file.path();
  options.context = 16;
  const LanguageData data = load_language_data(options);
  CHECK(data.sequence() == "stream");
  CHECK(data.tokenizer().name() == "char");
  CHECK(data.row_length() == 16);
  // No special tokens: exactly the characters of the text.
  CHECK(data.vocabulary_size() ==
        static_cast<std::int32_t>(std::set<char>(text.begin(), text.end()).size()));
  const std::size_t cut = static_cast<std::size_t>(0.9 * static_cast<double>(text.size()));
  const auto& tokenizer = data.tokenizer();
  CHECK(tokenizer.decode(data.split(SplitName::train).tokens) == text.substr(0, cut));
  CHECK(tokenizer.decode(data.split(SplitName::validation).tokens) == text.substr(cut));
  CHECK(data.split(SplitName::test).tokens.empty());
  CHECK(tokenizer.decode(predicted(data, SplitName::validation, 3)) == text.substr(cut + 1));
  CHECK(data.bytes_per_token(SplitName::validation) == 1.0);
  CHECK_FALSE(data.floor());
  CHECK(data.source().documents == 40);

  // Windows start anywhere where they fit.
  Ids inputs(16 * 64), targets(16 * 64);
  std::set<std::string> seen;
  for (std::uint64_t step = 0; step < 20; ++step) {
    data.sample_batch(1, step, 64, inputs.data(), targets.data());
    for (std::size_t row = 0; row < 64; ++row) {
      const auto begin = inputs.begin() + static_cast<std::ptrdiff_t>(16 * row);
      const std::string in = tokenizer.decode(Ids(begin, begin + 16));
      const auto out_begin = targets.begin() + static_cast<std::ptrdiff_t>(16 * row);
      const std::string out = tokenizer.decode(Ids(out_begin, out_begin + 16));
      CHECK(in.substr(1) == out.substr(0, 15));
      CHECK(text.substr(0, cut).find(in + out.back()) != std::string::npos);
      seen.insert(in);
    }
  }
  CHECK(seen.size() > 300);

  SECTION("bytes") {
    options.tokenizer = "byte";
    const LanguageData bytes = load_language_data(options);
    CHECK(bytes.vocabulary_size() == 256);
    CHECK(bytes.tokenizer().decode(bytes.split(SplitName::train).tokens) == text.substr(0, cut));
  }
  SECTION("a test share comes last") {
    options.shares = {0.1, 0.2};
    const LanguageData three = load_language_data(options);
    const auto spell = [&](SplitName name) {
      return three.tokenizer().decode(three.split(name).tokens);
    };
    CHECK(spell(SplitName::train) + spell(SplitName::validation) + spell(SplitName::test) == text);
    CHECK(std::abs(static_cast<double>(spell(SplitName::test).size()) -
                   0.2 * static_cast<double>(text.size())) <= 1);
  }
}

TEST_CASE("language: characters that training has not seen become <unk>") {
  const TemporaryFile file(some_text() + "Zz\xC3\xA9\n");
  LanguageOptions options;
  options.corpus = file.path();
  options.context = 16;
  const LanguageData data = load_language_data(options);
  CHECK(data.tokenizer().special().unk == 0);
  CHECK(data.split(SplitName::validation).unknown == 2);  // Z and e-acute; z is in "lazy"
  CHECK(data.split(SplitName::train).unknown == 0);
}

TEST_CASE("language: a file as words, pieces and documents") {
  const TemporaryFile file(some_text());
  LanguageOptions options;
  options.corpus = file.path();
  options.context = 16;
  options.tokenizer = "word";
  SECTION("running words, documents closed by <eos>") {
    const LanguageData data = load_language_data(options);
    CHECK(data.sequence() == "stream");
    const auto& special = data.tokenizer().special();
    const LanguageSplit& train = data.split(SplitName::train);
    const LanguageSplit& validation = data.split(SplitName::validation);
    CHECK(train.tokens.front() == special.eos);
    CHECK(train.tokens.back() == special.eos);
    // 12 words and marks a sentence, 3 sentences and <eos> a document. The cut goes
    // through the 37th, which is closed on both sides.
    CHECK(train.documents == 37);
    CHECK(validation.documents == 4);
    CHECK(train.predicted_tokens + validation.predicted_tokens == 40 * 37 + 1);
    CHECK(train.bytes + validation.bytes == static_cast<std::int64_t>(some_text().size()) + 1);
  }
  SECTION("documents of 37 predicted tokens become three rows each") {
    options.sequence = "document";
    const LanguageData data = load_language_data(options);
    CHECK(data.evaluation_rows(SplitName::validation) == 4 * 3);
    CHECK(predicted(data, SplitName::validation, 5).size() == 4 * 37);
    CHECK(data.row_length() == 16);
    options.context = 64;
    CHECK(load_language_data(options).row_length() == 37);
  }
  SECTION("pieces") {
    options.tokenizer = "bpe:60";
    const LanguageData data = load_language_data(options);
    CHECK(data.vocabulary_size() == 61);
    CHECK(data.bytes_per_token(SplitName::validation) > 1.2);
    const LanguageData again = load_language_data(options);
    CHECK(data.split(SplitName::train).tokens == again.split(SplitName::train).tokens);
  }
  SECTION("characters of whole documents") {
    options.tokenizer = "char";
    options.sequence = "document";
    const LanguageData data = load_language_data(options);
    const LanguageSplit& validation = data.split(SplitName::validation);
    CHECK(validation.tokens.front() == data.tokenizer().special().bos);
    CHECK(validation.unknown == 0);  // line breaks between sentences are known
  }
}

TEST_CASE("language: too little text, and bad options") {
  {
    const TemporaryFile file("A short text.\n");
    LanguageOptions options;
    options.corpus = file.path();
    CHECK(message(xfq::ErrorKind::input, [&] { load_language_data(options); }) ==
          "--corpus: " + file.path() +
              " is too short for --context 64: its training text has 12 tokens, expected at least "
              "65");
    options.context = 8;
    CHECK(message(xfq::ErrorKind::input, [&] { load_language_data(options); }) ==
          "--corpus: " + file.path() +
              " is too short for --context 8: its validation text has 2 tokens, expected at least "
              "9");
    options.sequence = "document";
    CHECK(message(xfq::ErrorKind::input, [&] {
            load_language_data(options);
          }).find("has 1 document, expected at least 2 to split") != std::string::npos);
  }
  LanguageOptions options;
  options.corpus = "/no/such/file";
  CHECK(message(xfq::ErrorKind::input, [&] {
          load_language_data(options);
        }).find("/no/such/file") != std::string::npos);
  options = small_stories();
  options.sequence = "rows";
  CHECK(message(xfq::ErrorKind::usage, [&] { load_language_data(options); }) ==
        "--sequence: got 'rows', expected auto, document or stream");
  options = small_stories();
  options.tokenizer = "bpe:x";
  CHECK(message(xfq::ErrorKind::usage, [&] {
          load_language_data(options);
        }).find("--tokenizer: got 'bpe:x'") == 0);
  options = small_stories();
  options.context = 0;
  CHECK(message(xfq::ErrorKind::usage, [&] { load_language_data(options); }) ==
        "--context: got 0, expected at least 1");
  options = small_stories();
  options.shares.validation = 1;
  CHECK(message(xfq::ErrorKind::usage, [&] { load_language_data(options); }).find("splits: got") ==
        0);
  options = small_stories();
  options.documents = 0;
  CHECK(message(xfq::ErrorKind::usage, [&] {
          load_language_data(options);
        }).find("stories: got 0") == 0);
}
