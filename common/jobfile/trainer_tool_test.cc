#include "common/jobfile/trainer_tool.h"

#include "absl/strings/str_cat.h"
#include "common/jobfile/job_aliases.h"
#include "common/jobfile/suggest.h"
#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

std::string ToolOf(absl::string_view text) {
  const absl::StatusOr<YamlNode> root = ParseYaml(text);
  EXPECT_TRUE(root.ok()) << root.status();
  const TrainerTool* const tool = RecogniseTool(*root);
  return tool == nullptr ? "none" : std::string(tool->name);
}

TEST(TrainerToolTest, AFileIsOfTheToolThatHasItsKeys) {
  EXPECT_EQ(ToolOf("{model_name_or_path: m, stage: pt, cutoff_len: 8}"),
            "LLaMA-Factory");
  EXPECT_EQ(ToolOf("{model_name_or_path: m, dataset: d, output_dir: o}"),
            "LLaMA-Factory");
  EXPECT_EQ(ToolOf("{base_model: m, datasets: [], output_dir: o}"), "Axolotl");
  EXPECT_EQ(ToolOf("{model_name_or_path: m, max_length: 8, output_dir: o}"),
            "TRL");
  EXPECT_EQ(ToolOf("{model_name_or_path: m, train_file: t}"), "transformers");
}

TEST(TrainerToolTest, OneKeyIsNotEnough) {
  EXPECT_EQ(ToolOf("{template: x, name: y}"), "none");
  EXPECT_EQ(ToolOf("{max_length: 20, architectures: [A], vocab_size: 9}"),
            "none");
  EXPECT_EQ(ToolOf("{}"), "none");
}

// Else a default of the tool could be of no key that there is.
TEST(TrainerToolTest, DefaultsAreOfKeysThatAreKnown) {
  for (absl::string_view text :
       {"{stage: pt, cutoff_len: 8}", "{base_model: m, datasets: []}",
        "{use_peft: true, max_length: 8}", "{max_steps: 1, train_file: t}"}) {
    const TrainerTool* const tool = RecogniseTool(*ParseYaml(text));
    ASSERT_NE(tool, nullptr) << text;
    for (const ToolDefault& silent : tool->defaults) {
      const std::string path =
          SuggestField(*v1::JobSpec::descriptor(), "", silent.key, {});
      EXPECT_TRUE(FindAlias("", silent.key, JobAliases()) != nullptr ||
                  path == absl::StrCat("train.", silent.key) ||
                  path == absl::StrCat("data.", silent.key))
          << silent.key;
    }
  }
}

}  // namespace
}  // namespace hydra
