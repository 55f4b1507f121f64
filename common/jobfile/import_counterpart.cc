#include "common/jobfile/import_counterpart.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/job_aliases.h"
#include "google/protobuf/descriptor.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

using google::protobuf::FieldDescriptor;

const Alias* CounterpartIn(absl::string_view section, absl::string_view key) {
  const Alias* const alias = FindAlias(section, key, JobAliases());
  const bool is_of_section =
      alias != nullptr &&
      absl::StartsWith(alias->word, absl::StrCat(section, "."));
  return section.empty() || is_of_section ? alias : nullptr;
}

std::string FieldNamed(absl::string_view name) {
  const auto& job = *v1::JobSpec::descriptor();
  const std::string path = SuggestField(job, "", name, {});
  const FieldDescriptor* const field = FindField(job, path);
  const bool is_it =
      field != nullptr && field->message_type() == nullptr &&
      (path == name || absl::EndsWith(path, absl::StrCat(".", name)));
  return is_it ? path : "";
}

bool IsFilesField(absl::string_view path) {
  return path == "data.train_files" || path == "data.validation_files" ||
         path == "data.test_files";
}

bool IsPartOfTheResult(absl::string_view path) {
  return absl::StartsWith(path, "model.") || absl::StartsWith(path, "train.") ||
         absl::StartsWith(path, "lora.") ||
         // They say how long it is trained.
         absl::StartsWith(path, "evaluation.early_stopping") ||
         (absl::StartsWith(path, "data.") && path != "data.validation_files" &&
          path != "data.test_files");
}

}  // namespace hydra
