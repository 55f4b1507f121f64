#include "common/jobfile/field_order.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

constexpr absl::string_view kGrid = "sweep.grid.";
// Longer ones are no fields; their number times their length would have no
// bound.
constexpr size_t kMaxPathBytes = 200;
// More are in no job that is right; those behind them count as the end of the
// section that they are in.
constexpr size_t kMaxPlaces = 20'000;

// What `field` is a part of: "data" of "data.train_files", that of
// "data.train_files[0]".
absl::string_view Around(absl::string_view field) {
  const size_t end = field.find_last_of(".[");
  return end == field.npos ? absl::string_view() : field.substr(0, end);
}

}  // namespace

FieldOrder::FieldOrder(const YamlNode& root) {
  AddChild(root, "");
  std::map<std::string, Place, std::less<>> axes;
  for (auto axis = places_.lower_bound(kGrid);
       axis != places_.end() &&
       absl::string_view(axis->first).substr(0, kGrid.size()) == kGrid;
       ++axis) {
    axes.emplace(axis->first.substr(kGrid.size()), axis->second);
  }
  places_.insert(axes.begin(), axes.end());
}

void FieldOrder::AddChild(const YamlNode& node, const std::string& path) {
  if (path.size() > kMaxPathBytes || places_.size() >= kMaxPlaces) return;
  const std::string name = FieldName(path);
  const auto [place, is_new] = places_.try_emplace(name);
  // A key that is given twice stands where it stands first.
  if (is_new) place->second.begin = next_++;
  AddNode(node, path);
  if (is_new) place->second.end = next_++;
}

void FieldOrder::AddNode(const YamlNode& node, const std::string& path) {
  for (const YamlEntry& entry : node.entries) {
    AddChild(entry.value,
             path.empty() ? entry.key : absl::StrCat(path, ".", entry.key));
  }
  for (size_t i = 0; i < node.items.size(); ++i) {
    AddChild(node.items[i], absl::StrCat(path, "[", i, "]"));
  }
}

int FieldOrder::PlaceOf(absl::string_view field) const {
  if (const auto place = places_.find(field); place != places_.end()) {
    return place->second.begin;
  }
  while (!field.empty()) {
    field = Around(field);
    if (const auto place = places_.find(field); place != places_.end()) {
      return place->second.end;
    }
  }
  return next_;
}

void FieldOrder::Sort(Mistakes* mistakes) const {
  const auto more = std::stable_partition(
      mistakes->begin(), mistakes->end(),
      [](const Mistake& m) { return !IsMoreMistakes(m); });
  std::stable_sort(mistakes->begin(), more,
                   [this](const auto& a, const auto& b) {
                     return PlaceOf(a.field()) < PlaceOf(b.field());
                   });
}

}  // namespace hydra
