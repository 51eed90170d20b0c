// A folder of trained models, so that a sweep or a second run trains nothing twice.
// A model stands under a key: a hash of everything that shaped it.
//
// A cache may fail in any way without failing the run: what cannot be read is
// trained again, what cannot be written is not kept, and the monitor is told.
// Several processes and threads may use one folder at the same time:
//
//   const auto lock = cache.lock(key);      // others that want this model wait here
//   if (auto file = cache.load(key)) ...    // and find what the first one has stored
//   else cache.store(key, train());
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>

#include "xfq/core/monitor.h"
#include "xfq/models/safetensors.h"

namespace xfq::train {

class ModelCache {
 public:
  /// An empty folder means default_folder(). The folder is created; where that
  /// fails the cache is off. The monitor must outlive the cache.
  ModelCache(std::string folder, Monitor& monitor);

  /// $XDG_CACHE_HOME/xfq/models, or ~/.cache/xfq/models; empty when the environment
  /// has neither.
  static std::string default_folder();

  /// False when the folder could not be made: then nothing is loaded or stored.
  bool enabled() const { return !folder_.empty(); }
  const std::string& folder() const { return folder_; }

  /// Held from lock() to destruction. The system releases it when the holder dies.
  class Lock {
   public:
    Lock() = default;
    Lock(Lock&& other) noexcept;
    Lock& operator=(Lock&& other) noexcept;
    ~Lock();

   private:
    friend class ModelCache;
    void release() noexcept;

    int descriptor_ = -1;
    std::string path_;
  };

  /// Waits until nobody else holds the key, in this process or another. Returns at
  /// once, holding nothing, where the folder cannot be locked. Throws
  /// ErrorKind::interrupted when the monitor asks to stop.
  Lock lock(const std::string& key);

  /// The model, if a sound entry exists: one whose checksum and key fit and which
  /// `use` (if any) takes without an ErrorKind::input. A damaged entry is reported
  /// and counts as none. key: 32 hexadecimal digits.
  std::optional<models::TensorFile> load(
      const std::string& key, const std::function<void(const models::TensorFile&)>& use = {});

  /// Writes the entry whole or not at all. The metadata keys "cache_key" and
  /// "cache_checksum" are the cache's own.
  void store(const std::string& key, const models::TensorFile& file);

  /// Where the entry of a key stands.
  std::string path(const std::string& key) const;

 private:
  void warn_once(const std::string& text);

  std::string folder_;
  Monitor& monitor_;
  std::atomic<bool> warned_{false};
};

}  // namespace xfq::train
