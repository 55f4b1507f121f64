#include "scheduler/core/share_recorder.h"

#include <vector>

#include "common/status/proto_time.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

void ShareRecorder::Restore(const journal::v1::ShareRecord& record,
                            absl::Time now) {
  std::vector<ShareLedger::Use> uses;
  for (const journal::v1::AccountUse& use : record.accounts()) {
    uses.push_back({Account{use.account()}, FromProto(use.used())});
  }
  shares_->Restore(uses, FromProto(record.level()), FromProto(record.at()),
                   now);
  as_of_ = shares_->ledger().now();
}

void ShareRecorder::Tick(absl::Time now) {
  const ShareLedger& ledger = shares_->ledger();
  if (ledger.accounts() < 2 || ledger.now() == as_of_ ||
      now - recorded_at_ < kEvery) {
    return;
  }
  recorded_at_ = now;
  as_of_ = ledger.now();
  journal_->SharesChanged(Record());
}

journal::v1::ShareRecord ShareRecorder::Record() const {
  const ShareLedger& ledger = shares_->ledger();
  journal::v1::ShareRecord record;
  *record.mutable_at() = ToProto(ledger.now());
  *record.mutable_level() = ToProto(ledger.level());
  for (const ShareLedger::Use& use : ledger.Uses()) {
    journal::v1::AccountUse& account = *record.add_accounts();
    account.set_account(use.account.number);
    *account.mutable_used() = ToProto(use.used);
  }
  return record;
}

}  // namespace hydra
