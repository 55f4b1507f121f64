#include "client/command_tree/command_tree.h"

#include "CLI/CLI.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(DescribeCommandsTest, SaysWhatIsParsed) {
  CLI::App app("Trains.", "hydra");
  std::string text;
  bool flag = false;
  std::vector<std::string> words;
  app.add_option("--server", text, "Where it is")->option_text("ADDRESS");
  app.footer("Example");
  CLI::App* const verb = app.add_subcommand("submit", "Queue jobs");
  verb->footer("Of a verb");
  verb->add_option("FILE", text, "The job file")->required();
  verb->add_option("-s,--state", words, "States")->option_text("run|end");
  verb->add_flag("--watch", flag, "Watch them");
  app.add_subcommand("man", "")->group("");

  const CommandTree tree = DescribeCommands(app);
  EXPECT_EQ(tree.program, "hydra");
  EXPECT_EQ(tree.description, "Trains.");
  EXPECT_EQ(tree.footer, "Example");
  ASSERT_THAT(tree.options, SizeIs(2)) << "with help";
  EXPECT_THAT(tree.options[0].names, ElementsAre("-h", "--help"));
  EXPECT_EQ(tree.options[0].value, "");
  EXPECT_THAT(tree.options[1].names, ElementsAre("--server"));
  EXPECT_EQ(tree.options[1].value, "ADDRESS");
  EXPECT_FALSE(tree.options[1].may_repeat);
  EXPECT_THAT(OptionsWithValues(tree), SizeIs(1));

  ASSERT_THAT(tree.verbs, SizeIs(1)) << "without hidden ones";
  const CommandVerb& submit = tree.verbs[0];
  EXPECT_EQ(submit.name, "submit");
  EXPECT_EQ(submit.description, "Queue jobs");
  EXPECT_EQ(submit.footer, "Of a verb");
  ASSERT_THAT(submit.arguments, SizeIs(1));
  EXPECT_THAT(submit.arguments[0].names, IsEmpty());
  EXPECT_EQ(submit.arguments[0].value, "FILE");
  EXPECT_TRUE(submit.arguments[0].is_required);
  ASSERT_THAT(submit.options, SizeIs(3));
  EXPECT_THAT(submit.options[1].names, ElementsAre("-s", "--state"));
  EXPECT_THAT(submit.options[1].choices, ElementsAre("run", "end"));
  EXPECT_TRUE(submit.options[1].may_repeat);
  EXPECT_EQ(submit.options[2].help, "Watch them");
  EXPECT_EQ(submit.options[2].value, "");
}

}  // namespace
}  // namespace hydra
