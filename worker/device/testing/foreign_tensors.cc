#include "worker/device/testing/foreign_tensors.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ATen/EmptyTensor.h"
#include "ATen/core/Tensor.h"
#include "ATen/core/dispatch/Dispatcher.h"
#include "ATen/detail/PrivateUse1HooksInterface.h"
#include "ATen/native/CPUFallback.h"
#include "ATen/ops/_reshape_alias_native.h"
#include "ATen/ops/as_strided_native.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/view_native.h"
#include "absl/types/span.h"
#include "c10/core/Allocator.h"
#include "c10/core/DeviceType.h"
#include "c10/core/impl/DeviceGuardImplInterface.h"
#include "c10/util/Exception.h"
#include "torch/library.h"
#include "worker/device/arena_c10_allocator.h"
#include "worker/device/testing/foreign_memory.h"

namespace hydra {
namespace {

// What LibTorch asks of every kind of device. There is one, with one stream,
// whose operations are done when they return.

std::atomic<DeviceArena*> newest_arena = nullptr;

class ForeignAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    DeviceArena* const arena = newest_arena;
    TORCH_CHECK(arena != nullptr, "there is no ForeignDevice");
    void* const pointer = AllocateOrThrow(*arena, bytes);
    if (pointer == nullptr) return {nullptr, ForeignTorchDevice()};
    return {pointer, new Allocation{arena, pointer}, &Free,
            ForeignTorchDevice()};
  }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    const auto span = [bytes](const void* begin) {
      return absl::MakeConstSpan(static_cast<const std::byte*>(begin), bytes);
    };
    const OpenForeignMemory open({span(to), span(from)});
    default_copy_data(to, from, bytes);
  }

 private:
  struct Allocation {
    DeviceArena* arena;
    void* pointer;
  };

  static void Free(void* context) {
    const std::unique_ptr<Allocation> own(static_cast<Allocation*>(context));
    own->arena->Free(own->pointer);
  }
};

ForeignAllocator& Allocator() {
  static auto* allocator = new ForeignAllocator;
  return *allocator;
}

class ForeignGuard
    : public c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::PrivateUse1> {
 public:
  c10::Device exchangeDevice(c10::Device) const override {
    return ForeignTorchDevice();
  }
  c10::Device getDevice() const override { return ForeignTorchDevice(); }
  c10::Stream getStream(c10::Device) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, ForeignTorchDevice());
  }
  c10::Stream exchangeStream(c10::Stream) const noexcept override {
    return c10::Stream(c10::Stream::DEFAULT, ForeignTorchDevice());
  }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, ForeignGuard)

class ForeignHooks : public at::PrivateUse1HooksInterface {
 public:
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
};

// The operations that the processor cannot do for the device: those that make
// tensors, that make views, and that copy.

at::Tensor Empty(at::IntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device>,
                 std::optional<bool>,
                 std::optional<at::MemoryFormat> memory_format) {
  return at::detail::empty_generic(
      size, &Allocator(), c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
      c10::dtype_or_default(type), memory_format);
}

at::Tensor EmptyStrided(at::IntArrayRef size, at::IntArrayRef stride,
                        std::optional<at::ScalarType> type,
                        std::optional<at::Layout>, std::optional<at::Device>,
                        std::optional<bool>) {
  return at::detail::empty_strided_generic(
      size, stride, &Allocator(),
      c10::DispatchKeySet(c10::DispatchKey::PrivateUse1),
      c10::dtype_or_default(type));
}

// For what operations return in a tensor that was given to them empty.
const at::Tensor& Resize(const at::Tensor& self, at::IntArrayRef size,
                         std::optional<at::MemoryFormat> memory_format) {
  if (self.sizes() == size) return self;
  TORCH_CHECK(self.numel() == 0, "a result of ", size, " in a tensor of ",
              self.sizes());
  self.unsafeGetTensorImpl()->set_storage_and_dtype(
      Empty(size, self.scalar_type(), {}, {}, {}, memory_format).storage(),
      self.dtype());
  self.unsafeGetTensorImpl()->set_sizes_contiguous(size);
  return self;
}

bool IsForeign(const at::Tensor& tensor) {
  return tensor.device() == ForeignTorchDevice();
}

// The bytes between its first and its last element.
absl::Span<const std::byte> RangeOf(const at::Tensor& tensor) {
  if (!IsForeign(tensor) || tensor.numel() == 0) return {};
  return {static_cast<const std::byte*>(tensor.const_data_ptr()),
          at::detail::computeStorageNbytes(tensor.sizes(), tensor.strides(),
                                           tensor.itemsize())};
}

// The same memory as a CPU tensor.
at::Tensor OnCpu(const at::Tensor& tensor) {
  if (!IsForeign(tensor)) return tensor;
  return at::from_blob(const_cast<void*>(tensor.const_data_ptr()),
                       tensor.sizes(), tensor.strides(),
                       at::TensorOptions().dtype(tensor.scalar_type()));
}

at::Tensor CopyFrom(const at::Tensor& from, const at::Tensor& to, bool) {
  const OpenForeignMemory open({RangeOf(from), RangeOf(to)});
  OnCpu(to).copy_(OnCpu(from));
  return to;
}

at::Tensor CopyFromAndResize(const at::Tensor& from, const at::Tensor& to) {
  return CopyFrom(from, Resize(to, from.sizes(), {}), false);
}

// All others.

void CheckOperand(const c10::OperatorHandle& operation,
                  const c10::Argument& argument, const at::Tensor& tensor) {
  if (!tensor.defined() || IsForeign(tensor)) return;
  const bool is_written =
      argument.alias_info() != nullptr && argument.alias_info()->isWrite();
  TORCH_CHECK(tensor.is_cpu() && tensor.dim() == 0 && !is_written,
              operation.schema().name(), " has operands on ", tensor.device(),
              " (", argument.name(), ") and on ", ForeignTorchDevice());
}

void ComputeOnCpu(const c10::OperatorHandle& operation,
                  torch::jit::Stack* stack) {
  const std::vector<c10::Argument>& arguments = operation.schema().arguments();
  for (size_t i = 0; i < arguments.size(); ++i) {
    const c10::IValue& value = torch::jit::peek(*stack, i, arguments.size());
    if (value.isTensor()) {
      CheckOperand(operation, arguments[i], value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& tensor : value.toTensorVector()) {
        CheckOperand(operation, arguments[i], tensor);
      }
    } else if (value.isOptionalTensorList()) {
      for (const std::optional<at::Tensor>& tensor :
           value.toOptionalTensorVector()) {
        if (tensor) CheckOperand(operation, arguments[i], *tensor);
      }
    }
  }
  at::native::cpu_fallback(operation, stack, /*error_on_views=*/true);
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("empty.memory_format", Empty);
  library.impl("empty_strided", EmptyStrided);
  library.impl("as_strided", at::native::as_strided_tensorimpl);
  library.impl("view", at::native::view);
  library.impl("_reshape_alias", at::native::_reshape_alias);
  library.impl("resize_", Resize);
  library.impl("_copy_from", CopyFrom);
  library.impl("_copy_from_and_resize", CopyFromAndResize);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&ComputeOnCpu>());
}

}  // namespace

DeviceArena* UseArenaForForeignTensors(std::unique_ptr<DeviceArena> arena) {
  static const bool registered = [] {
    // The name makes it a device that autograd knows.
    c10::register_privateuse1_backend("foreign");
    c10::SetAllocator(c10::DeviceType::PrivateUse1, &Allocator());
    at::RegisterPrivateUse1HooksInterface(new ForeignHooks);
    return true;
  }();
  static_cast<void>(registered);
  // Its tensors may live until the process ends.
  static auto& arenas = *new std::vector<std::unique_ptr<DeviceArena>>;
  arenas.push_back(std::move(arena));
  newest_arena = arenas.back().get();
  return newest_arena;
}

}  // namespace hydra
