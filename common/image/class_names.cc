#include "common/image/class_names.h"

#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"
#include "common/model/config_reader.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

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

}  // namespace

absl::StatusOr<ClassNumbers> ClassNamesOf(absl::string_view config_json,
                                          int64_t class_count) {
  const auto config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  ConfigReader reader(*config);
  ClassNumbers classes = ReadClassLabels(*config, class_count, reader);
  if (!reader.mistakes().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("config.json: ", reader.mistakes().front()));
  }
  return HasNamesOfItsOwn(classes) ? classes : ClassNumbers();
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
