// Tokenizers: text to token ids and back.
//
//   word    words and single punctuation marks, case kept; the most frequent types
//           of the training text, everything else is <unk>
//   char    Unicode code points of the training text
//   byte    256 bytes
//   bpe:N   byte-pair encoding of N pieces (Sennrich et al. 2016), trained by
//           SentencePiece on the training text with fixed options and one thread
//
// Special tokens come first (ids 0, 1, ...), in the order of SpecialIds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "xfq/corpus/text.h"

namespace xfq::corpus {

/// Which special tokens a vocabulary has.
struct Specials {
  bool pad = false;
  bool unk = false;
  bool bos = false;
  bool eos = false;
  bool cls = false;
  bool sep = false;
  bool mask = false;

  static Specials none() { return {}; }
  /// Running text: documents end in <eos>.
  static Specials stream() { return {false, true, false, true, false, false, false}; }
  /// One document a row: <bos> ... <eos>.
  static Specials document() { return {false, true, true, true, false, false, false}; }
  /// Sentence pairs: <pad> <unk> <cls> <sep> <mask>.
  static Specials encoder() { return {true, true, false, false, true, true, true}; }
};

/// -1: not in this vocabulary.
struct SpecialIds {
  std::int32_t pad = -1;   ///< <pad>
  std::int32_t unk = -1;   ///< <unk>
  std::int32_t bos = -1;   ///< <bos>, start of a document
  std::int32_t eos = -1;   ///< <eos>, end of a document
  std::int32_t cls = -1;   ///< <cls>
  std::int32_t sep = -1;   ///< <sep>
  std::int32_t mask = -1;  ///< <mask>
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// As the option was given: word, char, byte, bpe:512.
  virtual std::string name() const = 0;
  /// Special tokens included; ids are 0 .. vocabulary_size() - 1.
  virtual std::int32_t vocabulary_size() const = 0;
  virtual const SpecialIds& special() const = 0;

  /// No special tokens are added but <unk>. Throws ErrorKind::input for unknown
  /// text where the vocabulary has no <unk>.
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  /// Exact for char, byte and bpe wherever encode made no <unk>; word puts single
  /// spaces between words and none before closing punctuation. Special tokens
  /// read <unk>, <bos>, ...
  virtual std::string decode(const std::vector<std::int32_t>& ids) const = 0;
  /// The text of one id: a word, a character, a byte, a piece (with a leading
  /// U+2581 for a space), or <unk>, <bos>, ...
  virtual std::string token(std::int32_t id) const = 0;
  /// All tokens in order of id, for checkpoints and cache keys.
  std::vector<std::string> tokens() const;
};

/// Throws ErrorKind::usage naming --tokenizer unless `option` is word, char, byte
/// or bpe:N with N >= 2.
void check_tokenizer_option(const std::string& option);

/// The parts of a text a tokenizer may learn from, one string each (a sentence, or
/// a whole running text).
using TrainingText = std::vector<std::string_view>;

/// `vocab_limit` bounds the types of `word` (special tokens included; 0: no
/// limit); the other tokenizers have their own sizes.
/// Throws ErrorKind::usage for a bad option, for example bpe:N with more pieces
/// than the text supports or fewer than it has characters.
std::unique_ptr<Tokenizer> make_tokenizer(const std::string& option, const TrainingText& training,
                                          const Specials& specials, std::int64_t vocab_limit = 0);
std::unique_ptr<Tokenizer> make_tokenizer(const std::string& option,
                                          const std::vector<Document>& training,
                                          const Specials& specials, std::int64_t vocab_limit = 0);

/// Words and punctuation marks in order, as the word tokenizer sees them. A word is
/// a run of letters, digits and non-ASCII characters, with single apostrophes or
/// hyphens inside; every other visible character stands alone.
std::vector<std::string_view> split_words(std::string_view text);

/// Documents as ids: [document][sentence][token].
using TokenizedDocuments = std::vector<std::vector<std::vector<std::int32_t>>>;
TokenizedDocuments tokenize(const std::vector<Document>& documents, const Tokenizer& tokenizer);

}  // namespace xfq::corpus
