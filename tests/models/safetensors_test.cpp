// Safetensors: the format byte by byte, every way of breaking it, and 20000
// damaged files. A reader that believes a size before it has checked it shows as
// a large allocation.
#include "xfq/models/safetensors.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>

#include "allocation_watch.h"
#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/core/random.h"

using namespace xfq;
using namespace xfq::models;

namespace {

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// A file from a header and data, with the length that belongs to the header.
std::string file_of(const std::string& header, const std::string& data = {}) {
  return bytes_of<std::uint64_t>({header.size()}) + header + data;
}

TensorFile example() {
  TensorFile file;
  file.tensors.push_back({"a.weight", {2, 3}, {1, 2, 3, 4, 5, 6}});
  file.tensors.push_back({"scalar", {}, {7}});
  file.tensors.push_back({"none", {0, 4}, {}});
  file.tensors.push_back({"a.bias", {3}, {-0.0f, 0.5f, 1e-45f}});
  file.metadata = {{"format", "pt"}, {"text", "\"quoted\"\n\xc3\xa9"}};
  return file;
}

void check_equal(const TensorFile& a, const TensorFile& b) {
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    CHECK(a.tensors[i].name == b.tensors[i].name);
    CHECK(a.tensors[i].shape == b.tensors[i].shape);
    CHECK(bytes_of(a.tensors[i].values) == bytes_of(b.tensors[i].values));
  }
  CHECK(a.metadata == b.metadata);
}

/// The message of the ErrorKind::input that parsing throws; empty when it does not.
std::string refusal(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "--init: x.safetensors");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK(std::string(error.what()).rfind("--init: x.safetensors: ", 0) == 0);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    CHECK_FALSE(error.hint().empty());
    return std::string(error.what()).substr(23);
  }
  return {};
}

std::string one(const std::string& fields) { return fmt::format("{{\"a\":{{{}}}}}", fields); }

}  // namespace

TEST_CASE("the bytes of a file are those of the format's definition") {
  TensorFile file;
  file.tensors.push_back({"a", {2}, {1, -2}});
  file.metadata = {{"k", "v"}};
  // Written out by hand: 79 characters of JSON, a space to reach a multiple of 8,
  // then 1.0f and -2.0f as IEEE 754 has them.
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} )";
  const std::string data("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8);
  CHECK(to_safetensors(file) == std::string("\x50\0\0\0\0\0\0\0", 8) + header + data);
  CHECK(to_safetensors({}) == std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
}

TEST_CASE("what is written reads back to the bit, in the same order") {
  TensorFile file = example();
  file.tensors[0].values[1] = std::numeric_limits<float>::quiet_NaN();
  file.tensors[0].values[2] = -std::numeric_limits<float>::infinity();
  const std::string bytes = to_safetensors(file);
  const TensorFile back = parse_safetensors(bytes, "test");
  check_equal(file, back);
  CHECK(to_safetensors(back) == bytes);

  REQUIRE(back.find("scalar") != nullptr);
  CHECK(back.find("scalar")->values.at(0) == 7);
  CHECK(back.find("a") == nullptr);
  REQUIRE(back.find_metadata("format") != nullptr);
  CHECK(*back.find_metadata("format") == "pt");
  CHECK(back.find_metadata("Format") == nullptr);
}

TEST_CASE("the header may list tensors in any order and be padded or not") {
  const std::string data = bytes_of<float>({1, 2, 3});
  for (const std::string pad : {"", " ", "\n\t\r  "}) {
    const TensorFile file =
        parse_safetensors(file_of(R"({"b":{"data_offsets":[4,12],"shape":[2],"dtype":"F32"},)"
                                  R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})" +
                                      pad,
                                  data),
                          "test");
    REQUIRE(file.tensors.size() == 2);
    CHECK(file.tensors[0].name == "a");
    CHECK(file.tensors[0].values == std::vector<float>{1});
    CHECK(file.tensors[1].values == std::vector<float>{2, 3});
  }
}

TEST_CASE("other floating-point types become float") {
  const auto values = [](const std::string& type, const std::string& data, std::size_t count) {
    const auto file = parse_safetensors(
        file_of(one(fmt::format(R"("dtype":"{}","shape":[{}],"data_offsets":[0,{}])", type, count,
                                data.size())),
                data),
        "test");
    return file.tensors.at(0).values;
  };
  // Bit patterns of IEEE 754 binary16: 1, -2, largest, smallest normal and
  // subnormal, 1/3 rounded, -0, infinity.
  const auto half = values("F16",
                           bytes_of<std::uint16_t>({0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555,
                                                    0x8000, 0xfc00, 0x7e00}),
                           9);
  CHECK(half[0] == 1);
  CHECK(half[1] == -2);
  CHECK(half[2] == 65504);
  CHECK(half[3] == std::ldexp(1.0f, -14));
  CHECK(half[4] == std::ldexp(1.0f, -24));
  CHECK(half[5] == 0.333251953125f);  // 0x555 / 4096
  CHECK(half[6] == 0);
  CHECK(std::signbit(half[6]));
  CHECK(half[7] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(half[8]));
  // bfloat16 is the upper half of a float: 1.0f is 0x3f800000, -3.5f 0xc0600000.
  CHECK(values("BF16", bytes_of<std::uint16_t>({0x3f80, 0xc060}), 2) ==
        std::vector<float>{1, -3.5f});
  CHECK(values("F64", bytes_of<double>({0.1, 0, HUGE_VAL}), 3) ==
        std::vector<float>{0.1f, 0, std::numeric_limits<float>::infinity()});
}

TEST_CASE("a broken file is refused by name and reason") {
  const std::string good = R"("dtype":"F32","shape":[1],"data_offsets":[0,4])";
  const std::string data(4, '\0');
  REQUIRE(refusal(file_of(one(good), data)).empty());

  SECTION("length and header") {
    CHECK(refusal("") == "the file has 0 bytes, a safetensors file at least 10");
    CHECK(refusal("1234567") == "the file has 7 bytes, a safetensors file at least 10");
    CHECK(refusal(bytes_of<std::uint64_t>({3}) + "{}") ==
          "the header claims 3 bytes, but the file has 2 after its length");
    CHECK(refusal(bytes_of<std::uint64_t>({~std::uint64_t{0}}) + "{}") ==
          "the header claims 18446744073709551615 bytes, at most 16777216 are read");
    CHECK(refusal(bytes_of<std::uint64_t>({16777217}) + "{}") ==
          "the header claims 16777217 bytes, at most 16777216 are read");
    CHECK(refusal(file_of("")) == "the header does not begin with {");
    CHECK(refusal(file_of(" {}")) == "the header does not begin with {");
    CHECK(refusal(file_of("\xef\xbb\xbf{}")) == "the header does not begin with {");
    CHECK(refusal(file_of("[]")) == "the header does not begin with {");
  }
  SECTION("JSON") {
    for (const std::string bad :
         {"{", "{}}", "{} x", R"({"a":})", R"({"a" 1})", R"({"a":{"dtype":"F32",)", "{\"a\xff\":1}",
          R"({"a":{"shape":[1e999]}})", "{'a':1}", "{\"__metadata__\":{},}", "{\"\\ud800\":{}}"}) {
      CAPTURE(bad);
      CHECK(refusal(file_of(bad)).find("the header is not valid JSON at byte ") == 0);
    }
    // Deep nesting stops at the first level that the format does not have.
    CHECK(refusal(file_of("{\"a\":" + std::string(1 << 20, '['))) ==
          R"(tensor "a" holds a list where the format has none)");
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += "{\"a\":";
    CHECK(refusal(file_of(deep)) ==
          R"(tensor "a" has an unknown key "a", expected dtype, shape and data_offsets)");
    CHECK(refusal(file_of(one("\"shape\":" + std::string(1 << 20, '[')))) ==
          R"(tensor "a" holds a list where the format has none)");
  }
  SECTION("metadata") {
    CHECK(refusal(file_of(R"({"__metadata__":{"k":1}})")) ==
          R"(metadata "k" holds a number where the format has none)");
    CHECK(refusal(file_of(R"({"__metadata__":{"k":{}}})")) ==
          R"(metadata "k" holds an object where the format has none)");
    CHECK(refusal(file_of(R"({"__metadata__":{"k":["v"]}})")) ==
          R"(metadata "k" holds a list where the format has none)");
    CHECK(refusal(file_of(R"({"__metadata__":"v"})")) ==
          R"("__metadata__" holds text where the format has none)");
    CHECK(refusal(file_of(R"({"__metadata__":{"k":"v","k":"v"}})")) ==
          R"(metadata "k" stands twice in the header)");
    CHECK(refusal(file_of(R"({"__metadata__":{},"__metadata__":{}})")) ==
          R"("__metadata__" stands twice in the header)");
  }
  SECTION("fields") {
    CHECK(refusal(file_of(R"({"a":null})")) ==
          R"(tensor "a" holds null where the format has none)");
    CHECK(refusal(file_of(R"({"a":true})")) ==
          R"(tensor "a" holds a truth value where the format has none)");
    CHECK(refusal(file_of(R"({"a":"F32"})")) ==
          R"(tensor "a" holds text where the format has none)");
    CHECK(refusal(file_of(R"({"a":3})")) ==
          R"(tensor "a" holds a number where the format has none)");
    CHECK(refusal(file_of(one(""))) == R"(tensor "a" has no dtype)");
    CHECK(refusal(file_of(one(R"("dtype":"F32")"))) == R"(tensor "a" has no shape)");
    CHECK(refusal(file_of(one(R"("dtype":"F32","shape":[])"))) ==
          R"(tensor "a" has no data_offsets)");
    CHECK(refusal(file_of(one(good + R"(,"stride":[1])"), data)) ==
          R"(tensor "a" has an unknown key "stride", expected dtype, shape and data_offsets)");
    CHECK(refusal(file_of(one(good + R"(,"shape":[1])"), data)) == R"(tensor "a" has shape twice)");
    CHECK(refusal(file_of(one(R"("dtype":"F32","dtype":"F32")"))) ==
          R"(tensor "a" has dtype twice)");
    CHECK(refusal(file_of(R"({"a":{)" + good + R"(},"a":{)" + good + "}}", data)) ==
          R"("a" stands twice in the header)");
    CHECK(refusal(file_of(one(R"("dtype":"I8","shape":[4],"data_offsets":[0,4])"), data)) ==
          R"(tensor "a" has dtype "I8", expected F32, F64, F16 or BF16)");
    CHECK(refusal(file_of(one(R"("dtype":32,"shape":[4],"data_offsets":[0,4])"), data)) ==
          R"(tensor "a" holds a number where the format has none)");
    CHECK(refusal(file_of(one(R"("dtype":"F32","shape":1,"data_offsets":[0,4])"), data)) ==
          R"(tensor "a" holds a number where the format has none)");
    CHECK(refusal(file_of(one(R"("dtype":"F32","shape":["1"],"data_offsets":[0,4])"), data)) ==
          R"(tensor "a" holds text where the format has none)");
  }
  SECTION("sizes") {
    const auto shaped = [&](const std::string& shape, const std::string& offsets) {
      return refusal(file_of(
          one(fmt::format(R"("dtype":"F32","shape":[{}],"data_offsets":[{}])", shape, offsets)),
          data));
    };
    CHECK(shaped("-1", "0,4") ==
          R"(tensor "a" holds the negative number -1 where the format has none)");
    CHECK(shaped("1.0", "0,4") == R"(tensor "a" holds the number "1.0" where the format has none)");
    CHECK(shaped("1", "0") == R"(tensor "a" has 1 data_offsets, expected 2)");
    CHECK(shaped("1", "") == R"(tensor "a" has 0 data_offsets, expected 2)");
    CHECK(shaped("1", "0,4,4") == R"(tensor "a" has more than 2 data_offsets)");
    CHECK(shaped("1,1,1,1,1,1,1,1,1", "0,4") == R"(tensor "a" has more than 8 dimensions)");
    CHECK(shaped("2", "0,4") == R"(tensor "a" has 4 bytes, but its shape [2] of F32 needs 8)");
    CHECK(shaped("0", "0,4") == R"(tensor "a" has 4 bytes, but its shape [0] of F32 needs 0)");
    CHECK(shaped("1", "4,0") == R"(tensor "a" begins at byte 4 and ends before, at byte 0)");
    CHECK(shaped("1", "4,8") == R"(tensor "a" ends at byte 8 of the data, but the file has 4)");
    CHECK(shaped("1", "0,18446744073709551615") ==
          R"(tensor "a" ends at byte 18446744073709551615 of the data, but the file has 4)");
    CHECK(shaped("1", "18446744073709551612,4") ==
          R"(tensor "a" begins at byte 18446744073709551612 and ends before, at byte 4)");
    // 2^62 + 1 values of 4 bytes are 4 bytes modulo 2^64; 2^32 * 2^32 is 0.
    CHECK(shaped("4611686018427387905", "0,4") ==
          R"(tensor "a" of shape [4611686018427387905] is too large)");
    CHECK(shaped("4294967296, 4294967296", "0,0") ==
          R"(tensor "a" of shape [4294967296, 4294967296] is too large)");
    CHECK(shaped("0, 18446744073709551615", "0,0") ==
          R"(tensor "a" of shape [0, 18446744073709551615] is too large)");
  }
  SECTION("layout") {
    const auto pair = [&](const std::string& first, const std::string& second, std::size_t size) {
      const std::string form = R"("{}":{{"dtype":"F32","shape":[1],"data_offsets":[{}]}})";
      return refusal(file_of("{" + fmt::format(fmt::runtime(form), "a", first) + "," +
                                 fmt::format(fmt::runtime(form), "b", second) + "}",
                             std::string(size, '\0')));
    };
    CHECK(pair("0,4", "4,8", 8).empty());
    CHECK(pair("4,8", "0,4", 8).empty());
    CHECK(pair("0,4", "0,4", 4) == R"(tensor "b" overlaps the one before it)");
    CHECK(pair("0,4", "2,6", 6) == R"(tensor "b" overlaps the one before it)");
    CHECK(pair("0,4", "5,9", 9) == R"(1 bytes before tensor "b" belong to no tensor)");
    CHECK(pair("4,8", "8,12", 12) == R"(4 bytes before tensor "a" belong to no tensor)");
    CHECK(pair("0,4", "4,8", 11) == "3 bytes after the last tensor belong to no tensor");
    CHECK(refusal(file_of("{}", "x")) == "1 bytes after the last tensor belong to no tensor");
  }
  SECTION("values and names") {
    CHECK(refusal(file_of(one(R"("dtype":"F64","shape":[1],"data_offsets":[0,8])"),
                          bytes_of<double>({1e39}))) ==
          R"(tensor "a" holds 1e+39, which does not fit into float32)");
    // A name from the file can neither break the line nor flood it.
    CHECK(refusal(file_of(R"({"a\n\u001b[2J":1})")) ==
          R"(tensor "a??[2J" holds a number where the format has none)");
    CHECK(refusal(file_of("{\"" + std::string(1000, 'n') + "\":1}")) ==
          "tensor \"" + std::string(60, 'n') + "...\" holds a number where the format has none");
  }
}

TEST_CASE("what a file cannot hold is not written") {
  const auto refused = [](const TensorFile& file) {
    try {
      to_safetensors(file);
    } catch (const Error& error) {
      return error.kind() == ErrorKind::run ? std::string(error.what()) : "wrong kind";
    }
    return std::string();
  };
  CHECK(refused({{{"a", {1}, {1}}, {"a", {1}, {1}}}, {}}) ==
        R"(safetensors: a second tensor named "a")");
  CHECK(refused({{{"__metadata__", {1}, {1}}}, {}}) ==
        R"(safetensors: a second tensor named "__metadata__")");
  CHECK(refused({{}, {{"k", "1"}, {"k", "2"}}}) == R"(safetensors: a second metadata "k")");
  CHECK(refused({{{"a", {2, 2}, {1, 2}}}, {}}) ==
        R"(safetensors: tensor "a" has 2 values, but its shape is [2, 2])");
  CHECK(refused({{{"a", {-1, -1}, {1}}}, {}}) ==
        R"(safetensors: tensor "a" has 1 values, but its shape is [-1, -1])");
  CHECK(refused({{{"a\xff", {1}, {1}}}, {}}) == R"(safetensors: "a?" is not valid UTF-8)");
  CHECK(refused({{}, {{"k", "\xc3"}}}) == R"(safetensors: "?" is not valid UTF-8)");
}

TEST_CASE("damaged files are read or refused, never more, and take little memory") {
  const std::string original = to_safetensors(example());
  const std::size_t header_end = 8 + static_cast<std::size_t>(original[0] & 0xff) +
                                 (static_cast<std::size_t>(original[1] & 0xff) << 8);
  REQUIRE(header_end < original.size());
  int accepted = 0;
  int refused = 0;
  std::size_t worst = 0;
  for (std::uint64_t round = 0; round < 20000; ++round) {
    Stream stream(1, "damage", round);
    std::string bytes = original;
    const std::uint64_t changes = 1 + stream.below(3);
    for (std::uint64_t i = 0; i < changes && !bytes.empty(); ++i) {
      // Three of four changes hit the length or the header.
      const std::size_t range =
          std::min(bytes.size(), stream.below(4) == 0 ? bytes.size() : header_end);
      const std::size_t at = stream.below(range);
      const std::size_t length = 1 + stream.below(4);
      const std::uint64_t kind = stream.below(6);
      if (kind == 0) {
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << stream.below(8)));
      } else if (kind == 1) {
        bytes[at] = static_cast<char>(stream.below(256));
      } else if (kind == 2) {
        bytes[at] = "0123456789{}[],:\"-.e"[stream.below(20)];
      } else if (kind == 3) {
        bytes.resize(at);
      } else if (kind == 4) {
        bytes.erase(at, length);
      } else {
        bytes.insert(at, std::string(length, "09[{\" "[stream.below(6)]));
      }
    }
    reset_largest_allocation();
    try {
      const TensorFile file = parse_safetensors(bytes, "test");
      worst = std::max(worst, largest_allocation());
      std::size_t values = 0;
      for (const Tensor& tensor : file.tensors) values += tensor.values.size();
      REQUIRE(values * 2 <= bytes.size());  // no stored value is smaller than 2 bytes
      // What reads is a proper file: it survives another trip.
      check_equal(file, parse_safetensors(to_safetensors(file), "test"));
      ++accepted;
    } catch (const Error& error) {
      worst = std::max(worst, largest_allocation());
      REQUIRE(error.kind() == ErrorKind::input);
      ++refused;
    }
  }
  // Both ways out were taken; the largest block is a vector of a few header entries.
  CHECK(accepted > 500);
  CHECK(refused > 10000);
  CHECK(worst < 16 * original.size());
}

TEST_CASE("files are written whole, read back, and named in errors") {
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("xfq_{}.safetensors", getpid()))
          .string();
  write_safetensors(path, example(), "test");
  check_equal(read_safetensors(path, "--init"), example());

  const std::string bytes = read_file(path, "test");
  write_file_atomic(path, std::string_view(bytes).substr(0, bytes.size() - 1), "test");
  CHECK_THROWS_WITH(read_safetensors(path, "--init"),
                    fmt::format("--init: {}: tensor \"a.bias\" ends at byte 40 of the data, but "
                                "the file has 39",
                                path));
  std::filesystem::remove(path);
  CHECK_THROWS_AS(read_safetensors(path, "--init"), Error);
}
