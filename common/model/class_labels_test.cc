#include "common/model/class_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

ClassNumbers LabelsOf(const std::string& text) {
  const auto config = ConfigReader::Json::parse(text);
  ConfigReader reader(config);
  ClassNumbers labels = ReadClassLabels(config, 3, reader);
  EXPECT_THAT(reader.mistakes(), IsEmpty()) << text;
  return labels;
}

std::string MistakeIn(const std::string& text) {
  const auto config = ConfigReader::Json::parse(text);
  ConfigReader reader(config);
  EXPECT_THAT(ReadClassLabels(config, 3, reader), IsEmpty()) << text;
  EXPECT_THAT(reader.mistakes(), SizeIs(1)) << text;
  return reader.mistakes().empty() ? "" : reader.mistakes().front();
}

TEST(ClassLabelsTest, AreThoseOfLabel2idElseOfId2label) {
  EXPECT_THAT(LabelsOf(R"({"label2id": {"dog": 1, "cat": 0, "eel": 2}})"),
              ElementsAre(Pair("cat", 0), Pair("dog", 1), Pair("eel", 2)));
  EXPECT_THAT(LabelsOf(R"({"id2label": {"0": "cat", "1": "dog"}})"),
              ElementsAre(Pair("cat", 0), Pair("dog", 1)));
  EXPECT_THAT(LabelsOf(R"({"id2label": {"0": "bad", "1": "good"},
                           "label2id": {"no": 0, "yes": 1}})"),
              ElementsAre(Pair("no", 0), Pair("yes", 1)));
  // Two of ImageNet's classes have the name of another one.
  EXPECT_THAT(LabelsOf(R"({"id2label": {"0": "crane", "1": "crane"},
                           "label2id": {"crane": 1}})"),
              ElementsAre(Pair("crane", 1)));
  EXPECT_THAT(LabelsOf(R"({"label2id": {"cat": "2"}})"),
              ElementsAre(Pair("cat", 2)));
  EXPECT_THAT(LabelsOf(R"({"id2label": null, "label2id": null})"), IsEmpty());
}

TEST(ClassLabelsTest, NamesThatTransformersMadeUpGiveWay) {
  EXPECT_THAT(LabelsOf(R"({"id2label": {"0": "cat", "1": "dog"},
                           "label2id": {"LABEL_0": 0, "LABEL_1": 1}})"),
              ElementsAre(Pair("cat", 0), Pair("dog", 1)));
  EXPECT_THAT(LabelsOf(R"({"id2label": {"0": "LABEL_0"},
                           "label2id": {"LABEL_0": 0, "LABEL_1": 1}})"),
              ElementsAre(Pair("LABEL_0", 0), Pair("LABEL_1", 1)));
  EXPECT_FALSE(HasNamesOfItsOwn({{"LABEL_0", 0}, {"LABEL_1", 1}}));
  EXPECT_TRUE(HasNamesOfItsOwn({{"LABEL_0", 1}, {"LABEL_1", 0}}));
  EXPECT_FALSE(HasNamesOfItsOwn({}));
}

TEST(ClassLabelsTest, WhatIsWrongIsNamed) {
  EXPECT_EQ(MistakeIn(R"({"label2id": {"cat": 3}})"),
            "label2id: 'cat' has the number 3; the model has classes 0 to 2");
  EXPECT_THAT(MistakeIn(R"({"label2id": {"cat": -1}})"),
              HasSubstr("number -1"));
  EXPECT_THAT(MistakeIn(R"({"label2id": {"cat": 0.5}})"),
              HasSubstr("'cat' has 0.5; a whole number"));
  EXPECT_THAT(MistakeIn(R"({"label2id": {"cat": "0x"}})"),
              HasSubstr("'cat' has \"0x\"; a whole number"));
  EXPECT_THAT(MistakeIn(R"({"label2id": ["cat"]})"), HasSubstr("an object"));
  EXPECT_THAT(MistakeIn(R"({"id2label": {"cat": "0"}})"),
              HasSubstr("id2label: found the key 'cat'"));
  EXPECT_THAT(MistakeIn(R"({"id2label": {"0": 7}})"),
              HasSubstr("class 0 has 7"));
  EXPECT_THAT(
      MistakeIn(R"({"id2label": {"0": "crane", "1": "dog", "2": "crane"}})"),
      HasSubstr("id2label: classes 0 and 2 are both 'crane'; label2id must "
                "say which"));
}

}  // namespace
}  // namespace hydra
