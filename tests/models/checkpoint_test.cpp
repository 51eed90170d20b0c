// Checkpoints: Hugging Face's names and layouts, the way there and back, and every
// file that must not become a model.
#include "xfq/models/checkpoint.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "catch.h"
#include "xfq/core/error.h"

using namespace xfq;
using namespace xfq::models;

namespace {

DecoderConfig decoder_config(bool bias) {
  DecoderConfig c;
  c.layers = 2;
  c.dim = 6;
  c.heads = 3;
  c.context = 5;
  c.vocab = 11;
  c.bias = bias;
  c.init = 0.1;
  c.embedding_init = 0.3;
  return c;
}

EncoderConfig encoder_config() {
  EncoderConfig c;
  c.layers = 2;
  c.dim = 6;
  c.heads = 2;
  c.context = 7;
  c.vocab = 11;
  c.segments = 3;
  c.classes = 4;
  return c;
}

/// Every parameter has a value of its own: its position, plus one.
template <class Model>
Vector<float> numbered(const Model& model) {
  Vector<float> values = nn::make_parameters<float>(model.layout());
  for (const nn::ParameterInfo& tensor : model.layout().tensors()) {
    for (Index i = 0; i < tensor.size(); ++i) {
      values[tensor.offset + i] = static_cast<float>(tensor.offset + i + 1);
    }
  }
  return values;
}

float layout_value(const nn::ParameterLayout& layout, const Vector<float>& values,
                   const std::string& name, Index row, Index col) {
  const nn::ParameterInfo* tensor = layout.find(name);
  REQUIRE(tensor != nullptr);
  return values[tensor->offset + row * tensor->cols + col];
}

const Tensor& tensor_of(const TensorFile& file, const std::string& name) {
  const Tensor* tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  return *tensor;
}

std::vector<std::string> names_of(const TensorFile& file) {
  std::vector<std::string> names;
  for (const Tensor& tensor : file.tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  return names;
}

void set(TensorFile& file, const std::string& key, const std::string& text) {
  for (auto& entry : file.metadata) {
    if (entry.first == key) entry.second = text;
  }
}

/// The message of the ErrorKind::input that loading throws after a change.
template <class Load>
std::string refusal(TensorFile file, Load load, const std::function<void(TensorFile&)>& change) {
  change(file);
  try {
    load(file, "--init: x");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    CHECK_FALSE(error.hint().empty());
    CHECK(std::string(error.what()).rfind("--init: x: ", 0) == 0);
    return std::string(error.what()).substr(11);
  }
  return {};
}

Tensor& named(TensorFile& file, const std::string& name) {
  for (Tensor& tensor : file.tensors) {
    if (tensor.name == name) return tensor;
  }
  FAIL("no tensor " << name);
  return file.tensors.front();
}

}  // namespace

TEST_CASE("a decoder is written with the names and shapes of GPT2LMHeadModel") {
  const Decoder decoder(decoder_config(true));
  const Vector<float> values = numbered(decoder);
  const TensorFile file = to_checkpoint(decoder, values);
  // Hugging Face's GPT2LMHeadModel with n_layer=2, n_embd=6, n_positions=5,
  // vocab_size=11; lm_head.weight is tied and not stored.
  std::vector<std::string> expected = {"transformer.wte.weight", "transformer.wpe.weight",
                                       "transformer.ln_f.weight", "transformer.ln_f.bias"};
  for (int l = 0; l < 2; ++l) {
    for (const char* part :
         {"ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"}) {
      for (const char* kind : {"weight", "bias"}) {
        expected.push_back(fmt::format("transformer.h.{}.{}.{}", l, part, kind));
      }
    }
  }
  std::sort(expected.begin(), expected.end());
  CHECK(names_of(file) == expected);
  CHECK(tensor_of(file, "transformer.wte.weight").shape == std::vector<Index>{11, 6});
  CHECK(tensor_of(file, "transformer.wpe.weight").shape == std::vector<Index>{5, 6});
  CHECK(tensor_of(file, "transformer.h.1.attn.c_attn.weight").shape == std::vector<Index>{6, 18});
  CHECK(tensor_of(file, "transformer.h.1.attn.c_attn.bias").shape == std::vector<Index>{18});
  CHECK(tensor_of(file, "transformer.h.0.mlp.c_fc.weight").shape == std::vector<Index>{6, 24});
  CHECK(tensor_of(file, "transformer.h.0.mlp.c_proj.weight").shape == std::vector<Index>{24, 6});
  CHECK(tensor_of(file, "transformer.ln_f.weight").shape == std::vector<Index>{6});
  const Tensor& weight = tensor_of(file, "transformer.h.1.attn.c_attn.weight");
  CHECK(weight.values[2 * 18 + 7] ==
        layout_value(decoder.layout(), values, "h.1.attn.c_attn.weight", 2, 7));
  CHECK(*file.find_metadata("format") == "pt");
  CHECK(*file.find_metadata("model") == "decoder");
}

TEST_CASE("an encoder is written with the names and layouts of BertForPreTraining") {
  const Encoder encoder(encoder_config());
  const Vector<float> values = numbered(encoder);
  const TensorFile file = to_checkpoint(encoder, values);
  // Hugging Face's BertForPreTraining with num_hidden_layers=2, hidden_size=6;
  // cls.predictions.decoder is tied and not stored.
  std::vector<std::string> expected = {
      "bert.embeddings.word_embeddings.weight", "bert.embeddings.position_embeddings.weight",
      "bert.embeddings.token_type_embeddings.weight", "cls.predictions.bias"};
  std::vector<std::string> modules = {
      "bert.embeddings.LayerNorm", "bert.pooler.dense", "cls.predictions.transform.dense",
      "cls.predictions.transform.LayerNorm", "cls.seq_relationship"};
  for (int l = 0; l < 2; ++l) {
    for (const char* part : {"attention.self.query", "attention.self.key", "attention.self.value",
                             "attention.output.dense", "attention.output.LayerNorm",
                             "intermediate.dense", "output.dense", "output.LayerNorm"}) {
      modules.push_back(fmt::format("bert.encoder.layer.{}.{}", l, part));
    }
  }
  for (const std::string& module : modules) {
    expected.push_back(module + ".weight");
    expected.push_back(module + ".bias");
  }
  std::sort(expected.begin(), expected.end());
  CHECK(names_of(file) == expected);

  // Tables stay [entries, dim]; torch.nn.Linear weights are [out, in].
  CHECK(tensor_of(file, "bert.embeddings.word_embeddings.weight").shape ==
        std::vector<Index>{11, 6});
  CHECK(tensor_of(file, "bert.embeddings.token_type_embeddings.weight").shape ==
        std::vector<Index>{3, 6});
  CHECK(tensor_of(file, "cls.seq_relationship.weight").shape == std::vector<Index>{4, 6});
  const std::string layer = "bert.encoder.layer.1.";
  const Tensor& up = tensor_of(file, layer + "intermediate.dense.weight");
  CHECK(up.shape == std::vector<Index>{24, 6});
  CHECK(up.values[20 * 6 + 3] ==
        layout_value(encoder.layout(), values, layer + "intermediate.dense.weight", 3, 20));
  Index column = 0;
  for (const std::string part : {"query", "key", "value"}) {
    const Tensor& weight = tensor_of(file, layer + "attention.self." + part + ".weight");
    const Tensor& bias = tensor_of(file, layer + "attention.self." + part + ".bias");
    CHECK(weight.shape == std::vector<Index>{6, 6});
    CHECK(bias.shape == std::vector<Index>{6});
    CHECK(weight.values[5 * 6 + 2] == layout_value(encoder.layout(), values,
                                                   layer + "attention.self.qkv.weight", 2,
                                                   column + 5));
    CHECK(bias.values[4] ==
          layout_value(encoder.layout(), values, layer + "attention.self.qkv.bias", 0, column + 4));
    column += 6;
  }
}

TEST_CASE("a model reads back to the bit, configuration included") {
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("xfq_{}.checkpoint", getpid()))
          .string();
  for (const bool bias : {true, false}) {
    const Decoder decoder(decoder_config(bias));
    Vector<float> parameters;
    nn::initialise(decoder.layout(), 7, parameters);
    save_checkpoint(path, decoder, parameters, "--save");
    const DecoderCheckpoint back = load_decoder(path, "--init");
    CHECK(back.parameters == parameters);
    CHECK(back.config.layers == 2);
    CHECK(back.config.dim == 6);
    CHECK(back.config.heads == 3);
    CHECK(back.config.context == 5);
    CHECK(back.config.vocab == 11);
    CHECK(back.config.bias == bias);
    CHECK(back.config.init == 0.1);
    CHECK(back.config.embedding_init == 0.3);
  }
  const Encoder encoder(encoder_config());
  const Vector<float> parameters = numbered(encoder);
  save_checkpoint(path, encoder, parameters, "--save");
  const EncoderCheckpoint back = load_encoder(path, "--init");
  CHECK(back.parameters == parameters);
  CHECK(back.config.layers == 2);
  CHECK(back.config.dim == 6);
  CHECK(back.config.heads == 2);
  CHECK(back.config.context == 7);
  CHECK(back.config.vocab == 11);
  CHECK(back.config.segments == 3);
  CHECK(back.config.classes == 4);
  CHECK(back.config.init == 0.02);
  CHECK(back.config.embedding_init == 0.02);

  CHECK_THROWS_WITH(
      load_decoder(path, "--init"),
      fmt::format("--init: {}: metadata model is \"encoder\", expected \"decoder\"", path));
  std::filesystem::remove(path);
}

TEST_CASE("a file that is not the model it claims to be is refused by tensor or key") {
  const Decoder decoder(decoder_config(true));
  const TensorFile good = to_checkpoint(decoder, numbered(decoder));
  const auto refused = [&](const std::function<void(TensorFile&)>& change) {
    return refusal(good, to_decoder, change);
  };
  const auto with = [&](const std::string& key, const std::string& text) {
    return refused([&](TensorFile& file) { set(file, key, text); });
  };
  REQUIRE(refused([](TensorFile&) {}).empty());
  // Order and further metadata do not matter.
  CHECK(refused([](TensorFile& file) {
          std::reverse(file.tensors.begin(), file.tensors.end());
          file.metadata.emplace_back("note", "hello");
        }).empty());

  SECTION("tensors") {
    CHECK(refused([](TensorFile& file) { file.tensors.erase(file.tensors.begin() + 3); }) ==
          "tensor transformer.h.0.ln_1.bias is missing");
    CHECK(refused([](TensorFile& file) {
            file.tensors.push_back({"extra", {1}, {0}});
          }) == "tensor \"extra\" is not part of the model that the metadata describes");
    CHECK(refused([](TensorFile& file) {
            named(file, "transformer.h.1.attn.c_attn.weight").shape = {18, 6};
          }) == "tensor transformer.h.1.attn.c_attn.weight has shape [18, 6], expected [6, 18]");
    CHECK(refused([](TensorFile& file) {
            named(file, "transformer.ln_f.bias").shape = {1, 6};
          }) == "tensor transformer.ln_f.bias has shape [1, 6], expected [6]");
    CHECK(refused([](TensorFile& file) {
            named(file, "transformer.h.0.mlp.c_fc.bias").values[5] =
                std::numeric_limits<float>::quiet_NaN();
          }) == "tensor transformer.h.0.mlp.c_fc.bias holds values that are not finite");
    CHECK(refused([](TensorFile& file) {
            named(file, "transformer.wte.weight").values[5] =
                std::numeric_limits<float>::infinity();
          }) == "tensor transformer.wte.weight holds values that are not finite");
    // Without biases the same sizes make another model.
    CHECK(with("bias", "false") ==
          "tensor \"transformer.h.0.attn.c_attn.bias\" is not part of the model that the metadata "
          "describes");
    CHECK(with("layers", "1").find("tensor \"transformer.h.1.attn.c_attn.bias\" is not part") == 0);
    CHECK(with("layers", "3") == "tensor transformer.h.2.ln_1.weight is missing");
    CHECK(with("vocab", "12") ==
          "tensor transformer.wte.weight has shape [11, 6], expected [12, 6]");
  }
  SECTION("metadata") {
    for (const std::string key : {"model", "layers", "dim", "heads", "context", "vocab", "bias",
                                  "init", "embedding_init"}) {
      CHECK(refused([&](TensorFile& file) {
              for (auto& entry : file.metadata) {
                if (entry.first == key) entry.first = "other";
              }
            }) == fmt::format("metadata {} is missing", key));
    }
    CHECK(with("model", "gpt") == "metadata model is \"gpt\", expected \"decoder\"");
    // 28 tensors cannot hold more than 4 layers of at least 6; the decoder has
    // 66 + 30 + 2 * (4 * 6 + 12 * 36 + 9 * 6) + 12 = 1128 values.
    for (const std::string bad :
         {"0", "-1", "5", "2.0", " 2", "2 ", "", "0x2", "1e1", "99999999999999999999", "two"}) {
      CHECK(with("layers", bad) ==
            fmt::format("metadata layers is \"{}\", expected an integer from 1 to 4", bad));
    }
    CHECK(with("dim", "1129") == "metadata dim is \"1129\", expected an integer from 1 to 1128");
    CHECK(with("vocab", "9223372036854775807") ==
          "metadata vocab is \"9223372036854775807\", expected an integer from 1 to 1128");
    CHECK(with("dim", "1128") ==
          "metadata dim is 1128, too large for dim = 1128 and the 1128 values of the file");
    CHECK(with("heads", "4") == "metadata heads is 4, expected a divisor of dim = 6");
    CHECK(with("heads", "7") == "metadata heads is \"7\", expected an integer from 1 to 6");
    CHECK(with("dim", "60") ==
          "metadata dim is 60, too large for dim = 60 and the 1128 values of the file");
    CHECK(with("context", "189") ==
          "metadata context is 189, too large for dim = 6 and the 1128 values of the file");
    CHECK(with("bias", "yes") == "metadata bias is \"yes\", expected true or false");
    for (const std::string bad : {"nan", "inf", "-0.1", "", "0.1x", "1e999"}) {
      CHECK(with("init", bad) ==
            fmt::format("metadata init is \"{}\", expected a number of at least 0", bad));
    }
  }
  SECTION("an encoder") {
    const Encoder encoder(encoder_config());
    const TensorFile other = to_checkpoint(encoder, numbered(encoder));
    const std::string key = "bert.encoder.layer.0.attention.self.key.";
    CHECK(refusal(other, to_encoder, [](TensorFile&) {}).empty());
    CHECK(refusal(other, to_encoder, [&](TensorFile& file) {
            named(file, key + "weight").name = "renamed";
          }) == "tensor " + key + "weight is missing");
    CHECK(refusal(other, to_encoder, [&](TensorFile& file) {
            named(file, key + "bias").shape = {6, 1};
          }) == "tensor " + key + "bias has shape [6, 1], expected [6]");
    CHECK(refusal(other, to_encoder, [&](TensorFile& file) { set(file, "classes", "2"); }) ==
          "tensor cls.seq_relationship.weight has shape [4, 6], expected [2, 6]");
    CHECK(refusal(other, to_encoder, [&](TensorFile& file) {
            set(file, "segments", "0");
          }).find("metadata segments is \"0\", expected an integer from 1 to ") == 0);
    CHECK(refusal(good, to_encoder, [](TensorFile&) {}) ==
          "metadata model is \"decoder\", expected \"encoder\"");
  }
}
