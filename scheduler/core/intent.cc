#include "scheduler/core/intent.h"

namespace hydra {
namespace {

constexpr int kEvents = 7;

struct Row {
  Intent intent;
  // By event, in the order of IntentEvent.
  std::optional<Intent> after[kEvents];
};

constexpr std::nullopt_t kNo = std::nullopt;

constexpr Intent kGoOn = Intent::kGoOn;
constexpr Intent kPause = Intent::kPause;
constexpr Intent kAgain = Intent::kBeginAgain;
constexpr Intent kSave = Intent::kSaveAndBeginAgain;
constexpr Intent kAgainPause = Intent::kBeginAgainAndPause;
constexpr Intent kSavePause = Intent::kSaveBeginAgainAndPause;
constexpr Intent kHold = Intent::kHold;

// While a job is to go back, the reports of its tasks count no more: so what
// follows on them cannot happen.
//
// clang-format off
constexpr Row kTable[] = {
    //              kPause       kResume  kWakeUp  kCutAnew    kFallBack    kHoldBack  kNotSaved
    {kGoOn,       {kPause,       kNo,     kNo,     kSave,      kAgain,      kHold,     kGoOn}},
    {kPause,      {kNo,          kGoOn,   kGoOn,   kSavePause, kAgainPause, kHold,     kGoOn}},
    {kAgain,      {kAgainPause,  kNo,     kNo,     kNo,        kNo,         kNo,       kAgain}},
    {kSave,       {kSavePause,   kNo,     kNo,     kNo,        kNo,         kNo,       kAgain}},
    {kAgainPause, {kNo,          kAgain,  kNo,     kNo,        kNo,         kNo,       kAgainPause}},
    {kSavePause,  {kNo,          kSave,   kNo,     kNo,        kNo,         kNo,       kAgain}},
    {kHold,       {kNo,          kNo,     kGoOn,   kNo,        kNo,         kHold,     kHold}},
};
// clang-format on

}  // namespace

std::optional<Intent> After(Intent intent, IntentEvent event) {
  for (const Row& row : kTable) {
    if (row.intent == intent) return row.after[static_cast<int>(event)];
  }
  return std::nullopt;
}

Intent WentBack(Intent intent) {
  switch (intent) {
    case Intent::kBeginAgain:
    case Intent::kSaveAndBeginAgain:
      return Intent::kGoOn;
    case Intent::kBeginAgainAndPause:
    case Intent::kSaveBeginAgainAndPause:
      return Intent::kPause;
    case Intent::kGoOn:
    case Intent::kPause:
    case Intent::kHold:
      return intent;
  }
  return intent;
}

bool Pauses(Intent intent) {
  return intent == Intent::kPause || intent == Intent::kBeginAgainAndPause ||
         intent == Intent::kSaveBeginAgainAndPause;
}

bool GoesBack(Intent intent) {
  return intent != Intent::kGoOn && intent != Intent::kPause;
}

bool SavesBefore(Intent intent) {
  return intent == Intent::kSaveAndBeginAgain ||
         intent == Intent::kSaveBeginAgainAndPause;
}

}  // namespace hydra
