// hydra clone.

#include <filesystem>
#include <string>

#include "client/testing/cli_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CliCloneTest : public CliFixture {
 protected:
  CliCloneTest() {
    v1::JobSpec& spec = *service_.job_response.mutable_job()->mutable_spec();
    spec.set_name("tiny");
    spec.mutable_model()->set_path("/models/tiny");
    spec.mutable_data()->add_train_files("/train.txt");
    spec.mutable_train()->set_max_steps(2);
    spec.mutable_train()->set_learning_rate(0.001);
    spec.mutable_train()->set_seed(42);
    spec.mutable_output()->set_output_dir("/outputs");
    service_.submit_response.set_sweep_id("s2");
    *service_.submit_response.add_jobs() = Job("j2", v1::JOB_STATE_PENDING);
  }

  // The only one.
  const v1::SubmitRequest& Submitted() {
    EXPECT_THAT(service_.submit_requests, SizeIs(1));
    return service_.submit_requests.front();
  }
};

TEST_F(CliCloneTest, WithoutChangesItIsTheSameJobAgain) {
  EXPECT_EQ(Run({"clone", "j1", "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("s2", "j2"));
  EXPECT_EQ(Submitted().job().SerializeAsString(),
            service_.job_response.job().spec().SerializeAsString());
  EXPECT_THAT(Submitted().grid(), IsEmpty());
  EXPECT_THAT(Submitted().request_id(), SizeIs(32));
  EXPECT_FALSE(Submitted().validate_only());
}

TEST_F(CliCloneTest, KeysAreChanged) {
  // An option takes one value, wherever the job stands.
  EXPECT_EQ(
      Run({"clone", "--set", "train.learning_rate=3e-4", "j1", "--set",
           "data.train_files=[here.txt, /there.txt]", "--name", "second"}),
      ExitCode::kOk);
  const v1::JobSpec& job = Submitted().job();
  EXPECT_EQ(job.train().learning_rate(), 3e-4);
  EXPECT_EQ(job.train().seed(), 42);
  EXPECT_EQ(job.name(), "second");
  EXPECT_THAT(
      job.data().train_files(),
      ElementsAre((fs::current_path() / "here.txt").string(), "/there.txt"));
}

TEST_F(CliCloneTest, SeveralValuesMakeASweep) {
  EXPECT_EQ(Run({"clone", "j1", "--set", "train.learning_rate=[1e-4, 3e-4]"}),
            ExitCode::kOk);
  ASSERT_THAT(Submitted().grid(), SizeIs(1));
  EXPECT_EQ(Submitted().grid(0).field(), "train.learning_rate");
  EXPECT_THAT(Submitted().grid(0).values(), ElementsAre("1e-4", "3e-4"));
}

TEST_F(CliCloneTest, EveryWrongKeyIsToldAndNothingIsSubmitted) {
  EXPECT_EQ(Run({"clone", "j1", "--set", "train.lerning_rate=1", "--set",
                 "train.max_steps=many"}),
            ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("train.lerning_rate: unknown key"),
                    HasSubstr("did you mean 'learning_rate'?"),
                    HasSubstr("train.max_steps: expected a whole number")));
  EXPECT_EQ(Run({"clone", "j1", "--set", "name=a", "--name", "b"}),
            ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("name: this key is given twice"));
  EXPECT_THAT(service_.submit_requests, IsEmpty());
}

TEST_F(CliCloneTest, ItMayOnlyBeChecked) {
  service_.submit_response.clear_sweep_id();
  EXPECT_EQ(Run({"clone", "j1", "--validate-only"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("valid: 1 job(s)"));
  EXPECT_TRUE(Submitted().validate_only());
}

TEST_F(CliCloneTest, AnUnknownJobIsNotCloned) {
  service_.error = grpc::Status(grpc::StatusCode::NOT_FOUND, "no job j9");
  EXPECT_EQ(Run({"clone", "j9"}), ExitCode::kNotFound);
  EXPECT_EQ(Run({"clone", "s1"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("s1 is a sweep"));
  EXPECT_THAT(service_.submit_requests, IsEmpty());
}

}  // namespace
}  // namespace hydra
