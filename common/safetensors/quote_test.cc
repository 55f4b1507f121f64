#include "common/safetensors/quote.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

TEST(QuotedTest, PlainNamesStayReadable) {
  EXPECT_EQ(Quoted("h.0.attn.weight"), "\"h.0.attn.weight\"");
}

TEST(QuotedTest, ControlAndNonAsciiBytesAreEscaped) {
  EXPECT_EQ(Quoted("a\n\"\xe2\x80\xae"), "\"a\\n\\\"\\xe2\\x80\\xae\"");
}

TEST(QuotedTest, LongNamesAreCutAndTheirLengthIsGiven) {
  EXPECT_EQ(Quoted(std::string(1000000, 'x')),
            "\"" + std::string(128, 'x') + "...\" (1000000 B)");
}

}  // namespace
}  // namespace hydra::safetensors
