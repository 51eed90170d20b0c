// Plans: selections, refusals and bytes counted by hand.
#include "xfq/quant/plan.h"

#include "samples.h"
#include "tiny_decoder.h"

using namespace xfq::quant;
using xfq::ErrorKind;
using xfq::test::error_of;
using xfq::test::TinyDecoder;

TEST_CASE("selections") {
  const TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  REQUIRE(sites.size() == 9);
  SitePlan setting;
  setting.weight = WeightSetting();
  for (const SitePlan& entry : make_plan(sites, setting)) CHECK(entry.weight);
  const Plan headless = make_plan(sites, setting, {Selection::Kind::without_head, {}});
  for (std::size_t i = 0; i < 9; ++i) CHECK(headless[i].weight.has_value() == (i < 8));
  const Plan two = make_plan(sites, setting, {Selection::Kind::list, {"h.1.mlp.c_proj", "wte"}});
  for (std::size_t i = 0; i < 9; ++i) CHECK(two[i].weight.has_value() == (i >= 7));
  CHECK(!two[8].activation);
  const std::string unknown = error_of(
      [&] {
        make_plan(sites, setting, {Selection::Kind::list, {"h.1.mlp.c_fx"}});
      },
      ErrorKind::usage);
  CHECK(unknown.find("h.1.mlp.c_fx") != std::string::npos);
  CHECK(unknown.find("did you mean h.1.mlp.c_fc?") != std::string::npos);
}

TEST_CASE("settings that do not go together") {
  const TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  SitePlan weight;
  weight.weight = WeightSetting();
  weight.weight->granularity = Granularity::token();
  CHECK(error_of([&] { make_plan(sites, weight); }, ErrorKind::usage).find("--granularity token") ==
        0);
  SitePlan activation;
  activation.activation = ActivationSetting();
  activation.activation->granularity = Granularity::channel();
  CHECK(error_of([&] { make_plan(sites, activation); }, ErrorKind::usage)
            .find("--granularity channel") == 0);
  SitePlan blocks;
  blocks.weight = WeightSetting();
  blocks.weight->format = NumberFormat::parse("mxfp4");
  CHECK(error_of([&] { make_plan(sites, blocks); }, ErrorKind::usage).find("expected group:32") !=
        std::string::npos);
  blocks.weight->granularity = Granularity::groups_of(32);
  CHECK(make_plan(sites, blocks).size() == 9);
}

TEST_CASE("transforms of a plan") {
  TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  SitePlan setting;
  setting.weight = WeightSetting();
  setting.input.hadamard = true;
  const auto inputs = input_transforms(make_plan(sites, setting, {Selection::Kind::list, {"wte"}}));
  REQUIRE(inputs.size() == 9);
  CHECK(inputs[0].empty());
  CHECK(inputs[8].hadamard);
  setting.input.outlier_columns = {1};
  CHECK_THROWS_AS(make_plan(sites, setting), xfq::Error);
}

TEST_CASE("bytes by hand") {
  const TinyDecoder tiny;
  const auto sites = tiny.decoder.linears();
  // Per block: 32 x (96 + 32 + 128) + 128 x 32 weights, 96 + 32 + 128 + 32 biases, 4 x 32 norms.
  const std::int64_t matrices = 2 * (32 * 256 + 128 * 32);
  const std::int64_t table = 37 * 32;
  const std::int64_t others = 2 * (288 + 128) + 64 + 16 * 32;
  const std::int64_t all = matrices + table + others;
  REQUIRE(tiny.decoder.layout().count() == all);

  SitePlan setting;
  setting.weight = WeightSetting();  // int8, a scale per output channel
  const ModelBytes eight = model_bytes(tiny.decoder, make_plan(sites, setting));
  CHECK(eight.fp32 == 4 * all);
  CHECK(eight.codes == matrices + table);
  CHECK(eight.scales == 4 * (2 * (96 + 32 + 128 + 32) + 37));
  CHECK(eight.unquantized == 4 * others);
  CHECK(eight.quantized == eight.codes + eight.scales + eight.unquantized);
  CHECK(eight.bits_per_parameter == Approx(8.0 * double(eight.quantized) / double(all)));

  // Without the head the table stays in fp32; three bits are packed: 37 * 32 * 3 / 8.
  const ModelBytes headless =
      model_bytes(tiny.decoder, make_plan(sites, setting, {Selection::Kind::without_head, {}}));
  CHECK(headless.unquantized == 4 * (others + table));
  WeightSetting three;
  three.format = NumberFormat::integer(3);
  three.granularity = Granularity::tensor();
  CHECK(weight_bytes(three, 32, 37).codes == 444);
  CHECK(weight_bytes(three, 32, 37).scales == 4);
  CHECK(weight_bytes(three, 3, 3).codes == 4);  // 27 bits
  three.format = NumberFormat::integer(4, Scheme::affine);
  three.granularity = Granularity::groups_of(16);
  CHECK(weight_bytes(three, 32, 37).scales == 37 * 2 * 5);
  three.format = NumberFormat::parse("mxfp4");
  three.granularity = Granularity::groups_of(32);
  CHECK(weight_bytes(three, 64, 10).codes == 320);
  CHECK(weight_bytes(three, 64, 10).scales == 20);  // 4.25 bits a value

  // Three outlier columns: no codes, 4 bytes for each of their weights and for their number.
  SitePlan kept;
  kept.weight = WeightSetting();
  kept.input.outlier_columns = {0, 5, 31};
  CHECK(weight_bytes(kept, 32, 96).codes == 29 * 96);
  CHECK(weight_bytes(kept, 32, 96).scales == 4 * 96);
  CHECK(weight_bytes(kept, 32, 96).outliers == 3 * 4 * 96 + 3 * 4);
  Plan plan(9);
  plan[0] = kept;
  const ModelBytes spared = model_bytes(tiny.decoder, plan);
  CHECK(spared.codes == 29 * 96);
  CHECK(spared.unquantized == 4 * (all - 32 * 96) + 3 * 4 * 97);
  CHECK(spared.quantized == spared.codes + spared.scales + spared.unquantized);

  const ModelBytes none = model_bytes(tiny.decoder, Plan(9));
  CHECK(none.quantized == none.fp32);
  CHECK(none.bits_per_parameter == 32);
}
