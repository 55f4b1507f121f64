#include "worker/device/testing/foreign_memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// Addresses, of which pages are taken when they are written to.
constexpr int64_t kReservedBytes = int64_t{64} << 30;

uintptr_t RoundedToPage(uintptr_t address) {
  static const uintptr_t page = sysconf(_SC_PAGESIZE);
  return address & ~(page - 1);
}

// Says what happened, and lets it happen again, to the process's end.
void ExplainAccess(int signal, siginfo_t* info, void* context);

// All of it, one arena's after the other.
class Reservation {
 public:
  Reservation()
      : begin_(static_cast<std::byte*>(
            mmap(nullptr, kReservedBytes, PROT_NONE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    PCHECK(begin_ != MAP_FAILED) << "no range of " << kReservedBytes;
    struct sigaction action = {};
    action.sa_sigaction = ExplainAccess;
    action.sa_flags = SA_SIGINFO | SA_RESETHAND;
    PCHECK(sigaction(SIGSEGV, &action, nullptr) == 0);
  }

  absl::StatusOr<std::byte*> Take(int64_t bytes) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const int64_t pages = RoundedToPage(bytes + sysconf(_SC_PAGESIZE) - 1);
    if (pages > kReservedBytes - taken_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("of ", kReservedBytes, " bytes for foreign devices, ",
                       taken_, " are taken; there is no room for ", bytes));
    }
    return begin_ + std::exchange(taken_, taken_ + pages);
  }

  bool Contains(const void* address) const {
    return address >= begin_ && address < begin_ + kReservedBytes;
  }

 private:
  std::byte* const begin_;
  absl::Mutex mu_;
  int64_t taken_ ABSL_GUARDED_BY(mu_) = 0;
};

Reservation& Reserved() {
  static auto* reservation = new Reservation;
  return *reservation;
}

void ExplainAccess(int /*signal*/, siginfo_t* info, void* /*context*/) {
  static constexpr char kText[] =
      "The host has used a pointer into a foreign device's memory: on a GPU "
      "this ends the worker too.\n";
  if (!Reserved().Contains(info->si_addr)) return;
  if (write(STDERR_FILENO, kText, sizeof(kText) - 1) < 0) return;
}

absl::Mutex opened(absl::kConstInit);

}  // namespace

DeviceArena::Source ForeignMemory() {
  return {64, [](int64_t bytes) { return Reserved().Take(bytes); },
          [](std::byte*, int64_t) {}};
}

OpenForeignMemory::OpenForeignMemory(
    std::vector<absl::Span<const std::byte>> ranges)
    : lock_(&opened), ranges_(std::move(ranges)) {
  Protect(PROT_READ | PROT_WRITE);
}

OpenForeignMemory::~OpenForeignMemory() { Protect(PROT_NONE); }

void OpenForeignMemory::Protect(int protection) const {
  for (const absl::Span<const std::byte> range : ranges_) {
    if (range.empty()) continue;
    CHECK(Reserved().Contains(range.data())) << "not a foreign device's memory";
    const auto first = reinterpret_cast<uintptr_t>(range.data());
    const uintptr_t begin = RoundedToPage(first);
    PCHECK(mprotect(reinterpret_cast<void*>(begin),
                    first + range.size() - begin, protection) == 0);
  }
}

}  // namespace hydra
