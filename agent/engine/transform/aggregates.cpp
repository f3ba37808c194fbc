#include "transform/aggregates.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "options/option_errors.h"
#include "transform/digest.h"
#include "transform/value_bytes.h"

namespace leat {
namespace {

using Function = Aggregates::Function;
using Counted = Aggregates::Counted;

constexpr std::string_view kFunctions[] = {"avg",    "count", "first",      "last",   "max",
                                           "median", "min",   "percentile", "stddev", "sum"};
// In `count`: not all of them were whole numbers; of the first aggregate: was_given(), is_final().
constexpr uint64_t kReal = uint64_t{1} << 63;
constexpr uint64_t kGiven = uint64_t{1} << 62;
constexpr uint64_t kFinal = uint64_t{1} << 61;
constexpr uint64_t kCountBits = kFinal - 1;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string in_small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return out;
}

// What stands for a field: its name, or that in double quotes ("" is one in it). "": neither.
std::string field_of(std::string_view text) {
  if (text.empty() || text.front() != '"')
    return std::string(text.find_first_of("()*+-/,\" ") == std::string_view::npos ? text : "");
  std::string out;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"' && i + 1 == text.size()) return out;
    if (text[i] == '"' && text[++i] != '"') break;
    out += text[i];
  }
  return "";
}

// A real sum that goes over the end of a double on its way is kept multiplied by this.
constexpr double kScale = 0x1p-64;

double whole_of(const Counted& counted) {
  return static_cast<double>(counted.integer) + std::ldexp(static_cast<double>(counted.over), 64);
}

double real_sum(const Counted& counted) {
  return counted.squares != 0 ? counted.real / kScale : counted.real;
}

// Takes "0.95" from the end of "temp, 0.95". NAN when there is no such.
double take_share(std::string_view& text) {
  const size_t comma = text.rfind(',');
  if (comma == std::string_view::npos) return NAN;
  const std::string number(trimmed(text.substr(comma + 1)));
  text = trimmed(text.substr(0, comma));
  if (number.empty() || json_number_length(number) != number.size()) return NAN;
  const double share = std::strtod(number.c_str(), nullptr);
  return share >= 0 && share <= 1 ? share : NAN;
}

using digest::Cell;

void append_cells(std::string& out, const void* cells, size_t count) {
  out.append(static_cast<const char*>(cells), count * sizeof(Cell));
}

// With a real number what was whole before is one, too.
void become_real(Counted& counted) {
  if ((counted.count & kReal) != 0) return;
  counted.real = whole_of(counted);
  counted.squares = 0;
  counted.count |= kReal;
}

void add_real(Counted& counted, double number, bool is_scaled) {
  if (is_scaled && counted.squares == 0) {
    counted.real *= kScale;
    counted.squares = 1;
  }
  const bool scaled = counted.squares != 0;
  const double sum = counted.real + (scaled && !is_scaled ? number * kScale : number);
  if (!scaled && std::isinf(sum) && std::isfinite(counted.real) && std::isfinite(number)) {
    counted.real = counted.real * kScale + number * kScale;
    counted.squares = 1;
  } else {
    counted.real = sum;
  }
}

void count_whole(Function function, Counted& counted, int64_t number, bool first) {
  int64_t sum = 0;
  switch (function) {
    case Function::kAvg:  // the sum
    case Function::kSum:
      if (__builtin_add_overflow(counted.integer, number, &sum))
        counted.over += number > 0 ? 1 : -1;
      counted.integer = sum;
      return;
    case Function::kMin:
      counted.integer = first ? number : std::min(counted.integer, number);
      return;
    default:
      counted.integer = first ? number : std::max(counted.integer, number);
  }
}

void count_real(Function function, Counted& counted, double number, bool first) {
  const double count = static_cast<double>((counted.count & kCountBits) + 1);
  const double away = number - counted.real;
  switch (function) {
    case Function::kAvg:  // the sum
    case Function::kSum:
      add_real(counted, number, false);
      return;
    case Function::kStddev:  // Welford
      counted.real += away / count;
      counted.squares += away * (number - counted.real);
      return;
    case Function::kMin:
      counted.real = first ? number : std::min(counted.real, number);
      return;
    default:
      counted.real = first ? number : std::max(counted.real, number);
  }
}

// True when first() or last() are those of `from`.
bool add_one(Function function, Counted& into, Counted from) {
  const uint64_t here = into.count & kCountBits;
  const uint64_t there = from.count & kCountBits;
  if (here == 0 || there == 0) {
    if (there > 0) into = from;
    return there > 0;
  }
  if (((into.count | from.count) & kReal) != 0) {
    become_real(into);
    become_real(from);
  }
  const bool real = (into.count & kReal) != 0;
  const auto n = static_cast<double>(here);
  const auto m = static_cast<double>(there);
  into.count += there;
  switch (function) {
    case Function::kFirst:
    case Function::kLast: {
      const bool takes =
          function == Function::kFirst ? from.integer < into.integer : from.integer >= into.integer;
      if (takes) into.integer = from.integer;
      return takes;
    }
    case Function::kCount:
    case Function::kMedian:
    case Function::kPercentile:  // whose cells are another matter
      break;
    case Function::kStddev: {  // Chan
      const double away = from.real - into.real;
      into.real += away * m / (n + m);
      into.squares += from.squares + away * away * n * m / (n + m);
      break;
    }
    case Function::kAvg:
    case Function::kSum:
      if (real) {
        add_real(into, from.real, from.squares != 0);
      } else {
        count_whole(function, into, from.integer, false);
        into.over += from.over;
      }
      break;
    default:
      if (real)
        count_real(function, into, from.real, false);
      else
        count_whole(function, into, from.integer, false);
  }
  return false;
}

bool is_number(const Value& value) {
  return value.type == Type::kInteger || value.type == Type::kFloat || value.type == Type::kDecimal;
}

// There is room, or no more than the most.
void count_in_cells(Counted& counted, Cell* cells, const Value& value) {
  const double number = is_number(value) ? real_of(value) : NAN;
  uint32_t& used = counted.cells.used;
  if (!std::isfinite(number) || counted.cells.room == 0) return;
  if (used == counted.cells.room) used = static_cast<uint32_t>(digest::compress(cells, used));
  cells[used++] = {number, 1};
  ++counted.count;
}

// Of two, as few as one may have.
void put_cells(Counted& counted, std::string& both) {
  size_t used = both.size() / sizeof(Cell);
  if (used > digest::kMost) used = digest::compress(reinterpret_cast<Cell*>(both.data()), used);
  counted.cells = {static_cast<uint32_t>(used), static_cast<uint32_t>(used)};
  both.resize(used * sizeof(Cell));
}

}  // namespace

Result<Aggregates> Aggregates::parse(const Options& options, std::string_view name) {
  Aggregates out;
  OptionErrors errors;
  for (const auto& [made, text] : options.map(name)) {
    const size_t open = text.find('(');
    const std::string_view rest = trimmed(text);
    const std::string function = in_small_letters(trimmed(std::string_view(text).substr(0, open)));
    const auto* known = std::ranges::find(kFunctions, function);
    if (open == std::string::npos || rest.back() != ')' || known == std::end(kFunctions)) {
      errors.add({.path = path_of_key(options.path(name), made),
                  .text = "must be one of avg, count, first, last, max, median, min, percentile, "
                          "stddev and sum of a field (\"avg(temp)\"), or \"count(*)\""});
      continue;
    }
    const size_t inside = rest.find('(') + 1;
    std::string_view of = trimmed(rest.substr(inside, rest.size() - inside - 1));
    Aggregate one{made, static_cast<Function>(known - kFunctions), -1};
    if (one.function == Function::kMedian) one.share = 0.5;
    if (one.function == Function::kPercentile) one.share = take_share(of);
    if (std::isnan(one.share)) {
      errors.add(
          {.path = path_of_key(options.path(name), made),
           .text = "needs a share from 0 to 1 behind the field (\"percentile(temp, 0.95)\")"});
      continue;
    }
    if (of.empty() || (of == "*" && one.function != Function::kCount)) {
      errors.add(
          {.path = path_of_key(options.path(name), made), .text = "lacks the name of a field"});
      continue;
    }
    one.keeps = one.function == Function::kFirst || one.function == Function::kLast;
    if (of != "*") {
      const std::string field = field_of(of);
      if (field.empty()) {
        errors.add(
            {.path = path_of_key(options.path(name), made),
             .text = "\"" + excerpt(of) +
                     "\" is not the name of a field: compute it by a map before the window "
                     "(\"set\": {\"x\": \"v * 2\"}), or put a name with such characters into "
                     "double quotes"});
        continue;
      }
      auto place = std::ranges::find(out.fields_, field);
      one.field = static_cast<int>(place - out.fields_.begin());
      if (place == out.fields_.end()) out.fields_.emplace_back(field);
    }
    if (one.is_percentile()) {
      const auto same = std::ranges::find_if(out.all_, [&one](const Aggregate& other) {
        return other.is_percentile() && other.field == one.field;
      });
      one.digest = static_cast<int>(same - out.all_.begin());
      out.has_digests_ = true;
    }
    out.keeps_any_ |= one.keeps || one.is_percentile();
    out.all_.push_back(std::move(one));
  }
  if (Status status = errors.status(); !status) return fail(status.error());
  return out;
}

std::string Aggregates::text() const {
  std::string out;
  for (const Aggregate& one : all_) {
    out += (out.empty() ? "" : ", ") + std::string(kFunctions[static_cast<size_t>(one.function)]);
    out += "(" + (one.field < 0 ? "*" : json_quoted(fields_[one.field]));
    if (one.function == Function::kPercentile) append_text(out += ", ", Value::of_float(one.share));
    out += ")";
  }
  return out;
}

size_t Aggregates::size_of_cells(const Counted* counted) const {
  size_t size = 0;
  for (size_t i = 0; has_digests_ && i < all_.size(); ++i)
    if (has_cells(i)) size += counted[i].cells.room * sizeof(Cell);
  return size;
}

bool Aggregates::needs_room(Counted* counted, std::string_view old) {
  bool does = false;
  for (size_t i = 0; has_digests_ && i < all_.size(); ++i)
    does |= has_cells(i) && counted[i].cells.used == counted[i].cells.room &&
            counted[i].cells.room < digest::kMost;
  if (!does) return false;
  kept_.clear();
  for (size_t i = 0; i < all_.size(); ++i) {
    if (!has_cells(i)) continue;
    auto& [used, room] = counted[i].cells;
    const size_t size = room * sizeof(Cell);
    const size_t end = kept_.size();
    kept_.append(old.substr(0, size));
    old.remove_prefix(size);
    if (used == room)
      room = room == 0 ? digest::kFewest : std::min<uint32_t>(2 * room, digest::kMost);
    kept_.resize(end + room * sizeof(Cell));
  }
  kept_ += old;
  return true;
}

bool Aggregates::count(Counted* counted, std::span<char> old, const Value* values,
                       int64_t time_us) {
  auto* cells = reinterpret_cast<Cell*>(old.data());
  bool keeps_more = false;
  counted->count &= ~kGiven;
  for (size_t i = 0; i < all_.size(); ++i) {
    const Aggregate& one = all_[i];
    Counted& into = counted[i];
    Cell* const own = cells;
    if (has_cells(i)) cells += into.cells.room;
    if (one.field < 0) {
      ++into.count;
      continue;
    }
    const Value& value = values[one.field];
    if (value.type == Type::kAbsent || value.type == Type::kNull) continue;
    const bool first = (into.count & kCountBits) == 0;
    if (one.keeps) {
      const bool it_is = first || (one.function == Function::kFirst ? time_us < into.integer
                                                                    : time_us >= into.integer);
      ++into.count;
      if (!it_is) continue;
      into.integer = time_us;
      into.squares = 1;  // it is this one
      keeps_more = true;
    } else if (one.function == Function::kCount) {
      ++into.count;
    } else if (one.is_percentile()) {
      if (has_cells(i)) count_in_cells(into, own, value);
    } else if (is_number(value)) {
      const bool whole = value.type == Type::kInteger && (into.count & kReal) == 0 &&
                         one.function != Function::kStddev;
      if (whole) {
        count_whole(one.function, into, integer_of(value), first);
      } else {
        become_real(into);
        count_real(one.function, into, real_of(value), first);
      }
      ++into.count;
    }
  }
  if (!keeps_more) return true;
  const size_t size = size_of_cells(counted);
  kept_.assign(old.data(), size);
  ByteReader reader{std::string_view(old.data(), old.size()).substr(size)};
  for (size_t i = 0; i < all_.size(); ++i) {
    if (!all_[i].keeps) continue;
    const std::string_view before = reader.rest.empty() ? std::string_view() : reader.text();
    if (std::exchange(counted[i].squares, 0.0) == 0.0) {
      put_text(kept_, before);
    } else {
      std::string text;
      put_value(text, values[all_[i].field]);
      put_text(kept_, text);
    }
  }
  return false;
}

bool Aggregates::was_given(const Counted* counted) {
  return (counted->count & kGiven) != 0;
}

void Aggregates::set_given(Counted* counted) {
  counted->count |= kGiven;
}

bool Aggregates::is_final(const Counted* counted) {
  return (counted->count & kFinal) != 0;
}

void Aggregates::set_final(Counted* counted) {
  counted->count |= kFinal;
}

void Aggregates::add(Counted* into, std::string_view kept, const Counted* from,
                     std::string_view from_kept) {
  kept_.clear();
  const size_t size = size_of_cells(into);
  ByteReader here{kept.substr(size)};
  ByteReader there{from_kept.substr(size_of_cells(from))};
  for (size_t i = 0; i < all_.size(); ++i) {
    if (!has_cells(i)) continue;
    std::string both;
    append_cells(both, kept.data(), into[i].cells.used);
    append_cells(both, from_kept.data(), from[i].cells.used);
    kept.remove_prefix(into[i].cells.room * sizeof(Cell));
    from_kept.remove_prefix(from[i].cells.room * sizeof(Cell));
    put_cells(into[i], both);
    kept_ += both;
  }
  for (size_t i = 0; i < all_.size(); ++i) {
    const std::string_view mine = all_[i].keeps && !here.rest.empty() ? here.text() : "";
    const std::string_view other = all_[i].keeps && !there.rest.empty() ? there.text() : "";
    const bool took = add_one(all_[i].function, into[i], from[i]);
    if (all_[i].keeps) put_text(kept_, took ? other : mine);
  }
}

Value Aggregates::percentile(size_t i, const Counted* counted, std::string_view kept) const {
  const auto owner = static_cast<size_t>(all_[i].digest);
  const uint32_t used = counted[owner].cells.used;
  if (used == 0) return Value::null();
  for (size_t other = 0; other < owner; ++other)
    if (has_cells(other)) kept.remove_prefix(counted[other].cells.room * sizeof(Cell));
  std::vector<Cell> cells(used);
  std::memcpy(cells.data(), kept.data(), used * sizeof(Cell));
  return Value::of_float(digest::percentile(cells.data(), used, all_[i].share));
}

void Aggregates::results(const Counted* counted, std::string_view kept, Arena& arena,
                         Value* out) const {
  ByteReader reader{kept.substr(size_of_cells(counted))};
  for (size_t i = 0; i < all_.size(); ++i) {
    const Counted& from = counted[i];
    const bool real = (from.count & kReal) != 0;
    const uint64_t count = from.count & kCountBits;
    const auto n = static_cast<double>(count);
    out[i] = Value::null();
    if (all_[i].keeps) {
      ByteReader value{reader.rest.empty() ? std::string_view() : reader.text()};
      out[i] = take_value(value, arena);
      continue;
    }
    if (all_[i].is_percentile()) {
      out[i] = percentile(i, counted, kept);
      continue;
    }
    switch (all_[i].function) {
      case Function::kCount:
        out[i] = Value::of_integer(static_cast<int64_t>(count));
        break;
      case Function::kAvg:
        if (count > 0 && !real) out[i] = Value::of_float(whole_of(from) / n);
        if (count > 0 && real)
          out[i] = Value::of_float(from.squares != 0 ? from.real / n / kScale : from.real / n);
        break;
      case Function::kStddev:
        if (count > 1) out[i] = Value::of_float(std::sqrt(from.squares / (n - 1)));
        break;
      default:
        if (count == 0) break;
        if (real)
          out[i] = Value::of_float(real_sum(from));  // of min and max the value
        else
          out[i] =
              from.over == 0 ? Value::of_integer(from.integer) : Value::of_float(whole_of(from));
    }
  }
}

}  // namespace leat
