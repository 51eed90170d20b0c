// What all tokenizers share: the special tokens in front.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "xfq/corpus/tokenizer.h"

namespace xfq::corpus {

class SpecialTokens {
 public:
  explicit SpecialTokens(const Specials& which) {
    add(which.pad, "<pad>", ids_.pad);
    add(which.unk, "<unk>", ids_.unk);
    add(which.bos, "<bos>", ids_.bos);
    add(which.eos, "<eos>", ids_.eos);
    add(which.cls, "<cls>", ids_.cls);
    add(which.sep, "<sep>", ids_.sep);
    add(which.mask, "<mask>", ids_.mask);
  }

  const SpecialIds& ids() const { return ids_; }
  std::int32_t size() const { return static_cast<std::int32_t>(names_.size()); }
  bool has(std::int32_t id) const { return id >= 0 && id < size(); }
  const std::string& name(std::int32_t id) const { return names_[static_cast<std::size_t>(id)]; }

 private:
  void add(bool wanted, const char* name, std::int32_t& id) {
    if (!wanted) return;
    id = size();
    names_.emplace_back(name);
  }

  SpecialIds ids_;
  std::vector<std::string> names_;
};

/// <unk>, or ErrorKind::input naming the unknown text.
std::int32_t unknown_id(const SpecialTokens& special, std::string_view text);

std::unique_ptr<Tokenizer> make_bpe(const std::string& option, std::int64_t pieces,
                                    const TrainingText& training, const Specials& specials);

}  // namespace xfq::corpus
