#include "common/file/file_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

// A literal with all of its bytes, zeros too.
template <size_t kSize>
constexpr absl::string_view Bytes(const char (&literal)[kSize]) {
  return {literal, kSize - 1};
}

std::string NameOf(absl::string_view head) {
  const FileFormat* format = RecogniseFormat(head);
  return format == nullptr ? "" : std::string(format->name);
}

std::string Utf16(absl::string_view text) {
  std::string wide;
  for (char c : text) wide.append({c, '\0'});
  return wide;
}

TEST(FileFormatTest, KnowsWhatStandsInPlaceOfADownloadedFile) {
  const FileFormat* pointer = RecogniseFormat(
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n");
  ASSERT_NE(pointer, nullptr);
  EXPECT_THAT(Describe(*pointer), HasSubstr("a Git LFS pointer; "));
  EXPECT_THAT(Describe(*pointer), HasSubstr("git lfs pull"));
  EXPECT_FALSE(pointer->is_text);
  const FileFormat* page = RecogniseFormat(" \n<!DOCTYPE HTML><html>");
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->name, "an HTML page");
  EXPECT_TRUE(page->is_text);
}

TEST(FileFormatTest, KnowsCompressedFilesAndArchives) {
  EXPECT_EQ(NameOf(Bytes("\x1f\x8b\x08\0")), "gzip data");
  EXPECT_EQ(NameOf("BZh91AY&SY"), "bzip2 data");
  EXPECT_EQ(NameOf(Bytes("\xfd"
                         "7zXZ\0")),
            "xz data");
  EXPECT_EQ(NameOf("\x28\xb5\x2f\xfd\x04"), "zstd data");
  EXPECT_EQ(NameOf("PK\x03\x04\x14 train.txt"), "a zip archive");
  EXPECT_EQ(NameOf(std::string(257, 'f') + "ustar\0"), "a tar archive");
}

TEST(FileFormatTest, KnowsCheckpointsThatAreNoSafetensors) {
  EXPECT_THAT(NameOf(Bytes("PK\x03\x04\0\0archive/data.pkl")),
              HasSubstr("PyTorch checkpoint"));
  EXPECT_THAT(NameOf("\x80\x02\x8a\x0a\x6c\xfc"), HasSubstr("pickle"));
  EXPECT_EQ(NameOf("\x89HDF\r\n\x1a\n"), "an HDF5 file");
  EXPECT_EQ(NameOf(Bytes("\x02\0\0\0\0\0\0\0{}")), "a safetensors file");
}

TEST(FileFormatTest, KnowsTablesImagesAndPrograms) {
  EXPECT_EQ(NameOf("PAR1\x15\x04"), "a Parquet file");
  EXPECT_EQ(NameOf(Bytes("SQLite format 3\0")), "an SQLite database");
  EXPECT_EQ(NameOf("%PDF-1.7"), "a PDF document");
  EXPECT_EQ(NameOf("\x7f"
                   "ELF\x02"),
            "an ELF program");
  EXPECT_EQ(NameOf("\x93NUMPY\x01"), "a NumPy .npy file");
  EXPECT_EQ(NameOf("\x89PNG\r\n\x1a\n"), "a PNG image");
}

TEST(FileFormatTest, KnowsWideCharacters) {
  EXPECT_EQ(NameOf(Bytes("\xff\xfe\0\0h\0\0\0")), "UTF-32 text");
  EXPECT_EQ(NameOf(Bytes("\xff\xfeh\0")), "UTF-16 text");
  EXPECT_EQ(NameOf(Bytes("\xfe\xff\0h")), "UTF-16 text");
  EXPECT_THAT(NameOf(Utf16("some text without a mark")), HasSubstr("UTF-16"));
}

TEST(FileFormatTest, JsonIsTextThatSomebodyMayMean) {
  for (absl::string_view json : {R"({"text": "a"})", R"([{"a": 1}])"}) {
    ASSERT_NE(RecogniseFormat(json), nullptr) << json;
    EXPECT_TRUE(RecogniseFormat(json)->is_text);
  }
}

TEST(FileFormatTest, PlainTextIsNothingOfThis) {
  for (absl::string_view text :
       {Bytes(""), Bytes("h"), Bytes(" = Robert Boulter = \n"),
        Bytes("{x} is a set"), Bytes("[1] see"),
        Bytes("\xef\xbb\xbfwith a mark"), Bytes("caf\xe9 in Latin-1"),
        Bytes("<unk> = x"), Bytes("version 2 of the text")}) {
    EXPECT_EQ(NameOf(text), "") << text;
  }
}

TEST(FileFormatTest, ReadsTheHeadOfLongFilesAndAllOfShortOnes) {
  const ScratchDirectory folder;
  for (size_t size : {0, 10, 5000}) {
    const std::string path = folder.Write("f", std::string(size, 'x'));
    const absl::StatusOr<UniqueFd> fd = OpenRegularFile(path);
    ASSERT_TRUE(fd.ok());
    const absl::StatusOr<std::string> head = ReadHead(*fd, path);
    ASSERT_TRUE(head.ok()) << head.status();
    EXPECT_EQ(head->size(), std::min<size_t>(size, kFormatHeadBytes));
  }
}

}  // namespace
}  // namespace hydra
