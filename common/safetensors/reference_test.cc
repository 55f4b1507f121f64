// Replays testdata/corpus.jsonl, which testdata/make_corpus.py made: small good
// and broken files, and what the reference reader (safetensors 0.8.0)
// makes of each.

#include <fstream>
#include <map>
#include <string>

#include "absl/strings/escaping.h"
#include "common/safetensors/header.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydra::safetensors {
namespace {

using Json = nlohmann::json;

constexpr char kCorpus[] = "common/safetensors/testdata/corpus.jsonl";

// Where we differ on purpose, and why. All are about files that no writer
// makes.
const std::map<std::string, std::string>& DeliberateDifferences() {
  static const auto* differences = new std::map<std::string, std::string>{
      {"U8 [0, 9223372036854775808] 0",
       "we reject: shapes are int64_t here and in every tensor library"},
      {"U8 [0, 18446744073709551615, 18446744073709551615] 0", "the same"},
      {"tensor ...\"shape\":[1],\"data_offsets\":[0,4],"
       "\"x\":1.7976931348623158e308}",
       "we accept: the reference rounds a number within one step of the "
       "largest double to infinity, even in a field that it ignores"},
      {"tensor ...,\"shape\":[1],\"data_offsets\":[0,4],"
       "\"x\":17976931348623158e292}",
       "the same"},
  };
  return *differences;
}

absl::StatusOr<TensorTable> ParseFile(absl::string_view file) {
  const absl::StatusOr<int64_t> header_bytes =
      ParseHeaderLength(file.substr(0, kLengthPrefixBytes), file.size());
  if (!header_bytes.ok()) return header_bytes.status();
  return ParseHeader(file.substr(kLengthPrefixBytes, *header_bytes),
                     file.size());
}

// As the corpus writes it.
Json Describe(const TensorTable& table, absl::string_view file) {
  Json tensors = Json::object();
  for (const TensorInfo& tensor : table.tensors()) {
    tensors[tensor.name] = {std::string(DtypeName(tensor.dtype)), tensor.shape,
                            absl::Base64Escape(file.substr(tensor.offset_bytes,
                                                           tensor.size_bytes))};
  }
  return tensors;
}

TEST(ReferenceTest, EveryCaseIsJudgedAsTheReferenceReaderJudgesIt) {
  std::ifstream corpus(kCorpus);
  ASSERT_TRUE(corpus.is_open()) << kCorpus;
  int accepted = 0;
  int rejected = 0;
  for (std::string line; std::getline(corpus, line);) {
    const Json test_case = Json::parse(line);
    const std::string name = test_case["name"];
    SCOPED_TRACE(name);
    std::string file;
    ASSERT_TRUE(
        absl::Base64Unescape(test_case["file"].get<std::string>(), &file));

    const absl::StatusOr<TensorTable> table = ParseFile(file);
    const bool reference_accepts = !test_case["reference"].is_null();
    if (DeliberateDifferences().count(name) != 0) {
      EXPECT_NE(table.ok(), reference_accepts) << "differs no longer";
      continue;
    }
    EXPECT_EQ(table.ok(), reference_accepts) << table.status();
    if (!table.ok() || !reference_accepts) {
      ++rejected;
      EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_LT(table.status().message().size(), 600);
      continue;
    }
    EXPECT_EQ(Describe(*table, file), test_case["reference"]);
    ++accepted;
  }
  EXPECT_GE(accepted, 200);
  EXPECT_GE(rejected, 400);
}

}  // namespace
}  // namespace hydra::safetensors
