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
#include "worker/exec/block_floats.h"
#include "worker/exec/block_scalars.h"
#include "worker/model/finite_check.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

// Updates ranges of one block, or lets them be as they are. Where the device's
// memory is host memory, old state is read and new one written where it is in
// the pool; other devices have it from a stream.
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
    const MomentStream::Moments state = moments_.Take(block_, range);
    if (!skip_) {
      const VersionRange version = VersionOf(parameters, state);
      ForEachPart(range, [&](const UpdateScalars& scalars, const auto& part) {
        UpdateRange(scalars, part(gradient), PartOf(version, part));
      });
    }
    pass_.io.Demote(AsFloats(parameters), new_parameters_,
                    FloatsOf(described().type, range.first));
    FailPoint("worker.update", pass_.task.job_id());
    for (int i = 0; i < state_parts(); ++i) {
      pass_.io.Demote(state[i], new_state(), PartBegin(i) + range.first);
    }
  }

  void UpdateInPlace(const BlockRange& range, const at::Tensor& parameters,
                     const at::Tensor& gradient) {
    const int64_t first = FloatsOf(described().type, range.first);
    const int64_t count = FloatsOf(described().type, range.count);
    at::Tensor old_parameters = parameters;
    if (!parameters.defined() && (skip_ || !described().has_master())) {
      old_parameters = AsElements(
          Old(pass_.blocks.Read(ParametersKey(block_)), first, count),
          described().type);
    }
    const at::Tensor made_parameters = AsElements(
        pass_.io.WriteInPlace(new_parameters_, first, count), described().type);
    MomentStream::Moments old_state, made_state;
    for (int i = 0; i < state_parts(); ++i) {
      const int64_t begin = PartBegin(i) + range.first;
      old_state[i] =
          Old(pass_.blocks.Read(StateKey(block_)), begin, range.count);
      made_state[i] = pass_.io.WriteInPlace(new_state(), begin, range.count);
    }
    const VersionRange from = VersionOf(old_parameters, old_state);
    const VersionRange to = VersionOf(made_parameters, made_state);
    if (skip_) {
      Copy(from, to);
    } else {
      ForEachPart(range, [&](const UpdateScalars& scalars, const auto& part) {
        UpdateRange(scalars, part(gradient), PartOf(from, part),
                    PartOf(to, part), part(parameters));
      });
    }
    FailPoint("worker.update", pass_.task.job_id());
  }

  // The state's parts are the moments, then the master.
  VersionRange VersionOf(const at::Tensor& parameters,
                         const MomentStream::Moments& state) const {
    VersionRange version;
    version.parameters = parameters;
    for (int i = 0; i < moment_count(); ++i) version.moments[i] = state[i];
    if (described().has_master()) version.master = state[moment_count()];
    return version;
  }

  template <typename Part>
  static VersionRange PartOf(const VersionRange& version, const Part& part) {
    return {part(version.parameters),
            {part(version.moments[0]), part(version.moments[1])},
            part(version.master)};
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
    if (to.master.defined()) to.master.copy_(from.master);
  }

  at::Tensor Old(const BlockVersion& version, int64_t first, int64_t count) {
    at::Tensor old = pass_.io.ReadInPlace(version, first, count);
    if (old.defined()) return old;
    zeros_.resize(std::max<size_t>(zeros_.size(), count));
    return at::from_blob(zeros_.data(), {count});
  }

  const ParameterBlock& described() const { return pass_.block(block_); }
  int moment_count() const { return pass_.model.moment_count(); }
  int state_parts() const { return pass_.model.shape.StateParts(block_); }
  int64_t PartBegin(int part) const {
    return part * described().element_count();
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
  const ParameterBlock& described = pass.block(block);
  const bool whole = parameters.defined();
  if (whole) pass.io.MakeWritable(read);
  const bool in_place = pass.io.device().HostMemoryIsDeviceMemory();
  const auto values_of = [&](const BlockRange& range) {
    if (whole) return parameters.narrow(0, range.first, range.count);
    if (in_place) return at::Tensor();
    return AsElements(pass.io.Empty({FloatsOf(described.type, range.count)}),
                      described.type);
  };
  const auto promote = [&](const BlockRange& range, const at::Tensor& values) {
    pass.io.PromoteRange(read, FloatsOf(described.type, range.first),
                         AsFloats(values));
  };
  bool finite = true;
  {
    RangeUpdater updater(pass, block, moments, /*skip=*/false);
    for (const BlockRange& range : ranges) {
      const at::Tensor part = gradient_of(range);
      finite = AllFinite(part);
      if (!finite) break;
      const at::Tensor values = values_of(range);
      // Of a master the new ones are made without the old ones.
      if (!whole && !in_place && !described.has_master()) {
        promote(range, values);
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
      if (values.defined()) promote(range, values);
      updater.Update(range, values, /*gradient=*/{});
    }
  }
  if (whole) {
    pass.io.Keep(pass.blocks.Written(ParametersKey(block)),
                 AsFloats(parameters));
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
  pass.io.Keep(updater.new_parameters(), AsFloats(parameters));
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
                         const GradientPlace& gradient, MomentStream& moments) {
  const at::NoGradGuard no_grad;
  const std::vector<BlockRange> ranges = UpdateRangesOf(pass.block(block));
  const at::Tensor buffer = pass.io.Empty({ranges.front().count});
  const auto gradient_of = [&](const BlockRange& range) {
    at::Tensor part = buffer.narrow(0, 0, range.count);
    pass.io.PromoteRange(*gradient.version, gradient.first + range.first, part);
    return part;
  };
  return UpdateByRanges(pass, block, /*parameters=*/{}, ranges, gradient_of,
                        moments);
}

}  // namespace hydra
