// Hashes against published values.
#include "xfq/core/hash.h"

#include <cstdint>
#include <string>

#include "catch.h"

using namespace xfq;

TEST_CASE("SHA-256") {
  // FIPS 180-4's examples (one block, two blocks), and the digest of nothing.
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // A million times the letter a: the third example.
  CHECK(sha256_hex(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("XXH3-128") {
  // XXH128 with seed 0, a frozen format since xxHash 0.8.0; what `xxhsum -H2` prints.
  CHECK(xxh3_hex("") == "99aa06d3014798d86001c324468d497f");
  CHECK(xxh3_hex("abc") == "06b05ab6733a618578af5f94892f3950");
}

TEST_CASE("fields are told apart") {
  const auto of = [](std::string_view a, std::string_view b) {
    return Hasher().add(a).add(b).hex();
  };
  CHECK(of("ab", "c") == of("ab", "c"));
  CHECK(of("ab", "c") != of("a", "bc"));
  CHECK(of("abc", "") != of("", "abc"));
  CHECK(of("a", "b") != of("b", "a"));
  CHECK(Hasher().add("abc").hex() != Hasher().hex());
  CHECK(Hasher().add(std::int64_t{1}).hex() != Hasher().add(1.0).hex());
  CHECK(Hasher().add(std::int64_t{1}).hex() != Hasher().add(std::int64_t{2}).hex());
  CHECK(Hasher().add(0.1).hex() != Hasher().add(0.1000000000000001).hex());
  CHECK(of("abc", "").size() == 32);
}

TEST_CASE("a hasher may be asked while it grows") {
  Hasher hasher;
  hasher.add("one");
  const std::string first = hasher.hex();
  CHECK(hasher.hex() == first);
  hasher.add("two");
  CHECK(hasher.hex() == Hasher().add("one").add("two").hex());
  CHECK(hasher.hex() != first);
  const std::string bytes("t\0o", 3);
  CHECK(Hasher().add_bytes(bytes.data(), bytes.size()).hex() == Hasher().add(bytes).hex());
}
