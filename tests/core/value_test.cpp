// Text of values and of the record's words.
#include "xfq/core/value.h"

#include <charconv>
#include <limits>
#include <string>
#include <vector>

#include "catch.h"
#include "xfq/core/record.h"

using namespace xfq;

TEST_CASE("values as text") {
  CHECK(to_text(Value{}) == "");
  CHECK(to_text(Value{true}) == "true");
  CHECK(to_text(Value{false}) == "false");
  CHECK(to_text(Value{std::int64_t{-8}}) == "-8");
  CHECK(to_text(Value{0.5}) == "0.5");
  CHECK(to_text(Value{std::string("minmax")}) == "minmax");
  CHECK(to_text(Value{std::vector<std::int64_t>{2, 4, 8}}) == "2,4,8");
  CHECK(to_text(Value{std::vector<double>{0.1, 3e-3}}) == "0.1,0.003");
  CHECK(to_text(Value{std::vector<std::string>{"kl", "mse"}}) == "kl,mse");
}

TEST_CASE("doubles read back exactly") {
  for (const double value :
       {0.1, 1.0 / 3, 3e-4, 1e22, -2.5e-310, 123456789.123456789,
        std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min()}) {
    const std::string text = to_text(Value{value});
    INFO(text);
    double back = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), back).ptr;
    CHECK(end == text.data() + text.size());
    CHECK(back == value);
  }
}

TEST_CASE("names of types") {
  CHECK(type_name(Value{}) == "nothing");
  CHECK(type_name(Value{true}) == "a truth value");
  CHECK(type_name(Value{std::int64_t{1}}) == "an integer");
  CHECK(type_name(Value{1.0}) == "a number");
  CHECK(type_name(Value{std::string()}) == "a text");
  CHECK(type_name(Value{std::vector<std::int64_t>{}}) == "a list of integers");
  CHECK(type_name(Value{std::vector<double>{}}) == "a list of numbers");
  CHECK(type_name(Value{std::vector<std::string>{}}) == "a list of texts");
}

TEST_CASE("words of a record") {
  CHECK(to_string(Better::none) == "none");
  CHECK(to_string(Better::lower) == "lower");
  CHECK(to_string(Better::higher) == "higher");
  CHECK(to_string(Outcome::pass) == "pass");
  CHECK(to_string(Outcome::fail) == "fail");
  CHECK(to_string(Outcome::undecided) == "undecided");
  CHECK(to_string(Verdict::supported) == "supported");
  CHECK(to_string(Verdict::refuted) == "refuted");
  CHECK(to_string(Verdict::conditional) == "conditional");
  CHECK(to_string(Verdict::inconclusive) == "inconclusive");
}
