#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/jobfile/expand.h"
#include "common/jobfile/job_file.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/validate.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

std::string Document() {
  std::ifstream file("docs/job-file.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The document's ```yaml blocks.
std::vector<std::string> Examples() {
  std::vector<std::string> examples;
  bool in_example = false;
  for (absl::string_view line : absl::StrSplit(Document(), '\n')) {
    if (line == "```yaml") {
      in_example = true;
      examples.emplace_back();
    } else if (line == "```") {
      in_example = false;
    } else if (in_example) {
      absl::StrAppend(&examples.back(), line, "\n");
    }
  }
  return examples;
}

// The jobs of an example, each valid.
std::vector<ExpandedJob> JobsOf(absl::string_view example) {
  absl::StatusOr<JobFile> file = ParseJobFile(example);
  EXPECT_TRUE(file.ok()) << file.status();
  if (!file.ok()) return {};
  MakePathsAbsolute("/home/user", &*file);
  absl::StatusOr<std::vector<ExpandedJob>> jobs =
      ExpandGrid(file->job, file->grid);
  EXPECT_TRUE(jobs.ok()) << jobs.status();
  if (!jobs.ok()) return {};
  Mistakes mistakes;
  for (const ExpandedJob& job : *jobs) ValidateJob(job.spec, &mistakes);
  EXPECT_EQ(ToStatus(mistakes), absl::OkStatus());
  return *std::move(jobs);
}

// First cells of the tables' rows, without their backquotes.
std::set<std::string> DocumentedKeys() {
  std::set<std::string> keys;
  for (absl::string_view line : absl::StrSplit(Document(), '\n')) {
    if (!absl::StartsWith(line, "| `")) continue;
    keys.insert(std::string(line.substr(3, line.find('`', 3) - 3)));
  }
  return keys;
}

void AppendKeys(const google::protobuf::Descriptor& section,
                const std::string& prefix, std::set<std::string>* keys) {
  for (int i = 0; i < section.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *section.field(i);
    if (field.message_type() == nullptr) {
      keys->insert(prefix + field.name());
    } else {
      AppendKeys(*field.message_type(), prefix + field.name() + ".", keys);
    }
  }
}

TEST(JobFileDocTest, ItsExamplesAreValidJobs) {
  const std::vector<std::string> examples = Examples();
  ASSERT_EQ(examples.size(), 2);
  EXPECT_EQ(JobsOf(examples[0]).size(), 1);
}

TEST(JobFileDocTest, ItsSweepIsWhatTheTextSays) {
  const std::vector<std::string> examples = Examples();
  ASSERT_EQ(examples.size(), 2);
  const std::vector<ExpandedJob> jobs = JobsOf(examples[1]);
  ASSERT_EQ(jobs.size(), 6);
  EXPECT_EQ(jobs.front().spec.name(), "optimizers-01");
  EXPECT_EQ(jobs.back().spec.name(), "optimizers-06");
  EXPECT_EQ(jobs[2].spec.train().optim(), v1::OPTIMIZER_SGD);
  EXPECT_EQ(jobs[3].spec.train().optim(), v1::OPTIMIZER_ADAMW);
}

TEST(JobFileDocTest, ListsExactlyTheKeysThatExist) {
  std::set<std::string> keys = {"sweep.grid"};
  AppendKeys(*v1::JobSpec::descriptor(), "", &keys);
  EXPECT_EQ(DocumentedKeys(), keys);
}

}  // namespace
}  // namespace hydra
