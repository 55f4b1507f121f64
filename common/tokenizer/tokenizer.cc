#include "common/tokenizer/tokenizer.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/file/file_format.h"
#include "common/text/printable.h"
#include "common/tokenizer/added_token_list.h"
#include "common/tokenizer/byte_symbols.h"
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
constexpr TokenizerClass kClasses[] = {
    {"GPT2Tokenizer", true},       {"PreTrainedTokenizer", false},
    {"TokenizersBackend", false},  {"LlamaTokenizer", false},
    {"CodeLlamaTokenizer", false}, {"Qwen2Tokenizer", false},
    {"GPTNeoXTokenizer", false},   {"BertTokenizer", false},
    {"DistilBertTokenizer", false}};

absl::StatusOr<Json> ParseIfThere(const std::optional<TokenizerFile>& file) {
  if (!file.has_value()) return Json::object();
  return ParseTokenizerFile(file->text, file->name);
}

std::string ClassName(const Json& config) {
  auto type = config.find("tokenizer_class");
  if (type == config.end() || !type->is_string()) return "";
  return type->get<std::string>();
}

// Null: none that Hydra knows, or none is said.
const TokenizerClass* ClassOf(const Json& config) {
  const std::string name = ClassName(config);
  for (const TokenizerClass& known : kClasses) {
    if (known.name == absl::StripSuffix(name, "Fast")) return &known;
  }
  return nullptr;
}

// Whether this is a GPT-2's, as far as parts can say.
bool IsLikeGpt2(const Tokenizer& tokenizer) {
  return tokenizer.model == TokenModel::kByteBpe &&
         tokenizer.normalizer.empty() && tokenizer.pre_tokenizer.size() == 1 &&
         tokenizer.pre_tokenizer[0].pattern == SplitPattern::kGpt2;
}

absl::Status CheckClass(const Json& config, const std::string& name,
                        bool has_tokenizer_json) {
  const std::string found = ClassName(config);
  const TokenizerClass* known = ClassOf(config);
  if (found.empty()) return absl::OkStatus();
  if (known == nullptr) {
    std::vector<absl::string_view> names;
    for (const TokenizerClass& one : kClasses) names.push_back(one.name);
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": tokenizer_class: found ", Quoted(found),
                     "; known are ", absl::StrJoin(names, ", "),
                     "; if tokenizer.json alone says which ids "
                     "a text has, PreTrainedTokenizerFast is its class"));
  }
  const bool is_usual = known->has_defaults ||
                        known->name == "PreTrainedTokenizer" ||
                        known->name == "TokenizersBackend";
  if (has_tokenizer_json || is_usual) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": tokenizer_class: found ", Quoted(found),
      "; it needs a tokenizer.json, which transformers' save_pretrained "
      "writes"));
}

struct NormalizerSwitch {
  const char* key;
  NormalizerKind kind;
};
constexpr NormalizerSwitch kNormalizerSwitches[] = {
    {"do_lower_case", NormalizerKind::kLowercase},
    {"tokenize_chinese_chars", NormalizerKind::kBertChinese},
};

// transformers lets them change BERT's normalizer.
absl::Status CheckNormalizerSwitches(const Json& config,
                                     const std::string& name,
                                     const Tokenizer& tokenizer) {
  if (tokenizer.model != TokenModel::kWordPiece) return absl::OkStatus();
  for (const NormalizerSwitch& one : kNormalizerSwitches) {
    const bool has_step =
        std::any_of(tokenizer.normalizer.begin(), tokenizer.normalizer.end(),
                    [&](const auto& step) { return step.kind == one.kind; });
    if (JsonFlag(config, one.key, has_step) == has_step) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": ", one.key, ": found ", has_step ? "false" : "true",
        "; the normalizer has ", has_step ? "true" : "false"));
  }
  return absl::OkStatus();
}

// transformers lets it change a byte-level pre-tokenizer.
absl::Status CheckPrefixSpace(const Json& config, const std::string& name,
                              const Tokenizer& tokenizer) {
  if (tokenizer.model != TokenModel::kByteBpe) return absl::OkStatus();
  const bool has_prefix =
      std::any_of(tokenizer.pre_tokenizer.begin(),
                  tokenizer.pre_tokenizer.end(), [](const auto& step) {
                    return step.kind == PreTokenizerKind::kPrefixSpace;
                  });
  const bool wanted = JsonFlag(config, "add_prefix_space", has_prefix);
  if (wanted == has_prefix) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": add_prefix_space: found ", wanted ? "true" : "false",
      "; the pre-tokenizer has ", has_prefix ? "true" : "false"));
}

// Of objects that give an id to each text, or a text to each id.
absl::Status AddWithIds(const Json& tokens, const std::string& source,
                        bool ids_are_keys, AddedTokenList& list) {
  std::vector<std::pair<int64_t, Json>> ordered;
  for (const auto& [key, value] : tokens.items()) {
    int64_t id = -1;
    if (ids_are_keys ? !absl::SimpleAtoi(key, &id)
                     : !value.is_number_integer()) {
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
        list.Add(token, source, id, JsonFlag(token, "special", false));
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

// Those of tokenizer.json, in its order.
absl::Status AddListed(const Json& tokenizer, const std::string& name,
                       AddedTokenList& list) {
  auto tokens = tokenizer.find("added_tokens");
  if (tokens == tokenizer.end() || !tokens->is_array()) return absl::OkStatus();
  const std::string source = absl::StrCat(name, ": added_tokens");
  for (const Json& token : *tokens) {
    std::optional<int64_t> id;
    if (token.is_object() && token.contains("id") &&
        token["id"].is_number_integer()) {
      id = token["id"].get<int64_t>();
    }
    absl::Status added =
        list.Add(token, source, id, JsonFlag(token, "special", false));
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

bool IsDefaulted(absl::string_view key) {
  return std::find(std::begin(kDefaultedKeys), std::end(kDefaultedKeys), key) !=
         std::end(kDefaultedKeys);
}

// What the files say under `key`; `config` goes first. Null: nothing.
const Json* FindSpecial(const Json& config, const Json& map, const char* key) {
  for (const Json* json : {&config, &map}) {
    const auto found = json->find(key);
    if (found != json->end()) return &*found;
  }
  return nullptr;
}

// Of the token that is named by `key`, or, where nothing is, is `usual`; that
// may be empty. All special tokens have been added.
std::optional<uint32_t> SpecialIdOf(const Json& config, const Json& map,
                                    const char* key, absl::string_view usual,
                                    const Tokenizer& tokenizer) {
  const Json* token = FindSpecial(config, map, key);
  if (token != nullptr && token->is_object()) {
    token = token->contains("content") ? &(*token)["content"] : nullptr;
  }
  std::string text;
  if (token != nullptr && token->is_string()) {
    text = token->get<std::string>();
  } else if (token == nullptr) {
    text = std::string(usual);
  }
  if (text.empty()) return std::nullopt;
  for (const AddedToken& added : tokenizer.added) {
    if (added.text == text) return added.id;
  }
  // A usual one need not have been added.
  const auto found = tokenizer.vocabulary.find(text);
  if (found == tokenizer.vocabulary.end()) return std::nullopt;
  return found->second;
}

// Special tokens that are named by what they are for.
absl::Status AddSpecial(const Json& config, const Json& map, bool has_defaults,
                        const std::string& name, AddedTokenList& list) {
  const auto find = [&](const char* key) {
    return FindSpecial(config, map, key);
  };
  absl::Status status;
  for (const char* key : kSpecialKeys) {
    const Json* token = find(key);
    if (token == nullptr && has_defaults && IsDefaulted(key)) {
      status.Update(list.AddUnnamed(kEndOfText, name));
    } else if (token != nullptr && !token->is_null()) {
      status.Update(list.Add(*token, absl::StrCat(name, ": ", key),
                             std::nullopt, /*is_special=*/true));
    }
  }
  for (const char* key : kSpecialLists) {
    const Json* tokens = find(key);
    if (tokens == nullptr || !tokens->is_structured()) continue;
    for (const Json& token : *tokens) {
      status.Update(list.Add(token, absl::StrCat(name, ": ", key), std::nullopt,
                             /*is_special=*/true));
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

absl::StatusOr<Tokenizer> Gpt2Of(const TokenizerFile& vocab_json,
                                 const TokenizerFile& merges_txt) {
  absl::Status text = CheckIsText(vocab_json);
  text.Update(CheckIsText(merges_txt));
  if (!text.ok()) return text;
  Tokenizer tokenizer;
  tokenizer.pre_tokenizer = {{PreTokenizerKind::kPattern}};
  absl::StatusOr<BpeVocabulary> vocabulary =
      ParseBpeVocabulary(vocab_json.text, vocab_json.name);
  if (!vocabulary.ok()) return vocabulary.status();
  tokenizer.vocabulary = *std::move(vocabulary);
  // Before the merges: it is the vocabulary that is to blame.
  const absl::StatusOr<ByteIds> bytes = FindByteIds(tokenizer.vocabulary);
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(vocab_json.name, ": ", bytes.status().message()));
  }
  tokenizer.byte_ids = *bytes;
  absl::StatusOr<BpeMergeTable> merges =
      ParseBpeMerges(merges_txt.text, merges_txt.name, tokenizer.vocabulary);
  if (!merges.ok()) return merges.status();
  tokenizer.merges = *std::move(merges);
  return tokenizer;
}

int64_t SizeOf(const Tokenizer& tokenizer) {
  int64_t size = 0;
  for (const auto& [token, id] : tokenizer.vocabulary) {
    size = std::max(size, int64_t{id} + 1);
  }
  for (const AddedToken& token : tokenizer.added) {
    size = std::max(size, int64_t{token.id} + 1);
  }
  return size;
}

}  // namespace

absl::StatusOr<Tokenizer> ParseTokenizer(const TokenizerFiles& files) {
  const bool has_json = files.tokenizer_json.has_value();
  if (!has_json &&
      !(files.vocab_json.has_value() && files.merges_txt.has_value())) {
    return absl::InvalidArgumentError(
        "there is neither tokenizer.json nor vocab.json with merges.txt");
  }
  const absl::StatusOr<Json> json = ParseIfThere(files.tokenizer_json);
  if (!json.ok()) return json.status();
  absl::StatusOr<Tokenizer> parsed =
      has_json ? TokenizerOf(*json, files.tokenizer_json->name)
               : Gpt2Of(*files.vocab_json, *files.merges_txt);
  if (!parsed.ok()) return parsed.status();
  Tokenizer tokenizer = *std::move(parsed);
  const std::string& vocabulary_name =
      has_json ? files.tokenizer_json->name : files.vocab_json->name;

  const absl::StatusOr<Json> config = ParseIfThere(files.tokenizer_config_json);
  if (!config.ok()) return config.status();
  const absl::StatusOr<Json> map = ParseIfThere(files.special_tokens_map_json);
  if (!map.ok()) return map.status();
  const absl::StatusOr<Json> added = ParseIfThere(files.added_tokens_json);
  if (!added.ok()) return added.status();
  const std::string config_name = files.tokenizer_config_json.has_value()
                                      ? files.tokenizer_config_json->name
                                      : vocabulary_name;
  absl::Status status = CheckClass(*config, config_name, has_json);
  status.Update(CheckPrefixSpace(*config, config_name, tokenizer));
  status.Update(CheckNormalizerSwitches(*config, config_name, tokenizer));
  if (!status.ok()) return status;
  AddedTokenList list(&tokenizer);
  status = AddListed(*json, vocabulary_name, list);
  if (auto decoder = config->find("added_tokens_decoder");
      status.ok() && decoder != config->end() && decoder->is_object()) {
    status = AddWithIds(*decoder,
                        absl::StrCat(config_name, ": added_tokens_decoder"),
                        /*ids_are_keys=*/true, list);
  }
  if (status.ok() && files.added_tokens_json.has_value()) {
    status = AddWithIds(*added, files.added_tokens_json->name,
                        /*ids_are_keys=*/false, list);
  }
  if (!status.ok()) return status;
  // The older two files alone are only ever a GPT-2's.
  const TokenizerClass* named = ClassOf(*config);
  const bool has_defaults =
      !has_json ||
      (named != nullptr ? named->has_defaults : IsLikeGpt2(tokenizer));
  status = AddSpecial(*config, *map, has_defaults, config_name, list);
  if (!status.ok()) return status;
  tokenizer.end_of_text_id = SpecialIdOf(
      *config, *map, "eos_token", has_defaults ? kEndOfText : "", tokenizer);
  const bool is_bert = tokenizer.model == TokenModel::kWordPiece;
  const auto of_bert = [&](const char* key, absl::string_view usual) {
    return SpecialIdOf(*config, *map, key, is_bert ? usual : "", tokenizer);
  };
  tokenizer.cls_id = of_bert("cls_token", "[CLS]");
  tokenizer.sep_id = of_bert("sep_token", "[SEP]");
  tokenizer.mask_id = of_bert("mask_token", "[MASK]");
  tokenizer.size = SizeOf(tokenizer);
  return tokenizer;
}

}  // namespace hydra
