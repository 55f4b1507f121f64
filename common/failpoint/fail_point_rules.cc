#include "common/failpoint/fail_point_rules.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"

namespace hydra {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(1);

absl::Status Unreadable(absl::string_view text, absl::string_view expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("found \"", text, "\", expected ", expected));
}

// False: it is there already.
bool MakeMarker(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd < 0) return false;
  close(fd);
  return true;
}

}  // namespace

absl::StatusOr<FailPointRules> FailPointRules::Parse(absl::string_view text) {
  FailPointRules rules;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    absl::StatusOr<Rule> rule = ParseRule(part);
    if (!rule.ok()) return rule.status();
    absl::MutexLock lock(rules.mu_.get());
    rules.rules_.push_back(*std::move(rule));
  }
  return rules;
}

absl::StatusOr<FailPointRules::Rule> FailPointRules::ParseRule(
    absl::string_view text) {
  const size_t equals = text.find('=');
  const size_t at = text.find('@');
  if (equals == 0 || equals == text.npos || at == text.npos || at < equals) {
    return Unreadable(text, "NAME=ACTION@PASS");
  }
  Rule rule;
  const std::pair<absl::string_view, absl::string_view> pass_and_marker =
      absl::StrSplit(text.substr(at + 1), absl::MaxSplits(':', 1));
  rule.marker = std::string(pass_and_marker.second);
  absl::Status status = ParseName(text.substr(0, equals), rule);
  if (status.ok()) {
    status = ParseAction(text.substr(equals + 1, at - equals - 1), rule);
  }
  if (status.ok()) status = ParsePass(pass_and_marker.first, rule);
  if (!status.ok()) return status;
  return rule;
}

absl::Status FailPointRules::ParseName(absl::string_view text, Rule& rule) {
  const std::pair<absl::string_view, absl::string_view> name_and_job =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  rule.name = std::string(name_and_job.first);
  if (name_and_job.second.empty() ||
      absl::SimpleAtoi(name_and_job.second, &rule.job)) {
    return absl::OkStatus();
  }
  return Unreadable(text, "NAME/NUMBER OF A JOB");
}

absl::Status FailPointRules::ParseAction(absl::string_view text, Rule& rule) {
  static constexpr std::pair<absl::string_view, Action> kActions[] = {
      {"kill", Action::kKill},
      {"abort", Action::kAbort},
      {"stop", Action::kStop},
      {"hang", Action::kHang}};
  for (const auto& [name, action] : kActions) {
    if (text != name) continue;
    rule.action = action;
    return absl::OkStatus();
  }
  absl::string_view milliseconds = text;
  int64_t count = 0;
  if (absl::ConsumePrefix(&milliseconds, "sleep:") &&
      absl::SimpleAtoi(milliseconds, &count) && count >= 0) {
    rule.action = Action::kSleep;
    rule.sleep = absl::Milliseconds(count);
    return absl::OkStatus();
  }
  if (absl::StartsWith(text, "until:") && text.size() > sizeof("until:") - 1) {
    rule.action = Action::kUntil;
    rule.awaited_file = std::string(absl::StripPrefix(text, "until:"));
    return absl::OkStatus();
  }
  return Unreadable(
      text, "kill, abort, stop, hang, sleep:MILLISECONDS or until:PATH");
}

absl::Status FailPointRules::ParsePass(absl::string_view text, Rule& rule) {
  absl::string_view number = text;
  rule.every_later_pass = absl::ConsumeSuffix(&number, "+");
  if (absl::SimpleAtoi(number, &rule.first_pass) && rule.first_pass >= 1) {
    return absl::OkStatus();
  }
  return Unreadable(text, "a number from 1 on, perhaps with a + behind it");
}

bool FailPointRules::Applies(Rule& rule, absl::string_view name, uint64_t job) {
  if (rule.name != name || (rule.job != 0 && rule.job != job)) return false;
  ++rule.passes;
  const bool due = rule.every_later_pass ? rule.passes >= rule.first_pass
                                         : rule.passes == rule.first_pass;
  return due && (rule.marker.empty() || MakeMarker(rule.marker));
}

void FailPointRules::Pass(absl::string_view name, uint64_t job) {
  std::optional<Rule> applies;
  {
    absl::MutexLock lock(mu_.get());
    for (Rule& rule : rules_) {
      if (Applies(rule, name, job)) applies = rule;
    }
  }
  if (applies.has_value()) Act(*applies);
}

void FailPointRules::Act(const Rule& rule) {
  std::fprintf(stderr, "fail point %s, pass %d, process %d\n",
               rule.name.c_str(), static_cast<int>(rule.passes), getpid());
  switch (rule.action) {
    case Action::kKill:
      kill(getpid(), SIGKILL);
      break;
    case Action::kAbort:
      std::abort();
    case Action::kStop:
      kill(getpid(), SIGSTOP);
      break;
    case Action::kHang:
      while (true) pause();
    case Action::kSleep:
      absl::SleepFor(rule.sleep);
      break;
    case Action::kUntil:
      while (access(rule.awaited_file.c_str(), F_OK) != 0) {
        absl::SleepFor(kPoll);
      }
  }
}

}  // namespace hydra
