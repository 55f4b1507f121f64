#ifndef HYDRA_COMMON_CHAIN_LAYER_RANGE_H_
#define HYDRA_COMMON_CHAIN_LAYER_RANGE_H_

namespace hydra {

// Consecutive layers [first, last).
struct LayerRange {
  int first = 0;
  int last = 0;

  bool Contains(int layer) const { return first <= layer && layer < last; }

  friend bool operator==(const LayerRange& a, const LayerRange& b) {
    return a.first == b.first && a.last == b.last;
  }
};

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_LAYER_RANGE_H_
