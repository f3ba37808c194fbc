// Who may command from afar: takes messages, gives signed commands that are for this agent, now,
// and for the first time. THREATS.md says what that is worth against whom.
//
//   Verdict verdict = authority.admit(message);
//   if (verdict.command && !verdict.refusal)
//     authority.consume(*verdict.command, writes, [](Status kept) { if (kept) act(); });
//
// It looks, in this order, at: the size; the form; the key and the signature, over the bytes as
// they were sent; what is signed; the addressee; the counter, which goes up from command to command
// of a key; the time window, when the clock is known to be right. Who cannot sign learns nothing
// from it.
//
// Thread: the main loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/units.h"
#include "control/auth/claims.h"
#include "control/auth/refusals.h"
#include "journal/journal.h"
#include "plan/control_key.h"
#include "protocols/jws/jws.h"

namespace leat::control {

struct SignedCommand {
  std::string key;  // its id
  Role role = Role::kRead;
  std::string correlation;
  std::string command;  // no more is known of it than that it is_plain_id()
  jws::JsonTree arguments{nullptr, cJSON_Delete};  // an object
  uint64_t counter = 0;
};

struct Verdict {
  std::optional<Refusal> refusal = {};  // none: it may act, once it is consumed
  // When the signature is good and it says so much. With a refusal only for an answer.
  std::optional<SignedCommand> command = {};
  bool seen = false;  // a command with this correlation was taken already: this one does not act
  // Not 0: it was not looked at, since so many that cost time were looked at in vain. The same is
  // to be given again after that; it may be a good one.
  Milliseconds later{0};
};

struct AuthoritySetup {
  const Clock& clock;
  JournalClient& journal;
  // Whether the clock is right now (base/clock_sync.h). Once it was, it is taken for right.
  std::function<bool()> clock_is_right;
  // Whether a command with that correlation id was taken already.
  std::function<bool(const std::string& correlation)> seen = nullptr;
  // Refusals that are said: what, at most once a minute.
  std::function<void(const std::string& what)> on_refused = nullptr;
};

class Authority {
 public:
  explicit Authority(AuthoritySetup setup);

  // Takes the counters from what is in the journal, among other positions of the agent. Until then
  // nothing is admitted: what was there before could act again.
  void restore(const std::vector<SavedPosition>& saved);

  // For whom, and by whom, from now on. Counters of keys stay, whether they are there or not. A key
  // that cannot be used (a configuration is checked before) is left out.
  void set(std::string agent, std::vector<std::string> groups, const std::vector<ControlKey>& keys);

  // Gives a command, a refusal, or neither (`later`). A refusal is counted. What is
  // admitted is not admitted again, whatever becomes of it.
  Verdict admit(std::string_view message);
  // Puts the counter of an admitted command into the journal before it acts, also of one that its
  // role forbids: a key may have another role some day. `with` goes into the same transaction.
  // `changes`: it does more than look, and so must be known for used after a power cut, too. After
  // an error it must not act.
  void consume(const SignedCommand& command, bool changes, std::vector<SavedPosition> with,
               std::function<void(Status)> done);
  // For what is found out after admit(): Refusal::kRole.
  void refuse(Refusal refusal) { refusals_.add(refusal); }
  const Refusals& refusals() const { return refusals_; }

 private:
  struct Known {
    jws::Key key;
    Role role;
    uint64_t newest = 0;  // counter of all that it has signed, for whomever, and that came since
  };
  Verdict refused(Refusal refusal, std::optional<SignedCommand> command = {});
  // `anew`: is set when the key has signed it after all else that came.
  Verdict look_into(const jws::Message& message, Known& known, std::string_view key_id, bool& anew);
  bool is_for_us(const Claims& claims) const;
  std::optional<Refusal> check_time(const Claims& claims);

  const AuthoritySetup setup_;
  Refusals refusals_;
  bool restored_ = false;
  bool clock_was_right_ = false;
  std::string agent_;
  std::vector<std::string> groups_;
  std::map<std::string, Known, std::less<>> keys_;
  std::map<std::string, uint64_t, std::less<>> counters_;  // the last of each key
  int64_t second_us_ = INT64_MIN / 2;                      // that began then
  int in_vain_ = 0;  // has seen so many that were costly to look at
};

}  // namespace leat::control
