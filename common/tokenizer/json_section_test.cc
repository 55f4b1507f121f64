#include "common/tokenizer/json_section.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(JsonSectionTest, ReadsValuesAndTheirAbsence) {
  const Json json = {{"type", "T"}, {"b", true}, {"s", "x"}, {"n", nullptr}};
  const JsonSection section(json, "file", "");
  EXPECT_EQ(section.Type(), "T");
  EXPECT_TRUE(*section.Bool("b", false));
  EXPECT_TRUE(*section.Bool("n", true));
  EXPECT_EQ(*section.Text("s", "y"), "x");
  EXPECT_EQ(*section.Text("none", "y"), "y");
  EXPECT_EQ(section.Find("n"), nullptr);
  EXPECT_TRUE(section.MayBe("s", "x").ok());
  EXPECT_TRUE(section.MayBe("none", "x").ok());
}

TEST(JsonSectionTest, ErrorsHaveTheFileAndThePath) {
  const Json json = {{"a", {{"b", {{"type", "T"}}}}}, {"s", "x"}};
  const JsonSection section(json, "file", "");
  EXPECT_EQ(section.Bool("s", false).status().message(),
            "file: s: found \"x\"; true or false is needed");
  EXPECT_EQ(section.Inside("s").status().message(),
            "file: s: found \"x\"; an object is needed");
  const auto inside = section.Inside("a");
  ASSERT_TRUE(inside.ok());
  EXPECT_EQ(inside->Text("b", "").status().message(),
            "file: a.b: found \"T\"; a text is needed");
  EXPECT_THAT(inside->MayBe("b", 5).message(),
              HasSubstr("file: a.b: found \"T\"; only 5 is supported"));
  EXPECT_THAT(inside->Wrong("it is odd").message(),
              HasSubstr("file: a: found an object; it is odd"));
}

TEST(JsonSectionTest, ASequenceIsItsStepsAtAnyDepth) {
  const Json inner = {{"type", "Sequence"},
                      {"steps", Json::array({{{"type", "B"}}})}};
  const Json json = {
      {"type", "Sequence"},
      {"steps", Json::array({{{"type", "A"}}, inner, {{"type", "C"}}})}};
  std::vector<std::string> types;
  const auto note = [&](const JsonSection& step) {
    types.push_back(step.Type());
    return types.size() < 3 ? absl::OkStatus() : step.Wrong("enough");
  };
  const absl::Status ended =
      JsonSection(json, "file", "top").ForEachStep("steps", note);
  EXPECT_THAT(types, ElementsAre("A", "B", "C"));
  EXPECT_EQ(ended.message(), "file: top.steps[2]: found \"C\"; enough");
}

}  // namespace
}  // namespace hydra
