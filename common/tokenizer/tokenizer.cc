#include "common/tokenizer/tokenizer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/file/file_format.h"
#include "common/text/printable.h"
#include "common/tokenizer/tokenizer_json.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

// GPT-2's name for three tokens of which nothing else is said.
constexpr char kEndOfText[] = "<|endoftext|>";
constexpr absl::string_view kDefaultedKeys[] = {"bos_token", "eos_token",
                                                "unk_token"};
constexpr const char* kSpecialKeys[] = {"bos_token", "eos_token", "unk_token",
                                        "sep_token", "pad_token", "cls_token",
                                        "mask_token"};
constexpr const char* kSpecialLists[] = {"additional_special_tokens",
                                         "extra_special_tokens"};
// Classes that make of these files what Hydra makes of them.
struct TokenizerClass {
  absl::string_view name;
  // Whether kDefaultedKeys are kEndOfText unless they are said.
  bool has_defaults;
};
constexpr TokenizerClass kClasses[] = {{"GPT2Tokenizer", true},
                                       {"GPT2TokenizerFast", true},
                                       {"PreTrainedTokenizerFast", false},
                                       {"TokenizersBackend", false}};

bool Flag(const Json& json, const char* key, bool otherwise) {
  if (!json.is_object()) return otherwise;
  auto found = json.find(key);
  return found == json.end() || !found->is_boolean() ? otherwise
                                                     : found->get<bool>();
}

// Text is tokenized in stretches that begin at such a place.
bool HasCut(absl::string_view token) {
  for (size_t i = 1; i < token.size(); ++i) {
    if (absl::ascii_isspace(token[i]) && !absl::ascii_isspace(token[i - 1])) {
      return true;
    }
  }
  return false;
}

// Adds tokens to a tokenizer as transformers does, one after another.
class Adder {
 public:
  explicit Adder(Tokenizer* tokenizer) : tokenizer_(*tokenizer) {
    for (const auto& [token, id] : tokenizer_.vocabulary) {
      owners_.emplace(id, token);
    }
  }

  // GPT-2's token, that no file names. What has no id of its own gets one
  // behind the vocabulary, though a vocabulary with holes may have a token
  // there.
  absl::Status AddEndOfText(const std::string& source) {
    return AddText(kEndOfText, source, std::nullopt, /*first=*/true,
                   /*may_share=*/true);
  }

  // `token`: a string, or an object with "content".
  absl::Status Add(const Json& token, const std::string& source,
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
    const std::string& text = content->get_ref<const std::string&>();
    for (const char* flag : {"lstrip", "rstrip", "single_word"}) {
      if (!Flag(token, flag, false)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          source, ": token ", Quoted(text), ": ", flag, " is not supported"));
    }
    if (HasCut(text)) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ": token ", Quoted(text),
                       ": white space inside of it is not supported"));
    }
    return AddText(text, source, id, !Flag(token, "normalized", !is_special),
                   /*may_share=*/false);
  }

 private:
  absl::Status AddText(const std::string& text, const std::string& source,
                       std::optional<int64_t> given, bool first,
                       bool may_share) {
    const auto known = ids_.find(text);
    const auto in_vocabulary = tokenizer_.vocabulary.find(text);
    const int64_t id = known != ids_.end() ? known->second
                       : in_vocabulary != tokenizer_.vocabulary.end()
                           ? in_vocabulary->second
                           : NextId();
    if (given.has_value() && *given != id) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ": token ", Quoted(text), " has id ", *given,
                       "; transformers gives it ", id));
    }
    if (known != ids_.end()) return absl::OkStatus();
    const auto [owner, is_new] = owners_.emplace(id, text);
    if (!is_new && owner->second != text && !may_share) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ": token ", Quoted(text), " gets id ", id,
                       ", which ", Quoted(owner->second), " has"));
    }
    ids_.emplace(text, id);
    tokenizer_.added.push_back({text, static_cast<uint32_t>(id), first});
    return absl::OkStatus();
  }

  int64_t NextId() const {
    int64_t next = tokenizer_.vocabulary.size();
    for (const AddedToken& token : tokenizer_.added) {
      next = std::max(next, int64_t{token.id} + 1);
    }
    return next;
  }

  Tokenizer& tokenizer_;
  absl::flat_hash_map<std::string, int64_t> ids_;
  absl::flat_hash_map<int64_t, std::string> owners_;
};

absl::StatusOr<Json> ParseIfThere(const std::optional<TokenizerFile>& file) {
  if (!file.has_value()) return Json::object();
  return ParseTokenizerFile(file->text, file->name);
}

// Null: none that Hydra knows. Without one it is a GPT-2's.
const TokenizerClass* ClassOf(const Json& config) {
  auto type = config.find("tokenizer_class");
  if (type == config.end() || !type->is_string()) return &kClasses[0];
  for (const TokenizerClass& known : kClasses) {
    if (known.name == type->get_ref<const std::string&>()) return &known;
  }
  return nullptr;
}

absl::Status CheckConfig(const Json& config, const std::string& name) {
  if (ClassOf(config) == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": tokenizer_class: found ",
        Quoted(config["tokenizer_class"].get_ref<const std::string&>()),
        "; only GPT2Tokenizer is supported"));
  }
  for (const char* key :
       {"add_prefix_space", "add_bos_token", "add_eos_token"}) {
    if (Flag(config, key, false)) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": ", key, ": found true; only false is supported"));
    }
  }
  return absl::OkStatus();
}

// Of objects that give an id to each text, or a text to each id.
absl::Status AddWithIds(const Json& tokens, const std::string& source,
                        bool ids_are_keys, Adder& adder) {
  std::vector<std::pair<int64_t, Json>> ordered;
  for (const auto& [key, value] : tokens.items()) {
    int64_t id = -1;
    if (ids_are_keys ? !absl::SimpleAtoi(key, &id) : !value.is_number()) {
      return absl::InvalidArgumentError(
          absl::StrCat(source, ": ", Quoted(key), " has no id"));
    }
    if (!ids_are_keys) id = value.get<int64_t>();
    ordered.emplace_back(id, ids_are_keys ? value : Json(key));
  }
  std::stable_sort(
      ordered.begin(), ordered.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [id, token] : ordered) {
    absl::Status added =
        adder.Add(token, source, id, Flag(token, "special", false));
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

// Those of tokenizer.json, in its order.
absl::Status AddListed(const Json& tokenizer, const std::string& name,
                       Adder& adder) {
  auto tokens = tokenizer.find("added_tokens");
  if (tokens == tokenizer.end() || !tokens->is_array()) return absl::OkStatus();
  const std::string source = absl::StrCat(name, ": added_tokens");
  for (const Json& token : *tokens) {
    std::optional<int64_t> id;
    if (token.is_object() && token.contains("id") && token["id"].is_number()) {
      id = token["id"].get<int64_t>();
    }
    absl::Status added =
        adder.Add(token, source, id, Flag(token, "special", false));
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

bool IsDefaulted(absl::string_view key) {
  return std::find(std::begin(kDefaultedKeys), std::end(kDefaultedKeys), key) !=
         std::end(kDefaultedKeys);
}

// Special tokens that are named by what they are for; `config` goes first.
absl::Status AddSpecial(const Json& config, const Json& map, bool has_defaults,
                        const std::string& name, Adder& adder) {
  const auto find = [&](const char* key) -> const Json* {
    for (const Json* json : {&config, &map}) {
      auto found = json->find(key);
      if (found != json->end()) return &*found;
    }
    return nullptr;
  };
  absl::Status status;
  for (const char* key : kSpecialKeys) {
    const Json* token = find(key);
    if (token == nullptr && has_defaults && IsDefaulted(key)) {
      status.Update(adder.AddEndOfText(name));
    } else if (token != nullptr && !token->is_null()) {
      status.Update(adder.Add(*token, absl::StrCat(name, ": ", key),
                              std::nullopt, /*is_special=*/true));
    }
  }
  for (const char* key : kSpecialLists) {
    const Json* tokens = find(key);
    if (tokens == nullptr || !tokens->is_structured()) continue;
    for (const Json& token : *tokens) {
      status.Update(adder.Add(token, absl::StrCat(name, ": ", key),
                              std::nullopt, /*is_special=*/true));
    }
  }
  return status;
}

// What stands where text should, in place of it.
absl::Status CheckIsText(const TokenizerFile& file) {
  const FileFormat* format = RecogniseFormat(file.text);
  if (format == nullptr || format->name == kJsonName) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(file.name, " is ", Describe(*format)));
}

absl::Status CheckBytes(const BpeVocabulary& vocabulary,
                        const std::string& name) {
  const absl::Status found = FindByteIds(vocabulary).status();
  if (found.ok()) return found;
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", found.message()));
}

absl::StatusOr<BpeModel> ModelOf(const TokenizerFiles& files,
                                 const Json& tokenizer) {
  if (files.tokenizer_json.has_value()) {
    return BpeModelOf(tokenizer, files.tokenizer_json->name);
  }
  absl::Status text = CheckIsText(*files.vocab_json);
  text.Update(CheckIsText(*files.merges_txt));
  if (!text.ok()) return text;
  absl::StatusOr<BpeVocabulary> vocabulary =
      ParseBpeVocabulary(files.vocab_json->text, files.vocab_json->name);
  if (!vocabulary.ok()) return vocabulary.status();
  // Before the merges: it is the vocabulary that is to blame.
  if (absl::Status bytes = CheckBytes(*vocabulary, files.vocab_json->name);
      !bytes.ok()) {
    return bytes;
  }
  absl::StatusOr<BpeMergeTable> merges = ParseBpeMerges(
      files.merges_txt->text, files.merges_txt->name, *vocabulary);
  if (!merges.ok()) return merges.status();
  return BpeModel{*std::move(vocabulary), *std::move(merges)};
}

}  // namespace

absl::StatusOr<Tokenizer> ParseTokenizer(const TokenizerFiles& files) {
  if (!files.tokenizer_json.has_value() &&
      !(files.vocab_json.has_value() && files.merges_txt.has_value())) {
    return absl::InvalidArgumentError(
        "there is neither tokenizer.json nor vocab.json with merges.txt");
  }
  const absl::StatusOr<Json> json = ParseIfThere(files.tokenizer_json);
  if (!json.ok()) return json.status();
  absl::StatusOr<BpeModel> model = ModelOf(files, *json);
  if (!model.ok()) return model.status();
  const std::string& vocabulary_name = files.tokenizer_json.has_value()
                                           ? files.tokenizer_json->name
                                           : files.vocab_json->name;
  Tokenizer tokenizer;
  tokenizer.vocabulary = std::move(model->vocabulary);
  tokenizer.merges = std::move(model->merges);
  if (absl::Status bytes = CheckBytes(tokenizer.vocabulary, vocabulary_name);
      !bytes.ok()) {
    return bytes;
  }
  tokenizer.byte_ids = *FindByteIds(tokenizer.vocabulary);

  const absl::StatusOr<Json> config = ParseIfThere(files.tokenizer_config_json);
  if (!config.ok()) return config.status();
  const absl::StatusOr<Json> map = ParseIfThere(files.special_tokens_map_json);
  if (!map.ok()) return map.status();
  const absl::StatusOr<Json> added = ParseIfThere(files.added_tokens_json);
  if (!added.ok()) return added.status();
  const std::string config_name = files.tokenizer_config_json.has_value()
                                      ? files.tokenizer_config_json->name
                                      : vocabulary_name;
  Adder adder(&tokenizer);
  absl::Status status = CheckConfig(*config, config_name);
  status.Update(AddListed(*json, vocabulary_name, adder));
  if (auto decoder = config->find("added_tokens_decoder");
      status.ok() && decoder != config->end() && decoder->is_object()) {
    status = AddWithIds(*decoder,
                        absl::StrCat(config_name, ": added_tokens_decoder"),
                        /*ids_are_keys=*/true, adder);
  }
  if (status.ok() && files.added_tokens_json.has_value()) {
    status = AddWithIds(*added, files.added_tokens_json->name,
                        /*ids_are_keys=*/false, adder);
  }
  if (!status.ok()) return status;
  // The older two files alone are only ever a GPT-2's.
  const bool has_defaults =
      !files.tokenizer_json.has_value() || ClassOf(*config)->has_defaults;
  status = AddSpecial(*config, *map, has_defaults, config_name, adder);
  if (!status.ok()) return status;
  for (const auto& [token, id] : tokenizer.vocabulary) {
    tokenizer.size = std::max(tokenizer.size, int64_t{id} + 1);
  }
  for (const AddedToken& token : tokenizer.added) {
    tokenizer.size = std::max(tokenizer.size, int64_t{token.id} + 1);
  }
  return tokenizer;
}

}  // namespace hydra
