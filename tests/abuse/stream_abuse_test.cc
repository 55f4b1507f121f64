// Clients that open very many streams and never read them.

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "absl/time/clock.h"
#include "tests/chaos/process_figures.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int kManyStreams = 300;
constexpr int kPossibleStreams = 64;
constexpr int kSweepJobs = 1000;
constexpr absl::Duration kPatience = absl::Seconds(60);

class StreamAbuseTest : public FaultTest {
 protected:
  struct Stream {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientAsyncReader<v1::WatchResponse>> reader;
    grpc::Status end;
    bool begun = false;
    bool finished = false;
  };

  // Begins so many, and reads of none of them anything. How many the server
  // ended is counted once it has answered all.
  int OpenWithoutReading(v1::HydraService::Stub& stub, int wanted) {
    v1::WatchRequest request;
    request.set_interval_ms(20);
    for (int i = 0; i < wanted; ++i) {
      auto& stream = streams_.emplace_back(std::make_unique<Stream>());
      stream->reader =
          stub.AsyncWatch(&stream->context, request, &queue_, &stream->begun);
      stream->reader->Finish(&stream->end, &stream->finished);
    }
    int refused = 0;
    void* tag = nullptr;
    bool ok = false;
    for (int events = 0; events < wanted + (wanted - kPossibleStreams);
         ++events) {
      const auto next = queue_.AsyncNext(
          &tag, &ok, absl::ToChronoTime(absl::Now() + kPatience));
      if (next != grpc::CompletionQueue::GOT_EVENT) break;
      *static_cast<bool*>(tag) = true;
    }
    for (const auto& stream : streams_) {
      if (!stream->finished) continue;
      EXPECT_EQ(stream->end.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
          << stream->end.error_message();
      ++refused;
    }
    return refused;
  }

  void CloseAll() {
    for (const auto& stream : streams_) stream->context.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

TEST_F(StreamAbuseTest, StreamsThatAreNeverReadCostNoThreadsAndBoundedMemory) {
  Cluster cluster(Options());
  // So that there is much to send.
  v1::SubmitRequest many;
  *many.mutable_job() = spec();
  v1::GridAxis& seeds = *many.add_grid();
  seeds.set_field("train.seed");
  for (int i = 1; i <= kSweepJobs; ++i) seeds.add_values(std::to_string(i));
  cluster.Submit(many);
  const ProcessFigures before = FiguresOf(cluster.daemon_pid());
  const auto stub = ConnectTo(cluster.address());
  EXPECT_EQ(OpenWithoutReading(*stub, kManyStreams),
            kManyStreams - kPossibleStreams);
  const ProcessFigures after = FiguresOf(cluster.daemon_pid());
  EXPECT_LT(after.threads, before.threads + 40);
  EXPECT_LT(after.anonymous_bytes, before.anonymous_bytes + (100 << 20));
  // Others are answered.
  EXPECT_EQ(cluster.List().size(), kSweepJobs);
  CloseAll();
  // The user may open streams again.
  cluster.Await([&] {
    grpc::ClientContext context;
    const auto reader = stub->Watch(&context, {});
    v1::WatchResponse response;
    const bool answered = reader->Read(&response);
    context.TryCancel();
    reader->Finish();
    return answered;
  });
}

TEST_F(StreamAbuseTest, SilentReflectionStreamsKeepNobodyOut) {
  Cluster cluster(Options());
  grpc::GenericStub stub(grpc::CreateChannel(
      cluster.address(), grpc::InsecureChannelCredentials()));
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts;
  std::vector<std::unique_ptr<grpc::GenericClientAsyncReaderWriter>> calls;
  void* tag = nullptr;
  bool ok = false;
  for (int i = 0; i < 500; ++i) {
    contexts.push_back(std::make_unique<grpc::ClientContext>());
    calls.push_back(stub.PrepareCall(
        contexts.back().get(),
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        &queue_));
    calls.back()->StartCall(nullptr);
    ASSERT_TRUE(queue_.Next(&tag, &ok));
  }
  EXPECT_LT(FiguresOf(cluster.daemon_pid()).threads, 200);
  EXPECT_EQ(cluster.Run(spec()).status().state(), v1::JOB_STATE_COMPLETED);
  for (const auto& context : contexts) context->TryCancel();
  queue_.Shutdown();
  while (queue_.Next(&tag, &ok)) {
  }
}

}  // namespace
}  // namespace hydra
