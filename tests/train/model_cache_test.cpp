// The cache of trained models: what comes back, what a damaged entry does, and
// who waits for whom.
#include "xfq/train/model_cache.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "catch.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"

using namespace xfq;
using train::ModelCache;

namespace {

namespace fs = std::filesystem;

const std::string kKey = "0123456789abcdef0123456789abcdef";
const std::string kOther = "ffffffffffffffffffffffffffffffff";

class Listener : public Monitor {
 public:
  void say(const std::string& text) override {
    const std::lock_guard<std::mutex> guard(mutex_);
    said.push_back(text);
  }
  bool stop_requested() const override { return stop; }

  std::vector<std::string> said;
  std::atomic<bool> stop{false};

 private:
  std::mutex mutex_;
};

/// A folder of its own per test, removed afterwards.
struct Folder {
  Folder() {
    static int count = 0;
    path = (fs::temp_directory_path() / fmt::format("xfq_cache_{}_{}", getpid(), count++)).string();
  }
  ~Folder() { fs::remove_all(path); }
  std::string path;
};

/// A variable of the environment, restored afterwards.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    had_ = std::getenv(name) != nullptr;
    set(value);
  }
  ~Environment() { set(had_ ? old_.c_str() : nullptr); }

 private:
  void set(const char* value) {
    if (value != nullptr) {
      ::setenv(name_, value, 1);
    } else {
      ::unsetenv(name_);
    }
  }
  const char* name_;
  std::string old_;
  bool had_ = false;
};

models::TensorFile model() {
  models::TensorFile file;
  file.tensors.push_back({"w", {2, 2}, {1, 2, 3, 4}});
  file.tensors.push_back({"b", {2}, {5, 6}});
  file.metadata = {{"last_loss", "1.5"}};
  return file;
}

void check_is_model(const std::optional<models::TensorFile>& file) {
  REQUIRE(file.has_value());
  CHECK(models::to_safetensors(*file) == models::to_safetensors(model()));
}

std::size_t files_in(const std::string& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
  return count;
}

/// Locks, looks, and "trains" if it must: a line in the journal and a pause in
/// which others would get in the way.
void train_unless_cached(const std::string& folder, const std::string& journal) {
  Listener listener;
  ModelCache cache(folder, listener);
  const auto lock = cache.lock(kKey);
  if (cache.load(kKey)) return;
  std::ofstream(journal, std::ios::app) << "trained\n";
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  cache.store(kKey, model());
}

}  // namespace

TEST_CASE("a stored model comes back as it was") {
  Folder folder;
  Listener listener;
  ModelCache cache(folder.path + "/a/b", listener);
  CHECK(cache.enabled());
  CHECK_FALSE(cache.load(kKey).has_value());
  cache.store(kKey, model());
  check_is_model(cache.load(kKey));
  CHECK_FALSE(cache.load(kOther).has_value());
  CHECK(files_in(cache.folder()) == 1);

  // A second store replaces the first.
  models::TensorFile changed = model();
  changed.tensors[0].values[0] = 9;
  cache.store(kKey, changed);
  const auto back = cache.load(kKey);
  REQUIRE(back.has_value());
  CHECK(back->tensors[0].values[0] == 9);
  CHECK(listener.said.empty());
}

TEST_CASE("a damaged entry is reported and trained again") {
  Folder folder;
  Listener listener;
  ModelCache cache(folder.path, listener);
  cache.store(kKey, model());
  const std::string good = read_file(cache.path(kKey), "test");
  std::string bad = good;
  std::string reason;
  const auto damage = [&](const std::string& text) {
    const std::size_t at = good.find(text);
    REQUIRE(at != std::string::npos);
    return at;
  };

  SECTION("a flipped bit in a value") {
    bad.back() = static_cast<char>(bad.back() ^ 1);
    reason = ": the checksum does not fit";
  }
  SECTION("a changed name") {
    bad[damage("\"w\"") + 1] = 'v';
    reason = ": the checksum does not fit";
  }
  SECTION("changed metadata") {
    bad[damage("1.5")] = '2';
    reason = ": the checksum does not fit";
  }
  SECTION("cut short") {
    bad.resize(bad.size() - 3);
    reason = ": tensor \"b\" ends at byte 24 of the data, but the file has 21";
  }
  SECTION("empty") {
    bad.clear();
    reason = ": the file has 0 bytes, a safetensors file at least 10";
  }
  SECTION("no checksum") {
    bad = models::to_safetensors(model());
    reason = ": the metadata does not end with cache_checksum";
  }
  SECTION("another key's entry") {
    cache.store(kOther, model());
    bad = read_file(cache.path(kOther), "test");
    reason = " belongs to another key";
  }
  write_file_atomic(cache.path(kKey), bad, "test");
  CHECK_FALSE(cache.load(kKey).has_value());
  REQUIRE(listener.said.size() == 1);
  CHECK(listener.said[0] ==
        fmt::format("model cache: {}{}; the model is trained again", cache.path(kKey), reason));
  cache.store(kKey, model());
  check_is_model(cache.load(kKey));
  CHECK(listener.said.size() == 1);
}

TEST_CASE("the caller may refuse an entry that is sound but not what it wants") {
  Folder folder;
  Listener listener;
  ModelCache cache(folder.path, listener);
  cache.store(kKey, model());
  int calls = 0;
  check_is_model(cache.load(kKey, [&](const models::TensorFile&) { ++calls; }));
  CHECK(calls == 1);
  CHECK_FALSE(
      cache.load(kKey, [](const models::TensorFile&) { throw_input("tensor q is missing"); })
          .has_value());
  CHECK(listener.said ==
        std::vector<std::string>{"tensor q is missing; the model is trained again"});
  CHECK_THROWS_AS(cache.load(kKey, [](const models::TensorFile&) { throw_run("a defect"); }),
                  Error);
}

TEST_CASE("without a usable folder there is no cache, and one warning") {
  Folder folder;
  Listener listener;
  SECTION("a file is in the way of the folder") {
    write_file_atomic(folder.path, "a file", "test");
    ModelCache cache(folder.path + "/models", listener);
    CHECK_FALSE(cache.enabled());
    const auto lock = cache.lock(kKey);
    cache.store(kKey, model());
    CHECK_FALSE(cache.load(kKey).has_value());
    CHECK(read_file(folder.path, "test") == "a file");
  }
  SECTION("the folder cannot be written") {
    ModelCache cache(folder.path, listener);
    // A folder in the place of the entry and of the lock fails for every user,
    // root included.
    fs::create_directory(cache.path(kKey));
    fs::create_directory(cache.path(kKey) + ".lock");
    const auto lock = cache.lock(kKey);
    cache.store(kKey, model());
    CHECK_FALSE(cache.load(kKey).has_value());
  }
  SECTION("the environment names none") {
    Environment cache_home("XDG_CACHE_HOME", nullptr);
    Environment home("HOME", nullptr);
    ModelCache cache("", listener);
    CHECK_FALSE(cache.enabled());
    cache.store(kKey, model());
  }
  REQUIRE(listener.said.size() == 1);
  CHECK(listener.said[0].find("models are not kept") != std::string::npos);
}

TEST_CASE("the default folder is the user's cache folder") {
  Environment home("HOME", "/home/somebody");
  {
    Environment cache_home("XDG_CACHE_HOME", "/var/cache/x");
    CHECK(ModelCache::default_folder() == "/var/cache/x/xfq/models");
  }
  Environment cache_home("XDG_CACHE_HOME", "relative");  // to be ignored, says the specification
  CHECK(ModelCache::default_folder() == "/home/somebody/.cache/xfq/models");
}

TEST_CASE("of many who want a model at once, one trains it") {
  Folder folder;
  fs::create_directories(folder.path);
  const std::string journal = folder.path + "/journal";
  const std::string models = folder.path + "/models";
  SECTION("processes") {
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      const pid_t child = fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        train_unless_cached(models, journal);
        _exit(0);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      REQUIRE(waitpid(child, &status, 0) == child);
      CHECK(status == 0);
    }
  }
  SECTION("threads") {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&] { train_unless_cached(models, journal); });
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(read_file(journal, "test") == "trained\n");
  CHECK(files_in(models) == 1);  // the entry; locks leave nothing behind
  Listener listener;
  check_is_model(ModelCache(models, listener).load(kKey));
}

TEST_CASE("a lock goes with its holder, however it ends") {
  Folder folder;
  Listener listener;
  ModelCache cache(folder.path, listener);
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto held = cache.lock(kKey);
    char byte = 'x';
    if (write(ready[1], &byte, 1) == 1) pause();
    _exit(1);
  }
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  close(ready[0]);
  close(ready[1]);

  // Held: whoever asks waits, and stops waiting when told to.
  listener.stop = true;
  try {
    cache.lock(kKey);
    FAIL("the lock was free");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::interrupted);
  }
  listener.stop = false;
  { const auto other = cache.lock(kOther); }  // another key is free

  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  auto lock = cache.lock(kKey);
  CHECK(files_in(folder.path) == 1);  // the lock's file, taken over
  ModelCache::Lock moved = std::move(lock);
  listener.stop = true;
  CHECK_THROWS_AS(cache.lock(kKey), Error);  // moved, not released
  moved = ModelCache::Lock();
  CHECK(files_in(folder.path) == 0);
}
