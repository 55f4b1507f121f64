#include "common/tokenizer/testing/bert_tokenizer.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace hydra {

std::string BertTokenizerJson(int64_t size) {
  using nlohmann::json;
  constexpr const char* kSpecial[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]",
                                      "[MASK]"};
  static_assert(std::size(kSpecial) == kTestFirstWord);
  json added = json::array();
  json vocabulary = json::object();
  for (const char* token : kSpecial) {
    const size_t id = vocabulary.size();
    vocabulary[token] = id;
    added.push_back({{"id", id},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  for (int64_t id = kTestFirstWord; id < size; ++id) {
    vocabulary[absl::StrCat("w", id - kTestFirstWord)] = id;
  }
  return json{{"version", "1.0"},
              {"added_tokens", added},
              {"normalizer",
               {{"type", "BertNormalizer"},
                {"clean_text", true},
                {"handle_chinese_chars", true},
                {"strip_accents", nullptr},
                {"lowercase", true}}},
              {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
              {"model",
               {{"type", "WordPiece"},
                {"unk_token", "[UNK]"},
                {"continuing_subword_prefix", "##"},
                {"max_input_chars_per_word", 100},
                {"vocab", vocabulary}}}}
      .dump();
}

}  // namespace hydra
