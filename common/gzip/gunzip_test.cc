#include "common/gzip/gunzip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/gzip/testing/gzip.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

// Packs to about a third.
std::string Text(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) {
    absl::StrAppend(&text, "line ", i, " of ", i * 7919 % 104729, "\n");
  }
  return text;
}

// With so many bytes handed in at once, and room for so many.
absl::StatusOr<std::string> Unpacked(absl::string_view packed,
                                     size_t piece_bytes, size_t room_bytes) {
  Gunzip gunzip;
  std::string text, room(room_bytes, '\0');
  while (!packed.empty()) {
    const auto done =
        gunzip.Unpack(packed.substr(0, piece_bytes), absl::MakeSpan(room));
    if (!done.ok()) return done.status();
    packed.remove_prefix(done->taken);
    text.append(room, 0, done->made);
  }
  const absl::Status finished = gunzip.Finish();
  if (!finished.ok()) return finished;
  return text;
}

std::string Mistake(absl::string_view packed) {
  const auto text = Unpacked(packed, 1000, 1000);
  EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(text.status().message());
}

TEST(GunzipTest, MakesTheTextWhateverThePieces) {
  const std::string text = Text(5000);
  const std::string packed = Gzip(text);
  EXPECT_LT(packed.size(), text.size() / 2);
  for (size_t piece : {size_t{1}, size_t{7}, size_t{4096}, packed.size()}) {
    for (size_t room : {size_t{1}, size_t{513}, text.size()}) {
      EXPECT_EQ(Unpacked(packed, piece, room).value(), text)
          << piece << " bytes, room for " << room;
    }
  }
}

TEST(GunzipTest, MembersFollowEachOtherAndZerosThem) {
  const std::string packed = absl::StrCat(
      Gzip("one\n"), Gzip(""), Gzip(Text(1000)), std::string(700, '\0'));
  for (size_t piece : {1, 100, 100'000}) {
    EXPECT_EQ(Unpacked(packed, piece, 100).value(), "one\n" + Text(1000));
  }
}

TEST(GunzipTest, WhatIsCutOffIsNotWhole) {
  const std::string packed = Gzip(Text(1000));
  for (size_t bytes : {size_t{3}, size_t{11}, packed.size() / 2,
                       packed.size() - 8, packed.size() - 1}) {
    EXPECT_EQ(Mistake(packed.substr(0, bytes)),
              absl::StrCat("its gzip data end too early, after ", bytes,
                           " bytes: the file is not whole"));
  }
  EXPECT_THAT(Mistake(Gzip("one") + packed.substr(0, 20)),
              HasSubstr("the file is not whole"));
  EXPECT_THAT(Mistake(""), HasSubstr("after 0 bytes"));
}

TEST(GunzipTest, DamageIsToldWithItsPlace) {
  const std::string packed = Gzip(Text(1000));
  std::string bad_sum = packed;
  bad_sum[packed.size() - 8] ^= 1;
  EXPECT_THAT(Mistake(bad_sum),
              HasSubstr(absl::StrCat("at byte ", packed.size() - 4,
                                     ": incorrect data check")));
  std::string bad_length = packed;
  bad_length.back() ^= 1;
  EXPECT_THAT(Mistake(bad_length), HasSubstr("incorrect length check"));
  EXPECT_THAT(Mistake(packed + "more"),
              HasSubstr(absl::StrCat("at byte ", packed.size() + 2, ":")));
  EXPECT_THAT(Mistake(absl::StrCat(packed, std::string(5, '\0'), "more")),
              AllOf(HasSubstr(absl::StrCat("at byte ", packed.size() + 5)),
                    HasSubstr("stands behind their end")));
  EXPECT_THAT(Mistake("plain text"), HasSubstr("at byte "));
}

TEST(GunzipTest, AfterDamageNothingMoreComes) {
  Gunzip gunzip;
  std::string room(100, '\0');
  EXPECT_FALSE(gunzip.Unpack("plain text", absl::MakeSpan(room)).ok());
  EXPECT_FALSE(gunzip.Unpack(Gzip("one"), absl::MakeSpan(room)).ok());
  EXPECT_FALSE(gunzip.Finish().ok());
}

TEST(IsGzipTest, GoesByTheFirstBytes) {
  EXPECT_TRUE(IsGzip(Gzip("")));
  EXPECT_FALSE(IsGzip("\x1f\x8b"));
  EXPECT_FALSE(IsGzip("text"));
  EXPECT_FALSE(IsGzip(""));
}

}  // namespace
}  // namespace hydra
