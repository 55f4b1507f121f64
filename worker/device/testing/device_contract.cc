#include "worker/device/testing/device_contract.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ops/empty.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/full.h"
#include "c10/util/Exception.h"
#include "gmock/gmock.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

absl::Span<std::byte> BytesOf(float& value) {
  return {reinterpret_cast<std::byte*>(&value), sizeof(value)};
}

}  // namespace

DeviceContractTest::Bytes DeviceContractTest::Pattern(size_t bytes, int seed) {
  Bytes pattern(bytes);
  for (size_t i = 0; i < bytes; ++i) {
    pattern[i] = static_cast<std::byte>(seed * 41 + i * 7 + i / 251);
  }
  return pattern;
}

at::Tensor DeviceContractTest::NewBytes(int64_t count) const {
  return at::empty({count}, at::TensorOptions().dtype(at::kByte).device(
                                device_->torch_device()));
}

at::Tensor DeviceContractTest::NewFloats(int64_t count, float value) const {
  return at::full(
      {count}, value,
      at::TensorOptions().dtype(at::kFloat).device(device_->torch_device()));
}

DeviceContractTest::Bytes DeviceContractTest::Read(
    const at::Tensor& tensor) const {
  Bytes bytes(tensor.nbytes());
  device_->CopyToHost(tensor, absl::MakeSpan(bytes));
  device_->Synchronize();
  return bytes;
}

float DeviceContractTest::ReadFirst(const at::Tensor& floats) const {
  float first = 0;
  device_->CopyToHost(floats.narrow(0, 0, 1), BytesOf(first));
  device_->Synchronize();
  return first;
}

// Memory.

TEST_P(DeviceContractTest, ItsTensorsLieInItsArena) {
  EXPECT_EQ(device_->arena().limit_bytes(), kLimitBytes);
  EXPECT_EQ(UsedBytes(), 0);
  at::Tensor tensor = NewBytes(1000);
  EXPECT_TRUE(device_->arena().Contains(tensor.const_data_ptr()));
  EXPECT_GE(UsedBytes(), 1000);
  tensor.reset();
  EXPECT_EQ(UsedBytes(), 0);
}

TEST_P(DeviceContractTest, ResultsOfOperationsLieInItsArena) {
  const at::Tensor sum = NewFloats(1000, 1).add(NewFloats(1000, 2));
  EXPECT_TRUE(device_->arena().Contains(sum.const_data_ptr()));
  EXPECT_EQ(ReadFirst(sum), 3);
}

TEST_P(DeviceContractTest, WhereMemoryIsTheSameOneCanComputeInBoth) {
  if (!device_->HostMemoryIsDeviceMemory()) GTEST_SKIP() << "it is not";
  std::vector<float> host(1000, 1);
  const at::Tensor sum = NewFloats(1000, 2);
  at::from_blob(host.data(), {1000}).add_(sum);
  EXPECT_THAT(host, Each(3.0f));
  sum.add_(1);
  EXPECT_EQ(sum.const_data_ptr<float>()[999], 3);
}

TEST_P(DeviceContractTest, AllOfTheLimitCanBeUsedAndNoMore) {
  at::Tensor all = NewBytes(kLimitBytes);
  EXPECT_THROW(NewBytes(1), c10::OutOfMemoryError);
  EXPECT_EQ(UsedBytes(), kLimitBytes);
  all.reset();
  EXPECT_THROW(NewBytes(kLimitBytes + 1), c10::OutOfMemoryError);
  EXPECT_EQ(UsedBytes(), 0);
  EXPECT_NO_THROW(NewBytes(kLimitBytes));
}

TEST_P(DeviceContractTest, ARefusalSaysWhatWasAskedForAndWhatThereIs) {
  const at::Tensor half = NewBytes(kLimitBytes / 2);
  try {
    NewBytes(kLimitBytes * 3 / 4);
    FAIL() << "the limit was exceeded";
  } catch (const c10::OutOfMemoryError& error) {
    const std::string message = error.what_without_backtrace();
    EXPECT_THAT(message, HasSubstr("786432"));
    EXPECT_THAT(message, HasSubstr("524288"));
    EXPECT_THAT(message, HasSubstr("1048576"));
  }
}

TEST_P(DeviceContractTest, WhatTheArenaReclaimsMakesRoomForTensors) {
  at::Tensor cached = NewBytes(kLimitBytes / 2);
  device_->arena().SetReclaim([&](DeviceArena::Reclaimed) {
    const bool had_one = cached.defined();
    cached.reset();
    return had_one;
  });
  EXPECT_NO_THROW(NewBytes(kLimitBytes));
  EXPECT_FALSE(cached.defined());
  EXPECT_THROW(NewBytes(kLimitBytes + 1), c10::OutOfMemoryError);
  device_->arena().SetReclaim({});
}

TEST_P(DeviceContractTest, ItsPeakIsThatOfItsTensors) {
  const at::Tensor kept = NewBytes(1 << 16);
  NewBytes(1 << 18);
  EXPECT_EQ(device_->arena().peak_bytes(), (1 << 16) + (1 << 18));
  device_->arena().ResetPeak();
  EXPECT_EQ(device_->arena().peak_bytes(), 1 << 16);
}

TEST_P(DeviceContractTest, CopiesNeedNoDeviceMemory) {
  const at::Tensor all = NewBytes(kLimitBytes);
  const Bytes source = Pattern(kLimitBytes, 1);
  device_->WaitFor(device_->CopyToDevice(source, all));
  EXPECT_EQ(Read(all), source);
  EXPECT_EQ(device_->arena().peak_bytes(), kLimitBytes);
}

// Copies.

TEST_P(DeviceContractTest, CopiesEveryByteAtAnyHostAddress) {
  for (size_t size : {0, 1, 3, 64, 4097, 1 << 19}) {
    for (size_t shift : {0, 1, 60}) {
      SCOPED_TRACE(testing::Message() << size << " bytes at " << shift);
      const Bytes source = Pattern(size + shift, 3);
      const at::Tensor tensor = NewBytes(static_cast<int64_t>(size));
      device_->WaitFor(device_->CopyToDevice(
          absl::MakeConstSpan(source).subspan(shift), tensor));
      Bytes target(size + shift);
      device_->CopyToHost(tensor, absl::MakeSpan(target).subspan(shift));
      device_->Synchronize();
      EXPECT_TRUE(std::equal(source.begin() + shift, source.end(),
                             target.begin() + shift));
    }
  }
}

TEST_P(DeviceContractTest, CopiesWholeNumbersToo) {
  const std::vector<int64_t> tokens = {7, -1, int64_t{1} << 40};
  const at::Tensor tensor = at::empty(
      {3, 1},
      at::TensorOptions().dtype(at::kLong).device(device_->torch_device()));
  Bytes source(tokens.size() * sizeof(int64_t));
  std::memcpy(source.data(), tokens.data(), source.size());
  device_->WaitFor(device_->CopyToDevice(source, tensor));
  EXPECT_EQ(Read(tensor), source);
  EXPECT_EQ(tensor.sum().item<int64_t>(), 6 + (int64_t{1} << 40));
}

TEST_P(DeviceContractTest, NothingBesideTheTargetChanges) {
  const at::Tensor whole = NewBytes(300);
  whole.zero_();
  const Bytes source = Pattern(100, 5);
  device_->WaitFor(device_->CopyToDevice(source, whole.narrow(0, 100, 100)));
  Bytes target(300, std::byte{9});
  device_->CopyToHost(whole.narrow(0, 100, 100),
                      absl::MakeSpan(target).subspan(100, 100));
  const Bytes content = Read(whole);
  EXPECT_TRUE(std::equal(source.begin(), source.end(), content.begin() + 100));
  EXPECT_TRUE(std::equal(source.begin(), source.end(), target.begin() + 100));
  for (size_t begin : {0, 200}) {
    EXPECT_THAT(absl::MakeSpan(content).subspan(begin, 100),
                Each(std::byte{0}));
    EXPECT_THAT(absl::MakeSpan(target).subspan(begin, 100), Each(std::byte{9}));
  }
}

TEST_P(DeviceContractTest, ManyCopiesMayReadOneSource) {
  const Bytes source = Pattern(200, 2);
  const at::Tensor first = NewBytes(200);
  const at::Tensor second = NewBytes(100);
  device_->CopyToDevice(source, first);
  device_->WaitFor(device_->CopyToDevice(
      absl::MakeConstSpan(source).subspan(50, 100), second));
  EXPECT_EQ(Read(first), source);
  EXPECT_EQ(Read(second), Bytes(source.begin() + 50, source.begin() + 150));
}

TEST_P(DeviceContractTest, TheHostMayUseItsMemoryOnceItHasSynchronized) {
  Bytes host = Pattern(1000, 1);
  const at::Tensor tensor = NewBytes(1000);
  device_->CopyToDevice(host, tensor);
  device_->Synchronize();
  std::fill(host.begin(), host.end(), std::byte{0});
  EXPECT_EQ(Read(tensor), Pattern(1000, 1));

  device_->CopyToHost(tensor, absl::MakeSpan(host));
  device_->Synchronize();
  std::fill(host.begin(), host.end(), std::byte{0});
  tensor.fill_(1);
  device_->Synchronize();
  EXPECT_THAT(host, Each(std::byte{0}));
}

TEST_P(DeviceContractTest, SynchronizingAgainDoesNothing) {
  device_->Synchronize();
  device_->Synchronize();
  EXPECT_EQ(UsedBytes(), 0);
}

// The order of copies and operations.

TEST_P(DeviceContractTest, OperationsFindWhatWasCopiedBefore) {
  float one = 1;
  const at::Tensor tensor = NewFloats(1, 0);
  device_->WaitFor(device_->CopyToDevice(BytesOf(one), tensor));
  EXPECT_EQ(ReadFirst(tensor.add(1)), 2);
}

TEST_P(DeviceContractTest, OperationsBeforeACopyDoNotFindIt) {
  float one = 1;
  const at::Tensor tensor = NewFloats(1, 10);
  const at::Tensor sum = tensor.add(5);
  device_->WaitFor(device_->CopyToDevice(BytesOf(one), tensor));
  EXPECT_EQ(ReadFirst(sum), 15);
  EXPECT_EQ(ReadFirst(tensor), 1);
}

TEST_P(DeviceContractTest, TheHostGetsWhatOperationsMadeBeforeTheCall) {
  const at::Tensor tensor = NewFloats(1, 1);
  tensor.add_(1);
  float before = 0;
  float after = 0;
  device_->WaitFor(device_->CopyToHost(tensor, BytesOf(before)));
  tensor.add_(1);
  device_->WaitFor(device_->CopyToHost(tensor, BytesOf(after)));
  tensor.fill_(100);
  device_->Synchronize();
  EXPECT_EQ(before, 2);
  EXPECT_EQ(after, 3);
}

TEST_P(DeviceContractTest, ATensorMayBeDroppedBeforeTheHostHasIt) {
  Bytes host(kLimitBytes);
  at::Tensor tensor = NewBytes(kLimitBytes);
  tensor.fill_(1);
  device_->CopyToHost(tensor, absl::MakeSpan(host));
  tensor.reset();
  NewBytes(kLimitBytes).fill_(2);
  device_->Synchronize();
  EXPECT_THAT(host, Each(std::byte{1}));
}

TEST_P(DeviceContractTest, ATensorMayBeDroppedBeforeItIsFilled) {
  const Bytes host(kLimitBytes, std::byte{1});
  device_->CopyToDevice(host, NewBytes(kLimitBytes));
  const at::Tensor other = NewBytes(kLimitBytes);
  other.fill_(2);
  device_->Synchronize();
  EXPECT_THAT(Read(other), Each(std::byte{2}));
}

TEST_P(DeviceContractTest, CopiesKeepTheirOrder) {
  const at::Tensor first = NewFloats(1, 1);
  const at::Tensor second = NewFloats(1, 2);
  float host = 0;
  device_->CopyToHost(first, BytesOf(host));
  device_->WaitFor(device_->CopyToDevice(BytesOf(host), second));
  EXPECT_EQ(ReadFirst(second), 1);

  // And a source may be overwritten by a later copy.
  const at::Tensor third = NewFloats(1, 3);
  const Mark read = device_->CopyToDevice(BytesOf(host), third);
  const Mark written = device_->CopyToHost(NewFloats(1, 4), BytesOf(host));
  device_->WaitFor(read);
  EXPECT_EQ(ReadFirst(third), 1);
  device_->WaitFor(written);
  EXPECT_EQ(host, 4);
}

TEST_P(DeviceContractTest, AMarkIsDoneOnceAllBeforeItIs) {
  Bytes host = Pattern(1000, 1);
  EXPECT_TRUE(device_->IsDone(Mark())) << "nothing to wait for";
  const at::Tensor tensor = NewBytes(1000);
  const Mark first = device_->CopyToDevice(host, tensor);
  const Mark second = device_->CopyToDevice(host, tensor);
  device_->WaitFor(second);
  EXPECT_TRUE(device_->IsDone(first));
  Bytes back(1000);
  const Mark third = device_->CopyToHost(tensor, absl::MakeSpan(back));
  device_->Await(third);
  EXPECT_TRUE(device_->IsDone(third));
  device_->Synchronize();
  EXPECT_TRUE(device_->IsDone(second));
  EXPECT_EQ(back, host);
}

TEST_P(DeviceContractTest, AFullArenaWaitsForDroppedTensors) {
  Bytes host(kLimitBytes);
  for (int round = 0; round < 3; ++round) {
    at::Tensor tensor = NewBytes(kLimitBytes);
    device_->WaitFor(
        device_->CopyToDevice(Pattern(kLimitBytes, round), tensor));
    device_->CopyToHost(tensor, absl::MakeSpan(host));
  }
  device_->Synchronize();
  EXPECT_EQ(host, Pattern(kLimitBytes, 2));
}

// Failure.

TEST_P(DeviceContractTest, ACopyOfAnotherSizeChangesNothing) {
  Bytes host = Pattern(100, 1);
  const at::Tensor tensor = NewBytes(99);
  tensor.zero_();
  EXPECT_THROW(device_->CopyToDevice(host, tensor), c10::Error);
  EXPECT_THROW(device_->CopyToHost(tensor, absl::MakeSpan(host)), c10::Error);
  EXPECT_THAT(Read(tensor), Each(std::byte{0}));
  EXPECT_EQ(host, Pattern(100, 1));
}

TEST_P(DeviceContractTest, ATensorWithGapsIsRefused) {
  Bytes host = Pattern(2, 1);
  const at::Tensor whole = NewBytes(4);
  whole.zero_();
  const at::Tensor gaps = whole.view({2, 2}).select(1, 0);
  EXPECT_THROW(device_->CopyToDevice(host, gaps), c10::Error);
  EXPECT_THROW(device_->CopyToHost(gaps, absl::MakeSpan(host)), c10::Error);
  EXPECT_THAT(Read(whole), Each(std::byte{0}));
  EXPECT_EQ(host, Pattern(2, 1));
}

TEST_P(DeviceContractTest, CopiesBesideARefusedOneAreDone) {
  const Bytes source = Pattern(64, 1);
  Bytes first(64);
  Bytes last(64);
  const at::Tensor tensor = NewBytes(64);
  device_->WaitFor(device_->CopyToDevice(source, tensor));
  device_->CopyToHost(tensor, absl::MakeSpan(first));
  EXPECT_THROW(device_->CopyToDevice(source, NewBytes(63)), c10::Error);
  EXPECT_THROW(NewBytes(kLimitBytes), c10::OutOfMemoryError);
  device_->CopyToHost(tensor, absl::MakeSpan(last));
  device_->Synchronize();
  EXPECT_EQ(first, source);
  EXPECT_EQ(last, source);
}

// The end.

TEST_P(DeviceContractTest, ItsEndWaitsForTheCopies) {
  Bytes host(1000);
  {
    const Bytes source = Pattern(1000, 1);
    const at::Tensor tensor = NewBytes(1000);
    device_->WaitFor(device_->CopyToDevice(source, tensor));
    device_->CopyToHost(tensor, absl::MakeSpan(host));
    device_.reset();
  }
  EXPECT_EQ(host, Pattern(1000, 1));
}

TEST_P(DeviceContractTest, TensorsMayOutliveIt) {
  DeviceArena& arena = device_->arena();
  at::Tensor tensor = NewFloats(100, 1);
  device_.reset();
  tensor.add_(1);
  tensor.reset();
  EXPECT_EQ(arena.used_bytes(), 0);
}

// What it says of itself.

TEST_P(DeviceContractTest, ItsComputeTimeNeverFalls) {
  absl::Duration before = device_->ComputeTime();
  for (int i = 0; i < 10; ++i) {
    NewFloats(100, 1).add_(1);
    const absl::Duration now = device_->ComputeTime();
    EXPECT_GE(now, before);
    before = now;
  }
}

TEST_P(DeviceContractTest, ItsOwnMemoryIsNotOutsideOfIt) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer keeps notes of every byte that is touched";
#endif
  const int64_t before = device_->OutsideBytes();
  const at::Tensor tensor = NewBytes(kLimitBytes);
  tensor.fill_(1);
  device_->Synchronize();
  EXPECT_GE(before, 0);
  EXPECT_LT(device_->OutsideBytes() - before, kLimitBytes / 2);
}

}  // namespace hydra
