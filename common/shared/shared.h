#ifndef HYDRA_COMMON_SHARED_SHARED_H_
#define HYDRA_COMMON_SHARED_SHARED_H_

#include <memory>
#include <utility>

namespace hydra {

// A value that its copies share: to copy it costs a pointer. It never changes;
// another one can be put into its place. Thread-safe as a pointer is: one
// object belongs to one thread, its copies to any.
template <typename T>
class Shared {
 public:
  // As T's own.
  Shared() : value_(Default()) {}
  Shared(T value)  // NOLINT: stands where a T would.
      : value_(std::make_shared<const T>(std::move(value))) {}
  // Requires a value.
  explicit Shared(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  // Puts a copy of the value into its place, to be changed by the caller before
  // this object is copied again.
  T& Fresh() {
    auto fresh = std::make_shared<T>(*value_);
    T& value = *fresh;
    value_ = std::move(fresh);
    return value;
  }

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }

 private:
  static const std::shared_ptr<const T>& Default() {
    static const auto& value =
        *new std::shared_ptr<const T>(std::make_shared<const T>());
    return value;
  }

  std::shared_ptr<const T> value_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_SHARED_SHARED_H_
