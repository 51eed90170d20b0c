// A folder of trained models: checksums, locks, and carrying on without.
#include "xfq/train/model_cache.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/core/hash.h"

namespace xfq::train {

namespace {

constexpr char kWhat[] = "model cache";
constexpr char kKey[] = "cache_key";
constexpr char kChecksum[] = "cache_checksum";
constexpr std::chrono::milliseconds kPoll{20};

/// Over names, shapes, values and metadata, so that no damage goes unseen.
std::string checksum(const models::TensorFile& file) {
  Hasher hasher;
  for (const auto& [key, text] : file.metadata) hasher.add(key).add(text);
  for (const models::Tensor& tensor : file.tensors) {
    hasher.add(tensor.name).add(static_cast<std::int64_t>(tensor.shape.size()));
    for (const Index size : tensor.shape) hasher.add(static_cast<std::int64_t>(size));
    hasher.add_bytes(tensor.values.data(), tensor.values.size() * sizeof(float));
  }
  return hasher.hex();
}

/// The path still names the file that is open, not a later one.
bool is_current(int descriptor, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/// Removes the last entry of the metadata, which must have this key.
std::string take_metadata(models::TensorFile& file, const char* key, const std::string& where) {
  if (file.metadata.empty() || file.metadata.back().first != key) {
    throw_input(fmt::format("{}: the metadata does not end with {}", where, key));
  }
  std::string text = std::move(file.metadata.back().second);
  file.metadata.pop_back();
  return text;
}

}  // namespace

ModelCache::Lock::Lock(Lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

ModelCache::Lock& ModelCache::Lock::operator=(Lock&& other) noexcept {
  if (this != &other) {
    release();
    descriptor_ = std::exchange(other.descriptor_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

ModelCache::Lock::~Lock() { release(); }

void ModelCache::Lock::release() noexcept {
  if (descriptor_ < 0) return;
  // Removed while still held: whoever waits for this file sees that it is not the
  // current one any more and opens the next.
  ::unlink(path_.c_str());
  ::close(descriptor_);
  descriptor_ = -1;
}

ModelCache::ModelCache(std::string folder, Monitor& monitor)
    : folder_(folder.empty() ? default_folder() : std::move(folder)), monitor_(monitor) {
  if (folder_.empty()) {
    warn_once("neither XDG_CACHE_HOME nor HOME names a folder");
    return;
  }
  try {
    make_folder(folder_, kWhat);
  } catch (const Error& error) {
    folder_.clear();
    warn_once(error.what());
  }
}

std::string ModelCache::default_folder() {
  // The XDG base directory specification: a relative path is to be ignored.
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/') {
    return std::string(cache) + "/xfq/models";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && home[0] == '/') {
    return std::string(home) + "/.cache/xfq/models";
  }
  return {};
}

std::string ModelCache::path(const std::string& key) const {
  XFQ_ASSERT(key.size() == 32 && key.find_first_not_of("0123456789abcdef") == std::string::npos);
  return folder_ + "/" + key + ".safetensors";
}

void ModelCache::warn_once(const std::string& text) {
  if (warned_.exchange(true)) return;
  monitor_.say(fmt::format("{}: models are not kept; use --no-cache to silence this", text));
}

ModelCache::Lock ModelCache::lock(const std::string& key) {
  Lock lock;
  if (!enabled()) return lock;
  lock.path_ = path(key) + ".lock";
  bool said = false;
  while (true) {
    const int descriptor = ::open(lock.path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor < 0) {
      warn_once(fmt::format("{}: cannot lock {}: {}", kWhat, lock.path_,
                            std::generic_category().message(errno)));
      return Lock();
    }
    while (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int code = errno;
      if (code == EINTR) continue;
      if (code != EWOULDBLOCK || monitor_.stop_requested()) {
        ::close(descriptor);
        if (code == EWOULDBLOCK) {
          throw Error(ErrorKind::interrupted,
                      "interrupted while another run was training the same model");
        }
        warn_once(fmt::format("{}: cannot lock {}: {}", kWhat, lock.path_,
                              std::generic_category().message(code)));
        return Lock();
      }
      if (!std::exchange(said, true)) {
        monitor_.say("waiting for another run that trains the same model");
      }
      std::this_thread::sleep_for(kPoll);
    }
    if (is_current(descriptor, lock.path_)) {
      lock.descriptor_ = descriptor;
      return lock;
    }
    ::close(descriptor);
  }
}

std::optional<models::TensorFile> ModelCache::load(
    const std::string& key, const std::function<void(const models::TensorFile&)>& use) {
  if (!enabled() || !file_exists(path(key))) return std::nullopt;
  try {
    models::TensorFile file = models::read_safetensors(path(key), kWhat);
    const std::string where = fmt::format("{}: {}", kWhat, path(key));
    const std::string expected = take_metadata(file, kChecksum, where);
    if (checksum(file) != expected) throw_input(where + ": the checksum does not fit");
    if (take_metadata(file, kKey, where) != key) throw_input(where + " belongs to another key");
    if (use) use(file);
    return file;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    monitor_.say(fmt::format("{}; the model is trained again", error.what()));
    return std::nullopt;
  }
}

void ModelCache::store(const std::string& key, const models::TensorFile& file) {
  if (!enabled()) return;
  models::TensorFile entry = file;
  entry.metadata.emplace_back(kKey, key);
  entry.metadata.emplace_back(kChecksum, checksum(entry));
  try {
    models::write_safetensors(path(key), entry, kWhat);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    warn_once(error.what());
  }
}

}  // namespace xfq::train
