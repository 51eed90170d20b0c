// Checkpoints: models as safetensors with the tensor names and layouts of Hugging
// Face's GPT2LMHeadModel and BertForPreTraining, so that others can load them.
//
//   decoder  "transformer." + the name in the layout; matrices [in, out] as they
//            are. The head is tied to transformer.wte.weight and not stored.
//   encoder  names as in the layout; matrices transposed to [out, in], and
//            attention.self.qkv split into query, key and value.
//
// The configuration stands in `__metadata__`, one text per key ("model": "decoder",
// "layers": "2", ...), beside "format": "pt", which Hugging Face's loader wants.
// Other metadata is allowed and kept.
#pragma once

#include <string>
#include <string_view>

#include "xfq/models/decoder.h"
#include "xfq/models/encoder.h"
#include "xfq/models/safetensors.h"

namespace xfq::models {

/// `values` is any array of the model's layout: parameters, or their gradients.
TensorFile to_checkpoint(const Decoder& decoder, const Vector<float>& values);
TensorFile to_checkpoint(const Encoder& encoder, const Vector<float>& values);

struct DecoderCheckpoint {
  DecoderConfig config;
  Vector<float> parameters;  ///< of the layout of Decoder(config)
};

struct EncoderCheckpoint {
  EncoderConfig config;
  Vector<float> parameters;
};

/// The opposite. Every tensor must be there, with its shape and finite values, and
/// no other; the sizes in the metadata are held against the file before anything
/// is built from them. Throw ErrorKind::input; the message begins with `where` and
/// names the tensor or the metadata key.
DecoderCheckpoint to_decoder(const TensorFile& file, std::string_view where);
EncoderCheckpoint to_encoder(const TensorFile& file, std::string_view where);

/// `what` is what asked for the file, for messages ("--init").
void save_checkpoint(const std::string& path, const Decoder& decoder,
                     const Vector<float>& parameters, std::string_view what);
void save_checkpoint(const std::string& path, const Encoder& encoder,
                     const Vector<float>& parameters, std::string_view what);
DecoderCheckpoint load_decoder(const std::string& path, std::string_view what);
EncoderCheckpoint load_encoder(const std::string& path, std::string_view what);

}  // namespace xfq::models
