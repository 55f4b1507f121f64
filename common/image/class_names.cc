#include "common/image/class_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// So many names are shown in a message.
constexpr size_t kShownNames = 5;

// "'a', 'b' and 3 more"
template <typename Names, typename NameOf>
std::string Shown(const Names& names, NameOf name_of) {
  std::string shown;
  size_t count = 0;
  for (const auto& name : names) {
    if (++count > kShownNames) {
      return absl::StrCat(shown, " and ", names.size() - kShownNames, " more");
    }
    absl::StrAppend(&shown, count > 1 ? ", " : "", Quoted(name_of(name)));
  }
  return shown;
}

absl::Status Wrong(const char* key, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("config.json: ", key, ": ", what));
}

absl::Status Add(const char* key, const std::string& name, int64_t number,
                 int64_t class_count, ClassNumbers& classes) {
  if (number < 0 || number >= class_count) {
    return Wrong(
        key, absl::StrCat(Quoted(name), " has the number ", number,
                          "; the model has classes 0 to ", class_count - 1));
  }
  const auto [there, is_new] = classes.try_emplace(name, number);
  if (is_new) return absl::OkStatus();
  return Wrong(
      key, absl::StrCat("classes ", there->second, " and ", number,
                        " are both ", Quoted(name),
                        "; a folder of that name would mean either of them: "
                        "label2id must say which"));
}

// Null and missing are alike.
bool IsThere(const Json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && !found->is_null() && !found->empty();
}

absl::StatusOr<ClassNumbers> FromLabels(const Json& labels,
                                        int64_t class_count) {
  constexpr char kKey[] = "label2id";
  if (!labels.is_object()) return Wrong(kKey, "an object is needed");
  ClassNumbers classes;
  for (const auto& [name, number] : labels.items()) {
    int64_t value = -1;
    // transformers wrote numbers as text once.
    const bool is_number =
        number.is_number_integer() ||
        (number.is_string() &&
         absl::SimpleAtoi(number.get_ref<const std::string&>(), &value));
    if (!is_number) {
      return Wrong(kKey, absl::StrCat(Quoted(name), " has ", ShownJson(number),
                                      "; a whole number is needed"));
    }
    if (number.is_number_integer()) value = number.get<int64_t>();
    absl::Status added = Add(kKey, name, value, class_count, classes);
    if (!added.ok()) return added;
  }
  return classes;
}

absl::StatusOr<ClassNumbers> FromIds(const Json& names, int64_t class_count) {
  constexpr char kKey[] = "id2label";
  if (!names.is_object()) return Wrong(kKey, "an object is needed");
  ClassNumbers classes;
  for (const auto& [number, name] : names.items()) {
    int64_t value = 0;
    if (!absl::SimpleAtoi(number, &value)) {
      return Wrong(kKey, absl::StrCat("found the key ", Quoted(number),
                                      "; the number of a class is needed"));
    }
    if (!name.is_string()) {
      return Wrong(kKey, absl::StrCat("class ", value, " has ", ShownJson(name),
                                      "; a name is needed"));
    }
    absl::Status added =
        Add(kKey, name.get<std::string>(), value, class_count, classes);
    if (!added.ok()) return added;
  }
  return classes;
}

bool HasNamesOfItsOwn(const ClassNumbers& classes) {
  return std::any_of(classes.begin(), classes.end(), [](const auto& one) {
    return one.first != absl::StrCat("LABEL_", one.second);
  });
}

}  // namespace

absl::StatusOr<ClassNumbers> ClassNamesOf(absl::string_view config_json,
                                          int64_t class_count) {
  const absl::StatusOr<Json> config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  if (IsThere(*config, "label2id")) {
    absl::StatusOr<ClassNumbers> classes =
        FromLabels(config->at("label2id"), class_count);
    if (!classes.ok() || HasNamesOfItsOwn(*classes)) return classes;
  }
  if (IsThere(*config, "id2label")) {
    absl::StatusOr<ClassNumbers> classes =
        FromIds(config->at("id2label"), class_count);
    if (!classes.ok() || HasNamesOfItsOwn(*classes)) return classes;
  }
  return ClassNumbers();
}

absl::StatusOr<ClassNumbers> ClassesOfFolders(
    const ClassNumbers& named, const std::vector<std::string>& folders,
    int64_t class_count) {
  if (!named.empty()) {
    absl::Status checked = CheckFoldersAreClasses(folders, named);
    if (!checked.ok()) return checked;
    return named;
  }
  if (static_cast<int64_t>(folders.size()) != class_count) {
    return absl::InvalidArgumentError(absl::StrCat(
        "found ", folders.size(), " folders of classes (",
        Shown(folders, [](const std::string& name) { return name; }),
        "); the model has ", class_count,
        " classes, and its config.json no names for them"));
  }
  ClassNumbers classes;
  for (const std::string& folder : folders) {
    classes.emplace(folder, static_cast<int64_t>(classes.size()));
  }
  return classes;
}

absl::Status CheckFoldersAreClasses(const std::vector<std::string>& folders,
                                    const ClassNumbers& classes) {
  for (const std::string& folder : folders) {
    if (classes.count(folder) > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "found the folder ", Quoted(folder), "; the ", classes.size(),
        " classes are ",
        Shown(classes, [](const auto& one) { return one.first; })));
  }
  return absl::OkStatus();
}

}  // namespace hydra
