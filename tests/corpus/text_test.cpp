// Reading text: the two forms, UTF-8, every bad file, and splits.
#include "xfq/corpus/text.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/core/hash.h"

using namespace xfq::corpus;

namespace {

using Lines = std::vector<std::string>;

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const xfq::Error& error) {
    CHECK(error.kind() == xfq::ErrorKind::input);
    const std::string text = error.what();
    CHECK(text.find('\n') == std::string::npos);
    return text;
  }
  return "no error";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A file that goes away with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_((std::filesystem::temp_directory_path() / "xfq_corpus_text_test.txt").string()) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("text: one sentence a line") {
  const Text text =
      parse_text("A cat sat.\nIt slept;\n\n\n  A dog ran: \r\n\r\nWhy?\n", "pets.txt");
  REQUIRE(text.documents.size() == 3);
  CHECK(text.documents[0].sentences == Lines{"A cat sat.", "It slept;"});
  CHECK(text.documents[1].sentences == Lines{"A dog ran:"});
  CHECK(text.documents[2].sentences == Lines{"Why?"});
  CHECK(text.documents[0].topic.empty());
}

TEST_CASE("text: the raw bytes are kept") {
  const std::string bytes = "First Citizen:\nSpeak, speak.\n\nAll:\n  Resolved.\r\n";
  const TemporaryFile file(bytes);
  const Text text = read_text(file.path());
  CHECK(text.raw == bytes);
  CHECK(text.sha256 == xfq::sha256_hex(bytes));
  CHECK(text.name == "xfq_corpus_text_test.txt");
  // A byte order mark is part of the file, not of the text.
  const Text marked = parse_text("\xEF\xBB\xBF" + bytes, "marked");
  CHECK(marked.raw == bytes);
  CHECK(marked.sha256 == xfq::sha256_hex("\xEF\xBB\xBF" + bytes));
}

TEST_CASE("text: prose is split into sentences") {
  SECTION("wrapped lines") {
    const Text text = parse_text(
        "The old man went down\nto the sea. He looked\nat pi = 3.14 and said\n"
        "\"Enough!\" to his son. (It\nwas late.) They left\n\nAnother day came\nand went.\n",
        "x");
    REQUIRE(text.documents.size() == 2);
    CHECK(text.documents[0].sentences ==
          Lines{"The old man went down to the sea.",
                "He looked at pi = 3.14 and said \"Enough!\" to his son.", "(It was late.)",
                "They left"});
    CHECK(text.documents[1].sentences == Lines{"Another day came and went."});
  }
  SECTION("a paragraph a line") {
    const Text text = parse_text("One. Two! Three?\n\nFour... Five. Six.\n", "x");
    REQUIRE(text.documents.size() == 2);
    CHECK(text.documents[0].sentences == Lines{"One.", "Two!", "Three?"});
    CHECK(text.documents[1].sentences == Lines{"Four...", "Five.", "Six."});
  }
  SECTION("full-width marks need no space behind") {
    // "Ni hao. Zai jian." twice, on one line without blanks.
    const std::string ni = "\xE4\xBD\xA0\xE5\xA5\xBD\xE3\x80\x82";
    const std::string zai = "\xE5\x86\x8D\xE8\xA7\x81\xE3\x80\x82";
    const Text text = parse_text(ni + zai + "\n", "x");
    REQUIRE(text.documents.size() == 1);
    CHECK(text.documents[0].sentences == Lines{ni, zai});
    CHECK(parse_text(ni + "\n" + zai + "\n", "x").documents[0].sentences == Lines{ni, zai});
  }
}

TEST_CASE("text: to_raw reads back") {
  const std::vector<Document> documents = {{{"A b.", "C d!"}, ""}, {{"E, f;"}, ""}};
  CHECK(to_raw(documents) == "A b.\nC d!\n\nE, f;\n\n");
  const Text text = parse_text(to_raw(documents), "x");
  REQUIRE(text.documents.size() == 2);
  CHECK(text.documents[0].sentences == documents[0].sentences);
  CHECK(text.documents[1].sentences == documents[1].sentences);
}

TEST_CASE("text: UTF-8 validity follows RFC 3629") {
  const auto npos = std::string_view::npos;
  CHECK(find_invalid_utf8("plain") == npos);
  CHECK(find_invalid_utf8("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80") == npos);
  CHECK(find_invalid_utf8("\xF4\x8F\xBF\xBF") == npos);  // U+10FFFF
  CHECK(find_invalid_utf8("ab\xC0\xAF") == 2);           // overlong
  CHECK(find_invalid_utf8("a\xE0\x9F\xBF") == 1);        // overlong
  CHECK(find_invalid_utf8("\xF0\x8F\xBF\xBF") == 0);     // overlong
  CHECK(find_invalid_utf8("a\xED\xA0\x80") == 1);        // surrogate
  CHECK(find_invalid_utf8("\xF4\x90\x80\x80") == 0);     // above U+10FFFF
  CHECK(find_invalid_utf8("abc\xE2\x82") == 3);          // cut off
  CHECK(find_invalid_utf8("abc\x80") == 3);              // continuation alone
  CHECK(find_invalid_utf8("\xC3(") == 0);
  CHECK(find_invalid_utf8("\xFF") == 0);
}

TEST_CASE("text: bad files are named with their path") {
  const std::string missing = message([] { read_text("/no/such/file.txt"); });
  CHECK(has(missing, "--corpus"));
  CHECK(has(missing, "/no/such/file.txt"));
  const std::string folder =
      message([] { read_text(std::filesystem::temp_directory_path().string()); });
  CHECK(has(folder, "--corpus"));
  CHECK(has(folder, "folder"));
  for (const char* empty : {"", "\n \n\t\n", "\xEF\xBB\xBF"}) {
    const TemporaryFile file(empty);
    CHECK(message([&] { read_text(file.path()); }) ==
          "--corpus: " + file.path() + " is empty, expected text");
  }
  {
    const TemporaryFile file(std::string("text\0more", 9));
    CHECK(message([&] { read_text(file.path()); }) ==
          "--corpus: " + file.path() + " is binary (a NUL byte at offset 4), expected UTF-8 text");
  }
  {
    const TemporaryFile file("caf\xE9 au lait.\n");  // Latin-1
    CHECK(message([&] { read_text(file.path()); }) ==
          "--corpus: " + file.path() + " is not valid UTF-8: byte 0xE9 at offset 3");
  }
}

TEST_CASE("text: splits follow the order of documents") {
  Text text;
  text.name = "x";
  for (int i = 0; i < 25; ++i) text.documents.push_back({{std::to_string(i) + "."}, ""});
  const SplitText split = split_documents(text, {0.1, 0.2});
  REQUIRE(split.train.size() == 18);  // 25 - floor(2.5) - floor(5)
  REQUIRE(split.validation.size() == 2);
  REQUIRE(split.test.size() == 5);
  CHECK(split.train.back().sentences[0] == "17.");
  CHECK(split.validation.front().sentences[0] == "18.");
  CHECK(split.test.back().sentences[0] == "24.");
  text.documents.resize(2);
  CHECK(split_documents(text, {0.1, 0}).validation.size() == 1);
  CHECK(has(message([&] {
              split_documents(text, {0.1, 0.1});
            }),
            "has 2 documents, expected at least 3 to split"));
}
