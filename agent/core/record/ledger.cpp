#include "record/ledger.h"

namespace leat {

void merge(std::vector<Reached>& reached, const Reached& one) {
  for (Reached& known : reached) {
    if (known.by != one.by || known.position.partition != one.position.partition) continue;
    known.position = one.position;
    return;
  }
  reached.push_back(one);
}

// --- what is owed -------------------------------------------------------------------------------

template <typename F>
void Owed::each(F&& f) const {
  if (first_ == nullptr) return;
  f(*first_);
  for (Entry* entry : more_) f(*entry);
}

void Owed::push(Entry* entry) {
  if (first_ == nullptr) {
    first_ = entry;
  } else {
    more_.push_back(entry);
  }
}

Acknowledger* Owed::to() const {
  return first_->line->to;
}

Position Owed::begin() const {
  return {.partition = first_->end.partition, .offset = first_->begin};
}

void Owed::settle() {
  Owed all = std::move(*this);  // a stretch may go with its last holder
  all.each([](Entry& entry) {
    Line& line = *entry.line;
    if (--entry.open == 0 && line.front == &entry) line.ledger->release(line);
  });
}

Owed Owed::share() const {
  Owed out;
  each([&out](Entry& entry) {
    ++entry.open;
    out.push(&entry);
  });
  return out;
}

void Owed::add(Owed other) {
  if (first_ == nullptr) {
    *this = std::move(other);
    return;
  }
  other.each([this](Entry& entry) {
    Entry& before = *last();
    // One behind the other, and held by nobody else: one stretch. So what is held back for long
    // does not become a long list.
    if (before.open == 1 && entry.open == 1 && before.next == &entry) {
      before.end = entry.end;
      before.next = entry.next;
      if (before.line->back == &entry) before.line->back = &before;
      delete &entry;
    } else {
      push(&entry);
    }
  });
}

Owed Owed::split(const Acknowledger& to, const Position& at) {
  Owed all = std::move(*this);
  Owed before;
  all.each([&](Entry& entry) {
    bool known = entry.line->to == &to && entry.end.partition == at.partition;
    if (known && entry.end.offset <= at.offset) {
      before.push(&entry);
    } else if (known && entry.begin >= at.offset) {
      push(&entry);
    } else if (known && entry.open == 1) {
      auto* behind = new Entry{entry.line, entry.next, at.offset, entry.end, 1};
      if (entry.line->back == &entry) entry.line->back = behind;
      entry.next = behind;
      entry.end = at;
      before.push(&entry);
      push(behind);
    } else {
      ++entry.open;
      before.push(&entry);
      push(&entry);
    }
  });
  return before;
}

// A decoder may take back the end of what is the last of its partition: what a file ends with is
// not whole yet.
void Owed::set_line(const Position& end) {
  if (first_ == nullptr) return;
  Entry& entry = *last();
  Position& known = entry.end;
  if (known.partition != end.partition) return;
  const bool is_less = known.last && end.last && end.offset < known.offset;
  if (is_less && end.offset >= entry.begin) known.offset = end.offset;
  if (known.offset == end.offset) known.line = end.line;
}

// --- the ledger ---------------------------------------------------------------------------------

Ledger::~Ledger() {
  for (auto& [key, line] : lines_)
    while (line.front != nullptr) delete std::exchange(line.front, line.front->next);
}

Owed Ledger::open(Acknowledger& to, const Position& begin, const Position& end) {
  Owed::Line& line = lines_.try_emplace({&to, end.partition}, Owed::Line{this, &to}).first->second;
  auto* entry = new Owed::Entry{&line, nullptr, begin.offset, end, 1};
  (line.back == nullptr ? line.front : line.back->next) = entry;
  line.back = entry;
  return Owed(entry);
}

// What is settled at its front.
void Ledger::release(Owed::Line& line) {
  Reached reached{line.to, {}};
  while (line.front != nullptr && line.front->open == 0) {
    reached.position = line.front->end;
    delete std::exchange(line.front, line.front->next);
  }
  merge(reached_, reached);
  if (line.front == nullptr) lines_.erase({line.to, reached.position.partition});
}

std::vector<Reached> Ledger::reached_with(const std::vector<const Owed*>& settled) const {
  for (const Owed* owed : settled) owed->each([](Owed::Entry& entry) { ++entry.marked; });
  std::vector<Reached> out;
  for (const Owed* owed : settled) {
    owed->each([&out](Owed::Entry& entry) {
      const Owed::Line& line = *entry.line;
      for (const Reached& known : out)
        if (known.by == line.to && known.position.partition == entry.end.partition) return;
      Reached reached{line.to, {}};
      bool any = false;
      for (const Owed::Entry* one = line.front; one != nullptr && one->open == one->marked;
           one = one->next) {
        reached.position = one->end;
        any = true;
      }
      if (any) merge(out, reached);
    });
  }
  for (const Owed* owed : settled) owed->each([](Owed::Entry& entry) { entry.marked = 0; });
  return out;
}

bool Ledger::is_open(const Acknowledger& to, uint32_t partition) const {
  return lines_.contains({&to, partition});
}

}  // namespace leat
