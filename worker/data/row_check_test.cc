#include "worker/data/row_check.h"

#include <gtest/gtest.h>

#include <string>

namespace hydra {
namespace {

using Json = nlohmann::json;

// What comes by of the row's own fields.
class Seen : public RowCheck<Json> {
 public:
  std::string seen;

 private:
  void FieldIsNamed(const std::string& name) override { seen += name + ":"; }
  void FieldHas(absl::string_view what) override {
    seen += std::string(what) + ",";
  }
  void FieldHasText(std::string& text) override { seen += text + ","; }
};

std::string MistakeOf(const std::string& row) {
  Seen check;
  const bool is_whole = Json::sax_parse(row, &check);
  EXPECT_EQ(is_whole, check.mistake().empty());
  return check.mistake();
}

TEST(RowCheckTest, RefusesWhatIsNoObject) {
  EXPECT_EQ(MistakeOf("{}"), "");
  EXPECT_EQ(MistakeOf("[{}]"), "is no object, but an array");
  EXPECT_EQ(MistakeOf("3"), "is no object, but a number");
  EXPECT_EQ(MistakeOf("{\"a\": 1").substr(0, 24), "is no JSON at its byte 8");
}

TEST(RowCheckTest, RefusesWhatIsTooDeep) {
  std::string row = "{\"a\": ";
  for (int i = 0; i < kMaxJsonDepth; ++i) row += '[';
  EXPECT_EQ(MistakeOf(row).substr(0, 31), "has values inside of each other");
}

TEST(RowCheckTest, HandsOutTheRowsOwnFieldsAlone) {
  Seen check;
  Json::sax_parse(std::string(R"({"a": "x", "b": {"a": "y"}, "c": [1]})"),
                  &check);
  EXPECT_EQ(check.seen, "a:a text,x,b:an object,c:an array,");
}

TEST(RowCheckTest, NamesSomeFields) {
  Seen few, many, none;
  Json::sax_parse(std::string(R"({"a": {"z": 1}, "b": 2})"), &few);
  EXPECT_EQ(few.Keys(), "'a', 'b'");
  Json::sax_parse(
      std::string(R"({"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6})"),
      &many);
  EXPECT_EQ(many.Keys(), "'1', '2', '3', '4', '5', ...");
  EXPECT_EQ(none.Keys(), "no fields");
}

}  // namespace
}  // namespace hydra
