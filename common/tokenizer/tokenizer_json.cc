#include "common/tokenizer/tokenizer_json.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/file_format.h"
#include "common/json/python_json.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

// Of what has a type, that.
std::string Shown(const Json& value) {
  if (value.is_object()) {
    auto type = value.find("type");
    if (type != value.end()) return Shown(*type);
  }
  return ShownJson(value);
}

// Checks the keys of one object.
class Section {
 public:
  Section(const Json& json, absl::string_view file, absl::string_view path)
      : json_(json), file_(file), path_(path) {}

  // Null if it is not there, or is null.
  const Json* Find(const char* key) const {
    auto found = json_.find(key);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }

  absl::Status Wrong(absl::string_view key, const Json& found,
                     absl::string_view wanted) const {
    return absl::InvalidArgumentError(
        absl::StrCat(file_, ": ", path_, path_.empty() ? "" : ".", key,
                     ": found ", Shown(found), "; ", wanted));
  }

  // Not there, null, or `value`.
  absl::Status MayBe(const char* key, const Json& value) const {
    const Json* found = Find(key);
    if (found == nullptr || *found == value) return absl::OkStatus();
    return Wrong(key, *found,
                 absl::StrCat("only ", value.dump(), " is supported"));
  }

 private:
  const Json& json_;
  const absl::string_view file_;
  const absl::string_view path_;
};

bool HasType(const Json& step, absl::string_view type) {
  if (!step.is_object()) return false;
  auto found = step.find("type");
  return found != step.end() && found->is_string() &&
         found->get_ref<const std::string&>() == type;
}

// The one that a sequence of one stands for.
const Json& Unwrapped(const Json& step, const char* list) {
  if (!HasType(step, "Sequence")) return step;
  auto steps = step.find(list);
  const bool is_one =
      steps != step.end() && steps->is_array() && steps->size() == 1;
  return is_one ? steps->front() : step;
}

// Words are split by GPT-2's pattern, and no space comes before the text.
absl::Status CheckPreTokenizer(const Section& top, absl::string_view name) {
  const Json* found = top.Find("pre_tokenizer");
  if (found == nullptr) {
    return top.Wrong("pre_tokenizer", nullptr,
                     "only ByteLevel is supported, as GPT-2 has it");
  }
  const Json& step = Unwrapped(*found, "pretokenizers");
  if (!HasType(step, "ByteLevel")) {
    return top.Wrong("pre_tokenizer", step,
                     "only ByteLevel is supported, as GPT-2 has it");
  }
  const Section section(step, name, "pre_tokenizer");
  absl::Status status = section.MayBe("use_regex", true);
  status.Update(section.MayBe("add_prefix_space", false));
  return status;
}

// Whether a template is the text alone, as transformers writes it where there
// is nothing to add.
bool IsTextAlone(const Json& step) {
  if (!HasType(step, "TemplateProcessing")) return false;
  auto single = step.find("single");
  return single != step.end() && single->is_array() && single->size() == 1 &&
         single->front().is_object() && single->front().contains("Sequence");
}

// ByteLevel changes offsets alone; a template may put tokens around the text.
absl::Status CheckPostProcessor(const Section& top) {
  const Json* found = top.Find("post_processor");
  if (found == nullptr) return absl::OkStatus();
  const Json& step = Unwrapped(*found, "processors");
  if (HasType(step, "ByteLevel") || IsTextAlone(step)) return absl::OkStatus();
  return top.Wrong("post_processor", step,
                   "only ByteLevel is supported, which adds no tokens");
}

absl::Status CheckModelSection(const Section& section, const Json& model) {
  if (!HasType(model, "BPE")) {
    return section.Wrong("type", model, "only BPE is supported");
  }
  const Json* dropout = section.Find("dropout");
  if (dropout != nullptr && *dropout != 0) {
    return section.Wrong("dropout", *dropout, "only null is supported");
  }
  absl::Status status = section.MayBe("continuing_subword_prefix", "");
  status.Update(section.MayBe("end_of_word_suffix", ""));
  status.Update(section.MayBe("ignore_merges", false));
  return status;
}

absl::Status ReadMerges(const Section& section, BpeModel& model) {
  const Json* merges = section.Find("merges");
  if (merges == nullptr || !merges->is_array()) {
    return section.Wrong("merges", merges == nullptr ? Json() : *merges,
                         "a list of pairs is needed");
  }
  for (const Json& merge : *merges) {
    absl::Status added = absl::InvalidArgumentError(
        absl::StrCat(Shown(merge), " is not two tokens"));
    if (merge.is_string()) {
      added = AddBpeMerge(merge.get_ref<const std::string&>(), model.vocabulary,
                          &model.merges);
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      added = AddBpeMerge(merge[0].get_ref<const std::string&>(),
                          merge[1].get_ref<const std::string&>(),
                          model.vocabulary, &model.merges);
    }
    if (!added.ok()) {
      return section.Wrong(
          absl::StrCat("merges[", &merge - &merges->front(), "]"), merge,
          added.message());
    }
  }
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

absl::StatusOr<BpeModel> BpeModelOf(const Json& tokenizer,
                                    absl::string_view name) {
  const Section top(tokenizer, name, "");
  const Json* model = top.Find("model");
  if (model == nullptr || !model->is_object()) {
    return top.Wrong("model", model == nullptr ? Json() : *model,
                     "an object is needed");
  }
  const Section section(*model, name, "model");
  absl::Status status = CheckModelSection(section, *model);
  status.Update(CheckPreTokenizer(top, name));
  status.Update(CheckPostProcessor(top));
  if (const Json* normalizer = top.Find("normalizer");
      status.ok() && normalizer != nullptr) {
    status = top.Wrong("normalizer", *normalizer, "only null is supported");
  }
  if (!status.ok()) return status;
  const Json* vocabulary = section.Find("vocab");
  if (vocabulary == nullptr || !vocabulary->is_object()) {
    return section.Wrong("vocab", vocabulary == nullptr ? Json() : *vocabulary,
                         "an object of tokens and ids is needed");
  }
  BpeModel parsed;
  auto tokens =
      ParseBpeVocabulary(vocabulary->dump(-1, ' ', /*ensure_ascii=*/false,
                                          Json::error_handler_t::replace),
                         absl::StrCat(name, ": model.vocab"));
  if (!tokens.ok()) return tokens.status();
  parsed.vocabulary = *std::move(tokens);
  if (absl::Status read = ReadMerges(section, parsed); !read.ok()) return read;
  return parsed;
}

}  // namespace hydra
