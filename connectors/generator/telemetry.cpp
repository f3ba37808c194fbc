#include "telemetry.h"

#include <cstdio>
#include <string_view>

namespace leat::generator {
namespace {

constexpr int64_t kStartMs = 1'760'000'000'000;  // 2025-10-09T08:53:20Z
constexpr int64_t kStepMs = 5;                   // between one record and the next, on average
constexpr uint32_t kPlcsPerGateway = 4;

// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): its
// n-th number can be had without the ones before.
uint64_t random_bits(uint64_t seed, uint64_t index) {
  constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;
  uint64_t z = seed * 0xd1342543de82ef95 + (index + 1) * kGamma;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// A quarter idle, an eighth fault.
std::string_view state_of(uint64_t sixteenth) {
  if (sixteenth < 4) return "idle";
  return sixteenth < 14 ? "run" : "fault";
}

}  // namespace

Telemetry::Telemetry(uint64_t seed, uint32_t devices)
    : seed_(seed),
      devices_(devices),
      shape_(std::make_shared<const Shape>(
          std::vector<std::string_view>{"ts", "device", "seq", "temp", "vib", "state", "ok"})) {}

void Telemetry::fill(Batch& batch, uint64_t first, uint32_t count) const {
  batch.adopt(shape_);
  batch.records.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    Record record = make(batch, first + i);
    record.end_offset = i + 1;
    record.end_line = i + 1;
    batch.records.push_back(record);
  }
}

Record Telemetry::make(Batch& batch, uint64_t index) const {
  uint64_t bits = random_bits(seed_, index);
  auto take = [&bits](uint64_t below) {  // 64 bits are enough for all that follow
    uint64_t value = bits % below;
    bits /= below;
    return value;
  };
  auto number = static_cast<int64_t>(index);
  // Less than a step of jitter: time never stands still or goes back.
  int64_t ts = kStartMs + kStepMs * number + static_cast<int64_t>(take(kStepMs));
  auto device = static_cast<uint32_t>(take(devices_));
  char name[32];
  int length = std::snprintf(name, sizeof name, "gw-%03u/plc-%02u", device / kPlcsPerGateway,
                             device % kPlcsPerGateway);

  Record record;
  record.shape = shape_.get();
  record.time_us = ts * 1000;
  record.values = batch.arena.array<Value>(shape_->size());
  record.values[0] = Value::of_integer(ts);
  record.values[1] =
      Value::of_text(Type::kString, batch.arena.copy({name, static_cast<size_t>(length)}));
  record.values[2] = Value::of_integer(number);
  // Divided, not multiplied by 0.01: the nearest double, which prints with two decimals.
  record.values[3] = Value::of_float(static_cast<double>(2000 + take(4096)) / 100);
  record.values[4] = Value::of_float(static_cast<double>(1000 + 5 * take(8192)) / 10000);
  record.values[5] = Value::of_text(Type::kString, batch.arena.copy(state_of(take(16))));
  record.values[6] = Value::boolean(take(64) != 0);
  return record;
}

}  // namespace leat::generator
