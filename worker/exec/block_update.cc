#include "worker/exec/block_update.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "common/chain/block_key.h"
#include "common/failpoint/fail_point.h"
#include "worker/model/finite_check.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

// Updates ranges of one block, or lets them be as they are. Where the device's
// memory is host memory, old moments are read and new ones written where they
// are in the pool; other devices have them in buffers for a range.
class RangeUpdater {
 public:
  RangeUpdater(const Pass& pass, int block, int64_t longest_range, bool skip)
      : pass_(pass),
        block_(block),
        longest_range_(longest_range),
        skip_(skip),
        scalars_(ScalarsAt(pass.model.HyperparametersAt(pass.task.step()),
                           pass.task.step() + 1)),
        new_parameters_(pass.blocks.Written(ParametersKey(block))) {
    TORCH_CHECK(moment_count() <= kMostMoments);
    if (pass.io.device().HostMemoryIsDeviceMemory()) return;
    for (int i = 0; i < moment_count(); ++i) {
      buffers_[i] = pass.io.Empty({longest_range});
    }
  }

  // The block's elements [first, first + count). `parameters` are those on the
  // device, which become the new ones too. They may be undefined where the
  // device's memory is host memory: then they need not be there.
  void Update(int64_t first, int64_t count, const at::Tensor& parameters,
              const at::Tensor& gradient) {
    pass_.meter.Advance();
    if (pass_.io.device().HostMemoryIsDeviceMemory()) {
      UpdateInPlace(first, count, parameters, gradient);
    } else {
      UpdateByCopies(first, count, parameters, gradient);
    }
  }

  const BlockVersion& new_parameters() const { return new_parameters_; }

 private:
  void UpdateByCopies(int64_t first, int64_t count,
                      const at::Tensor& parameters,
                      const at::Tensor& gradient) {
    std::array<at::Tensor, kMostMoments> moments;
    for (int i = 0; i < moment_count(); ++i) {
      moments[i] = buffers_[i].narrow(0, 0, count);
      pass_.io.PromoteRange(old_state(), MomentBegin(i) + first, moments[i]);
    }
    if (!skip_) {
      UpdateRange(scalars_, parameters, gradient, moments[0], moments[1]);
    }
    pass_.io.Demote(parameters, new_parameters_, first);
    FailPoint("worker.update", pass_.task.job_id());
    for (int i = 0; i < moment_count(); ++i) {
      pass_.io.Demote(moments[i], new_state(), MomentBegin(i) + first);
    }
  }

  void UpdateInPlace(int64_t first, int64_t count, const at::Tensor& parameters,
                     const at::Tensor& gradient) {
    VersionRange from, to;
    from.parameters =
        parameters.defined()
            ? parameters
            : Old(pass_.blocks.Read(ParametersKey(block_)), first, count);
    to.parameters = pass_.io.WriteInPlace(new_parameters_, first, count);
    for (int i = 0; i < moment_count(); ++i) {
      from.moments[i] = Old(old_state(), MomentBegin(i) + first, count);
      to.moments[i] =
          pass_.io.WriteInPlace(new_state(), MomentBegin(i) + first, count);
    }
    if (skip_) {
      Copy(from, to);
    } else {
      UpdateRange(scalars_, gradient, from, to, parameters);
    }
    FailPoint("worker.update", pass_.task.job_id());
  }

  static void Copy(const VersionRange& from, const VersionRange& to) {
    to.parameters.copy_(from.parameters);
    for (int i = 0; i < kMostMoments; ++i) {
      if (to.moments[i].defined()) to.moments[i].copy_(from.moments[i]);
    }
  }

  at::Tensor Old(const BlockVersion& version, int64_t first, int64_t count) {
    at::Tensor old = pass_.io.ReadInPlace(version, first, count);
    if (old.defined()) return old;
    if (!zeros_.defined()) zeros_ = pass_.io.Empty({longest_range_}).zero_();
    return zeros_.narrow(0, 0, count);
  }

  int moment_count() const { return pass_.model.moment_count(); }
  int64_t MomentBegin(int moment) const {
    return moment * pass_.block(block_).element_count();
  }
  const BlockVersion& old_state() const {
    return pass_.blocks.Read(StateKey(block_));
  }
  const BlockVersion& new_state() const {
    return pass_.blocks.Written(StateKey(block_));
  }

  const Pass& pass_;
  const int block_;
  const int64_t longest_range_;
  const bool skip_;
  const UpdateScalars scalars_;
  const BlockVersion& new_parameters_;
  std::array<at::Tensor, kMostMoments> buffers_;
  // What versions that are known to be zero are read from.
  at::Tensor zeros_;
};

// A range of a gathered block, in elements. Ranges begin at rows, and at
// multiples of 64 bytes; the last one includes the block's padding.
struct TableRange {
  int64_t first_row = 0;
  int64_t last_row = 0;
  int64_t first = 0;
  int64_t count = 0;
};

// Of about kUpdateRangeElements each; the first one is the longest.
std::vector<TableRange> RangesOf(const ParameterBlock& table) {
  constexpr int64_t kRows = kTensorAlignmentBytes / kFloatBytes;
  const int64_t rows = table.tensors.front().shape[0];
  const int64_t width = table.tensors.front().shape[1];
  const int64_t rows_of_range =
      std::max(kRows, kUpdateRangeElements / width / kRows * kRows);
  std::vector<TableRange> ranges;
  for (int64_t row = 0; row < rows; row += rows_of_range) {
    const int64_t last_row = std::min(rows, row + rows_of_range);
    const int64_t first = row * width;
    const int64_t end =
        last_row == rows ? table.element_count() : last_row * width;
    ranges.push_back({row, last_row, first, end - first});
  }
  return ranges;
}

// A gathered block's gradient in ranges: that of the gathered rows plus the
// later layers' part, wherever that is.
class GatheredGradient {
 public:
  GatheredGradient(const Pass& pass, int block,
                   const at::Tensor& later_on_device, RowGradientSum& rows,
                   int64_t longest_range)
      : pass_(pass),
        rows_(rows),
        width_(pass.block(block).tensors.front().shape[1]),
        later_on_device_(later_on_device),
        later_in_pool_(pass.blocks.FindRead(ParameterGradientKey(block))),
        buffer_(pass.io.Empty({longest_range})) {
    if (!later_on_device.defined() && later_in_pool_ != nullptr) {
      later_buffer_ = pass.io.Empty({longest_range});
    }
  }

  // Valid until the next call.
  at::Tensor Of(const TableRange& range) {
    const int64_t rows = range.last_row - range.first_row;
    const int64_t in_rows = rows * width_;
    const at::Tensor gradient = buffer_.narrow(0, 0, range.count);
    gradient.narrow(0, in_rows, range.count - in_rows).zero_();
    rows_.CopyRows(range.first_row, range.last_row,
                   gradient.narrow(0, 0, in_rows).view({rows, width_}));
    AddLaterPart(range, gradient);
    return gradient;
  }

 private:
  void AddLaterPart(const TableRange& range, const at::Tensor& gradient) {
    if (later_on_device_.defined()) {
      gradient.add_(later_on_device_.narrow(0, range.first, range.count));
    } else if (later_in_pool_ != nullptr) {
      const at::Tensor later = later_buffer_.narrow(0, 0, range.count);
      pass_.io.PromoteRange(*later_in_pool_, range.first, later);
      gradient.add_(later);
    }
  }

  const Pass& pass_;
  RowGradientSum& rows_;
  const int64_t width_;
  const at::Tensor later_on_device_;
  const BlockVersion* const later_in_pool_;
  const at::Tensor buffer_;
  at::Tensor later_buffer_;
};

}  // namespace

bool UpdateBlock(const Pass& pass, int block, at::Tensor parameters,
                 const at::Tensor& gradient) {
  const at::NoGradGuard no_grad;
  const int64_t count = parameters.numel();
  const bool finite = AllFinite(gradient);
  pass.io.Forget(pass.blocks.Read(ParametersKey(block)));
  RangeUpdater updater(pass, block, std::min(count, kUpdateRangeElements),
                       /*skip=*/!finite);
  for (int64_t first = 0; first < count; first += kUpdateRangeElements) {
    const int64_t length = std::min(kUpdateRangeElements, count - first);
    updater.Update(first, length, parameters.narrow(0, first, length),
                   gradient.narrow(0, first, length));
  }
  pass.io.Keep(updater.new_parameters(), std::move(parameters));
  return finite;
}

bool UpdateGatheredBlock(const Pass& pass, int block, at::Tensor parameters,
                         const at::Tensor& later_gradient,
                         RowGradientSum& row_gradient) {
  const at::NoGradGuard no_grad;
  const BlockVersion& read = pass.blocks.Read(ParametersKey(block));
  const std::vector<TableRange> ranges = RangesOf(pass.block(block));
  const int64_t longest_range = ranges.front().count;

  GatheredGradient gradient(pass, block, later_gradient, row_gradient,
                            longest_range);
  const bool whole = parameters.defined();
  if (whole) pass.io.Forget(read);
  const at::Tensor buffer = whole || pass.io.device().HostMemoryIsDeviceMemory()
                                ? at::Tensor()
                                : pass.io.Empty({longest_range});
  const auto values_of = [&](const TableRange& range) {
    return whole              ? parameters.narrow(0, range.first, range.count)
           : buffer.defined() ? buffer.narrow(0, 0, range.count)
                              : at::Tensor();
  };
  bool finite = true;
  {
    RangeUpdater updater(pass, block, longest_range, /*skip=*/false);
    for (const TableRange& range : ranges) {
      const at::Tensor part = gradient.Of(range);
      finite = AllFinite(part);
      if (!finite) break;
      const at::Tensor values = values_of(range);
      if (buffer.defined()) pass.io.PromoteRange(read, range.first, values);
      updater.Update(range.first, range.count, values, part);
    }
  }
  if (!finite) {
    RangeUpdater updater(pass, block, longest_range, /*skip=*/true);
    for (const TableRange& range : ranges) {
      const at::Tensor values = values_of(range);
      if (values.defined()) pass.io.PromoteRange(read, range.first, values);
      updater.Update(range.first, range.count, values, /*gradient=*/{});
    }
  }
  if (whole) {
    pass.io.Keep(pass.blocks.Written(ParametersKey(block)),
                 std::move(parameters));
  } else {
    // No task will read it again.
    pass.io.Forget(read);
  }
  return finite;
}

}  // namespace hydra
