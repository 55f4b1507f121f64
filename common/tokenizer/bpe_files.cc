#include "common/tokenizer/bpe_files.h"

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/json/json_mistake.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using Json = nlohmann::json;

// Fills a vocabulary while the JSON is read. Every function returns false to
// stop the parser, once error_ says why.
class VocabularyReader : public nlohmann::json_sax<Json> {
 public:
  bool start_object(size_t) override {
    if (depth_++ > 0) return BadValue("an object");
    return true;
  }
  bool end_object() override { return true; }
  bool key(std::string& token) override {
    token_ = token;
    return true;
  }
  bool number_unsigned(uint64_t id) override { return Add(id); }
  bool number_integer(int64_t id) override {
    return BadValue(absl::StrCat(id));
  }
  bool number_float(double, const std::string& text) override {
    return BadValue(text);
  }
  bool null() override { return BadValue("null"); }
  bool boolean(bool) override { return BadValue("a boolean"); }
  bool string(std::string&) override { return BadValue("a string"); }
  bool binary(Json::binary_t&) override { return BadValue("binary"); }
  bool start_array(size_t) override { return BadValue("an array"); }
  bool end_array() override { return true; }
  bool parse_error(size_t, const std::string&,
                   const Json::exception& error) override {
    is_json_broken_ = true;
    return Stop(JsonMistake(error.what()));
  }

  const std::string& error() const { return error_; }
  bool is_json_broken() const { return is_json_broken_; }
  BpeVocabulary& vocabulary() { return vocabulary_; }

 private:
  bool Stop(std::string why) {
    error_ = std::move(why);
    return false;
  }

  bool BadValue(absl::string_view found) {
    if (depth_ == 0) {
      return Stop(
          absl::StrCat("is not an object of tokens and ids but ", found));
    }
    return Stop(absl::StrCat("token ", Quoted(token_), " has ", found,
                             " in place of an id of 0 to ", kMaxTokenId));
  }

  bool Add(uint64_t id) {
    if (depth_ == 0 || id > kMaxTokenId) return BadValue(absl::StrCat(id));
    const auto [owner, is_new] = owners_.try_emplace(id, token_);
    if (!is_new && owner->second != token_) {
      return Stop(absl::StrCat("tokens ", Quoted(owner->second), " and ",
                               Quoted(token_), " have the same id ", id));
    }
    if (!vocabulary_.try_emplace(token_, id).second) {
      return Stop(absl::StrCat("token ", Quoted(token_), " is given twice"));
    }
    return true;
  }

  int depth_ = 0;
  std::string token_;
  std::string error_;
  bool is_json_broken_ = false;
  BpeVocabulary vocabulary_;
  absl::flat_hash_map<uint32_t, std::string> owners_;
};

}  // namespace

absl::Status AddBpeMerge(absl::string_view line,
                         const BpeVocabulary& vocabulary,
                         BpeMergeTable* table) {
  const std::vector<absl::string_view> parts = absl::StrSplit(line, ' ');
  if (parts.size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(line), " is not two tokens with one space between"));
  }
  return AddBpeMerge(parts[0], parts[1], vocabulary, table);
}

absl::Status AddBpeMerge(absl::string_view left, absl::string_view right,
                         const BpeVocabulary& vocabulary,
                         BpeMergeTable* table) {
  const std::string result = absl::StrCat(left, right);
  for (absl::string_view token : {left, right, absl::string_view(result)}) {
    if (!vocabulary.contains(token)) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(token), " is not in the vocabulary"));
    }
  }
  const std::pair<uint32_t, uint32_t> ids(vocabulary.at(left),
                                          vocabulary.at(right));
  const BpeMerge merge = {static_cast<uint32_t>(table->size()),
                          vocabulary.at(result)};
  if (!table->try_emplace(ids, merge).second) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(absl::StrCat(left, " ", right)), " is given twice"));
  }
  return absl::OkStatus();
}

absl::StatusOr<BpeVocabulary> ParseBpeVocabulary(absl::string_view json,
                                                 absl::string_view name) {
  VocabularyReader reader;
  const bool parsed = Json::sax_parse(json.begin(), json.end(), &reader);
  if (reader.is_json_broken()) {
    // It knows the place, and what was meant.
    const absl::StatusOr<std::string> strict = StrictJson(json);
    if (!strict.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": ", strict.status().message()));
    }
  }
  if (parsed && !reader.vocabulary().empty()) {
    return std::move(reader.vocabulary());
  }
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", parsed ? "has no tokens" : reader.error()));
}

absl::StatusOr<BpeMergeTable> ParseBpeMerges(absl::string_view text,
                                             absl::string_view name,
                                             const BpeVocabulary& vocabulary) {
  BpeMergeTable table;
  absl::ConsumeSuffix(&text, "\n");
  int64_t line_number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++line_number;
    absl::ConsumeSuffix(&line, "\r");
    if (absl::StartsWith(line, "#version")) continue;
    const absl::Status added = AddBpeMerge(line, vocabulary, &table);
    if (!added.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": line ", line_number, ": ", added.message()));
    }
  }
  return table;
}

}  // namespace hydra
