#include "worker/model/attention.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h"
#include "ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h"
#include "ATen/ops/_softmax.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/baddbmm.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/stack.h"
#include "ATen/ops/zeros.h"
#include "c10/core/GradMode.h"

namespace hydra {
namespace {

bool IsWindowed(const AttentionShape& shape) {
  return shape.is_causal && shape.window > 0 && shape.window < shape.context;
}

bool IsFused(const QueryKeyValue& input, const AttentionShape& shape) {
  return input.query.device().is_cpu() && shape.dropout.probability == 0;
}

// How many heads of queries share one of keys and values.
int64_t GroupSize(const AttentionShape& shape) {
  return shape.heads / shape.key_value_heads;
}

// True where a token of causal attention does not look: at those behind it, and
// at those before its window.
at::Tensor HiddenPairs(const AttentionShape& shape,
                       const at::TensorOptions& options) {
  const at::Tensor all =
      at::ones({shape.context, shape.context}, options.dtype(at::kBool));
  const at::Tensor hidden = all.triu(1);
  return IsWindowed(shape) ? hidden.logical_or(all.tril(-shape.window))
                           : hidden;
}

// True at the keys behind the end of each sequence, [sequences, context].
at::Tensor PaddedKeys(const AttentionShape& shape) {
  return at::arange(shape.context, shape.lengths.options())
      .unsqueeze(0)
      .ge(shape.lengths.unsqueeze(1));
}

// [tokens, heads * width of a head] as [sequences, heads, context, width of a
// head].
at::Tensor ByHead(const at::Tensor& rows, int64_t heads,
                  const AttentionShape& shape) {
  return rows
      .view({shape.sequences, shape.context, heads, rows.size(1) / heads})
      .transpose(1, 2);
}

// Of each group of heads that share keys and values its head number `member`:
// [sequences, key_value_heads, context, width of a head].
at::Tensor ByGroup(const at::Tensor& rows, int64_t member,
                   const AttentionShape& shape) {
  return rows
      .view({shape.sequences, shape.context, shape.key_value_heads,
             GroupSize(shape), rows.size(1) / shape.heads})
      .select(3, member)
      .transpose(1, 2);
}

// `to` becomes factor * a b, matrix by matrix, or grows by it.
void Multiply(const at::Tensor& a, const at::Tensor& b, double factor, bool add,
              at::Tensor to) {
  at::baddbmm_out(to, to, a, b, /*beta=*/add ? 1 : 0, factor);
}

// Turns the gradient of the weights into that of the scores. (LibTorch's own
// gives other bits with one thread than with several where the context is above
// 16 and no multiple of it.)
void SoftmaxBackward(const at::Tensor& weights, const at::Tensor& gradient) {
  gradient.mul_(weights);
  gradient.addcmul_(weights, gradient.sum(/*dim=*/-1, /*keepdim=*/true),
                    /*value=*/-1);
}

// The scores of one sequence's pairs of tokens, and what follows from them. Of
// a sequence the tensors are [key_value_heads, context, width of a head]: those
// of one member of each group, and the keys and values that these share.
class Scores {
 public:
  Scores(const QueryKeyValue& input, const AttentionShape& shape)
      : dropout_(shape.dropout),
        group_size_(GroupSize(shape)),
        key_(ByHead(input.key, shape.key_value_heads, shape)),
        value_(ByHead(input.value, shape.key_value_heads, shape)),
        scale_(1 / std::sqrt(static_cast<double>(key_.size(-1)))),
        hidden_(shape.is_causal ? HiddenPairs(shape, input.query.options())
                                : at::Tensor()),
        padded_(shape.lengths.defined() ? PaddedKeys(shape) : at::Tensor()),
        weights_(at::empty({shape.heads, shape.context, shape.context},
                           input.query.options())) {
    for (int64_t member = 0; member < group_size_; ++member) {
      queries_.push_back(ByGroup(input.query, member, shape));
    }
  }

  at::Tensor query(int64_t sequence, int64_t member) const {
    return queries_[member][sequence];
  }
  at::Tensor key(int64_t sequence) const { return key_[sequence]; }
  at::Tensor value(int64_t sequence) const { return value_[sequence]; }
  double scale() const { return scale_; }
  int64_t group_size() const { return group_size_; }

  // Of all heads' pairs, those of one member of each group.
  at::Tensor OfMember(const at::Tensor& pairs, int64_t member) const {
    return pairs.view({-1, group_size_, pairs.size(-1), pairs.size(-1)})
        .select(1, member);
  }

  // What each pair weighs before dropout, [heads, context, context]. Valid
  // until the next call.
  at::Tensor& Weights(int64_t sequence) {
    for (int64_t member = 0; member < group_size_; ++member) {
      Multiply(query(sequence, member), key(sequence).transpose(1, 2), scale_,
               /*add=*/false, OfMember(weights_, member));
    }
    if (hidden_.defined()) {
      weights_.masked_fill_(hidden_, -std::numeric_limits<float>::infinity());
    }
    if (padded_.defined()) {
      weights_.masked_fill_(padded_[sequence],
                            -std::numeric_limits<float>::infinity());
    }
    at::_softmax_out(weights_, weights_, /*dim=*/-1, /*half_to_float=*/false);
    return weights_;
  }

  // Of the weights, or of their gradient.
  void DropOut(int64_t sequence, const at::Tensor& weights) const {
    hydra::DropOut(weights, dropout_, sequence * weights.numel());
  }

 private:
  const Dropout dropout_;
  const int64_t group_size_;
  // By member of a group.
  std::vector<at::Tensor> queries_;
  const at::Tensor key_;
  const at::Tensor value_;
  const double scale_;
  // Undefined: all pairs count.
  const at::Tensor hidden_;
  // Undefined: all keys of a sequence do.
  const at::Tensor padded_;
  at::Tensor weights_;
};

at::Tensor ForwardByScores(const QueryKeyValue& input,
                           const AttentionShape& shape) {
  const at::Tensor output =
      at::empty(input.query.sizes(), input.query.options());
  Scores scores(input, shape);
  at::Tensor attended =
      at::empty(scores.value(0).sizes(), input.query.options());
  for (int64_t i = 0; i < shape.sequences; ++i) {
    const at::Tensor& weights = scores.Weights(i);
    scores.DropOut(i, weights);
    for (int64_t member = 0; member < scores.group_size(); ++member) {
      Multiply(scores.OfMember(weights, member), scores.value(i), 1,
               /*add=*/false, attended);
      ByGroup(output, member, shape)[i].copy_(attended);
    }
  }
  return output;
}

void BackwardByScores(const at::Tensor& output_gradient,
                      const AttentionShape& shape, const QueryKeyValue& input) {
  Scores scores(input, shape);
  const at::Tensor made =
      at::empty({scores.group_size() + 2, shape.key_value_heads, shape.context,
                 scores.key(0).size(-1)},
                input.query.options());
  // Behind the queries' of each member of a group.
  const at::Tensor key = made[scores.group_size()];
  const at::Tensor value = made[scores.group_size() + 1];
  at::Tensor gradient;
  for (int64_t i = 0; i < shape.sequences; ++i) {
    const at::Tensor& weights = scores.Weights(i);
    if (i == 0) gradient = at::empty_like(weights);
    gradient.copy_(weights);
    scores.DropOut(i, gradient);
    for (int64_t member = 0; member < scores.group_size(); ++member) {
      const at::Tensor pairs = scores.OfMember(gradient, member);
      const at::Tensor outputs = ByGroup(output_gradient, member, shape)[i];
      Multiply(pairs.transpose(1, 2), outputs, 1, /*add=*/member > 0, value);
      Multiply(outputs, scores.value(i).transpose(1, 2), 1, /*add=*/false,
               pairs);
    }
    scores.DropOut(i, gradient);
    SoftmaxBackward(weights, gradient);
    for (int64_t member = 0; member < scores.group_size(); ++member) {
      const at::Tensor pairs = scores.OfMember(gradient, member);
      Multiply(pairs, scores.key(i), scores.scale(), /*add=*/false,
               made[member]);
      Multiply(pairs.transpose(1, 2), scores.query(i, member), scores.scale(),
               /*add=*/member > 0, key);
    }
    for (int64_t member = 0; member < scores.group_size(); ++member) {
      ByGroup(input.query, member, shape)[i].copy_(made[member]);
    }
    scores.key(i).copy_(key);
    scores.value(i).copy_(value);
  }
}

// What is added to the fused kernels' scores: nothing unless there is a window,
// or padding.
std::optional<at::Tensor> FusedMask(const QueryKeyValue& input,
                                    const AttentionShape& shape) {
  if (shape.lengths.defined()) {
    return at::zeros({shape.sequences, 1, 1, shape.context},
                     input.query.options())
        .masked_fill_(PaddedKeys(shape).unsqueeze(1).unsqueeze(1),
                      -std::numeric_limits<float>::infinity());
  }
  if (!IsWindowed(shape)) return std::nullopt;
  return at::zeros({shape.context, shape.context}, input.query.options())
      .masked_fill_(HiddenPairs(shape, input.query.options()),
                    -std::numeric_limits<float>::infinity());
}

// One pass for each member of a group, over the keys and values as they are.

Attended FusedForward(const QueryKeyValue& input, const AttentionShape& shape) {
  const std::optional<at::Tensor> mask = FusedMask(input, shape);
  const at::Tensor key = ByHead(input.key, shape.key_value_heads, shape);
  const at::Tensor value = ByHead(input.value, shape.key_value_heads, shape);
  const auto pass = [&](int64_t member) {
    return at::_scaled_dot_product_flash_attention_for_cpu(
        ByGroup(input.query, member, shape), key, value, /*dropout_p=*/0,
        shape.is_causal, mask);
  };
  if (GroupSize(shape) == 1) {
    const auto [output, log_sum_exp] = pass(0);
    return {output.transpose(1, 2).reshape(input.query.sizes()), log_sum_exp};
  }
  Attended attended;
  attended.output = at::empty(input.query.sizes(), input.query.options());
  std::vector<at::Tensor> log_sum_exps;
  for (int64_t member = 0; member < GroupSize(shape); ++member) {
    const auto [output, log_sum_exp] = pass(member);
    ByGroup(attended.output, member, shape).copy_(output);
    log_sum_exps.push_back(log_sum_exp);
  }
  attended.log_sum_exp = at::stack(log_sum_exps);
  return attended;
}

void FusedBackward(const at::Tensor& output_gradient, const Attended& attended,
                   const AttentionShape& shape, const QueryKeyValue& input) {
  const std::optional<at::Tensor> mask = FusedMask(input, shape);
  const at::Tensor key = ByHead(input.key, shape.key_value_heads, shape);
  const at::Tensor value = ByHead(input.value, shape.key_value_heads, shape);
  at::Tensor key_sum, value_sum;
  for (int64_t member = 0; member < GroupSize(shape); ++member) {
    const at::Tensor query = ByGroup(input.query, member, shape);
    const auto [query_gradient, key_gradient, value_gradient] =
        at::_scaled_dot_product_flash_attention_for_cpu_backward(
            ByGroup(output_gradient, member, shape), query, key, value,
            ByGroup(attended.output, member, shape),
            GroupSize(shape) == 1 ? attended.log_sum_exp
                                  : attended.log_sum_exp[member],
            /*dropout_p=*/0, shape.is_causal, mask);
    query.copy_(query_gradient);
    if (member == 0) {
      key_sum = key_gradient;
      value_sum = value_gradient;
    } else {
      key_sum.add_(key_gradient);
      value_sum.add_(value_gradient);
    }
  }
  key.copy_(key_sum);
  value.copy_(value_sum);
}

}  // namespace

Attended Attend(const QueryKeyValue& input, const AttentionShape& shape) {
  const at::NoGradGuard no_grad;
  if (!IsFused(input, shape)) return {ForwardByScores(input, shape), {}};
  return FusedForward(input, shape);
}

void AttendBackward(const at::Tensor& output_gradient, const Attended& attended,
                    const AttentionShape& shape, const QueryKeyValue& input) {
  const at::NoGradGuard no_grad;
  if (IsFused(input, shape)) {
    FusedBackward(output_gradient, attended, shape, input);
  } else {
    BackwardByScores(output_gradient, shape, input);
  }
}

}  // namespace hydra
