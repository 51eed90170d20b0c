// The option table: text and typed values in, errors that name the option, what was got
// and what was expected.
#include "xfq/core/options.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "refused.h"

using namespace xfq;
using xfq::test::check_refused;

namespace {

struct Everything {
  bool cache = true;
  std::int64_t batch_size = 32;
  std::vector<std::int64_t> bits = {8};
  double lr = 3e-3;
  std::vector<double> percentiles = {99.9};
  std::string kernel = "auto";
  std::vector<std::string> calibration = {"minmax"};
  std::string corpus = "stories";
  std::vector<std::string> layers = {"all"};
  OptionTable table;

  Everything() {
    table.group("Run");
    table.flag("cache", cache, "Use trained models again");
    table.integer("batch_size", batch_size, "Sequences per step", {1, 4096});
    table.integers("bits", bits, "Widths", {2, 32});
    table.group("Training");
    table.real("lr", lr, "Learning rate", {0, 1, true, false});
    table.reals("percentiles", percentiles, "Percentiles", {50, 100, false, false});
    table.choice("kernel", kernel, "Kernel", {"auto", "eigen", "reference"});
    table.choices("calibration", calibration, "Methods", {"minmax", "percentile", "mse", "kl"});
    const auto not_empty = [](const std::string& text) {
      if (text.empty()) throw_usage("--corpus: got an empty text, expected a name");
    };
    table.text("corpus", corpus, "Corpus", "NAME|FILE", not_empty);
    table.texts("layers", layers, "Layers", "NAME,...");
  }

  Option& at(const std::string& key) {
    Option* option = table.find(key);
    REQUIRE(option != nullptr);
    return *option;
  }
};

using Integers = std::vector<std::int64_t>;
using Reals = std::vector<double>;
using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an option has one word in three places") {
  Everything e;
  CHECK(e.at("batch_size").key == "batch_size");
  CHECK(e.at("batch_size").flag() == "--batch-size");
  CHECK(e.at("batch_size").group == "Run");
  CHECK(e.at("lr").group == "Training");
  CHECK(e.at("lr").help == "Learning rate");
  CHECK(e.at("cache").value_name.empty());
  CHECK(e.at("kernel").value_name == "auto|eigen|reference");
  CHECK(e.at("corpus").value_name == "NAME|FILE");
  CHECK(e.at("bits").list);
  CHECK(e.at("layers").list);
  CHECK(e.at("calibration").list);
  CHECK_FALSE(e.at("batch_size").list);
  CHECK_FALSE(e.at("lr").runtime);
  CHECK_FALSE(e.at("lr").assigned);
  CHECK(e.table.find("batch-size") == nullptr);
  CHECK(e.table.find("") == nullptr);
  // In the order in which they were added.
  CHECK(e.table.options().front().key == "cache");
  CHECK(e.table.options().back().key == "layers");
  CHECK(e.table.options().size() == 9);
}

TEST_CASE("values before anything was set are the defaults") {
  Everything e;
  CHECK(e.at("cache").value() == Value{true});
  CHECK(e.at("batch_size").value() == Value{std::int64_t{32}});
  CHECK(e.at("bits").value() == Value{Integers{8}});
  CHECK(e.at("lr").value() == Value{3e-3});
  CHECK(e.at("percentiles").value() == Value{Reals{99.9}});
  CHECK(e.at("kernel").value() == Value{std::string("auto")});
  CHECK(e.at("calibration").value() == Value{Texts{"minmax"}});
  CHECK(e.at("corpus").value() == Value{std::string("stories")});
}

TEST_CASE("text is parsed into the variable") {
  Everything e;
  e.at("cache").parse("false");
  e.at("batch_size").parse("4096");
  e.at("bits").parse("2,4,8");
  e.at("lr").parse("1e-3");
  e.at("percentiles").parse("50,99.99,100");
  e.at("kernel").parse("eigen");
  e.at("calibration").parse("kl,mse");
  e.at("corpus").parse("a,b.txt");
  e.at("layers").parse("h.0,h.1");
  CHECK_FALSE(e.cache);
  CHECK(e.batch_size == 4096);
  CHECK(e.bits == Integers{2, 4, 8});
  CHECK(e.lr == 1e-3);
  CHECK(e.percentiles == Reals{50, 99.99, 100});
  CHECK(e.kernel == "eigen");
  CHECK(e.calibration == Texts{"kl", "mse"});
  CHECK(e.corpus == "a,b.txt");
  CHECK(e.layers == Texts{"h.0", "h.1"});
  CHECK(e.at("bits").value() == Value{Integers{2, 4, 8}});
}

TEST_CASE("typed values are assigned to the variable") {
  Everything e;
  e.at("cache").assign(false);
  e.at("batch_size").assign(std::int64_t{1});
  e.at("bits").assign(Integers{3, 5});
  e.at("lr").assign(std::int64_t{1});  // 1 for 1.0
  e.at("percentiles").assign(Integers{50, 100});
  e.at("kernel").assign(std::string("reference"));
  e.at("calibration").assign(std::string("kl"));  // one for a list of one
  e.at("corpus").assign(std::string("book.txt"));
  e.at("layers").assign(Texts{"a", "b"});
  CHECK_FALSE(e.cache);
  CHECK(e.batch_size == 1);
  CHECK(e.bits == Integers{3, 5});
  CHECK(e.lr == 1.0);
  CHECK(e.percentiles == Reals{50, 100});
  CHECK(e.kernel == "reference");
  CHECK(e.calibration == Texts{"kl"});
  CHECK(e.corpus == "book.txt");
  CHECK(e.layers == Texts{"a", "b"});
  e.at("bits").assign(std::int64_t{4});
  CHECK(e.bits == Integers{4});
  e.at("percentiles").assign(99.5);
  CHECK(e.percentiles == Reals{99.5});
}

TEST_CASE("every option takes its own value back, as type and as text") {
  Everything source;
  source.lr = 0.1 + 0.2;  // needs 17 digits
  source.bits = {2, 32};
  Everything typed;
  Everything text;
  for (const Option& option : source.table.options()) {
    typed.at(option.key).assign(option.value());
    text.at(option.key).parse(to_text(option.value()));
    CHECK(typed.at(option.key).value() == option.value());
    CHECK(text.at(option.key).value() == option.value());
  }
}

TEST_CASE("bad text names the flag, what was got and what was expected") {
  Everything e;
  const auto refuse = [&](const std::string& key, const std::string& text,
                          const std::vector<std::string>& expected) {
    INFO(key << " = '" << text << "'");
    const Value before = e.at(key).value();
    std::vector<std::string> parts = {e.at(key).flag(), "expected"};
    parts.insert(parts.end(), expected.begin(), expected.end());
    check_refused(ErrorKind::usage, parts, [&] { e.at(key).parse(text); });
    CHECK(e.at(key).value() == before);
  };
  refuse("cache", "maybe", {"'maybe'", "true or false"});
  for (const char* text :
       {"0", "4097", "-1", "x", "", "8.5", "8 ", " 8", "0x8", "1e2", "99999999999999999999"}) {
    refuse("batch_size", text, {"'" + std::string(text) + "'", "an integer from 1 to 4096"});
  }
  refuse("bits", "33", {"'33'", "an integer from 2 to 32"});
  refuse("bits", "8,x", {"'x'"});
  refuse("bits", "8,,4", {"''"});
  refuse("bits", "8,", {"''"});
  refuse("bits", "", {"''"});
  for (const char* text : {"0", "1.5", "-1", "nan", "inf", "1e999", "x", "", "0.1x"}) {
    refuse("lr", text, {"'" + std::string(text) + "'", "a number above 0 and at most 1"});
  }
  refuse("percentiles", "99,49.9", {"'49.9'", "a number of at least 50 and at most 100"});
  refuse("kernel", "egen", {"'egen'", "auto, eigen, reference"});
  refuse("calibration", "kl,min-max", {"'min-max'", "minmax, percentile, mse, kl"});
  refuse("corpus", "", {"an empty text"});
}

TEST_CASE("a mistyped choice gets the nearest one as a hint") {
  Everything e;
  try {
    e.at("kernel").parse("egen");
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.hint() == "did you mean 'eigen'?");
  }
  try {
    e.at("kernel").parse("zzzzzz");
    CHECK(false);
  } catch (const Error& error) {
    CHECK(error.hint().empty());
  }
}

TEST_CASE("a typed value of the wrong type or range names the key") {
  Everything e;
  const auto refuse = [&](const std::string& key, const Value& value,
                          const std::vector<std::string>& parts) {
    INFO(key << " = " << to_text(value));
    const Value before = e.at(key).value();
    check_refused(ErrorKind::usage, parts, [&] { e.at(key).assign(value); });
    CHECK(e.at(key).value() == before);
  };
  refuse("cache", std::int64_t{1}, {"'cache'", "an integer", "'1'", "true or false"});
  refuse("cache", std::string("true"), {"'cache'", "a text", "true or false"});
  refuse("batch_size", 8.0, {"'batch_size'", "a number", "an integer from 1 to 4096"});
  refuse("batch_size", true, {"'batch_size'", "a truth value"});
  refuse("batch_size", std::string("8"), {"'batch_size'", "a text", "'8'"});
  refuse("batch_size", Integers{8}, {"'batch_size'", "a list of integers"});
  refuse("batch_size", Value{}, {"'batch_size'", "nothing"});
  refuse("batch_size", std::int64_t{0}, {"batch", "'0'", "an integer from 1 to 4096"});
  refuse("bits", Reals{8.0}, {"'bits'", "a list of numbers", "a list of an integer"});
  refuse("bits", Integers{}, {"'bits'", "a list of integers"});
  refuse("bits", Integers{8, 33}, {"bits", "'33'"});
  refuse("lr", std::string("big"), {"'lr'", "a text", "'big'", "a number above 0"});
  refuse("lr", std::int64_t{0}, {"lr", "'0'", "a number above 0"});
  refuse("lr", std::numeric_limits<double>::quiet_NaN(), {"lr", "'nan'"});
  refuse("percentiles", Texts{"99"}, {"'percentiles'", "a list of texts"});
  refuse("percentiles", Reals{99, 101}, {"percentiles", "'101'"});
  refuse("kernel", true, {"'kernel'", "a truth value", "expected"});
  refuse("kernel", std::string("egen"), {"kernel", "'egen'", "auto, eigen, reference"});
  refuse("calibration", Integers{1}, {"'calibration'", "a list of integers"});
  refuse("calibration", Texts{}, {"'calibration'"});
  refuse("calibration", Texts{"kl", "no"}, {"calibration", "'no'"});
  refuse("corpus", std::int64_t{3}, {"'corpus'", "an integer", "a text"});
  refuse("corpus", std::string(), {"an empty text"});
  refuse("layers", 1.5, {"'layers'", "a number", "a list of texts"});
}

TEST_CASE("ranges are described by the ends they have") {
  std::int64_t n = 5;
  double x = 0.5;
  OptionTable table;
  table.integer("any", n, "");
  table.integer("least", n, "", {0});
  table.integer("most", n, "", {std::numeric_limits<std::int64_t>::min(), 9});
  table.real("real_any", x, "");
  table.real("real_least", x, "", {0});
  table.real("real_below", x, "", {0, 1, false, true});
  const auto refuse = [&](const std::string& key, const std::string& text,
                          const std::string& expected) {
    check_refused(ErrorKind::usage, {"'" + text + "', expected " + expected},
                  [&] { table.find(key)->parse(text); });
  };
  refuse("any", "x", "an integer");
  refuse("least", "-1", "an integer of at least 0");
  refuse("most", "10", "an integer of at most 9");
  refuse("real_any", "inf", "a number");
  refuse("real_least", "-0.1", "a number of at least 0");
  refuse("real_below", "1", "a number of at least 0 and below 1");
  table.find("real_below")->parse("0");
  CHECK(x == 0);
}

TEST_CASE("the nearest name") {
  const std::vector<std::string> names = {"batch_size", "steps", "seed", "seeds", "lr"};
  CHECK(nearest_name("batch_sise", names) == "batch_size");
  CHECK(nearest_name("batchsize", names) == "batch_size");
  CHECK(nearest_name("tseps", names) == "steps");  // two neighbours swapped
  CHECK(nearest_name("sede", names) == "seed");
  CHECK(nearest_name("seed", names) == "seed");
  CHECK(nearest_name("rl", names) == "lr");
  CHECK(nearest_name("temperature", names).empty());
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name("steps", {}).empty());
}
