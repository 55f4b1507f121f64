#ifndef HYDRA_COMMON_IDS_IDS_H_
#define HYDRA_COMMON_IDS_IDS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <utility>

namespace hydra {

// A 64-bit id that cannot be mixed up with the id of another kind of thing.
// `Tag` is a type of its own for each kind and is never defined.
//
// A plain value: copy it, compare it, put it into any container. The order is
// that of the numbers. Streams and protos show the bare number. A
// default-constructed id is 0, which is also an unset proto field: whoever
// issues ids starts from 1.
template <typename Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(uint64_t value) : value_(value) {}

  constexpr uint64_t value() const { return value_; }

  friend constexpr bool operator==(StrongId a, StrongId b) {
    return a.value_ == b.value_;
  }
  friend constexpr bool operator!=(StrongId a, StrongId b) { return !(a == b); }
  friend constexpr bool operator<(StrongId a, StrongId b) {
    return a.value_ < b.value_;
  }
  friend constexpr bool operator>(StrongId a, StrongId b) { return b < a; }
  friend constexpr bool operator<=(StrongId a, StrongId b) { return !(b < a); }
  friend constexpr bool operator>=(StrongId a, StrongId b) { return !(a < b); }

  template <typename H>
  friend H AbslHashValue(H state, StrongId id) {
    return H::combine(std::move(state), id.value_);
  }
  friend std::ostream& operator<<(std::ostream& out, StrongId id) {
    return out << id.value_;
  }

 private:
  uint64_t value_ = 0;
};

using JobId = StrongId<struct JobIdTag>;
using SweepId = StrongId<struct SweepIdTag>;
using WorkerId = StrongId<struct WorkerIdTag>;
using TaskId = StrongId<struct TaskIdTag>;
using VersionId = StrongId<struct VersionIdTag>;

}  // namespace hydra

template <typename Tag>
struct std::hash<hydra::StrongId<Tag>> {
  size_t operator()(hydra::StrongId<Tag> id) const {
    return std::hash<uint64_t>()(id.value());
  }
};

#endif  // HYDRA_COMMON_IDS_IDS_H_
