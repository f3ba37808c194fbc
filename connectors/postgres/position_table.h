// Positions (positions.h) against the server: found, or made, and taken over by each session.
#pragma once

#include <string>

#include "connectors/postgres/positions.h"
#include "connectors/postgres/session.h"
#include "connectors/postgres/step.h"

namespace leat::postgres {

class PositionTable {
 public:
  // `session` outlives this.
  PositionTable(std::string agent, std::string pipeline, SinkLane lane, uint64_t fence,
                Session& session);

  Positions& positions() { return positions_; }
  // They are known, in this session.
  bool ready() const;
  void make_ready(StepEnd end);
  // The table may be gone.
  void look_again() { found_ = false; }
  // For a delivery that finds them in other hands.
  Answer moved_by_somebody() const;

 private:
  void take(StepEnd end);

  const std::string agent_;
  const std::string pipeline_;
  Session& session_;
  Positions positions_;
  uint64_t taken_in_ = 0;  // the session
  bool found_ = false;
};

}  // namespace leat::postgres
