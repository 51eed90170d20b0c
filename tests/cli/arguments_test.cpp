// Splitting arguments: what CLI11 is asked to do, and the traps around it.
#include "arguments.h"

#include "catch.h"
#include "xfq/core/error.h"

namespace xfq::cli {
namespace {

struct Tables {
  std::vector<std::int64_t> bits = {8};
  double shift = 0;
  bool cache = true;
  std::string output;
  OptionTable own;
  OptionTable common;

  Tables() {
    own.integers("bits", bits, "bits");
    own.real("shift", shift, "shift");
    own.flag("cache", cache, "cache");
    common.text("output", output, "output", "FILE");
  }
  Arguments split(const std::vector<std::string>& arguments) {
    return split_arguments("xfq test", arguments, {&own, &common});
  }
  /// "message; hint" of the usage error.
  std::string error(const std::vector<std::string>& arguments) {
    try {
      split(arguments);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::usage);
      return std::string(error.what()) + "; " + error.hint();
    }
    return "no error";
  }
};

TEST_CASE("options come out in the order given, each with one value") {
  Tables tables;
  const Arguments given = tables.split({"--shift", "-1", "--bits=2,4", "-o", "a b.json"});
  REQUIRE(given.options.size() == 3);
  CHECK(given.options[0].option == tables.own.find("shift"));
  CHECK(given.options[0].text == "-1");
  CHECK(given.options[1].option->key == "bits");
  CHECK(given.options[1].text == "2,4");
  CHECK(given.options[2].flag == "--output");
  CHECK(given.options[2].text == "a b.json");
  CHECK(given.rest.empty());
}

TEST_CASE("a list option takes one argument only") {
  Tables tables;
  const Arguments given = tables.split({"--bits", "2", "4"});
  CHECK(given.options.at(0).text == "2");
  CHECK(given.rest == std::vector<std::string>{"4"});
}

TEST_CASE("a flag has a negative form") {
  Tables tables;
  CHECK(tables.split({"--no-cache"}).options.at(0).text == "false");
  CHECK(tables.split({"--cache"}).options.at(0).text == "true");
  CHECK(tables.split({"--no-cache"}).options.at(0).option == tables.own.find("cache"));
}

TEST_CASE("a value may look like an option or be empty") {
  Tables tables;
  CHECK(tables.split({"--output", "--weird"}).options.at(0).text == "--weird");
  CHECK(tables.split({"--output", ""}).options.at(0).text.empty());
}

TEST_CASE("behind -- nothing is an option") {
  Tables tables;
  CHECK(tables.split({"--", "--bits", "-x"}).rest == std::vector<std::string>{"--bits", "-x"});
}

TEST_CASE("mistakes name the option and the fix") {
  Tables tables;
  CHECK(tables.error({"--bit", "8"}) == "unknown option '--bit'; did you mean '--bits'?");
  CHECK(tables.error({"--bist=8"}) == "unknown option '--bist'; did you mean '--bits'?");
  CHECK(tables.error({"-bits", "8"}) == "unknown option '-bits'; did you mean '--bits'?");
  CHECK(tables.error({"--no-cash"}) == "unknown option '--no-cash'; did you mean '--no-cache'?");
  CHECK(tables.error({"--quantization"}) == "unknown option '--quantization'; see xfq test --help");
  CHECK(tables.error({"--shift", "1", "--bits"}) ==
        "--bits: got no value, expected one; see xfq test --help");
  CHECK(tables.error({"--bits=", "8"}) ==
        "--bits: got no value after '='; write --bits VALUE or --bits=VALUE");
  CHECK(tables.error({"--bits", "4", "--bits", "8"}) ==
        "--bits: given twice, expected once; separate values by commas: --bits A,B");
  CHECK(tables.error({"--cache", "--no-cache"}) ==
        "--no-cache: given beside --cache, expected one of them; ");
  CHECK(tables.error({"--cache=maybe"}).substr(0, 5) != "no er");
}

}  // namespace
}  // namespace xfq::cli
