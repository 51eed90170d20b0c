// Safetensors: the file format of Hugging Face checkpoints.
//
//   8 bytes    N, little-endian
//   N bytes    JSON: {"name": {"dtype": "F32", "shape": [2, 3],
//              "data_offsets": [begin, end]}, ..., "__metadata__": {text: text}},
//              padded with spaces
//   the rest   the tensors, little-endian, row-major, without gaps
//
// Files are written by anybody, so a reader trusts nothing: every size is checked
// before memory is taken, and memory stays within a small multiple of the file's
// size. Values are not judged here: NaN and infinity pass through, bit for bit.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xfq/core/matrix.h"

namespace xfq::models {

struct Tensor {
  std::string name;
  std::vector<Index> shape;  ///< empty for a scalar
  std::vector<float> values;
};

struct TensorFile {
  std::vector<Tensor> tensors;  ///< in the order of their bytes in the file
  std::vector<std::pair<std::string, std::string>> metadata;

  /// nullptr when there is none.
  const Tensor* find(std::string_view name) const;
  const std::string* find_metadata(std::string_view key) const;
};

/// The file as bytes: metadata and tensors in the order given, dtype F32, the
/// header padded so that the first tensor starts at a multiple of 8. Throws
/// ErrorKind::run on what must not be written: a name twice, a shape that does
/// not fit its values, text that is not UTF-8.
std::string to_safetensors(const TensorFile& file);

/// The opposite. Reads F32, F64, F16 and BF16, as float (F64 is rounded). Throws
/// ErrorKind::input on anything that breaks the format; `where` names the file in
/// the message ("--init: model.safetensors").
TensorFile parse_safetensors(std::string_view bytes, std::string_view where);

/// `what` is what asked for the file ("--init"). Both throw ErrorKind::input.
TensorFile read_safetensors(const std::string& path, std::string_view what);
void write_safetensors(const std::string& path, const TensorFile& file, std::string_view what);

}  // namespace xfq::models
