#include "common/jobfile/job_yaml.h"

#include "common/jobfile/job_file.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(JobYamlTest, WritesFieldsInTheOrderOfTheirSections) {
  EXPECT_EQ(JobYaml({{"train.learning_rate", {"1e-4"}},
                     {"data.train_files", {"a.txt", "b.txt"}},
                     {"model.path", {"/m"}},
                     {"name", {"x"}},
                     {"nothing.such", {"1"}}}),
            "name: x\n"
            "model:\n"
            "  path: /m\n"
            "data:\n"
            "  train_files:\n"
            "    - a.txt\n"
            "    - b.txt\n"
            "train:\n"
            "  learning_rate: 1e-4\n");
  EXPECT_EQ(JobYaml({}), "");
}

TEST(JobYamlTest, ValuesAreReadBackWhateverIsInThem) {
  for (const std::string value :
       {"a b",        "",      "null", "~",    "-",      "- a",
        "a: b",       "a #b",  "#",    "it's", "\"",     "{}",
        "[",          "*.txt", "&a",   "!x",   "%",      "@",
        "\\",         "true",  "a\nb", "\t",   "\u00fc", "\u201cx\u201d",
        "a\x01z",     " a ",   "...",  "---",  "?",      "1e5",
        "a\x01\u00fc"}) {
    const std::string text =
        JobYaml({{"model.path", {value}}, {"data.train_files", {value}}});
    const absl::StatusOr<JobFile> file = ParseJobFile(text);
    ASSERT_TRUE(file.ok()) << text << file.status();
    EXPECT_EQ(file->job.model().path(), value) << text;
    ASSERT_EQ(file->job.data().train_files_size(), 1) << text;
    EXPECT_EQ(file->job.data().train_files(0), value) << text;
  }
}

}  // namespace
}  // namespace hydra
