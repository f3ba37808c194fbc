// One attempt at a delivery: its rows on their way to the server, in one transaction.
//
// Thread: the loop's thread. Lifetime: outlives what it has under way, or the session ends first.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "connectors/postgres/rows.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/step.h"

namespace leat::postgres {

class Attempt {
 public:
  // `save_positions` is SQL that goes before the rows. All references outlive this.
  Attempt(Session& session, const Target& target, FieldText& text, const Delivery& delivery,
          Milliseconds timeout, const std::string& save_positions);

  // Why there is no use in trying; `proved`: records of the pipeline have been stored, so that a
  // record is to blame, and not the configuration.
  std::optional<Answer> impossible(bool proved) const;
  // `bad`: records were found that do not fit, and nothing of the delivery is stored.
  void run(StepEnd end, std::function<void()> bad);

  const Rows& rows() const { return rows_; }
  bool found_bad_records() const { return !rows_.bad().indices.empty(); }
  Answer bad_records() const {
    return Answer::rejected({rows_.bad().reason, "type"}, rows_.bad().indices);
  }
  // The record that the error names; nullopt: it names none.
  std::optional<uint32_t> record_named(const Refusal& refusal) const;
  // The statement that failed, in a transaction of its own and without any record.
  std::string without_records() const;

  // A transaction that stores positions and nothing else.
  static void save_positions(Session& session, const std::string& sql, StepEnd end);

 private:
  void insert(StepEnd end, std::function<void()> bad);

  Session& session_;
  const Target& target_;
  const std::string set_timeout_;
  Rows rows_;
  std::string insert_;
};

}  // namespace leat::postgres
