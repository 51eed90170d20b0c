// Training allocates nothing per step: the count after the second step is the
// count after the last.
#include "allocations.h"
#include "catch.h"
#include "xfq/train/language.h"

namespace xfq::train {

TEST_CASE("training allocates nothing per step") {
#ifdef XFQ_COUNTS_ALLOCATIONS
  corpus::LanguageOptions options;
  options.documents = 50;
  options.validation_documents = 10;
  const corpus::LanguageData data = corpus::load_language_data(options);
  LanguageTraining training;
  training.model.layers = 2;
  training.model.dim = 32;
  training.model.heads = 2;
  training.model.context = data.row_length();
  training.model.vocab = data.vocabulary_size();
  training.optimizer.steps = 12;
  training.optimizer.warmup = 2;
  training.batch_size = 8;
  const models::Decoder decoder(training.model);

  class CountAtSteps : public Monitor {
   public:
    void progress(const std::string&, std::int64_t step, std::int64_t, double) override {
      counts[step] = test::allocations.load();
    }
    long counts[13] = {};
  } monitor;
  train_decoder(training, decoder, data, nullptr, monitor, "run");
  CHECK(monitor.counts[1] > 0);
  for (int step = 2; step <= 12; ++step) CHECK(monitor.counts[step] == monitor.counts[2]);
#else
  SUCCEED("the sanitizer has an allocator of its own");
#endif
}

}  // namespace xfq::train
