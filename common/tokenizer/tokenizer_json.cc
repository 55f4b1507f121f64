#include "common/tokenizer/tokenizer_json.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/file/file_format.h"
#include "common/json/python_json.h"
#include "common/tokenizer/json_section.h"
#include "common/tokenizer/normalizer_json.h"
#include "common/tokenizer/pre_tokenizer_json.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

// As BERT has it.
constexpr int64_t kMaxWordCharacters = 100;

absl::Status ReadVocabulary(const JsonSection& model, absl::string_view name,
                            BpeVocabulary* vocabulary) {
  const Json* found = model.Find("vocab");
  if (found == nullptr || !found->is_object()) {
    return model.Wrong("vocab", found == nullptr ? Json() : *found,
                       "an object of tokens and ids is needed");
  }
  auto tokens = ParseBpeVocabulary(found->dump(-1, ' ', /*ensure_ascii=*/false,
                                               Json::error_handler_t::replace),
                                   absl::StrCat(name, ": model.vocab"));
  if (!tokens.ok()) return tokens.status();
  *vocabulary = *std::move(tokens);
  return absl::OkStatus();
}

absl::Status ReadMerges(const JsonSection& model,
                        const BpeVocabulary& vocabulary, BpeMergeTable* table) {
  const Json* merges = model.Find("merges");
  if (merges == nullptr || !merges->is_array()) {
    return model.Wrong("merges", merges == nullptr ? Json() : *merges,
                       "a list of pairs is needed");
  }
  for (const Json& merge : *merges) {
    absl::Status added = absl::InvalidArgumentError("two tokens are needed");
    if (merge.is_string()) {
      added =
          AddBpeMerge(merge.get_ref<const std::string&>(), vocabulary, table);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      added = AddBpeMerge(merge[0].get_ref<const std::string&>(),
                          merge[1].get_ref<const std::string&>(), vocabulary,
                          table);
    }
    if (!added.ok()) {
      return model.Wrong(
          absl::StrCat("merges[", &merge - &merges->front(), "]"), merge,
          added.message());
    }
  }
  return absl::OkStatus();
}

// The id of "unk_token", if there is one.
absl::Status ReadUnknown(const JsonSection& model, Tokenizer* tokenizer) {
  if (model.Find("unk_token") == nullptr) return absl::OkStatus();
  const absl::StatusOr<std::string> token = model.Text("unk_token", "");
  if (!token.ok()) return token.status();
  const auto found = tokenizer->vocabulary.find(*token);
  if (found == tokenizer->vocabulary.end()) {
    return model.Wrong("unk_token", *token, "it is not in the vocabulary");
  }
  tokenizer->unknown_id = found->second;
  return absl::OkStatus();
}

void FindByteTokens(Tokenizer* tokenizer) {
  tokenizer->byte_tokens.assign(256, kNoByteToken);
  for (int byte = 0; byte < 256; ++byte) {
    const auto found =
        tokenizer->vocabulary.find(absl::StrFormat("<0x%02X>", byte));
    if (found != tokenizer->vocabulary.end()) {
      tokenizer->byte_tokens[byte] = found->second;
    }
  }
}

absl::Status CheckBytes(absl::string_view name, Tokenizer* tokenizer) {
  const absl::StatusOr<ByteIds> found = FindByteIds(tokenizer->vocabulary);
  if (!found.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", found.status().message()));
  }
  tokenizer->byte_ids = *found;
  return absl::OkStatus();
}

absl::Status ReadCharacterBpe(const JsonSection& model,
                              const PreTokenizer& pre_tokenizer,
                              Tokenizer* tokenizer) {
  absl::Status status = ReadUnknown(model, tokenizer);
  if (!status.ok()) return status;
  const absl::StatusOr<bool> fuse = model.Bool("fuse_unk", false);
  if (!fuse.ok()) return fuse.status();
  tokenizer->fuse_unknown = *fuse;
  const absl::StatusOr<bool> fallback = model.Bool("byte_fallback", false);
  if (!fallback.ok()) return fallback.status();
  if (*fallback) FindByteTokens(tokenizer);
  // A word would be a text as long as nothing is added in between.
  if (tokenizer->ignore_merges &&
      !pre_tokenizer.Has(PreTokenizerKind::kSplitAtMarkers)) {
    return model.Wrong("ignore_merges", true,
                       absl::StrCat("only false is supported where neither "
                                    "ByteLevel nor Metaspace splits words; ",
                                    kTokenizeYourself));
  }
  return absl::OkStatus();
}

absl::Status ReadBpe(const JsonSection& model, absl::string_view name,
                     const PreTokenizer& pre_tokenizer, Tokenizer* tokenizer) {
  absl::Status status;
  const Json* dropout = model.Find("dropout");
  if (dropout != nullptr && *dropout != 0) {
    status = model.Wrong("dropout", *dropout,
                         "only null is supported, which is what to train with "
                         "when ids are made once");
  }
  status.Update(model.MayBe("continuing_subword_prefix", ""));
  status.Update(model.MayBe("end_of_word_suffix", ""));
  if (!status.ok()) return status;
  const absl::StatusOr<bool> ignore = model.Bool("ignore_merges", false);
  if (!ignore.ok()) return ignore.status();
  tokenizer->ignore_merges = *ignore;
  status = ReadVocabulary(model, name, &tokenizer->vocabulary);
  if (status.ok() && tokenizer->model == TokenModel::kByteBpe) {
    // Before the merges: it is the vocabulary that is to blame.
    status = CheckBytes(name, tokenizer);
  }
  if (!status.ok()) return status;
  status = ReadMerges(model, tokenizer->vocabulary, &tokenizer->merges);
  if (!status.ok() || tokenizer->model == TokenModel::kByteBpe) return status;
  return ReadCharacterBpe(model, pre_tokenizer, tokenizer);
}

absl::Status ReadWordPiece(const JsonSection& model, absl::string_view name,
                           const PreTokenizer& pre_tokenizer,
                           Tokenizer* tokenizer) {
  if (pre_tokenizer.is_byte_level ||
      !pre_tokenizer.Has(PreTokenizerKind::kBert)) {
    return model.Wrong("type", "WordPiece",
                       absl::StrCat("it is supported behind BertPreTokenizer "
                                    "alone; ",
                                    kTokenizeYourself));
  }
  absl::Status status = ReadVocabulary(model, name, &tokenizer->vocabulary);
  if (!status.ok()) return status;
  status = ReadUnknown(model, tokenizer);
  if (!status.ok()) return status;
  if (!tokenizer->unknown_id.has_value()) {
    return model.Wrong("unk_token", nullptr, "a token is needed");
  }
  absl::StatusOr<std::string> prefix =
      model.Text("continuing_subword_prefix", "##");
  if (!prefix.ok()) return prefix.status();
  tokenizer->continuation_prefix = *std::move(prefix);
  tokenizer->max_word_characters = kMaxWordCharacters;
  const Json* most = model.Find("max_input_chars_per_word");
  if (most == nullptr) return absl::OkStatus();
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (!most->is_number_unsigned() || most->get<uint64_t>() > kMost) {
    return model.Wrong("max_input_chars_per_word", *most,
                       absl::StrCat("a number of 0 to ", kMost, " is needed"));
  }
  tokenizer->max_word_characters = most->get<int64_t>();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Json> ParseTokenizerFile(absl::string_view text,
                                        absl::string_view name) {
  const absl::StatusOr<std::string> strict = StrictJson(text);
  Json value;
  if (strict.ok()) {
    value = Json::parse(*strict, nullptr, /*allow_exceptions=*/false);
  }
  if (value.is_object()) return value;
  const FileFormat* format = RecogniseFormat(text);
  if (format != nullptr && format->name != kJsonName) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is ", Describe(*format)));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": ",
      strict.ok() ? "expected an object" : strict.status().message()));
}

absl::StatusOr<Tokenizer> TokenizerOf(const Json& json,
                                      absl::string_view name) {
  const JsonSection top(json, name, "");
  const absl::StatusOr<JsonSection> model = top.Inside("model");
  if (!model.ok()) return model.status();
  const std::string type = model->Type();
  // What is older than "type" is one with merges.
  const bool is_bpe = type == "BPE" || (model->Find("type") == nullptr &&
                                        model->Find("merges") != nullptr);
  if (!is_bpe && type != "WordPiece") {
    const Json* found = model->Find("type");
    return model->Wrong(
        "type", found == nullptr ? Json() : *found,
        absl::StrCat("BPE and WordPiece are supported; ", kTokenizeYourself));
  }
  absl::StatusOr<PreTokenizer> pre_tokenizer = PreTokenizerOf(top);
  if (!pre_tokenizer.ok()) return pre_tokenizer.status();
  absl::StatusOr<std::vector<NormalizerStep>> normalizer = NormalizerOf(top);
  if (!normalizer.ok()) return normalizer.status();
  Tokenizer tokenizer;
  tokenizer.pre_tokenizer = pre_tokenizer->steps;
  tokenizer.normalizer = *std::move(normalizer);
  tokenizer.model = !is_bpe                        ? TokenModel::kWordPiece
                    : pre_tokenizer->is_byte_level ? TokenModel::kByteBpe
                                                   : TokenModel::kCharacterBpe;
  const absl::Status read =
      is_bpe ? ReadBpe(*model, name, *pre_tokenizer, &tokenizer)
             : ReadWordPiece(*model, name, *pre_tokenizer, &tokenizer);
  if (!read.ok()) return read;
  return tokenizer;
}

}  // namespace hydra
