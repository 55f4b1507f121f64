#include "scheduler/submission/image_check.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file/file_access.h"
#include "common/image/class_names.h"
#include "common/image/image_processing.h"
#include "common/image/split_folder.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "scheduler/submission/user_file.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

using Folders = google::protobuf::RepeatedPtrField<std::string>;

constexpr char kModel[] = "model.path";
constexpr char kTrain[] = "data.train_files";

// Those that can be listed; what is wrong with the others is told.
std::vector<SplitFolder> ListAll(absl::string_view field,
                                 const Folders& folders,
                                 const FileAccess& access, Mistakes& mistakes) {
  std::vector<SplitFolder> listed;
  for (int i = 0; i < folders.size(); ++i) {
    absl::StatusOr<SplitFolder> folder = ReadSplitFolder(folders[i], access);
    if (folder.ok()) {
      listed.push_back(*std::move(folder));
    } else {
      AddMistake(absl::StrCat(field, "[", i, "]"), folder.status().message(),
                 &mistakes);
    }
  }
  return listed;
}

}  // namespace

const ClassNumbers& ImageCheck::Check(const v1::JobSpec& spec,
                                      absl::string_view config_json,
                                      const ExampleInput& input,
                                      Mistakes* mistakes,
                                      std::vector<std::string>* warnings) {
  const auto [entry, is_new] = seen_.try_emplace(
      absl::StrCat(spec.model().path(), "\n", spec.data().SerializeAsString()));
  Finding& finding = entry->second;
  if (is_new) finding = Look(spec, config_json, input);
  mistakes->insert(mistakes->end(), finding.mistakes.begin(),
                   finding.mistakes.end());
  warnings->insert(warnings->end(), finding.warnings.begin(),
                   finding.warnings.end());
  return finding.classes;
}

ImageCheck::Finding ImageCheck::Look(const v1::JobSpec& spec,
                                     absl::string_view config_json,
                                     const ExampleInput& input) const {
  Finding finding;
  LookAtProcessor(spec.model().path(), input, finding);
  LookAtFolders(spec.data(), config_json, input, finding);
  return finding;
}

void ImageCheck::LookAtProcessor(const std::string& model,
                                 const ExampleInput& input,
                                 Finding& finding) const {
  const absl::StatusOr<std::string> text =
      ReadUserFile(absl::StrCat(model, "/", kImageProcessorFile), paths_,
                   kMaxImageProcessorBytes);
  if (!text.ok() && !absl::IsNotFound(text.status())) {
    AddMistake(kModel, text.status().message(), &finding.mistakes);
    return;
  }
  const auto parsed = ParseImageProcessing(
      text.ok() ? std::optional<absl::string_view>(*text) : std::nullopt,
      input);
  if (parsed.ok()) {
    for (const std::string& warning : parsed->warnings) {
      finding.warnings.push_back(absl::StrCat(model, ": ", warning));
    }
    return;
  }
  for (absl::string_view line :
       absl::StrSplit(parsed.status().message(), '\n')) {
    AddMistake(kModel,
               text.ok() ? absl::StrCat(kImageProcessorFile, ": ", line)
                         : std::string(line),
               &finding.mistakes);
  }
}

void ImageCheck::LookAtFolders(const v1::DataSpec& data,
                               absl::string_view config_json,
                               const ExampleInput& input,
                               Finding& finding) const {
  const FileAccess& access = paths_.access();
  const std::vector<SplitFolder> train =
      ListAll(kTrain, data.train_files(), access, finding.mistakes);
  const std::vector<SplitFolder> validation =
      ListAll("data.validation_files", data.validation_files(), access,
              finding.mistakes);
  const std::vector<SplitFolder> test =
      ListAll("data.test_files", data.test_files(), access, finding.mistakes);
  const absl::StatusOr<ClassNumbers> named =
      ClassNamesOf(config_json, input.class_count);
  if (!named.ok()) {
    AddMistake(kModel, named.status().message(), &finding.mistakes);
  }
  // Of folders that were not listed nothing follows for the others.
  if (!finding.mistakes.empty()) return;
  const absl::StatusOr<ClassNumbers> classes =
      ClassesOfFolders(*named, ClassesOf(train), input.class_count);
  if (!classes.ok()) {
    AddMistake(kTrain, classes.status().message(), &finding.mistakes);
    return;
  }
  const auto check = [&](absl::string_view field,
                         const std::vector<SplitFolder>& folders) {
    const absl::Status known =
        CheckFoldersAreClasses(ClassesOf(folders), *classes);
    if (!known.ok()) AddMistake(field, known.message(), &finding.mistakes);
  };
  check("data.validation_files", validation);
  check("data.test_files", test);
  if (named->empty()) finding.classes = *classes;
}

}  // namespace hydra
