// Checkpoints: the map between a model's flat array and named tensors.
#include "xfq/models/checkpoint.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <system_error>

#include "tensor_text.h"
#include "xfq/core/error.h"
#include "xfq/core/finite.h"
#include "xfq/core/value.h"

namespace xfq::models {

namespace {

constexpr Index kMaxLayers = 1024;
// Matrices and normalisation weights of a block; biases may be absent.
constexpr Index kLeastTensorsPerBlock = 6;

/// One tensor of the file: columns [column, column + width) of a tensor of the
/// layout, transposed or not.
struct Piece {
  std::string name;
  const nn::ParameterInfo* source = nullptr;
  Index column = 0;
  Index width = 0;
  bool transposed = false;

  std::vector<Index> shape() const {
    if (source->vector) return {width};
    if (transposed) return {width, source->rows};
    return {source->rows, width};
  }
};

std::vector<Piece> pieces_of(const Decoder& decoder) {
  std::vector<Piece> pieces;
  for (const nn::ParameterInfo& tensor : decoder.layout().tensors()) {
    pieces.push_back({"transformer." + tensor.name, &tensor, 0, tensor.cols, false});
  }
  return pieces;
}

std::vector<Piece> pieces_of(const Encoder& encoder) {
  const std::string embeddings = "bert.embeddings.";
  const std::string qkv = ".qkv.";
  std::vector<Piece> pieces;
  for (const nn::ParameterInfo& tensor : encoder.layout().tensors()) {
    const bool table = tensor.name.compare(0, embeddings.size(), embeddings) == 0;
    const bool transposed = !tensor.vector && !table;
    const std::size_t at = tensor.name.find(qkv);
    if (at == std::string::npos) {
      pieces.push_back({tensor.name, &tensor, 0, tensor.cols, transposed});
      continue;
    }
    const Index width = tensor.cols / 3;
    Index column = 0;
    for (const char* part : {".query.", ".key.", ".value."}) {
      std::string name = tensor.name;
      name.replace(at, qkv.size(), part);
      pieces.push_back({std::move(name), &tensor, column, width, transposed});
      column += width;
    }
  }
  return pieces;
}

/// values [rows, cols] of the piece's source tensor; the same elements in the
/// order of the file are passed to visit as (element of values, index in the file).
template <class Values, class Visit>
void for_each_element(const Piece& piece, Values* values, Visit visit) {
  const Index rows = piece.source->rows;
  const Index cols = piece.source->cols;
  for (Index r = 0; r < rows; ++r) {
    for (Index c = 0; c < piece.width; ++c) {
      const Index there = piece.transposed ? c * rows + r : r * piece.width + c;
      visit(values[r * cols + piece.column + c], static_cast<std::size_t>(there));
    }
  }
}

std::vector<Tensor> export_tensors(const std::vector<Piece>& pieces, const Vector<float>& values) {
  std::vector<Tensor> tensors;
  for (const Piece& piece : pieces) {
    Tensor tensor;
    tensor.name = piece.name;
    tensor.shape = piece.shape();
    tensor.values.resize(static_cast<std::size_t>(piece.source->rows * piece.width));
    for_each_element(piece, values.data() + piece.source->offset,
                     [&](float value, std::size_t i) { tensor.values[i] = value; });
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

[[noreturn]] void fail(std::string_view where, const std::string& message) {
  throw_input(fmt::format("{}: {}", where, message),
              "load a checkpoint that this program has written for the same kind of model");
}

Vector<float> import_tensors(const nn::ParameterLayout& layout, const std::vector<Piece>& pieces,
                             const TensorFile& file, std::string_view where) {
  std::map<std::string_view, const Tensor*> by_name;
  for (const Tensor& tensor : file.tensors) by_name.emplace(tensor.name, &tensor);

  // All names and shapes are checked before memory is taken for the sizes that the
  // metadata claims.
  std::vector<const Tensor*> sources;
  for (const Piece& piece : pieces) {
    const auto found = by_name.find(piece.name);
    if (found == by_name.end()) fail(where, fmt::format("tensor {} is missing", piece.name));
    const Tensor& tensor = *found->second;
    if (tensor.shape != piece.shape()) {
      fail(where, fmt::format("tensor {} has shape {}, expected {}", piece.name,
                              shape_text(tensor.shape), shape_text(piece.shape())));
    }
    if (!all_finite(tensor.values.data(), tensor.values.size())) {
      fail(where, fmt::format("tensor {} holds values that are not finite", piece.name));
    }
    sources.push_back(&tensor);
    by_name.erase(found);
  }
  if (!by_name.empty()) {
    fail(where, fmt::format("tensor {} is not part of the model that the metadata describes",
                            in_quotes(by_name.begin()->first)));
  }
  Vector<float> parameters = nn::make_parameters<float>(layout);
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    const std::vector<float>& values = sources[p]->values;
    for_each_element(pieces[p], parameters.data() + pieces[p].source->offset,
                     [&](float& value, std::size_t i) { value = values[i]; });
  }
  return parameters;
}

/// Metadata as numbers, each checked against a range.
class ConfigReader {
 public:
  ConfigReader(const TensorFile& file, std::string_view where) : file_(file), where_(where) {
    for (const Tensor& tensor : file.tensors) values_ += static_cast<Index>(tensor.values.size());
  }

  void expect_model(std::string_view name) const {
    if (text("model") != name) {
      fail(where_,
           fmt::format("metadata model is {}, expected \"{}\"", in_quotes(text("model")), name));
    }
  }

  Index size(const char* key) const { return integer(key, values_); }

  Index layers() const {
    const Index most = static_cast<Index>(file_.tensors.size()) / kLeastTensorsPerBlock;
    return integer("layers", std::min(most, kMaxLayers));
  }

  Index heads(Index dim) const {
    const Index heads = integer("heads", dim);
    if (dim % heads != 0) {
      fail(where_, fmt::format("metadata heads is {}, expected a divisor of dim = {}", heads, dim));
    }
    return heads;
  }

  /// The values that the file would need for a matrix of [rows, dim] per layer.
  void check_matrix(const char* key, Index rows, Index dim) const {
    if (rows > values_ / dim) {
      fail(where_, fmt::format("metadata {} is {}, too large for dim = {} and the {} values of "
                               "the file",
                               key, rows, dim, values_));
    }
  }

  bool truth(const char* key) const {
    const std::string& value = text(key);
    if (value != "true" && value != "false") {
      fail(where_, fmt::format("metadata {} is {}, expected true or false", key, in_quotes(value)));
    }
    return value == "true";
  }

  double deviation(const char* key) const {
    const std::string& value = text(key);
    double number = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code != std::errc() || end != value.data() + value.size() || !std::isfinite(number) ||
        number < 0) {
      fail(where_, fmt::format("metadata {} is {}, expected a number of at least 0", key,
                               in_quotes(value)));
    }
    return number;
  }

 private:
  const std::string& text(const char* key) const {
    const std::string* value = file_.find_metadata(key);
    if (value == nullptr) fail(where_, fmt::format("metadata {} is missing", key));
    return *value;
  }

  Index integer(const char* key, Index most) const {
    const std::string& value = text(key);
    Index number = 0;
    const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code != std::errc() || end != value.data() + value.size() || number < 1 || number > most) {
      fail(where_, fmt::format("metadata {} is {}, expected an integer from 1 to {}", key,
                               in_quotes(value), most));
    }
    return number;
  }

  const TensorFile& file_;
  std::string_view where_;
  Index values_ = 0;
};

std::string digits(Index number) { return to_text(Value(static_cast<std::int64_t>(number))); }

}  // namespace

TensorFile to_checkpoint(const Decoder& decoder, const Vector<float>& values) {
  XFQ_ASSERT(values.size() == decoder.layout().size());
  const DecoderConfig& c = decoder.config();
  TensorFile file;
  file.metadata = {{"format", "pt"},
                   {"model", "decoder"},
                   {"layers", digits(c.layers)},
                   {"dim", digits(c.dim)},
                   {"heads", digits(c.heads)},
                   {"context", digits(c.context)},
                   {"vocab", digits(c.vocab)},
                   {"bias", to_text(c.bias)},
                   {"init", to_text(c.init)},
                   {"embedding_init", to_text(c.embedding_init)}};
  file.tensors = export_tensors(pieces_of(decoder), values);
  return file;
}

TensorFile to_checkpoint(const Encoder& encoder, const Vector<float>& values) {
  XFQ_ASSERT(values.size() == encoder.layout().size());
  const EncoderConfig& c = encoder.config();
  TensorFile file;
  file.metadata = {{"format", "pt"},
                   {"model", "encoder"},
                   {"layers", digits(c.layers)},
                   {"dim", digits(c.dim)},
                   {"heads", digits(c.heads)},
                   {"context", digits(c.context)},
                   {"vocab", digits(c.vocab)},
                   {"segments", digits(c.segments)},
                   {"classes", digits(c.classes)},
                   {"init", to_text(c.init)},
                   {"embedding_init", to_text(c.embedding_init)}};
  file.tensors = export_tensors(pieces_of(encoder), values);
  return file;
}

DecoderCheckpoint to_decoder(const TensorFile& file, std::string_view where) {
  const ConfigReader reader(file, where);
  reader.expect_model("decoder");
  DecoderCheckpoint checkpoint;
  DecoderConfig& c = checkpoint.config;
  c.layers = reader.layers();
  c.dim = reader.size("dim");
  c.heads = reader.heads(c.dim);
  c.context = reader.size("context");
  c.vocab = reader.size("vocab");
  c.bias = reader.truth("bias");
  c.init = reader.deviation("init");
  c.embedding_init = reader.deviation("embedding_init");
  reader.check_matrix("dim", c.dim, c.dim);
  reader.check_matrix("context", c.context, c.dim);
  reader.check_matrix("vocab", c.vocab, c.dim);
  const Decoder decoder(c);
  checkpoint.parameters = import_tensors(decoder.layout(), pieces_of(decoder), file, where);
  return checkpoint;
}

EncoderCheckpoint to_encoder(const TensorFile& file, std::string_view where) {
  const ConfigReader reader(file, where);
  reader.expect_model("encoder");
  EncoderCheckpoint checkpoint;
  EncoderConfig& c = checkpoint.config;
  c.layers = reader.layers();
  c.dim = reader.size("dim");
  c.heads = reader.heads(c.dim);
  c.context = reader.size("context");
  c.vocab = reader.size("vocab");
  c.segments = reader.size("segments");
  c.classes = reader.size("classes");
  c.init = reader.deviation("init");
  c.embedding_init = reader.deviation("embedding_init");
  reader.check_matrix("dim", c.dim, c.dim);
  reader.check_matrix("context", c.context, c.dim);
  reader.check_matrix("vocab", c.vocab, c.dim);
  reader.check_matrix("segments", c.segments, c.dim);
  reader.check_matrix("classes", c.classes, c.dim);
  const Encoder encoder(c);
  checkpoint.parameters = import_tensors(encoder.layout(), pieces_of(encoder), file, where);
  return checkpoint;
}

void save_checkpoint(const std::string& path, const Decoder& decoder,
                     const Vector<float>& parameters, std::string_view what) {
  write_safetensors(path, to_checkpoint(decoder, parameters), what);
}

void save_checkpoint(const std::string& path, const Encoder& encoder,
                     const Vector<float>& parameters, std::string_view what) {
  write_safetensors(path, to_checkpoint(encoder, parameters), what);
}

DecoderCheckpoint load_decoder(const std::string& path, std::string_view what) {
  return to_decoder(read_safetensors(path, what), fmt::format("{}: {}", what, path));
}

EncoderCheckpoint load_encoder(const std::string& path, std::string_view what) {
  return to_encoder(read_safetensors(path, what), fmt::format("{}: {}", what, path));
}

}  // namespace xfq::models
