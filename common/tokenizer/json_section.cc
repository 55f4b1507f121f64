#include "common/tokenizer/json_section.h"

#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

// Of what has a type, that.
std::string Shown(const Json& value) {
  if (value.is_object()) {
    auto type = value.find("type");
    if (type != value.end()) return ShownJson(*type);
  }
  return ShownJson(value);
}

}  // namespace

std::string JsonSection::PathOf(absl::string_view key) const {
  return absl::StrCat(path_, path_.empty() || key.empty() ? "" : ".", key);
}

const Json* JsonSection::Find(const char* key) const {
  auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

std::string JsonSection::Type() const {
  const Json* type = Find("type");
  return type != nullptr && type->is_string() ? type->get<std::string>() : "";
}

absl::Status JsonSection::Wrong(absl::string_view key, const Json& found,
                                absl::string_view wanted) const {
  return absl::InvalidArgumentError(absl::StrCat(
      file_, ": ", PathOf(key), ": found ", Shown(found), "; ", wanted));
}

absl::Status JsonSection::Wrong(absl::string_view wanted) const {
  return Wrong("", json_, wanted);
}

absl::Status JsonSection::MayBe(const char* key, const Json& value) const {
  const Json* found = Find(key);
  if (found == nullptr || *found == value) return absl::OkStatus();
  return Wrong(key, *found,
               absl::StrCat("only ", value.dump(), " is supported; ",
                            kTokenizeYourself));
}

absl::StatusOr<bool> JsonSection::Bool(const char* key, bool otherwise) const {
  const Json* found = Find(key);
  if (found == nullptr) return otherwise;
  if (found->is_boolean()) return found->get<bool>();
  return Wrong(key, *found, "true or false is needed");
}

absl::StatusOr<std::string> JsonSection::Text(const char* key,
                                              std::string otherwise) const {
  const Json* found = Find(key);
  if (found == nullptr) return otherwise;
  if (found->is_string()) return found->get<std::string>();
  return Wrong(key, *found, "a text is needed");
}

absl::Status JsonSection::ForEachStep(
    const char* list,
    absl::FunctionRef<absl::Status(const JsonSection&)> step) const {
  if (Type() != "Sequence") return step(*this);
  const Json* steps = Find(list);
  if (steps == nullptr || !steps->is_array()) {
    return Wrong(list, steps == nullptr ? Json() : *steps, "a list is needed");
  }
  size_t index = 0;
  for (const Json& one : *steps) {
    const JsonSection section(one, file_,
                              absl::StrCat(PathOf(list), "[", index++, "]"));
    if (!one.is_object()) return section.Wrong("an object is needed");
    absl::Status done = section.ForEachStep(list, step);
    if (!done.ok()) return done;
  }
  return absl::OkStatus();
}

absl::StatusOr<JsonSection> JsonSection::Inside(const char* key) const {
  const Json* found = Find(key);
  if (found != nullptr && found->is_object()) {
    return JsonSection(*found, file_, PathOf(key));
  }
  return Wrong(key, found == nullptr ? Json() : *found, "an object is needed");
}

}  // namespace hydra
