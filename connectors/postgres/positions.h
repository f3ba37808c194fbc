// exactlyOnce: where the source is, stored in the transaction of the records it stands for.
//
// Each transaction changes a position only from the value that the last one left. So a transaction
// of ours whose end we never heard of, and which the server may still be busy with, cannot store
// records a second time: it or its repetition finds the position moved, and is rolled back.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "connectors/postgres/server_message.h"
#include "stage/sink.h"

namespace leat::postgres {

class Positions {
 public:
  Positions(std::string agent, std::string pipeline)
      : agent_(std::move(agent)), pipeline_(std::move(pipeline)) {}

  // leat_positions(agent, pipeline, partition, value, delivery)
  static constexpr std::string_view kTable = "leat_positions";
  // In the error of a transaction that found a position moved.
  static constexpr std::string_view kMoved = "leat:position";

  static std::string exists_sql();
  static std::string create_sql();
  std::string load_sql() const;
  // Takes in the rows of load_sql(). Without a table: no rows.
  Status loaded(const std::vector<Row>& rows);

  // What is known is what is stored, as far as we can tell.
  bool known() const { return known_; }
  void forget() { known_ = false; }
  // Forgets also what was stored when we last looked, or wrote.
  void begin_anew() {
    known_ = false;
    had_ = false;
  }
  // What was loaded last is not what we knew: another transaction has moved something.
  bool moved() const { return moved_; }
  // What moved it was a transaction of ours.
  void accept() { moved_ = false; }
  std::vector<SavedPosition> all() const;

  // It was carried out, though we did not hear of it.
  bool has(const Delivery& delivery) const;
  std::string save_sql(const Delivery& delivery) const;
  void saved(const Delivery& delivery);

 private:
  struct Stored {
    std::string value;
    std::string delivery;  // Delivery::key
    bool operator==(const Stored&) const = default;
  };
  std::string agent_;
  std::string pipeline_;
  bool known_ = false;
  bool had_ = false;  // stored_ was right once
  bool moved_ = false;
  std::map<std::string, Stored, std::less<>> stored_;  // by partition
};

}  // namespace leat::postgres
