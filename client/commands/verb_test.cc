#include "client/commands/verb.h"

#include <limits>

#include "CLI/CLI.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VerbTest : public ::testing::Test {
 protected:
  VerbTest() {
    Verb(&app_, "mix", "Mixes", "hydra mix a", &invocation_,
         [](const CliContext&) { return ExitCode::kOk; })
        .Argument("FILE", &file_, "What to mix")
        .Option("--size", "N", 2, 9, &size_, "How much")
        .Option("--tail", "N", 0, std::numeric_limits<int>::max(), &tail_,
                "How many")
        .ListOption("--device", "NAME,...", &devices_, "Where")
        .WordsOption("--state", {"new", "old"}, &states_, "Which")
        .Flag("--force", &force_, "Whatever happens")
        .FlagWithout("--force", "--gently", &gently_, "Unless it hurts")
        .OutputOption(&format_);
  }

  // Why the line is refused; empty: it is not.
  std::string Refusal(std::string line) {
    try {
      app_.parse(line, /*program_name_included=*/false);
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
    return "";
  }

  CLI::App app_;
  Invocation invocation_;
  std::string file_;
  int size_ = 0;
  int tail_ = 0;
  std::vector<std::string> devices_;
  std::vector<int> states_;
  bool force_ = false;
  bool gently_ = false;
  OutputFormat format_ = OutputFormat::kTable;
};

TEST_F(VerbTest, WritesWhatTheLineHas) {
  EXPECT_EQ(Refusal("mix a --size 9 --device b,c --state OLD --state new "
                    "--gently -o json"),
            "");
  EXPECT_TRUE(invocation_.action != nullptr);
  EXPECT_EQ(file_, "a");
  EXPECT_EQ(size_, 9);
  EXPECT_THAT(devices_, ElementsAre("b", "c"));
  EXPECT_THAT(states_, ElementsAre(1, 0));
  EXPECT_FALSE(force_);
  EXPECT_TRUE(gently_);
  EXPECT_EQ(format_, OutputFormat::kJson);
}

TEST_F(VerbTest, ANumberOutsideItsRangeIsToldTheRange) {
  EXPECT_EQ(Refusal("mix a --size 10"),
            "--size: expected a whole number, from 2 to 9, found '10'");
  EXPECT_EQ(Refusal("mix a --size 2.5"),
            "--size: expected a whole number, from 2 to 9, found '2.5'");
  EXPECT_EQ(Refusal("mix a --tail=-1"),
            "--tail: expected a whole number, 0 or more, found '-1'");
  EXPECT_EQ(Refusal("mix a --tail 3000000000"),
            "--tail: expected a whole number, 0 or more, found '3000000000'");
}

TEST_F(VerbTest, AWordThatIsNoneOfThemIsToldWhichAreMeant) {
  EXPECT_EQ(Refusal("mix a --state odl"),
            "--state: expected one of new, old, found 'odl'; did you mean "
            "'old'?");
}

TEST_F(VerbTest, FlagsThatExcludeEachOtherAreNamed) {
  const std::string refusal = Refusal("mix a --force --gently");
  EXPECT_THAT(refusal, HasSubstr("--force"));
  EXPECT_THAT(refusal, HasSubstr("--gently"));
}

TEST_F(VerbTest, AnArgumentMustBeThere) {
  EXPECT_EQ(Refusal("mix"), "FILE is required");
  EXPECT_TRUE(invocation_.action == nullptr);
}

}  // namespace
}  // namespace hydra
