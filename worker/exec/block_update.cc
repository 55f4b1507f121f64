#include "worker/exec/block_update.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "ATen/ops/from_blob.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "common/chain/block_key.h"
#include "common/failpoint/fail_point.h"
#include "worker/exec/block_scalars.h"
#include "worker/model/finite_check.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

// Updates ranges of one block, or lets them be as they are. Where the device's
// memory is host memory, old moments are read and new ones written where they
// are in the pool; other devices have them from a stream.
class RangeUpdater {
 public:
  RangeUpdater(const Pass& pass, int block, MomentStream& moments, bool skip)
      : pass_(pass),
        block_(block),
        moments_(moments),
        skip_(skip),
        scalars_(pass.ScalarsOf(block)),
        new_parameters_(pass.blocks.Written(ParametersKey(block))) {}

  // `parameters` are those of the range on the device, which become the new
  // ones; nobody may change them afterwards. They may be undefined where the
  // device's memory is host memory: then they need not be there.
  void Update(const BlockRange& range, const at::Tensor& parameters,
              const at::Tensor& gradient) {
    pass_.meter.Advance();
    if (pass_.io.device().HostMemoryIsDeviceMemory()) {
      UpdateInPlace(range, parameters, gradient);
    } else {
      UpdateByCopies(range, parameters, gradient);
    }
  }

  const BlockVersion& new_parameters() const { return new_parameters_; }

 private:
  void UpdateByCopies(const BlockRange& range, const at::Tensor& parameters,
                      const at::Tensor& gradient) {
    const MomentStream::Moments moments = moments_.Take(block_, range);
    if (!skip_) {
      ForEachPart(range, [&](const UpdateScalars& scalars, const auto& part) {
        UpdateRange(scalars, part(parameters), part(gradient), part(moments[0]),
                    part(moments[1]));
      });
    }
    pass_.io.Demote(parameters, new_parameters_, range.first);
    FailPoint("worker.update", pass_.task.job_id());
    for (int i = 0; i < moment_count(); ++i) {
      pass_.io.Demote(moments[i], new_state(), MomentBegin(i) + range.first);
    }
  }

  void UpdateInPlace(const BlockRange& range, const at::Tensor& parameters,
                     const at::Tensor& gradient) {
    VersionRange from, to;
    from.parameters = parameters.defined()
                          ? parameters
                          : Old(pass_.blocks.Read(ParametersKey(block_)),
                                range.first, range.count);
    to.parameters =
        pass_.io.WriteInPlace(new_parameters_, range.first, range.count);
    for (int i = 0; i < moment_count(); ++i) {
      const int64_t first = MomentBegin(i) + range.first;
      from.moments[i] =
          Old(pass_.blocks.Read(StateKey(block_)), first, range.count);
      to.moments[i] = pass_.io.WriteInPlace(new_state(), first, range.count);
    }
    if (skip_) {
      Copy(from, to);
    } else {
      ForEachPart(range, [&](const UpdateScalars& scalars, const auto& part) {
        const auto part_of = [&part](const VersionRange& version) {
          return VersionRange{
              part(version.parameters),
              {part(version.moments[0]), part(version.moments[1])}};
        };
        UpdateRange(scalars, part(gradient), part_of(from), part_of(to),
                    part(parameters));
      });
    }
    FailPoint("worker.update", pass_.task.job_id());
  }

  // Calls update(scalars, part) for the parts of the range that have the same
  // scalars: part(tensor) is that part of one that is the range's, or
  // undefined.
  template <typename Update>
  void ForEachPart(const BlockRange& range, const Update& update) const {
    scalars_.ForEachPart(
        range.first, range.count,
        [&](const UpdateScalars& scalars, int64_t first, int64_t count) {
          update(scalars, [&](const at::Tensor& tensor) {
            return tensor.defined()
                       ? tensor.narrow(0, first - range.first, count)
                       : at::Tensor();
          });
        });
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
    zeros_.resize(std::max<size_t>(zeros_.size(), count));
    return at::from_blob(zeros_.data(), {count});
  }

  int moment_count() const { return pass_.model.moment_count(); }
  int64_t MomentBegin(int moment) const {
    return moment * pass_.block(block_).element_count();
  }
  const BlockVersion& new_state() const {
    return pass_.blocks.Written(StateKey(block_));
  }

  const Pass& pass_;
  const int block_;
  MomentStream& moments_;
  const bool skip_;
  const BlockScalars scalars_;
  const BlockVersion& new_parameters_;
  // What versions that are known to be zero are read from. No memory of the
  // device: a pilot does not know of them.
  std::vector<float> zeros_;
};

// A gathered block's gradient in ranges: that of the gathered rows plus the
// later layers' part, wherever that is.
class GatheredGradient {
 public:
  GatheredGradient(const Pass& pass, int block,
                   const at::Tensor& later_on_device, RowGradientSum& rows,
                   int64_t longest_range)
      : pass_(pass),
        rows_(rows),
        later_on_device_(later_on_device),
        later_in_pool_(pass.blocks.FindRead(ParameterGradientKey(block))),
        buffer_(pass.io.Empty({longest_range})) {
    if (!later_on_device.defined() && later_in_pool_ != nullptr) {
      later_buffer_ = pass.io.Empty({longest_range});
    }
  }

  // Valid until the next call.
  at::Tensor Of(const BlockRange& range) {
    const at::Tensor gradient = buffer_.narrow(0, 0, range.count);
    rows_.CopyRange(range, gradient);
    AddLaterPart(range, gradient);
    return gradient;
  }

 private:
  void AddLaterPart(const BlockRange& range, const at::Tensor& gradient) {
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
  const at::Tensor later_on_device_;
  const BlockVersion* const later_in_pool_;
  const at::Tensor buffer_;
  at::Tensor later_buffer_;
};

// Updates a block whose gradient gradient_of(range) is nowhere as a whole.
// `parameters` are undefined where they pass through in ranges too.
template <typename GradientOf>
bool UpdateByRanges(const Pass& pass, int block, at::Tensor parameters,
                    const std::vector<BlockRange>& ranges,
                    GradientOf gradient_of, MomentStream& moments) {
  const BlockVersion& read = pass.blocks.Read(ParametersKey(block));
  const bool whole = parameters.defined();
  if (whole) pass.io.MakeWritable(read);
  const bool in_place = pass.io.device().HostMemoryIsDeviceMemory();
  const auto values_of = [&](const BlockRange& range) {
    return whole      ? parameters.narrow(0, range.first, range.count)
           : in_place ? at::Tensor()
                      : pass.io.Empty({range.count});
  };
  bool finite = true;
  {
    RangeUpdater updater(pass, block, moments, /*skip=*/false);
    for (const BlockRange& range : ranges) {
      const at::Tensor part = gradient_of(range);
      finite = AllFinite(part);
      if (!finite) break;
      const at::Tensor values = values_of(range);
      if (!whole && !in_place) {
        pass.io.PromoteRange(read, range.first, values);
      }
      updater.Update(range, values, part);
    }
  }
  if (!finite) {
    // What was updated already is on its way to the host.
    pass.io.MakeWritable(pass.blocks.Written(ParametersKey(block)));
    RangeUpdater updater(pass, block, moments, /*skip=*/true);
    for (const BlockRange& range : ranges) {
      const at::Tensor values = values_of(range);
      if (values.defined()) pass.io.PromoteRange(read, range.first, values);
      updater.Update(range, values, /*gradient=*/{});
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

}  // namespace

bool UpdateBlock(const Pass& pass, int block, at::Tensor parameters,
                 const at::Tensor& gradient, MomentStream& moments) {
  const at::NoGradGuard no_grad;
  const bool finite = AllFinite(gradient);
  pass.io.MakeWritable(pass.blocks.Read(ParametersKey(block)));
  RangeUpdater updater(pass, block, moments, /*skip=*/!finite);
  for (const BlockRange& range : UpdateRangesOf(pass.block(block))) {
    updater.Update(range, parameters.narrow(0, range.first, range.count),
                   gradient.narrow(0, range.first, range.count));
  }
  pass.io.Keep(updater.new_parameters(), std::move(parameters));
  return finite;
}

bool UpdateGatheredBlock(const Pass& pass, int block, at::Tensor parameters,
                         const at::Tensor& later_gradient,
                         RowGradientSum& row_gradient, MomentStream& moments) {
  const at::NoGradGuard no_grad;
  const std::vector<BlockRange> ranges = UpdateRangesOf(pass.block(block));
  GatheredGradient gradient(pass, block, later_gradient, row_gradient,
                            ranges.front().count);
  return UpdateByRanges(
      pass, block, std::move(parameters), ranges,
      [&](const BlockRange& range) { return gradient.Of(range); }, moments);
}

bool UpdateStreamedBlock(const Pass& pass, int block,
                         const BlockVersion& gradient, MomentStream& moments) {
  const at::NoGradGuard no_grad;
  const std::vector<BlockRange> ranges = UpdateRangesOf(pass.block(block));
  const at::Tensor buffer = pass.io.Empty({ranges.front().count});
  const auto gradient_of = [&](const BlockRange& range) {
    at::Tensor part = buffer.narrow(0, 0, range.count);
    pass.io.PromoteRange(gradient, range.first, part);
    return part;
  };
  return UpdateByRanges(pass, block, /*parameters=*/{}, ranges, gradient_of,
                        moments);
}

}  // namespace hydra
