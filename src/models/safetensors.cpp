// Safetensors: a reader that believes nothing, and a writer.
#include "xfq/models/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "tensor_text.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "tensors are copied as they stand in the file");

namespace xfq::models {

namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = std::uint64_t{16} << 20;
constexpr std::size_t kMaxRank = 8;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 48;
constexpr char kMetadataKey[] = "__metadata__";

enum class Type { f64, f32, f16, bf16 };

std::uint64_t size_of(Type type) {
  switch (type) {
    case Type::f64:
      return 8;
    case Type::f32:
      return 4;
    case Type::f16:
      return 2;
    case Type::bf16:
      return 2;
  }
  return 0;
}

/// One tensor as the header describes it.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> offsets;
  bool has_shape = false;
  bool has_offsets = false;
  Type type = Type::f32;

  std::uint64_t begin() const { return offsets[0]; }
  std::uint64_t end() const { return offsets[1]; }
};

[[noreturn]] void fail(std::string_view where, const std::string& message) {
  throw_input(fmt::format("{}: {}", where, message),
              "the file is damaged or is not a safetensors file; make or fetch it again");
}

/// Takes the header apart while it is being parsed. The grammar has three fixed
/// levels, so nothing is kept of what does not belong there.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(std::string_view where) : where_(where) {}

  std::vector<Entry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;

  bool start_object(std::size_t) override {
    if (level_ == Level::before) {
      level_ = Level::file;
    } else if (level_ == Level::file) {
      level_ = in_metadata_ ? Level::metadata : Level::tensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool key(string_t& text) override {
    switch (level_) {
      case Level::file:
        if (!names_.insert(text).second)
          fail(where_, in_quotes(text) + " stands twice in the header");
        in_metadata_ = text == kMetadataKey;
        if (!in_metadata_) {
          entries.emplace_back();
          entries.back().name = text;
        }
        break;
      case Level::metadata:
        if (!metadata_keys_.insert(text).second) {
          fail(where_, "metadata " + in_quotes(text) + " stands twice in the header");
        }
        metadata.emplace_back(text, std::string());
        break;
      default:
        start_field(text);
    }
    return true;
  }

  bool end_object() override {
    if (level_ == Level::tensor) {
      const Entry& entry = entries.back();
      if (entry.dtype.empty() || !entry.has_shape || !entry.has_offsets) {
        fail(where_, fmt::format("tensor {} has no {}", in_quotes(entry.name),
                                 entry.dtype.empty() ? "dtype"
                                 : entry.has_shape   ? "data_offsets"
                                                     : "shape"));
      }
    }
    level_ = level_ == Level::file ? Level::after : Level::file;
    field_ = Field::none;
    return true;
  }

  bool start_array(std::size_t) override {
    if (level_ != Level::tensor || in_array_ || !is_list(field_)) unexpected("a list");
    in_array_ = true;
    return true;
  }

  bool end_array() override {
    in_array_ = false;
    const Entry& entry = entries.back();
    if (field_ == Field::offsets && entry.offsets.size() != 2) {
      fail(where_, fmt::format("tensor {} has {} data_offsets, expected 2", in_quotes(entry.name),
                               entry.offsets.size()));
    }
    return true;
  }

  bool string(string_t& text) override {
    if (level_ == Level::metadata) {
      metadata.back().second = text;
    } else if (level_ == Level::tensor && field_ == Field::dtype) {
      set_type(text);
    } else {
      unexpected("text");
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (!in_array_) unexpected("a number");
    Entry& entry = entries.back();
    auto& list = field_ == Field::shape ? entry.shape : entry.offsets;
    if (list.size() == (field_ == Field::shape ? kMaxRank : 2)) {
      fail(where_, fmt::format("tensor {} has more than {} {}", in_quotes(entry.name), list.size(),
                               field_ == Field::shape ? "dimensions" : "data_offsets"));
    }
    list.push_back(number);
    return true;
  }

  bool number_integer(number_integer_t number) override {
    unexpected(fmt::format("the negative number {}", number));
  }
  bool number_float(number_float_t, const string_t& text) override {
    unexpected("the number " + in_quotes(text));
  }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a truth value"); }
  bool binary(binary_t&) override { unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    fail(where_, fmt::format("the header is not valid JSON at byte {}", kLengthBytes + position));
  }

 private:
  enum class Level { before, file, tensor, metadata, after };
  enum class Field { none, dtype, shape, offsets };

  static bool is_list(Field field) { return field == Field::shape || field == Field::offsets; }

  void start_field(const std::string& text) {
    Entry& entry = entries.back();
    bool repeated = false;
    if (text == "dtype") {
      field_ = Field::dtype;
      repeated = !entry.dtype.empty();
    } else if (text == "shape") {
      field_ = Field::shape;
      repeated = entry.has_shape;
      entry.has_shape = true;
    } else if (text == "data_offsets") {
      field_ = Field::offsets;
      repeated = entry.has_offsets;
      entry.has_offsets = true;
    } else {
      fail(where_, fmt::format("tensor {} has an unknown key {}, expected dtype, shape and "
                               "data_offsets",
                               in_quotes(entry.name), in_quotes(text)));
    }
    if (repeated) fail(where_, fmt::format("tensor {} has {} twice", in_quotes(entry.name), text));
  }

  void set_type(const std::string& text) {
    Entry& entry = entries.back();
    if (text == "F64") {
      entry.type = Type::f64;
    } else if (text == "F32") {
      entry.type = Type::f32;
    } else if (text == "F16") {
      entry.type = Type::f16;
    } else if (text == "BF16") {
      entry.type = Type::bf16;
    } else {
      fail(where_, fmt::format("tensor {} has dtype {}, expected F32, F64, F16 or BF16",
                               in_quotes(entry.name), in_quotes(text)));
    }
    entry.dtype = text;
  }

  [[noreturn]] void unexpected(const std::string& got) {
    const std::string at = level_ == Level::metadata
                               ? "metadata " + in_quotes(metadata.back().first)
                           : in_metadata_    ? in_quotes(kMetadataKey)
                           : entries.empty() ? "the header"
                                             : "tensor " + in_quotes(entries.back().name);
    fail(where_, fmt::format("{} holds {} where the format has none", at, got));
  }

  std::string where_;
  Level level_ = Level::before;
  Field field_ = Field::none;
  bool in_metadata_ = false;
  bool in_array_ = false;
  std::set<std::string> names_;
  std::set<std::string> metadata_keys_;
};

std::uint64_t read_length(std::string_view bytes) {
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  return length;
}

/// The number of values, or nothing when it is beyond all reason. A dimension of
/// 0 does not excuse the others, so that no product of dimensions overflows.
std::optional<std::uint64_t> count_elements(const std::vector<std::uint64_t>& shape) {
  std::uint64_t product = 1;
  bool empty = false;
  for (const std::uint64_t dimension : shape) {
    empty = empty || dimension == 0;
    const std::uint64_t factor = std::max<std::uint64_t>(dimension, 1);
    if (factor > kMaxElements / product) return std::nullopt;
    product *= factor;
  }
  return empty ? 0 : product;
}

/// Puts the entries into the order of their bytes, and checks that they cover
/// the `available` bytes of data exactly.
void check_layout(std::vector<Entry>& entries, std::uint64_t available, std::string_view where) {
  for (const Entry& entry : entries) {
    const std::string name = in_quotes(entry.name);
    if (entry.begin() > entry.end()) {
      fail(where, fmt::format("tensor {} begins at byte {} and ends before, at byte {}", name,
                              entry.begin(), entry.end()));
    }
    if (entry.end() > available) {
      fail(where, fmt::format("tensor {} ends at byte {} of the data, but the file has {}", name,
                              entry.end(), available));
    }
    const std::optional<std::uint64_t> count = count_elements(entry.shape);
    if (!count) {
      fail(where, fmt::format("tensor {} of shape {} is too large", name, shape_text(entry.shape)));
    }
    const std::uint64_t wanted = *count * size_of(entry.type);
    if (entry.end() - entry.begin() != wanted) {
      fail(where,
           fmt::format("tensor {} has {} bytes, but its shape {} of {} needs {}", name,
                       entry.end() - entry.begin(), shape_text(entry.shape), entry.dtype, wanted));
    }
  }
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.offsets < b.offsets; });
  std::uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.begin() != end) {
      fail(where, entry.begin() < end
                      ? fmt::format("tensor {} overlaps the one before it", in_quotes(entry.name))
                      : fmt::format("{} bytes before tensor {} belong to no tensor",
                                    entry.begin() - end, in_quotes(entry.name)));
    }
    end = entry.end();
  }
  if (end != available) {
    fail(where, fmt::format("{} bytes after the last tensor belong to no tensor", available - end));
  }
}

/// IEEE 754 binary16 to binary32; every value fits.
float from_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 1023;
  if (exponent == 31) {
    const std::uint32_t bits = (std::uint32_t{half} & 0x8000u) << 16 | 0x7f800000u |
                               static_cast<std::uint32_t>(fraction) << 13;
    float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  const float magnitude = exponent == 0
                              ? std::ldexp(static_cast<float>(fraction), -24)
                              : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

float from_bfloat(std::uint16_t half) {
  const std::uint32_t bits = std::uint32_t{half} << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <class Stored, class Convert>
void convert(std::string_view bytes, std::vector<float>& values, Convert to_float) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    Stored stored{};
    std::memcpy(&stored, bytes.data() + i * sizeof stored, sizeof stored);
    values[i] = to_float(stored);
  }
}

std::vector<float> read_values(const Entry& entry, std::string_view bytes, std::string_view where) {
  std::vector<float> values(bytes.size() / size_of(entry.type));
  switch (entry.type) {
    case Type::f32:
      if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
      break;
    case Type::f64:
      convert<double>(bytes, values, [&](double value) {
        if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max()) {
          fail(where, fmt::format("tensor {} holds {}, which does not fit into float32",
                                  in_quotes(entry.name), value));
        }
        return static_cast<float>(value);
      });
      break;
    case Type::f16:
      convert<std::uint16_t>(bytes, values, from_half);
      break;
    case Type::bf16:
      convert<std::uint16_t>(bytes, values, from_bfloat);
      break;
  }
  return values;
}

std::string json_text(const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw_run(fmt::format("safetensors: {} is not valid UTF-8", in_quotes(text)));
  }
}

void check_tensor(const Tensor& tensor, std::set<std::string>& names) {
  if (tensor.name == kMetadataKey || !names.insert(tensor.name).second) {
    throw_run(fmt::format("safetensors: a second tensor named {}", in_quotes(tensor.name)));
  }
  // A negative dimension becomes a huge one.
  const std::vector<std::uint64_t> shape(tensor.shape.begin(), tensor.shape.end());
  if (shape.size() > kMaxRank || count_elements(shape) != tensor.values.size()) {
    throw_run(fmt::format("safetensors: tensor {} has {} values, but its shape is {}",
                          in_quotes(tensor.name), tensor.values.size(), shape_text(tensor.shape)));
  }
}

}  // namespace

const Tensor* TensorFile::find(std::string_view name) const {
  for (const Tensor& tensor : tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

const std::string* TensorFile::find_metadata(std::string_view key) const {
  for (const auto& entry : metadata) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

std::string to_safetensors(const TensorFile& file) {
  std::string header = "{";
  if (!file.metadata.empty()) {
    std::set<std::string> keys;
    for (const auto& [key, text] : file.metadata) {
      if (!keys.insert(key).second) {
        throw_run(fmt::format("safetensors: a second metadata {}", in_quotes(key)));
      }
      header += keys.size() == 1 ? fmt::format("\"{}\":{{", kMetadataKey) : ",";
      header += json_text(key) + ":" + json_text(text);
    }
    header += "}";
  }
  std::set<std::string> names;
  std::uint64_t end = 0;
  for (const Tensor& tensor : file.tensors) {
    check_tensor(tensor, names);
    const std::uint64_t begin = end;
    end += tensor.values.size() * sizeof(float);
    if (header.size() > 1) header += ",";
    header += fmt::format("{}:{{\"dtype\":\"F32\",\"shape\":{},\"data_offsets\":[{},{}]}}",
                          json_text(tensor.name), shape_text(tensor.shape), begin, end);
  }
  header += "}";
  header.append((8 - header.size() % 8) % 8, ' ');
  if (header.size() > kMaxHeader) {
    throw_run(fmt::format("safetensors: a header of {} bytes, at most {} can be read back",
                          header.size(), kMaxHeader));
  }

  std::string bytes;
  bytes.reserve(kLengthBytes + header.size() + end);
  const std::uint64_t length = header.size();
  bytes.append(reinterpret_cast<const char*>(&length), kLengthBytes);
  bytes += header;
  for (const Tensor& tensor : file.tensors) {
    bytes.append(reinterpret_cast<const char*>(tensor.values.data()),
                 tensor.values.size() * sizeof(float));
  }
  return bytes;
}

TensorFile parse_safetensors(std::string_view bytes, std::string_view where) {
  if (bytes.size() < kLengthBytes) {
    fail(where, fmt::format("the file has {} bytes, a safetensors file at least 10", bytes.size()));
  }
  const std::uint64_t length = read_length(bytes);
  if (length > kMaxHeader) {
    fail(where, fmt::format("the header claims {} bytes, at most {} are read", length, kMaxHeader));
  }
  if (length > bytes.size() - kLengthBytes) {
    fail(where, fmt::format("the header claims {} bytes, but the file has {} after its length",
                            length, bytes.size() - kLengthBytes));
  }
  const std::string_view header = bytes.substr(kLengthBytes, length);
  const std::string_view data = bytes.substr(kLengthBytes + length);
  // The parser would skip a byte order mark.
  if (header.empty() || header.front() != '{') fail(where, "the header does not begin with {");

  HeaderReader reader(where);
  nlohmann::json::sax_parse(header.begin(), header.end(), &reader);
  check_layout(reader.entries, data.size(), where);

  TensorFile file;
  file.metadata = std::move(reader.metadata);
  file.tensors.reserve(reader.entries.size());
  for (Entry& entry : reader.entries) {
    Tensor tensor;
    tensor.shape.assign(entry.shape.begin(), entry.shape.end());
    tensor.values =
        read_values(entry, data.substr(entry.begin(), entry.end() - entry.begin()), where);
    tensor.name = std::move(entry.name);
    file.tensors.push_back(std::move(tensor));
  }
  return file;
}

TensorFile read_safetensors(const std::string& path, std::string_view what) {
  return parse_safetensors(read_file(path, what), fmt::format("{}: {}", what, path));
}

void write_safetensors(const std::string& path, const TensorFile& file, std::string_view what) {
  write_file_atomic(path, to_safetensors(file), what);
}

}  // namespace xfq::models
