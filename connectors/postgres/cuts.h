// A record at which the server's process dies, over and over, is not an outage, though it looks
// like one. After a few cuts in the middle of one delivery it is halved until the record stands
// alone; that is rejected when it is cut off a few times more.
//
// A server that cannot be reached, that says why it ends, or that is silent has cut nothing off.
#pragma once

#include <optional>
#include <string>

#include "stage/sink.h"

namespace leat::postgres {

class Cuts {
 public:
  // What becomes of a delivery that was cut off in the middle; nullopt: it is tried again.
  std::optional<Answer> cut(const Delivery& delivery, const std::string& why);
  void delivered();

 private:
  std::string key_;       // Delivery::key of the one cut off last
  int cuts_ = 0;          // of that one, in a row
  bool hunting_ = false;  // a record to blame is in what comes
  int good_ = 0;          // deliveries since the last cut
};

}  // namespace leat::postgres
