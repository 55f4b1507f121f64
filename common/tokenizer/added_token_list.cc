#include "common/tokenizer/added_token_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/text/printable.h"

namespace hydra {

using Json = nlohmann::json;

bool JsonFlag(const Json& json, const char* key, bool otherwise) {
  if (!json.is_object()) return otherwise;
  auto found = json.find(key);
  return found == json.end() || !found->is_boolean() ? otherwise
                                                     : found->get<bool>();
}

AddedTokenList::AddedTokenList(Tokenizer* tokenizer)
    : tokenizer_(*tokenizer),
      normalizer_(tokenizer->normalizer),
      next_id_(tokenizer->vocabulary.size()) {
  for (const auto& [token, id] : tokenizer_.vocabulary) {
    owners_.emplace(id, token);
  }
}

absl::Status AddedTokenList::AddUnnamed(const std::string& text,
                                        const std::string& source) {
  AddedToken token;
  token.text = text;
  token.first = true;
  return AddToken(std::move(token), source, std::nullopt, /*may_share=*/true);
}

absl::Status AddedTokenList::Add(const Json& token, const std::string& source,
                                 std::optional<int64_t> id, bool is_special) {
  const Json* content = &token;
  if (token.is_object()) {
    auto found = token.find("content");
    content = found == token.end() ? nullptr : &*found;
  }
  if (content == nullptr || !content->is_string() ||
      content->get_ref<const std::string&>().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": a token without a text"));
  }
  AddedToken added;
  added.text = content->get_ref<const std::string&>();
  added.first = !JsonFlag(token, "normalized", !is_special);
  added.lstrip = JsonFlag(token, "lstrip", false);
  added.rstrip = JsonFlag(token, "rstrip", false);
  added.single_word = JsonFlag(token, "single_word", false);
  if (!added.first && normalizer_.Apply(added.text).empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": token ", Quoted(added.text),
                     ": the normalizer leaves nothing of it; set its "
                     "\"normalized\" to false"));
  }
  return AddToken(std::move(added), source, id, /*may_share=*/false);
}

absl::Status AddedTokenList::AddToken(AddedToken token,
                                      const std::string& source,
                                      std::optional<int64_t> given,
                                      bool may_share) {
  const auto known = ids_.find(token.text);
  const auto in_vocabulary = tokenizer_.vocabulary.find(token.text);
  const int64_t id = known != ids_.end() ? known->second
                     : in_vocabulary != tokenizer_.vocabulary.end()
                         ? in_vocabulary->second
                         : next_id_;
  if (given.has_value() && *given != id) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": token ", Quoted(token.text), " has id ", *given,
                     "; transformers gives it ", id));
  }
  if (known != ids_.end()) return absl::OkStatus();
  const auto [owner, is_new] = owners_.emplace(id, token.text);
  if (!is_new && owner->second != token.text && !may_share) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": token ", Quoted(token.text), " gets id ", id,
                     ", which ", Quoted(owner->second), " has"));
  }
  if (id > kMaxTokenId) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": token ", Quoted(token.text), " gets id ", id,
                     "; at most ", kMaxTokenId, " is possible"));
  }
  next_id_ = std::max(next_id_, id + 1);
  token.id = id;
  ids_.emplace(token.text, id);
  tokenizer_.added.push_back(std::move(token));
  return absl::OkStatus();
}

}  // namespace hydra
