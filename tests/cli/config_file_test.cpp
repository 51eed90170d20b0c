// Configuration files in TOML: which values, with which types, and what is refused.
#include "config_file.h"

#include "catch.h"
#include "xfq/core/error.h"

namespace xfq::cli {
namespace {

Value only_value(const std::string& text) {
  const std::vector<Setting> settings = parse_toml(text, "file");
  REQUIRE(settings.size() == 1);
  return settings[0].value;
}

std::string error(const std::string& text) {
  try {
    parse_toml(text, "file");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    return error.what();
  }
  return "no error";
}

TEST_CASE("values keep their types") {
  CHECK(only_value("a = 1") == Value(std::int64_t{1}));
  CHECK(only_value("a=-1_000") == Value(std::int64_t{-1000}));
  CHECK(only_value("a = +3") == Value(std::int64_t{3}));
  CHECK(only_value("a = 1e-3") == Value(1e-3));
  CHECK(only_value("a = 2.0") == Value(2.0));
  CHECK(only_value("a = true") == Value(true));
  CHECK(only_value("a = \"true\"") == Value(std::string("true")));
  CHECK(only_value("a = \"8\"") == Value(std::string("8")));
  CHECK(only_value("a = [2, 4,\n  8, # the usual\n]") == Value(std::vector<std::int64_t>{2, 4, 8}));
  CHECK(only_value("a = [1, 0.5]") == Value(std::vector<double>{1, 0.5}));
  CHECK(only_value("a = ['kl', \"mse\"]") == Value(std::vector<std::string>{"kl", "mse"}));
}

TEST_CASE("text keeps what stands between its quotes") {
  CHECK(only_value("a = \"b#c, d = [e]\" # comment") == Value(std::string("b#c, d = [e]")));
  CHECK(only_value("a = \"x\\\"y\\\\z\\n\"") == Value(std::string("x\"y\\z\n")));
  CHECK(only_value("a = 'C:\\new'") == Value(std::string("C:\\new")));
}

TEST_CASE("sections, comments and line ends") {
  const std::vector<Setting> settings =
      parse_toml("# head\r\nseed = 3\r\n\r\n[quantize]\r\nbits = [8]\r\n", "file");
  REQUIRE(settings.size() == 2);
  CHECK(settings[0].section.empty());
  CHECK(settings[0].key == "seed");
  CHECK(settings[1].section == "quantize");
  CHECK(settings[1].key == "bits");
  CHECK(parse_toml("", "file").empty());
}

TEST_CASE("what is no setting is refused with its line") {
  const std::string kind =
      "'a': expected a number, true, false, a text, or a list of numbers or texts";
  CHECK(error("a = inf") == "file: line 1: " + kind);
  CHECK(error("\na = [1, 'x']") == "file: line 2: " + kind);
  CHECK(error("a = []") == "file: line 1: " + kind);
  CHECK(error("a = [[1]]") == "file: line 1: " + kind);
  CHECK(error("a = 2026-11-23") == "file: line 1: " + kind);
  CHECK(error("[a.b]\nc = 1").find("'b': expected") != std::string::npos);
  // What is no TOML: the line comes from here, the words from the library.
  for (const char* text : {"seed 3", "seed =", "a = 1e999", "a = kl", "a = \"kl", "a = \"\\q\"",
                           "a = [1, 2", "a = [1 2]", "a = 1 2", "[quantize", "= 3", "\x7f\x45LF"}) {
    INFO(text);
    CHECK(error(text).substr(0, 14) == "file: line 1: ");
  }
  CHECK(error("a = 1\na = 2").substr(0, 14) == "file: line 2: ");
}

}  // namespace
}  // namespace xfq::cli
