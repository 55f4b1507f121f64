#include "client/command_tree/man_page.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ManPageTest, HasVerbsOptionsAndTheFootersSections) {
  CommandTree tree;
  tree.program = "hydra";
  tree.description = "Trains many models.";
  tree.footer = "\nExit codes:\n    0  done\n\nExample:\n  hydra submit a-b";
  tree.options.push_back({{"--server"}, "ADDRESS", {}, "Where it is"});
  CommandVerb& verb = tree.verbs.emplace_back();
  verb.name = "submit";
  verb.description = "Queue jobs";
  verb.footer = "Example:\n  hydra submit x";
  verb.options.push_back({{"-w", "--watch"}, "", {}, ".dot\\"});
  verb.arguments.push_back({{}, "FILE", {}, "The file", true, true});
  verb.arguments.push_back({{}, "DIR", {}, "A folder"});

  const std::string page = ManPage(tree, "1.2.3");
  EXPECT_THAT(page, StartsWith(".TH HYDRA 1 \"\" \"Hydra 1.2.3\""));
  EXPECT_THAT(page, HasSubstr("hydra \\- Trains many models\n"));
  EXPECT_THAT(page, HasSubstr(".B \\-\\-server ADDRESS\nWhere it is\n"));
  EXPECT_THAT(page, HasSubstr(".SS submit FILE... [DIR]\nQueue jobs\n"));
  EXPECT_THAT(page, HasSubstr(".B \\-w, \\-\\-watch\n\\&.dot\\e\n"));
  EXPECT_THAT(page, HasSubstr(".SH EXIT CODES\n.nf\n    0  done\n.fi\n"
                              ".SH EXAMPLE\n.nf\n  hydra submit a\\-b\n.fi\n"));
  EXPECT_THAT(page, HasSubstr(".nf\nExample:\n  hydra submit x\n.fi\n"))
      << "a verb's example is no section";
}

}  // namespace
}  // namespace hydra
