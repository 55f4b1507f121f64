#include "common/hash/sha256.h"

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(Sha256Test, MatchesThePublishedExample) {
  Sha256 sha;
  sha.Update("abc");
  EXPECT_EQ(absl::BytesToHexString(sha.Finish()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, IsWrittenInHexadecimalDigits) {
  EXPECT_EQ(HexSha256("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, DoesNotDependOnThePieces) {
  Sha256 whole;
  whole.Update("abcdef");
  Sha256 pieces;
  pieces.Update("ab");
  pieces.Update("");
  pieces.Update("cdef");
  EXPECT_EQ(whole.Finish(), pieces.Finish());
}

}  // namespace
}  // namespace hydra
