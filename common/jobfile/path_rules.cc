#include "common/jobfile/path_rules.h"

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/jobfile/path_kind.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// Linux's PATH_MAX, with the final NUL.
constexpr size_t kMaxPathBytes = 4095;

void AppendPath(absl::string_view field, std::string* value,
                std::vector<PathField>* paths) {
  if (!value->empty()) paths->push_back({std::string(field), value});
}

// An empty element of a list is kept: it is a mistake, not a default.
void AppendPaths(absl::string_view field,
                 google::protobuf::RepeatedPtrField<std::string>* values,
                 std::vector<PathField>* paths) {
  for (int i = 0; i < values->size(); ++i) {
    paths->push_back({absl::StrCat(field, "[", i, "]"), values->Mutable(i)});
  }
}

}  // namespace

bool IsPathField(absl::string_view field_path) {
  static constexpr absl::string_view kPathFields[] = {
      "model.path",       "model.tokenizer_path",
      "data.train_files", "data.validation_files",
      "data.test_files",  "data.chat_template",
      "output.output_dir"};
  return absl::c_linear_search(kPathFields, field_path);
}

std::vector<PathField> PathsOf(v1::JobSpec* job) {
  std::vector<PathField> paths;
  v1::ModelSpec* model = job->mutable_model();
  AppendPath("model.path", model->mutable_path(), &paths);
  AppendPath("model.tokenizer_path", model->mutable_tokenizer_path(), &paths);
  v1::DataSpec* data = job->mutable_data();
  AppendPaths("data.train_files", data->mutable_train_files(), &paths);
  AppendPaths("data.validation_files", data->mutable_validation_files(),
              &paths);
  AppendPaths("data.test_files", data->mutable_test_files(), &paths);
  AppendPath("data.chat_template", data->mutable_chat_template(), &paths);
  AppendPath("output.output_dir", job->mutable_output()->mutable_output_dir(),
             &paths);
  return paths;
}

std::string AbsolutePath(absl::string_view path, absl::string_view base_dir) {
  const bool stays = path.empty() || path[0] == '/' ||
                     IsNoPath(KindOfPath(path, /*is_model=*/false));
  if (stays) return std::string(path);
  while (absl::ConsumePrefix(&path, "./")) {
  }
  return absl::StrCat(absl::StripSuffix(base_dir, "/"), "/", path);
}

void CheckPath(absl::string_view field, absl::string_view path,
               Mistakes* mistakes) {
  if (absl::c_any_of(path, absl::ascii_iscntrl)) {
    AddMistake(field,
               absl::StrCat("expected a path without control characters, "
                            "found ",
                            Quoted(path)),
               mistakes);
  } else if (!absl::StartsWith(path, "/")) {
    const PathKind kind = KindOfPath(path, /*is_model=*/false);
    AddMistake(field,
               absl::StrCat("expected an absolute path, found ", Quoted(path),
                            IsNoPath(kind) ? "; " : "",
                            IsNoPath(kind) ? PathRemedy(kind, path) : ""),
               mistakes);
  } else if (path.size() > kMaxPathBytes) {
    AddMistake(field,
               absl::StrCat("expected a path of at most ", kMaxPathBytes,
                            " bytes, found one of ", path.size()),
               mistakes);
  }
}

}  // namespace hydra
