// Training an encoder on pairs: the cache gives back what was trained, a start is taken,
// and losses fall.
#include "xfq/train/pairs.h"

#include <filesystem>

#include "catch.h"
#include "xfq/train/model_cache.h"

namespace xfq::train {

namespace {

using corpus::Relation;

struct Fixture {
  corpus::PairData data;
  PairTraining training;
  Monitor monitor;

  Fixture() : data(corpus::load_pair_data(options())) {
    training.model.layers = 1;
    training.model.dim = 16;
    training.model.heads = 2;
    training.model.context = data.row_length();
    training.model.vocab = data.vocabulary_size();
    training.model.init = 0.1;
    training.model.embedding_init = 0.1;
    training.optimizer.steps = 40;
    training.optimizer.warmup = 4;
    training.optimizer.lr = 5e-3;
    training.batch_size = 16;
    training.task.classes = {Relation::next, Relation::random};
    training.task.shares = {0.5, 0.5};
  }

  static corpus::PairOptions options() {
    corpus::PairOptions options;
    options.documents = 200;
    options.validation_documents = 50;
    options.stories.order = "chain";
    return options;
  }
};

}  // namespace

TEST_CASE("the cache gives back the encoder that was trained") {
  const std::string folder =
      (std::filesystem::temp_directory_path() / "xfq_pairs_test_cache").string();
  std::filesystem::remove_all(folder);
  Fixture f;
  ModelCache cache(folder, f.monitor);
  const models::Encoder encoder(f.training.model);
  const auto train = [&](ModelCache* where) {
    return train_encoder(f.training, encoder, f.data, where, f.monitor, "test");
  };
  const TrainedEncoder plain = train(nullptr), stored = train(&cache), loaded = train(&cache);
  CHECK_FALSE(stored.from_cache);
  CHECK(loaded.from_cache);
  CHECK(plain.parameters == stored.parameters);
  CHECK(plain.parameters == loaded.parameters);
  CHECK(plain.trace.masked == loaded.trace.masked);
  CHECK(plain.trace.sentence == loaded.trace.sentence);
  CHECK(plain.trace.masked.back() < plain.trace.masked.front());
  std::filesystem::remove_all(folder);
}

TEST_CASE("the key knows everything that shapes the parameters") {
  Fixture f;
  const std::string key = training_key(f.training, f.data);
  const auto differs = [&](const std::function<void(PairTraining&)>& change) {
    PairTraining other = f.training;
    change(other);
    return training_key(other, f.data) != key;
  };
  CHECK(differs([](PairTraining& t) { t.seed = 2; }));
  CHECK(differs([](PairTraining& t) { t.task.shares = {0.1, 0.9}; }));
  CHECK(differs([](PairTraining& t) { t.task.classes[1] = Relation::swapped; }));
  CHECK(differs([](PairTraining& t) { t.task.match = corpus::Match::any; }));
  CHECK(differs([](PairTraining& t) { t.task.resample = true; }));
  CHECK(differs([](PairTraining& t) { t.masking.random = 0.2; }));
  CHECK(differs([](PairTraining& t) { t.sentence_weight = 2; }));
  CHECK(differs([](PairTraining& t) { t.class_weights = {1, 2}; }));
  CHECK_FALSE(differs([](PairTraining&) {}));
}

TEST_CASE("a training continues from its start") {
  Fixture f;
  const models::Encoder encoder(f.training.model);
  const TrainedEncoder first =
      train_encoder(f.training, encoder, f.data, nullptr, f.monitor, "first");
  PairTraining next = f.training;
  const EncoderStart start = {training_key(f.training, f.data), &first.parameters, &encoder, true};
  next.start = &start;
  CHECK(training_key(next, f.data) != start.key);
  next.optimizer.steps = 10;
  next.optimizer.lr = 1e-9;
  next.optimizer.min_lr = 0;
  // With next to no learning rate the parameters are still those of the start, up to
  // 10 steps of 1e-9 per weight.
  const TrainedEncoder same = train_encoder(next, encoder, f.data, nullptr, f.monitor, "same");
  CHECK((same.parameters - first.parameters).cwiseAbs().maxCoeff() < 1e-7F);
  // A third class has no counterpart: only the classifier starts anew.
  next.model.classes = 3;
  next.task.classes = {Relation::next, Relation::swapped, Relation::random};
  next.task.shares = {0.3, 0.3, 0.4};
  const models::Encoder three(next.model);
  const TrainedEncoder wider = train_encoder(next, three, f.data, nullptr, f.monitor, "wider");
  const auto* const pooler = three.layout().find("bert.pooler.dense.weight");
  REQUIRE(pooler != nullptr);
  CHECK((wider.parameters.segment(pooler->offset, pooler->size()) -
         first.parameters.segment(encoder.layout().find(pooler->name)->offset, pooler->size()))
            .cwiseAbs()
            .maxCoeff() < 1e-7F);
}

TEST_CASE("a weight of zero leaves a head alone") {
  Fixture f;
  const models::Encoder encoder(f.training.model);
  Vector<float> initial;
  nn::initialise(encoder.layout(), f.training.seed, initial);
  f.training.optimizer.weight_decay = 0;
  f.training.optimizer.steps = 5;
  const auto moved = [&](const char* name) {
    const TrainedEncoder trained =
        train_encoder(f.training, encoder, f.data, nullptr, f.monitor, "test");
    const auto* const tensor = encoder.layout().find(name);
    REQUIRE(tensor != nullptr);
    return trained.parameters.segment(tensor->offset, tensor->size()) !=
           initial.segment(tensor->offset, tensor->size());
  };
  CHECK(moved("cls.seq_relationship.weight"));
  CHECK(moved("cls.predictions.bias"));
  f.training.sentence_weight = 0;
  CHECK_FALSE(moved("cls.seq_relationship.weight"));
  f.training.sentence_weight = 1;
  f.training.masked_weight = 0;
  CHECK_FALSE(moved("cls.predictions.bias"));
}

TEST_CASE("evaluation asks every model for the same words") {
  Fixture f;
  const auto pairs =
      corpus::question_pairs(f.data, f.data.validation(), {}, corpus::Match::position, 70, 1);
  const models::Encoder encoder(f.training.model);
  Vector<float> a, b;
  nn::initialise(encoder.layout(), 1, a);
  nn::initialise(encoder.layout(), 2, b);
  const auto loss = [&](const Vector<float>& parameters) {
    return evaluate_masked(encoder, parameters.data(), f.data, f.data.validation(), pairs, 3, 0.15);
  };
  // 70 rows of 14 words, 2 hidden in each.
  CHECK(loss(a).count == 140);
  CHECK(loss(a).sum == loss(a).sum);
  CHECK(loss(a).sum != loss(b).sum);
}

}  // namespace xfq::train
