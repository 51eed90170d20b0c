#include "xfq/core/hash.h"

#include <fmt/core.h>
#include <openssl/sha.h>
#include <xxhash.h>

#include "xfq/core/error.h"

namespace xfq {

namespace {

std::string hex_of(XXH128_hash_t hash) {
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace

struct Hasher::State {
  XXH3_state_t* xxh = XXH3_createState();
  State() { XXH3_128bits_reset(xxh); }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;

Hasher& Hasher::add(std::string_view text) { return add_bytes(text.data(), text.size()); }
Hasher& Hasher::add(std::int64_t number) { return add_bytes(&number, sizeof number); }
Hasher& Hasher::add(double number) { return add_bytes(&number, sizeof number); }

Hasher& Hasher::add_bytes(const void* data, std::size_t size) {
  const std::uint64_t length = size;
  XXH3_128bits_update(state_->xxh, &length, sizeof length);
  XXH3_128bits_update(state_->xxh, data, size);
  return *this;
}

std::string Hasher::hex() const { return hex_of(XXH3_128bits_digest(state_->xxh)); }

std::string xxh3_hex(std::string_view bytes) {
  return hex_of(XXH3_128bits(bytes.data(), bytes.size()));
}

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

}  // namespace xfq
