#include "client/page/page_elsewhere.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(PageElsewhereTest, NamesWhatToRun) {
  const std::string way =
      HowToReachPage("ssh://ann@gpu1:2222", "/run/hydra/http.sock");
  EXPECT_THAT(way, HasSubstr("at unix:/run/hydra/http.sock"));
  EXPECT_THAT(way, HasSubstr("ssh -t -L 9464:127.0.0.1:9464 -p 2222 ann@gpu1 "
                             "hydra ui --port 9464,"));
  EXPECT_THAT(HowToReachPage("ssh://gpu1/run/h.sock", "/x"),
              HasSubstr("ssh -t -L 9464:127.0.0.1:9464 gpu1 hydra --server "
                        "unix:/run/h.sock ui --port 9464,"));
  EXPECT_THAT(HowToReachPage("127.0.0.1:7070", "/x"),
              HasSubstr("ssh -t -L 9464:127.0.0.1:9464 HOST hydra ui"));
}

}  // namespace
}  // namespace hydra
