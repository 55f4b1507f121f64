#include "common/jobfile/expand.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/jobfile/field_value.h"
#include "common/jobfile/job_aliases.h"
#include "common/jobfile/validate.h"
#include "common/text/printable.h"
#include "google/protobuf/descriptor.h"

namespace hydra {
namespace {

using google::protobuf::FieldDescriptor;

// What is wrong with the axis's field itself; empty: nothing.
std::string FieldMistake(const std::string& path) {
  const auto& job = *v1::JobSpec::descriptor();
  const FieldDescriptor* field = FindField(job, path);
  if (field == nullptr) {
    const size_t dot = path.rfind('.');
    const std::string section = dot == path.npos ? "" : path.substr(0, dot);
    const std::string key = path.substr(dot + 1);
    const std::string meant = SuggestField(job, section, key, JobAliases());
    if (!meant.empty()) {
      return absl::StrCat("no such field in a job; did you mean ",
                          Quoted(meant), "?");
    }
    const Alias* const alias = FindAlias(section, key, JobAliases());
    return absl::StrCat("no such field in a job; ",
                        alias != nullptr
                            ? alias->note
                            : "write its path, such as 'train.learning_rate'");
  }
  if (field->is_repeated()) {
    return "this field is a list; a grid varies single values only";
  }
  if (field->message_type() != nullptr) {
    return "this is a section; name one of its fields, such as "
           "'train.learning_rate'";
  }
  // Who may do what with a sweep is one thing for all of it.
  if (path == "project") {
    return "a sweep has one project; write it outside of the grid";
  }
  return "";
}

// Values that mean the same are the same job twice, however they are written.
void CheckValues(const v1::GridAxis& axis, Mistakes* mistakes) {
  std::map<std::string, absl::string_view> written_as;
  for (const std::string& value : axis.values()) {
    v1::JobSpec job;
    const absl::Status set =
        SetValueAt(axis.field(), value, JobAliases(), &job);
    if (!set.ok()) {
      AddMistake(axis.field(), set.message(), mistakes);
      continue;
    }
    const auto [first, is_new] =
        written_as.emplace(job.SerializeAsString(), value);
    if (!is_new) {
      AddMistake(axis.field(),
                 absl::StrCat("the values ", Quoted(first->second), " and ",
                              Quoted(value), " are the same; remove one"),
                 mistakes);
    }
  }
}

// Stops counting once it is known that there are too many.
int64_t CountJobs(absl::Span<const v1::GridAxis> grid) {
  int64_t jobs = 1;
  for (const v1::GridAxis& axis : grid) {
    jobs *= axis.values_size();
    if (jobs > kMaxJobsPerSweep) break;
  }
  return jobs;
}

std::string LastName(absl::string_view path) {
  return std::string(path.substr(path.rfind('.') + 1));
}

// Job `index` of the cross product.
absl::StatusOr<ExpandedJob> MakeJob(const v1::JobSpec& base,
                                    absl::Span<const v1::GridAxis> grid,
                                    int64_t index) {
  ExpandedJob job{base, std::vector<std::string>(grid.size())};
  for (size_t i = grid.size(); i-- > 0;) {
    const v1::GridAxis& axis = grid[i];
    const std::string& value = axis.values(index % axis.values_size());
    index /= axis.values_size();
    const absl::Status set =
        SetValueAt(axis.field(), value, JobAliases(), &job.spec);
    if (!set.ok()) return set;
    job.parameters[i] = absl::StrCat(LastName(axis.field()), "=", value);
  }
  return job;
}

void AppendNumber(int64_t number, int64_t count, v1::JobSpec* job) {
  const auto width =
      static_cast<int>(std::max<size_t>(2, absl::StrCat(count).size()));
  if (job->name().empty()) job->set_name(std::string(kDefaultJobName));
  absl::StrAppendFormat(job->mutable_name(), "-%0*d", width, number);
}

// The first value that is too long; -1: none.
int LongValueOf(const v1::GridAxis& axis) {
  for (int i = 0; i < axis.values_size(); ++i) {
    if (axis.values(i).size() > kMaxGridValueBytes) return i;
  }
  return -1;
}

}  // namespace

void CheckAxis(const v1::GridAxis& axis, Mistakes* mistakes) {
  const std::string wrong = FieldMistake(axis.field());
  if (!wrong.empty()) {
    AddMistake(axis.field(), wrong, mistakes);
  } else if (axis.values().empty()) {
    AddMistake(axis.field(), "expected at least one value, found none",
               mistakes);
  } else if (const int long_one = LongValueOf(axis); long_one >= 0) {
    AddMistake(axis.field(),
               absl::StrCat("value ", long_one + 1, " has ",
                            axis.values(long_one).size(), " bytes; at most ",
                            kMaxGridValueBytes, " are possible"),
               mistakes);
  } else if (axis.values_size() <= kMaxJobsPerSweep) {
    CheckValues(axis, mistakes);
  }
}

Mistakes CheckGrid(absl::Span<const v1::GridAxis> grid) {
  Mistakes mistakes;
  std::set<absl::string_view> fields;
  for (const v1::GridAxis& axis : grid) {
    if (IsFull(mistakes)) return mistakes;
    CheckAxis(axis, &mistakes);
    if (!fields.insert(axis.field()).second) {
      AddMistake(axis.field(), "this field has two axes; join their values",
                 &mistakes);
    }
  }
  if (CountJobs(grid) > kMaxJobsPerSweep) {
    AddMistake("sweep.grid",
               absl::StrCat("the grid makes more than ", kMaxJobsPerSweep,
                            " jobs; remove values or split the sweep"),
               &mistakes);
  }
  return mistakes;
}

absl::StatusOr<std::vector<ExpandedJob>> ExpandGrid(
    const v1::JobSpec& base, absl::Span<const v1::GridAxis> grid) {
  Mistakes mistakes = CheckGrid(grid);
  if (!mistakes.empty()) return ToStatus(mistakes);

  const int64_t count = CountJobs(grid);
  const auto base_bytes = static_cast<int64_t>(base.ByteSizeLong());
  if (count > 1 && base_bytes > kMaxSweepBytes / count) {
    AddMistake("sweep.grid",
               absl::StrCat("the grid makes ", count, " jobs of ", base_bytes,
                            " bytes each; together at most ", kMaxSweepBytes,
                            " are allowed"),
               &mistakes);
    return ToStatus(mistakes);
  }

  std::vector<ExpandedJob> jobs;
  jobs.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    absl::StatusOr<ExpandedJob> job = MakeJob(base, grid, i);
    if (!job.ok()) return job.status();
    if (count > 1) AppendNumber(i + 1, count, &job->spec);
    jobs.push_back(*std::move(job));
  }
  return jobs;
}

}  // namespace hydra
