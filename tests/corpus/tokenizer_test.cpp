// Tokenizers: round trips, vocabularies, unknown text, and bad options.
#include "xfq/corpus/tokenizer.h"

#include <unistd.h>

#include <cstdio>
#include <functional>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/corpus/stories.h"

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

std::vector<Document> stories() { return generate_stories({}, 3, 200).documents; }

/// What is written to a file descriptor while `action` runs.
std::string written_to(int fd, const std::function<void()>& action) {
  std::fflush(nullptr);
  std::FILE* sink = std::tmpfile();
  const int kept = dup(fd);
  dup2(fileno(sink), fd);
  action();
  std::fflush(nullptr);
  dup2(kept, fd);
  close(kept);
  std::rewind(sink);
  std::string text;
  for (int c = std::fgetc(sink); c != EOF; c = std::fgetc(sink)) text += static_cast<char>(c);
  std::fclose(sink);
  return text;
}

}  // namespace

TEST_CASE("tokenizer: words and marks") {
  const auto words = split_words("Don't stop-\tthe twenty-one 'cats', caf\xC3\xA9!");
  const std::vector<std::string> got(words.begin(), words.end());
  CHECK(got == std::vector<std::string>{"Don't", "stop", "-", "the", "twenty-one", "'", "cats", "'",
                                        ",", "caf\xC3\xA9", "!"});
  CHECK(split_words(" \n").empty());
}

TEST_CASE("tokenizer: special tokens come first, in a fixed order") {
  const TrainingText text = {"b a b"};
  const auto document = make_tokenizer("word", text, Specials::document());
  CHECK(document->special().unk == 0);
  CHECK(document->special().bos == 1);
  CHECK(document->special().eos == 2);
  CHECK(document->special().pad == -1);
  CHECK(document->tokens() == std::vector<std::string>{"<unk>", "<bos>", "<eos>", "b", "a"});
  const auto encoder = make_tokenizer("word", text, Specials::encoder());
  CHECK(encoder->tokens() ==
        std::vector<std::string>{"<pad>", "<unk>", "<cls>", "<sep>", "<mask>", "b", "a"});
  CHECK(encoder->special().mask == 4);
  CHECK(make_tokenizer("char", text, Specials::none())->vocabulary_size() == 3);
}

TEST_CASE("tokenizer: word") {
  const TrainingText text = {"the cat saw the dog.", "the dog (old) ran."};
  const auto all = make_tokenizer("word", text, Specials::document());
  // the 3; "." and dog 2; the rest once, in the order of their bytes.
  CHECK(all->tokens() == std::vector<std::string>{"<unk>", "<bos>", "<eos>", "the", ".", "dog", "(",
                                                  ")", "cat", "old", "ran", "saw"});
  CHECK(all->decode(all->encode(text[0])) == text[0]);
  CHECK(all->decode(all->encode(text[1])) == text[1]);
  CHECK(all->encode("The dog").front() == all->special().unk);  // case is kept
  const auto few = make_tokenizer("word", text, Specials::document(), 5);
  CHECK(few->vocabulary_size() == 5);
  CHECK(few->encode("the cat.") == Ids{3, 0, 4});
  CHECK(few->decode({3, 0, 4}) == "the <unk>.");
  CHECK(message(xfq::ErrorKind::usage, [&] {
          make_tokenizer("word", text, Specials::document(), 3);
        }) == "--vocab: got 3, expected at least 4 (3 special tokens and a word)");
  CHECK(message(xfq::ErrorKind::input, [&] {
          make_tokenizer("word", text, Specials::none())->encode("zebra");
        }) == "the vocabulary does not know 'zebra' and has no <unk>");
}

TEST_CASE("tokenizer: char takes code points, byte takes bytes") {
  const std::string text = "na\xC3\xAFve \xE2\x82\xAC\n";  // naive with diaeresis, euro sign
  const auto chars = make_tokenizer("char", TrainingText{text}, Specials::stream());
  CHECK(chars->vocabulary_size() == 2 + 8);  // line break, space, a e n v, i-diaeresis, euro
  CHECK(chars->token(2) == "\n");            // sorted by code point
  CHECK(chars->token(9) == "\xE2\x82\xAC");
  CHECK(chars->encode(text).size() == 8);
  CHECK(chars->decode(chars->encode(text)) == text);
  CHECK(chars->encode("z\xF0\x9F\x98\x80") == Ids{0, 0});
  const auto bytes = make_tokenizer("byte", TrainingText{}, Specials::stream());
  CHECK(bytes->vocabulary_size() == 258);
  CHECK(bytes->encode("\n\xC3") == Ids{2 + 10, 2 + 0xC3});
  CHECK(bytes->decode(bytes->encode(text)) == text);
  CHECK(bytes->token(2 + 'A') == "A");
  CHECK(bytes->token(2 + 10) == "<0x0A>");
}

TEST_CASE("tokenizer: bpe reads back, is small, and is the same every time") {
  const std::vector<Document> documents = stories();
  const auto bpe = make_tokenizer("bpe:200", documents, Specials::document());
  CHECK(bpe->name() == "bpe:200");
  CHECK(bpe->vocabulary_size() == 202);  // 199 pieces beside its own <unk>, 3 special tokens
  const auto again = make_tokenizer("bpe:200", documents, Specials::document());
  CHECK(bpe->tokens() == again->tokens());
  std::size_t characters = 0, pieces = 0;
  for (const Document& document : documents) {
    for (const std::string& sentence : document.sentences) {
      const Ids ids = bpe->encode(sentence);
      for (const auto id : ids) CHECK((id >= 3 && id < bpe->vocabulary_size()));
      REQUIRE(bpe->decode(ids) == sentence);
      characters += sentence.size();
      pieces += ids.size();
    }
  }
  CHECK(pieces * 2 < characters);
  CHECK(bpe->encode("\xE2\x82\xAC").back() == bpe->special().unk);
  // Two spaces stay two.
  CHECK(bpe->decode(bpe->encode("She  ran.")) == "She  ran.");
}

TEST_CASE("tokenizer: training bpe prints nothing, not even when it fails") {
  const std::vector<Document> documents = stories();
  const auto train = [&] {
    make_tokenizer("bpe:150", documents, Specials::stream());
    try {
      make_tokenizer("bpe:50000", documents, Specials::stream());
    } catch (const xfq::Error&) {
    }
  };
  CHECK(written_to(STDOUT_FILENO, train).empty());
  CHECK(written_to(STDERR_FILENO, train).empty());
}

TEST_CASE("tokenizer: bad options") {
  const std::vector<Document> documents = stories();
  for (const char* bad : {"bpe", "bpe:", "bpe:0", "bpe:1", "bpe:x", "bpe:-5", "bpe:10x",
                          "bpe:99999999999", "words", "", "Word"}) {
    const std::string got = message(xfq::ErrorKind::usage, [&] { check_tokenizer_option(bad); });
    CHECK(got == "--tokenizer: got '" + std::string(bad) +
                     "', expected word, char, byte or bpe:N with N from 2 to 1000000");
  }
  const std::string small = message(
      xfq::ErrorKind::usage, [&] { make_tokenizer("bpe:10", documents, Specials::stream()); });
  CHECK(small.find("--tokenizer: got bpe:10, expected at least bpe:") == 0);
  const std::string large = message(
      xfq::ErrorKind::usage, [&] { make_tokenizer("bpe:50000", documents, Specials::stream()); });
  CHECK(large.find("--tokenizer: got bpe:50000, expected at most bpe:") == 0);
  // The numbers in the messages are the true limits.
  const auto number = [](const std::string& text) {
    const std::size_t at = text.rfind("bpe:");
    return text.substr(at, text.find(' ', at) - at);
  };
  CHECK_NOTHROW(make_tokenizer(number(small), documents, Specials::stream()));
  CHECK_NOTHROW(make_tokenizer(number(large), documents, Specials::stream()));
  CHECK(message(xfq::ErrorKind::input, [&] {
          make_tokenizer("bpe:100", TrainingText{}, Specials::stream());
        }) == "--tokenizer: bpe:100 needs text to train on");
}

TEST_CASE("tokenizer: documents keep their sentences") {
  const std::vector<Document> documents = {{{"a b.", "b."}, ""}, {{"a."}, ""}};
  const auto word = make_tokenizer("word", documents, Specials::none());
  // "." 3, a 2, b 2
  CHECK(tokenize(documents, *word) == TokenizedDocuments{{{1, 2, 0}, {2, 0}}, {{1, 0}}});
}
