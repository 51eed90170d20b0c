// Hashes. XXH3-128 names configurations and behaviour (signatures, cache keys);
// SHA-256 names data files, so that `sha256sum` can check them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace xfq {

/// Incremental XXH3-128. Every field is hashed with its length, so that
/// ("ab", "c") and ("a", "bc") differ.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(std::string_view text);
  Hasher& add(std::int64_t number);
  Hasher& add(double number);
  Hasher& add_bytes(const void* data, std::size_t size);
  /// 32 lower-case hexadecimal digits.
  std::string hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string xxh3_hex(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);

}  // namespace xfq
